-- SPDX-License-Identifier: MIT
-- Calls in an event loop: coroutines of luv (libuv) wait for TagoIO while the loop goes on with
-- other work.
--
-- usage: T_ANALYSIS_TOKEN=... lua spec/examples/luv.lua

local tagoio = require("tagoio")
local uv = require("luv")

local client = assert(tagoio.new({ wait = require("tagoio.hosts.luv") }))

local ticks, ticking = 0, uv.new_timer()
ticking:start(0, 5, function()
  ticks = ticks + 1
end)

local left = 2
local function finish(text)
  print(text)
  left = left - 1
  if left == 0 then
    ticking:close()
  end
end

coroutine.wrap(function()
  local info = assert(client.profile.info("current"))
  finish("the token belongs to " .. info.info.name)
end)()

coroutine.wrap(function()
  local profiles = assert(client.profile.list())
  finish(("it sees %d profiles"):format(#profiles))
end)()

uv.run()
print(ticks > 0 and "the loop went on all the time" or "the loop stood still")
