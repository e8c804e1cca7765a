-- SPDX-License-Identifier: MIT
-- Running programs from specs.

local process = {}

function process.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local quote = process.quote

-- Runs a shell command: what it printed to both streams, and its status.
function process.run(command)
  local pipe = assert(io.popen(("{ %s\n} 2>&1; echo \"status $?\""):format(command)))
  local output = pipe:read("*a")
  pipe:close()
  local text, status = output:match("^(.*)status (%d+)\n$")
  return text, tonumber(status)
end

-- The interpreter that runs the specs.
process.lua = assert(os.getenv("LUA_BIN"), "LUA_BIN names the interpreter")

-- Runs Lua code or a file (by its name) with these variables and nothing else of the environment;
-- the module is found as the specs find it.
function process.run_lua(code, variables, arguments)
  local words = { "env -i", "PATH=" .. quote(os.getenv("PATH")) }
  words[#words + 1] = "LUA_PATH=" .. quote(package.path)
  words[#words + 1] = "LUA_CPATH=" .. quote(package.cpath)
  for name, value in pairs(variables or {}) do
    words[#words + 1] = name .. "=" .. quote(value)
  end
  words[#words + 1] = process.lua
  words[#words + 1] = code:find("^[%w/._-]+%.lua$") and quote(code) or "-e " .. quote(code)
  words[#words + 1] = arguments
  return process.run(table.concat(words, " "))
end

return process
