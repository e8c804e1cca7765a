-- SPDX-License-Identifier: MIT
-- What the READMEs link to is there, and their lists of contents are complete.

local markdown = require("spec.support.markdown")
local process = require("spec.support.process")

local function exists(path)
  return select(2, process.run("test -e " .. process.quote(path))) == 0
end

local function has_heading(path, name)
  for _, heading in ipairs(markdown.headings(markdown.read(path))) do
    if heading.name == name then
      return true
    end
  end
  return false
end

-- What is wrong with a link in a file of this folder, or nil.
local function check(path, folder, target)
  local file, name = target:match("^([^#]*)#?(.*)$")
  local led_to = file == "" and path or folder .. file
  if not exists(led_to) then
    return "no such file"
  elseif name ~= "" and not has_heading(led_to, name) then
    return "no such heading"
  end
end

local function problems_of(path)
  local found, folder = {}, path:match("^(.*/)") or ""
  for _, link in ipairs(markdown.links(markdown.read(path))) do
    local problem = not link.target:find("^%a+:") and check(path, folder, link.target)
    if problem then
      found[#found + 1] = ("%s:%d: %s: %s"):format(path, link.line, link.target, problem)
    end
  end
  return found
end

describe("the links of", function()
  local paths = { "CHANGELOG.md", "spec/emulator/README.md" }
  for _, path in ipairs(markdown.manuals) do
    paths[#paths + 1] = path
  end

  for _, path in ipairs(paths) do
    it(path .. " lead to files and headings that are there", function()
      assert.same({}, problems_of(path))
    end)
  end

  it("an invented page that lead nowhere are found", function()
    local path = os.getenv("EMULATOR_DIR") .. "/page.md"
    local file = assert(io.open(path, "w"))
    file:write("# A\n\n[1](nowhere.md) `[2](code.md)`\n[3](#b) [4](#a) [5](https://example.com)\n")
    file:write("```\n[6](block.md)\n```\n")
    file:close()
    local found = problems_of(path)
    os.remove(path)
    assert.same({
      path .. ":3: nowhere.md: no such file",
      path .. ":4: #b: no such heading",
    }, found)
  end)
end)

describe("the list of contents of", function()
  for _, path in ipairs(markdown.manuals) do
    it(path .. " names each of its sections, in order", function()
      local text = markdown.read(path)
      local sections, listed = {}, {}
      for _, heading in ipairs(markdown.headings(text)) do
        sections[#sections + 1] = heading.level == 2 and heading.name or nil
      end
      for line in text:gmatch("[^\n]+") do
        listed[#listed + 1] = line:match("^%- %[.*%]%(#([^)]*)%)$")
      end
      assert.is_true(#sections > 0)
      assert.same(sections, listed)
    end)
  end
end)
