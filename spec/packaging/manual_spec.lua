-- SPDX-License-Identifier: MIT
-- The manuals name all that there is: kinds and messages of errors, files and folders. (Options and
-- fields are held against their rows by spec/api/types_spec.lua.)

local markdown = require("spec.support.markdown")
local process = require("spec.support.process")

-- The section of a README under this heading.
local function section(path, heading)
  local text = markdown.read(path)
  local _, from = text:find("\n## " .. heading .. "\n", 1, true)
  assert(from, path .. " has no section " .. heading)
  return text:sub(from, text:find("\n## ", from, true))
end

-- The names in backticks in the first column of the tables of a text.
local function first_column(text)
  local names = {}
  for cell in text:gmatch("\n| (`.-) |") do
    for name in cell:gmatch("`([^`]+)`") do
      names[name] = true
    end
  end
  return names
end

local function assert_names(wanted, named, what)
  local missing = {}
  for _, name in ipairs(wanted) do
    missing[#missing + 1] = not named[name] and name or nil
  end
  assert(#wanted > 0, "nothing was found")
  assert.same({}, missing, what)
end

local function lines_of(command)
  local lines = {}
  for line in process.run(command):gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return lines
end

describe("the manual names", function()
  it("each kind of error", function()
    local kinds = { "task" }
    for kind in markdown.read("csrc/tagoio.h"):gmatch("\n    TAGOIO_ERROR_(%u+)") do
      if kind ~= "NONE" and kind ~= "MISUSE" then
        kinds[#kinds + 1] = kind:lower()
      end
    end
    assert.is_true(#kinds > 5)
    assert_names(kinds, first_column(section("lua/tagoio/README.md", "Errors, kind by kind")))
  end)

  it("only messages that are in the sources", function()
    local sources = process.run("cat $(find csrc lua -name '*.[ch]' -o -name '*.lua')")
    sources = sources:gsub('"%s*\n%s*%.?%.? ?"', ""):gsub("\\", "")
    local unknown = {}
    local messages = section("lua/tagoio/README.md", "What each message means")
    for message in pairs(first_column(messages)) do
      -- TagoIO's own words are the emulator's.
      local is_ours = message ~= "Authorization Denied" and message ~= "Too many requests"
      for part in message:gsub("%.%.%.?", "\n"):gmatch("[^\n]+") do
        local words = part:match("^ ?(.-) ?$")
        unknown[#unknown + 1] = is_ours and not sources:find(words, 1, true) and words or nil
      end
    end
    assert.same({}, unknown)
  end)
end)

describe("the README", function()
  it("of the C core names each file", function()
    local named = first_column(section("csrc/README.md", "Files"))
    local files = lines_of("cd csrc && ls *.h */*.c lua/compat.h")
    assert_names(files, named)
    for name in pairs(named) do
      assert(io.open("csrc/" .. name), name .. " is not there"):close()
    end
  end)

  it("of the tests names each folder and each helper", function()
    local folders = {}
    for name in section("spec/README.md", "Where a test belongs"):gmatch("\n| %[%w+%]%((%w+)%)") do
      folders[name] = true
    end
    assert_names(lines_of("cd spec && ls -d */ | tr -d /"), folders, "folders")
    local helpers = {}
    for name in section("spec/README.md", "Helpers"):gmatch("%[[%w_.-]+%]%(support/([%w_.-]+)%)") do
      helpers[name] = true
    end
    assert_names(lines_of("cd spec/support && ls *.lua *.h *.sh"), helpers, "helpers")
  end)
end)
