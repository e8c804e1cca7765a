-- SPDX-License-Identifier: MIT
-- A pool of connections, shared by the clients that are derived from one another. Whoever steps it
-- wakes those whose calls have ended, whichever loop they belong to.

local core = require("tagoio.core")

local pool = {}

local methods = {}
local metatable = { __index = methods }

-- Makes a pool of options that were checked; or nil, message, kind.
function pool.new(options)
  local core_pool, message, kind = core.pool(options)
  if not core_pool then
    return nil, message, kind
  end
  -- Weak: who waits is kept alive by what it waits in, and an abandoned coroutine by nothing.
  local waiters = setmetatable({}, { __mode = "v" })
  return setmetatable({ core = core_pool, waiters = waiters }, metatable)
end

-- Requests may share connections from now on: many will be on their way at once.
function methods:multiplex()
  if not self.multiplexes then
    self.multiplexes = true
    self.core:multiplex()
  end
end

-- waiter:wake() will be called whenever an attempt of the call has ended, until the call is done.
function methods:watch(call, waiter)
  self.waiters[call:id()] = waiter
end

-- Wakes those whose attempts have ended since it was last called.
function methods:dispatch()
  local waiters, core_pool = self.waiters, self.core
  local id, is_done = core_pool:next_event()
  while id do
    local waiter = waiters[id]
    if waiter then
      waiters[id] = not is_done and waiter or nil
      waiter:wake()
    end
    id, is_done = core_pool:next_event()
  end
end

-- Moves all calls, waiting at most so many seconds. How many are on their way, and for how many
-- seconds nothing has moved.
function methods:step(seconds)
  local pending, still = self.core:step(seconds)
  self:dispatch()
  return pending, still
end

-- A call that is canceled is done.
function methods:cancel(call)
  call:cancel()
  self:dispatch()
end

-- A descriptor that is readable when there is something to do; or nil, message.
function methods:pollfd()
  return self.core:pollfd()
end

-- The seconds after which there is something to do without it, or nil.
function methods:timeout()
  return self.core:timeout()
end

return pool
