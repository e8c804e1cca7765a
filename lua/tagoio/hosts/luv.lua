-- SPDX-License-Identifier: MIT
-- luv (libuv), and Neovim's vim.loop: coroutines wait while the loop goes on. A pool has one poll
-- handle and one timer in the loop while calls are on their way, and nothing when there are none.

local blocking = require("tagoio.hosts.blocking")
local waiting = require("tagoio.waiting")

local uv = require("luv") -- Neovim's own, too
local vim = rawget(_G, "vim")

local luv = {}

-- Outside coroutines, in the program itself and in callbacks, a call stops the loop.
function luv.mode()
  return waiting.can_suspend() and "yield" or "block"
end

-- Of libuv's timers, which are rounded up.
local function to_ms(seconds)
  return math.ceil(seconds * 1000)
end

-- In Neovim a coroutine goes on where all of the editor's functions may be called.
local function in_loop(fn)
  return vim and vim.schedule_wrap(fn) or fn
end

-- ---- stepping ----

local watches = {} -- by pool, of those that have something to wait for

local arm

local function watch(pool)
  local descriptor = assert(pool:pollfd())
  local self = { poll = assert(uv.new_poll(descriptor)), timer = assert(uv.new_timer()) }
  function self.step()
    pool:step(0)
    arm(pool)
  end
  self.poll:start("r", self.step)
  return self
end

-- Has the loop wait for what a pool waits for. A pool without a timeout has no calls, and may have
-- closed its descriptor.
function arm(pool)
  local seconds = pool:timeout()
  local self = watches[pool]
  if seconds then
    self = self or watch(pool)
    watches[pool] = self
    self.timer:start(to_ms(seconds), 0, self.step)
  elseif self then
    watches[pool] = nil
    self.poll:close()
    self.timer:close()
  end
end

local function arm_all(waiter)
  for _, pool in ipairs(waiter.pools) do
    arm(pool)
  end
end

-- ---- waiting ----

-- Suspends the running coroutine until its waiter is woken, or for so many seconds. It goes on in
-- the loop, never within the function that wakes it. The timer keeps it alive, and goes with one
-- that was closed meanwhile.
local function suspend(waiter, seconds)
  local me, timer = coroutine.running(), assert(uv.new_timer())
  local is_waiting = true
  local resume = in_loop(function()
    local status = is_waiting and coroutine.status(me)
    if status == "suspended" then
      local ok, problem = coroutine.resume(me)
      if not ok then
        error(debug.traceback(me, tostring(problem)), 0)
      end
    elseif status == "dead" then
      timer:close()
    end
  end)
  function waiter.notify()
    arm_all(waiter)
    timer:start(0, 0, resume)
  end
  timer:start(to_ms(seconds), 0, resume)
  coroutine.yield()
  is_waiting = false
  waiter.notify = nil
  timer:close()
end

function luv.wait(waiter, seconds)
  if luv.mode() == "block" then
    blocking.wait(waiter, seconds)
    return arm_all(waiter)
  end
  for _, pool in ipairs(waiter.pools) do
    pool:step(0)
  end
  arm_all(waiter)
  if not waiter.awake then
    suspend(waiter, seconds)
  end
end

return luv
