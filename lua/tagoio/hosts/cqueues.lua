-- SPDX-License-Identifier: MIT
-- cqueues: its coroutines wait while their controller goes on. In a controller, a pool with calls
-- on their way has one coroutine that steps it; who waits sleeps on a condition of its own.

local blocking = require("tagoio.hosts.blocking")
local condition = require("cqueues.condition")
local core = require("tagoio.core")
local cqueues = require("cqueues")
local waiting = require("tagoio.waiting")

local host = { longest_s = math.huge }

-- The controller that can suspend the running coroutine. It cannot suspend those within its own.
local function controller()
  local running, is_its_own = cqueues.running()
  return is_its_own and waiting.can_suspend() and running or nil
end

function host.mode()
  return controller() and "yield" or "block"
end

-- ---- stepping ----

local watches = setmetatable({}, { __mode = "k" }) -- by controller, then by pool

local function is_readable()
  return "r"
end

-- What a controller waits for on behalf of a pool: a pollable object of cqueues.
local function new_watch(pool)
  local self = { descriptor = pool:pollfd(), changed = condition.new(), events = is_readable }
  function self.pollfd()
    return self.descriptor
  end
  function self.timeout()
    local seconds = pool:timeout()
    self.due = seconds and core.now() + seconds
    return seconds
  end
  return self
end

-- The pool may close its descriptor: a controller must not know it by the time it is another's.
local function forget(of_controller, pool)
  cqueues.cancel(of_controller[pool].descriptor)
  of_controller[pool] = nil
end

local function watch(running, pool)
  local self, of_controller = new_watch(pool), watches[running] or {}
  watches[running], of_controller[pool] = of_controller, self
  running:wrap(function()
    while of_controller[pool] == self and pool:timeout() do
      cqueues.poll(self, self.changed)
      pool:step(0)
    end
    if of_controller[pool] == self then
      forget(of_controller, pool)
    end
  end)
end

-- Has controllers notice that a pool waits for something else; without a timeout it has no calls.
local function update(pool)
  local seconds = pool:timeout()
  for _, of_controller in pairs(watches) do
    local self = of_controller[pool]
    if self and not seconds then
      forget(of_controller, pool)
      self.changed:signal()
    elseif self and core.now() + seconds < (self.due or 0) then
      self.changed:signal()
    end
  end
end

local function update_all(waiter)
  for _, pool in ipairs(waiter.pools) do
    update(pool)
  end
end

-- ---- waiting ----

local function notify(waiter)
  update_all(waiter)
  waiter.condition:signal()
end

-- Steps the waiter's pools a first time, and leaves the others to their coroutines.
local function begin(waiter, running)
  for _, pool in ipairs(waiter.pools) do
    pool:step(0)
    if pool:timeout() and not (watches[running] and watches[running][pool]) then
      watch(running, pool)
    end
  end
  update_all(waiter)
end

function host.wait(waiter, seconds)
  local running = controller()
  if not running then
    blocking.wait(waiter, math.min(seconds, 1))
    return update_all(waiter)
  end
  begin(waiter, running)
  if not waiter.awake then
    waiter.condition = condition.new()
    waiter.notify = notify
    cqueues.poll(waiter.condition, seconds < math.huge and seconds or nil)
    waiter.notify = nil
  end
end

return host
