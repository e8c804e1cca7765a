-- SPDX-License-Identifier: MIT
-- The table of faults in README.md names tests that exist.

local process = require("spec.support.process")

local folder = "spec/faults/"

-- "file title" = true for each spec of these folders, none of which is run.
local function specs()
  local folders = "spec/faults spec/api spec/concurrency"
  local list = "TALLY=/dev/null %s spec/run-specs.lua --list %s"
  local command = list:format(process.lua, folders)
  local set = {}
  for line in process.run(command):gmatch("[^\n]+") do
    local file, title = line:match("^(spec/[%w_/]+%.lua):%d+: (.*)$")
    if file then
      set[file .. " " .. title] = true
    end
  end
  return set
end

-- The text of a C file; strings that go on in the next line are one.
local function read_c(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return (text:gsub('"%s*\n%s*"', ""))
end

local function rows()
  local file = assert(io.open(folder .. "README.md"))
  local text = file:read("*a")
  file:close()
  return text:gmatch("\n| ([^|\n]+) | ([^|\n]+%.%l+) | ([^|\n]+) |")
end

describe("the table of faults", function()
  it("names specs and C tests that exist", function()
    local known, missing, count = specs(), {}, 0
    for fault, name, title in rows() do
      local path = (folder .. name):gsub("faults/%.%./", "")
      local is_c = path:find("%.c$")
      local quoted = ("%q"):format(title)
      local exists = is_c and read_c(path):find(quoted, 1, true) or known[path .. " " .. title]
      missing[#missing + 1] = not exists and ("%s: %s: %s"):format(fault, path, title) or nil
      count = count + 1
    end
    assert.same({}, missing)
    assert.is_true(count > 100)
  end)
end)
