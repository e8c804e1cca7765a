-- SPDX-License-Identifier: MIT
-- How a coroutine waits: a task of a map's loop gives way to that loop, everything else waits in
-- its host. Only Lua code yields, and no C function waits but `step` and `sleep`.
--
-- Who waits is a waiter, a table with `pools` (an array of those whose calls it waits for),
-- `awake` (false until it is woken) and `wake`. A pool wakes it when its call is done.

local core = require("tagoio.core")

local waiting = {}

-- No wait is longer, unless the host says otherwise.
waiting.longest_s = 1

-- Where nothing waits on descriptors, pools are stepped again and again. A pause between steps is a
-- tenth of the seconds since something moved: it adds little to what a call takes anyway. How long
-- a step took does not matter: that would cap how many calls are possible.
waiting.shortest_pause_s = 0.001
function waiting.pause_s(still_s)
  return math.min(math.max(still_s / 10, waiting.shortest_pause_s), 0.01)
end

-- The earlier of two times, of which each may be nil: never.
function waiting.earlier(one, other)
  return one and other and math.min(one, other) or one or other
end

-- What a task yields to its loop; other yields are the user's.
waiting.mark = {}

-- ---- can this coroutine yield? ----

-- Lua 5.2 goes on after a yield through these; 5.1 through no C function at all.
local passable = {}
if _VERSION ~= "Lua 5.1" then
  passable = { [pcall] = true, [xpcall] = true }
end

local getinfo = debug and debug.getinfo -- hosts may take it away from programs

local function has_c_frame()
  local level = 2
  local frame = getinfo(level, "Sfn")
  while frame do
    local is_iterator = frame.name == "(for generator)" -- as 5.1 calls it, which calls it from C
    if frame.what == "C" and not passable[frame.func] or is_iterator then
      return true
    end
    level = level + 1
    frame = getinfo(level, "Sfn")
  end
  return false
end

local is_yieldable = coroutine.isyieldable -- luacheck: ignore
  or function()
    return getinfo ~= nil and not has_c_frame()
  end

-- Whether the running coroutine can be suspended.
function waiting.can_suspend()
  local me, is_main = coroutine.running()
  return me ~= nil and not is_main and is_yieldable()
end

-- ---- tasks: what a map runs its functions in ----

-- The task whose coroutine a loop has resumed, or nil.
local current

-- Tasks that a host runs as threads of its own, by coroutine. Weak, for those that have gone.
local by_coroutine = setmetatable({}, { __mode = "k" })

-- Says which task the running coroutine is; nil: none any more.
function waiting.set_task(task)
  by_coroutine[coroutine.running()] = task
end

-- The task that runs this coroutine; nil in coroutines that users made themselves.
function waiting.task()
  local me = coroutine.running()
  if current and current.coroutine == me then
    return current
  end
  return me and by_coroutine[me]
end

local function restore(previous, ...)
  current = previous
  return ...
end

-- Resumes a task until it waits, ends or raises: what coroutine.resume returns.
function waiting.resume(task, ...)
  local previous = current
  current = task
  return restore(previous, coroutine.resume(task.coroutine, ...))
end

-- ---- waiters ----

local waiter = {}
waiter.__index = waiter

-- A waiter for the calls of some pools; without any it only lets time pass.
function waiting.new(pools)
  return setmetatable({ pools = pools or {}, awake = false }, waiter)
end

-- `notify` is set by what suspended the coroutine that waits.
function waiter:wake()
  self.awake = true
  if self.notify then
    self:notify()
  end
end

-- Waits until a waiter is woken, or it is due (a time of core.now(), or nil). May return early.
function waiting.wait(self, host, due)
  local longest = host.longest_s or waiting.longest_s
  local seconds = due and math.min(due - core.now(), longest) or longest
  local task = waiting.task()
  if task and task.loop and is_yieldable() then
    task.loop:suspend(task, self, host, due)
  elseif seconds > 0 then
    host.wait(self, seconds)
  end
end

-- Lets time pass until it is due; less when the waiter, if there is one, is woken, and in a map
-- that is stopped or whose time is over.
function waiting.sleep(host, due, given)
  local task = waiting.task()
  local self = given or waiting.new()
  if task then
    task.waiter = self
    due = waiting.earlier(due, task.job.deadline)
  end
  while core.now() < due and not self.awake and not (task and task.job:is_stopped()) do
    waiting.wait(self, host, due)
  end
end

return waiting
