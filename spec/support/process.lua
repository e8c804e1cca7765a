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

local kept = { "PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "ASAN_OPTIONS", "TSAN_OPTIONS" }

-- A command in front of another that empties its environment, but for what sanitizers and other
-- libraries than the system's need.
function process.env(variables)
  local words = { "env -i" }
  for _, name in ipairs(kept) do
    local value = os.getenv(name)
    words[#words + 1] = value and name .. "=" .. quote(value)
  end
  for name, value in pairs(variables or {}) do
    words[#words + 1] = name .. "=" .. quote(value)
  end
  return table.concat(words, " ")
end

-- The interpreter that runs the specs.
process.lua = assert(os.getenv("LUA_BIN"), "LUA_BIN names the interpreter")

-- The command that runs Lua code or a file (by its name) with these variables and nothing else of
-- the environment; the module is found as the specs find it.
function process.lua_command(code, variables, arguments)
  local environment = { LUA_PATH = package.path, LUA_CPATH = package.cpath }
  for name, value in pairs(variables or {}) do
    environment[name] = value
  end
  local words = { process.env(environment), process.lua }
  words[#words + 1] = code:find("^[%w/._-]+%.lua$") and quote(code) or "-e " .. quote(code)
  words[#words + 1] = arguments
  return table.concat(words, " ")
end

function process.run_lua(...)
  return process.run(process.lua_command(...))
end

return process
