-- SPDX-License-Identifier: MIT
-- HAProxy: tasks, services and actions wait while it goes on. Its Lua cannot wait on descriptors of
-- others, so whoever waits sleeps and looks again.

local blocking = require("tagoio.hosts.blocking")
local core = require("tagoio.core")
local waiting = require("tagoio.waiting")

local haproxy = { longest_s = math.huge }

local host = rawget(_G, "core") -- HAProxy's own functions

-- A pause between steps is a tenth of the time since something moved: it adds little to what a call
-- takes anyway.
local pause_ratio = 0.1
local shortest_pause_s, longest_pause_s = 0.001, 0.01

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
  local pause_s = longest_pause_s
  for _, pool in ipairs(waiter.pools) do
    local _, still_s = pool:step(0)
    pause_s = math.min(pause_s, still_s * pause_ratio)
  end
  return math.max(pause_s, shortest_pause_s)
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
