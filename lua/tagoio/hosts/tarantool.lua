-- SPDX-License-Identifier: MIT
-- Tarantool: fibers wait while the others go on. A pool with calls on their way has one fiber that
-- steps it; who waits sleeps on a condition of its own. Any fiber can be suspended anywhere.

local core = require("tagoio.core")
local fiber = require("fiber")
local socket = require("socket")

local tarantool = { longest_s = math.huge }

function tarantool.mode()
  return "yield"
end

-- ---- stepping ----

local watches = {} -- by pool, of those with calls on their way

-- The body of a pool's fiber. A pool without a timeout has no calls, and may have closed its
-- descriptor.
local function run(self, pool)
  local seconds = pool:timeout()
  while seconds do
    self.due = core.now() + seconds
    socket.iowait(pool:pollfd(), "R", seconds)
    pool:step(0)
    seconds = pool:timeout()
  end
  watches[pool] = nil
end

-- Has a pool's fiber notice that the pool waits for something else.
local function update(pool)
  local self, seconds = watches[pool], pool:timeout()
  if self and (not seconds or core.now() + seconds < self.due) then
    fiber.wakeup(self.fiber)
  elseif seconds and not self then
    self = { due = 0 }
    watches[pool] = self
    self.fiber = fiber.create(run, self, pool)
  end
end

-- ---- waiting ----

local function notify(waiter)
  for _, pool in ipairs(waiter.pools) do
    update(pool)
  end
  waiter.condition:signal()
end

function tarantool.wait(waiter, seconds)
  for _, pool in ipairs(waiter.pools) do
    pool:step(0)
    update(pool)
  end
  if not waiter.awake then
    waiter.condition = fiber.cond()
    waiter.notify = notify
    waiter.condition:wait(seconds < math.huge and seconds or nil)
    waiter.notify = nil
  end
end

return tarantool
