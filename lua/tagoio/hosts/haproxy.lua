-- SPDX-License-Identifier: MIT
-- HAProxy: tasks, services and actions wait while it goes on. Its Lua cannot wait on descriptors of
-- others, so whoever waits sleeps and looks again.

local blocking = require("tagoio.hosts.blocking")
local core = require("tagoio.core")
local waiting = require("tagoio.waiting")

local haproxy = { longest_s = math.huge }

local host = rawget(_G, "core") -- HAProxy's own functions
if not host then
  error("tagoio.hosts.haproxy runs inside HAProxy only", 0)
end

-- While HAProxy starts nothing can yield. Its tasks run when it has started.
local has_started = false
host.register_task(function()
  has_started = true
end)

function haproxy.mode()
  return has_started and waiting.can_suspend() and "yield" or "block"
end

local function to_ms(seconds)
  return math.max(math.floor(seconds * 1000), 1)
end

-- Steps the waiter's pools. The seconds until the next time.
local function step(waiter)
  local still_s = math.huge
  for _, pool in ipairs(waiter.pools) do
    still_s = math.min(still_s, (select(2, pool:step(0))))
  end
  return waiting.pause_s(still_s)
end

function haproxy.wait(waiter, seconds)
  if haproxy.mode() == "block" then
    return blocking.wait(waiter, math.min(seconds, 1))
  end
  local due = core.now() + seconds
  local pause_s = step(waiter)
  while not waiter.awake and core.now() < due do
    host.msleep(to_ms(math.min(pause_s, due - core.now())))
    pause_s = waiter.awake and 0 or step(waiter)
  end
end

return haproxy
