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
  for path in process.run("ls .github/*.md"):gmatch("[^\n]+") do
    paths[#paths + 1] = path
  end
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

-- ---- the reference in HTML ----

local function make_reference(folder)
  -- It keeps files in /tmp under the name of the home, where another user cannot write.
  local command = 'env -i PATH="$PATH" HOME="$HOME" ldoc --fatalwarnings --quiet --dir %s .'
  local output, status = process.run(command:format(process.quote(folder)))
  assert.equal(0, status, output)
end

local function has_place(path, name)
  local page, quoted = markdown.read(path), '"' .. name .. '"'
  return page:find("id=" .. quoted, 1, true) or page:find("name = " .. quoted, 1, true)
    or page:find("name=" .. quoted, 1, true)
end

-- What is wrong with a link on a page of this folder, or nil.
local function check_page(path, folder, target)
  local file, mark, name = target:match("^([^#]*)(#?)(.*)$")
  local led_to = file == "" and path or folder .. file
  if not exists(led_to) then
    return "no such page"
  elseif mark == "#" and not has_place(led_to, name) then
    return "no such place"
  end
end

local function problems_of_page(path)
  local found, folder = {}, path:match("^(.*/)")
  for target in markdown.read(path):gmatch(' href="([^"]*)"') do
    local problem = not target:find("^%a+:") and check_page(path, folder, target)
    found[#found + 1] = problem and ("%s: %s: %s"):format(path, target, problem) or nil
  end
  return found
end

describe("the reference in HTML", function()
  local has_ldoc = select(2, process.run("command -v ldoc")) == 0
  local case = has_ldoc and it or pending

  case("has the manual, kinds of errors and examples, and no link leads nowhere", function()
    local folder = os.getenv("EMULATOR_DIR") .. "/reference"
    make_reference(folder)
    local index = markdown.read(folder .. "/index.html")
    assert.matches("The 17 operations", index)
    assert.matches('href="topics/README.md.html#errors%-kind%-by%-kind"', index)
    assert.matches('href="examples/tour.lua.html"', index)
    local pages = 0
    local files = process.run(("find %s -name '*.html'"):format(process.quote(folder)))
    for path in files:gmatch("[^\n]+") do
      pages = pages + 1
      assert.same({}, problems_of_page(path))
    end
    assert.is_true(pages > 10)
  end)

  case("links no word to a page that only has the same name", function()
    local folder = os.getenv("EMULATOR_DIR") .. "/reference"
    make_reference(folder)
    local page = markdown.read(folder .. "/modules/tagoio.profile.html")
    assert.matches("<code>date</code> %(the hours of one day%)", page)
    assert.is_nil(page:find("lua.org/manual", 1, true))
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
