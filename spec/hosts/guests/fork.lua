-- SPDX-License-Identifier: MIT
-- A program of luv on LuaJIT that forks while a call is on its way. Both go on in the same way, the
-- parent after the child's end.

local ffi = require("ffi")
local tagoio = require("tagoio")
local uv = require("luv")
local work = require("spec.hosts.guests.work")

ffi.cdef("int fork(void); int waitpid(int, int *, int);")

local client = assert(tagoio.new({ wait = require("tagoio.hosts.luv") }))
local who = "parent"

local function say_info(where)
  work.say(who, where, assert(client.profile.info("current")).info.name)
end

work.say("port 0") -- it answers on none
coroutine.wrap(function()
  local list, _, err = client.profile.list()
  work.say(who, "list", list and #list or err.kind)
end)()
coroutine.wrap(function()
  say_info("before")
  local pid = ffi.C.fork()
  if pid == 0 then
    who = "child"
  else
    ffi.C.waitpid(pid, nil, 0)
  end
  say_info("inside")
end)()
uv.run()
say_info("outside")
