-- SPDX-License-Identifier: MIT
-- Runs coroutines as tasks: one goes on when what it waits for is done or due. While none can, the
-- loop itself waits as any caller does, within another loop, too. No turn walks over all tasks.

local core = require("tagoio.core")
local heap = require("tagoio.heap")
local hosts = require("tagoio.hosts")
local waiting = require("tagoio.waiting")

local loop = {}
loop.__index = loop

function loop.new()
  return setmetatable({
    tasks = 0, -- that have not ended
    ready = {}, -- a queue of tasks, from first to last
    first = 1,
    last = 0,
    due = heap.new(), -- tasks that wait until a time
    waiter = waiting.new(), -- of the loop itself
    uses = {}, -- of each pool: how many tasks wait for it
    hosts = {}, -- of each host where tasks wait: how many do
  }, loop)
end

local function make_ready(self, task)
  self.last = self.last + 1
  self.ready[self.last] = task
end

-- Adds a task, a table that gets the fields `loop` and `coroutine`.
function loop:spawn(task, fn)
  task.loop, task.coroutine = self, coroutine.create(fn)
  self.tasks = self.tasks + 1
  make_ready(self, task)
end

-- ---- suspended tasks ----

local function wake_task(waiter)
  local task = waiter.task
  if task.suspended then
    task.suspended = false
    make_ready(task.loop, task)
    task.loop.waiter:wake()
  end
end

-- The pools that tasks wait for are those that the loop waits for, in one of the tasks' hosts.
local function use(self, host, pools)
  self.hosts[host] = (self.hosts[host] or 0) + 1
  for _, pool in ipairs(pools) do
    local count = self.uses[pool] or 0
    self.uses[pool] = count + 1
    if count == 0 then
      table.insert(self.waiter.pools, pool)
    end
  end
end

local function release(self, host, pools)
  self.hosts[host] = self.hosts[host] > 1 and self.hosts[host] - 1 or nil
  for _, pool in ipairs(pools) do
    local count = self.uses[pool] - 1
    self.uses[pool] = count > 0 and count or nil
    for i = count == 0 and #self.waiter.pools or 0, 1, -1 do
      if self.waiter.pools[i] == pool then
        table.remove(self.waiter.pools, i)
      end
    end
  end
end

-- Suspends the running task until its waiter is woken, or it is due.
function loop:suspend(task, waiter, host, due)
  if waiter.awake then
    return
  end
  waiter.task, waiter.notify = task, wake_task
  task.suspended = true
  use(self, host, waiter.pools)
  if due then
    task.due = due
    self.due:add(task)
  end
  coroutine.yield(waiting.mark)
  self.due:remove(task)
  release(self, host, waiter.pools)
  waiter.notify = nil
end

-- ---- turns ----

local resume

-- What became of a task that was resumed: true and it has ended or waits; false, what it raised.
local function resumed(self, task, ok, first, ...)
  if not ok then
    return false, first
  elseif coroutine.status(task.coroutine) == "dead" then
    self.tasks = self.tasks - 1
  elseif not rawequal(first, waiting.mark) then
    if not waiting.can_suspend() then
      return false, "attempt to yield from outside a coroutine"
    end
    -- Not ours: it is for the coroutine that the loop runs in.
    return resume(self, task, coroutine.yield(first, ...))
  end
  return true
end

function resume(self, task, ...)
  return resumed(self, task, waiting.resume(task, ...))
end

-- Where the loop waits: in the host of a client that names one, if there is any, for there others
-- go on; who sleeps is in the default one.
local function host_of(self)
  local default = hosts.default()
  local host = next(self.hosts)
  return host == default and next(self.hosts, host) or host or default
end

local function wait(self)
  local first = self.due:first()
  self.waiter.awake = false
  waiting.wait(self.waiter, host_of(self), first and first.due)
end

local function wake_due(self)
  local task = self.due:first()
  local now = task and core.now()
  while task and task.due <= now do
    self.due:remove(task)
    if task.suspended then -- else it was woken before
      task.suspended = false
      make_ready(self, task)
    end
    task = self.due:first()
  end
end

-- Lets one task go on, or waits until one can. True: there are more turns; nil: all tasks have
-- ended; false, what a task raised, and the task.
function loop:turn()
  if self.tasks == 0 then
    return nil
  end
  wake_due(self)
  if self.first > self.last then
    wait(self)
    return true
  end
  local task = self.ready[self.first]
  self.ready[self.first] = nil
  self.first = self.first + 1
  local ok, problem = resume(self, task, task)
  return ok, problem, task
end

return loop
