-- SPDX-License-Identifier: MIT
-- A program in which the module is a guest: a process that first prints a port, on which it answers
-- with a number.

local process = require("spec.support.process")
local socket = require("socket")

local guest = {}
guest.__index = guest

local root = process.run("pwd"):gsub("\n", "")

-- The variables of guests on another Lua than that of the specs: its name in the build folder, and
-- the version in paths.
function guest.paths(name, version)
  local shared = "%s/lua/?.lua;%s/?.lua;/usr/local/share/lua/%s/?.lua;/usr/share/lua/%s/?.lua"
  return {
    LUA_PATH = shared:format(root, root, version, version),
    LUA_CPATH = ("%s/build/%s/?.so;;"):format(root, name),
    LD_PRELOAD = "", -- a sanitizer's, of which those builds know nothing
  }
end

function guest.has_module(name)
  local file = io.open(("build/%s/tagoio/core.so"):format(name))
  return file ~= nil and file:close()
end

function guest.has_command(name)
  return select(2, process.run("PATH=$PATH:/usr/sbin command -v " .. name)) == 0
end

-- A command with these variables and those of the emulator. It never lives for more than a minute.
local function line_of(command, variables)
  local all = {
    TAGOIO_API = os.getenv("EMULATOR_HTTP"),
    T_ANALYSIS_TOKEN = os.getenv("EMULATOR_TOKEN"),
    PATH = os.getenv("PATH") .. ":/usr/sbin",
  }
  for name, value in pairs(variables) do
    all[name] = value
  end
  local line = ("echo $$; exec %s %s 2>&1"):format(process.env(all), command)
  return "timeout 60 sh -c " .. process.quote(line)
end

-- Runs one: what it prints.
function guest.run(command, variables)
  return (process.run(line_of(command, variables)):gsub("^%d+\n", ""))
end

function guest.start(command, variables)
  local pipe = assert(io.popen(line_of(command, variables)))
  local pid, first = pipe:read("*l"), pipe:read("*l") or ""
  if first == "started" then -- says Tarantool
    first = pipe:read("*l") or ""
  end
  local port = first:match("%d+$")
  if not port then
    error(("%s: %s\n%s"):format(command, first, pipe:read("*a")))
  end
  return setmetatable({ pid = pid, port = port, pipe = pipe }, guest)
end

-- What it answers.
function guest:ask()
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(20)
  local answer = assert(connection:receive("*l"))
  connection:close()
  return tonumber(answer)
end

-- Asks it again and again until its timer has ticked a few times more.
function guest:see_it_tick()
  local first, deadline = self:ask(), socket.gettime() + 20
  repeat
    assert(socket.gettime() < deadline, "the timer stands still")
  until self:ask() > first + 3
end

-- Waits until it has ended: what it printed.
function guest:finish()
  local output = self.pipe:read("*a")
  self.pipe:close()
  return output
end

-- Ends one that runs until a signal ends it: what it printed.
function guest:stop(signal)
  process.run(("kill -%s %s"):format(signal, self.pid))
  return self:finish()
end

-- How many system calls it makes in half a second; nil: strace cannot run here.
function guest:count_system_calls()
  local name = os.tmpname()
  local form = "timeout -s INT 0.5 strace -f -p %s -o %s"
  local message = process.run(form:format(self.pid, name))
  local count = 0
  for _ in io.lines(name) do
    count = count + 1
  end
  os.remove(name)
  return message:find("attached", 1, true) and count or nil
end

return guest
