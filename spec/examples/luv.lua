-- SPDX-License-Identifier: MIT
-- Calls in an event loop: coroutines of luv (libuv) wait for TagoIO while the loop goes on with
-- other work. Any event loop is told the same way, with the option `wait`.
--
-- usage: T_ANALYSIS_TOKEN=... lua spec/examples/luv.lua

local tagoio = require("tagoio")
local uv = require("luv")

local waiting = {} -- coroutines that wait for a call
local pump = uv.new_timer()
local client

-- Moves every call, then lets those who wait look whether theirs is done.
local function step()
  client:step(0)
  local woken = waiting
  waiting = {}
  for _, routine in ipairs(woken) do
    assert(coroutine.resume(routine))
  end
  if #waiting == 0 then
    pump:stop()
  end
end

-- Called in the coroutine that makes a call, again and again until the call is done.
local function wait(_, seconds)
  local routine = coroutine.running()
  if #waiting == 0 then
    pump:start(0, math.min(2, 1000 * seconds), step) -- every 2 ms while calls are in flight
  end
  waiting[#waiting + 1] = routine
  coroutine.yield()
end

client = assert(tagoio.new({ wait = wait }))

local ticks = 0
local ticking = uv.new_timer()
ticking:start(0, 5, function()
  ticks = ticks + 1
end)

local left = 2
local function finish(text)
  print(text)
  left = left - 1
  if left == 0 then
    ticking:close()
    pump:close()
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
