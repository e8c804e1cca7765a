-- SPDX-License-Identifier: MIT
-- Names each assignment to the variable of a `for` loop: Lua 5.5 does not load such a file.
-- luacheck's parser knows which variable a name means.
--
-- usage: lua5.1 spec/loops.lua FILE...        (of 5.1 because Debian's luacheck is)

local check_state = require("luacheck.check_state")
local stages = { require("luacheck.stages.parse"), require("luacheck.stages.linearize") }

local loop_types = { loop = true, loopi = true }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- The nodes of the names that a function assigns to.
local function assigned(line)
  local nodes = {}
  for _, item in ipairs(line.items) do
    for _, node in ipairs((item.tag == "Set" or item.tag == "OpSet") and item.lhs or {}) do
      nodes[#nodes + 1] = node
    end
  end
  return nodes
end

local found = 0
local function check_function(path, line)
  for _, node in ipairs(assigned(line)) do
    if node.var and loop_types[node.var.type] then
      found = found + 1
      print(("%s:%d: the variable %s of a loop is assigned"):format(path, node.line, node[1]))
    end
  end
end

for _, path in ipairs(arg) do
  local state = check_state.new(read(path))
  for _, stage in ipairs(stages) do
    stage.run(state)
  end
  check_function(path, state.top_line)
  for _, line in ipairs(state.top_line.lines) do -- of all functions, however deep
    check_function(path, line)
  end
end
os.exit(found == 0 and 0 or 1)
