-- SPDX-License-Identifier: MIT
-- How a coroutine waits for calls: by giving way to the loop of a map when it runs in one, in
-- nginx by giving way to nginx, else by stepping the connections itself. Only Lua code yields, and
-- no C function waits but step and sleep.

local core = require("tagoio.core")

local waiting = {}

-- No wait is longer: an interrupt of the interpreter is noticed in between.
local longest_s = 1

-- What a task yields to its loop; other yields are the user's.
waiting.mark = {}

-- The task whose coroutine a map's loop is running, or nil.
local current

-- ---- can this coroutine yield? ----

-- Lua 5.2 goes on after a yield through these; 5.1 through no C function at all.
local passable = {}
if _VERSION ~= "Lua 5.1" then
  passable = { [pcall] = true, [xpcall] = true }
end

local function has_c_frame()
  local level = 2
  local frame = debug.getinfo(level, "Sfn")
  while frame do
    local is_iterator = frame.name == "(for generator)" -- as 5.1 calls it, which calls it from C
    if frame.what == "C" and not passable[frame.func] or is_iterator then
      return true
    end
    level = level + 1
    frame = debug.getinfo(level, "Sfn")
  end
  return false
end

local is_yieldable = coroutine.isyieldable -- luacheck: ignore
  or function()
    return not has_c_frame()
  end

-- ---- tasks ----

-- The host's module when the interpreter runs inside nginx, else nil.
function waiting.nginx()
  return package.loaded.ngx and require("tagoio.hosts.nginx") or nil
end

-- The task that runs this coroutine; nil in coroutines that users made themselves.
function waiting.task()
  if current and current.coroutine == coroutine.running() then
    return current
  end
  local nginx = waiting.nginx()
  return nginx and nginx.task()
end

local function restore(previous, ...)
  current = previous
  return ...
end

-- Goes on with a task until it waits, ends or raises: what coroutine.resume returns.
function waiting.resume(task, ...)
  local previous = current
  current = task
  return restore(previous, coroutine.resume(task.coroutine, ...))
end

-- ---- waiting ----

-- Steps every connection that these calls are on, the last of them with a wait.
local function step(calls, seconds)
  local stepped, count, last = {}, 0, nil
  for _, pending in ipairs(calls) do
    local connections = pending.client._connections
    if not stepped[connections] and not pending.call:is_done() then
      stepped[connections] = true
      count = count + 1
      if last then
        last._core:step(0)
      end
      last = pending.client
    end
  end
  if count == 0 then
    core.sleep(seconds)
  else
    -- Nothing can wait for several at once: they take turns.
    last._core:step(count > 1 and 0.001 or seconds)
  end
end

-- The first client with a wait of its own, which an event loop has given it.
local function find_own_wait(calls)
  for _, pending in ipairs(calls) do
    if pending.client._wait then
      return pending.client
    end
  end
end

local function block(calls, due)
  local seconds = due and math.min(due - core.now(), longest_s) or longest_s
  local client = find_own_wait(calls)
  local nginx = waiting.nginx()
  if client then
    client._wait(client, math.max(seconds, 0))
  elseif nginx and nginx.mode() == "yield" then
    nginx.wait(calls, math.max(seconds, 0))
  else
    step(calls, math.max(seconds, 0))
  end
end

-- Waits until one of the calls may be done, or it is due; the caller looks, and waits again.
-- calls: an array of { client, call }. due: a time of core.now(), or nil.
function waiting.wait(calls, due)
  local task = waiting.task()
  if task then
    task.calls, task.due = calls, due
  end
  if task and task.coroutine and is_yieldable() then
    coroutine.yield(waiting.mark)
  else
    block(calls, due)
  end
  if task then
    task.calls, task.due = nil, nil
  end
end

-- Lets time pass until it is due; less in a map that is stopped.
function waiting.rest(calls, due)
  local task = waiting.task()
  local job = task and task.job
  while core.now() < due and not (job and job:is_stopped()) do
    waiting.wait(calls, due)
  end
end

local where_allowed = "nginx cannot wait in the phase %q: make the call in ngx.timer.at(0, ...)"

-- A kind and why, where nothing can wait.
function waiting.refusal()
  local nginx = waiting.nginx()
  if nginx and not nginx.mode() then
    return "invalid", where_allowed:format(nginx.phase())
  end
end

-- Waits until a request may start here: a map may spread them. Else a kind and why it may not.
function waiting.admit()
  local kind, problem = waiting.refusal()
  if kind then
    return kind, problem
  end
  local task = waiting.task()
  local job = task and task.job
  local due = job and job:next_start()
  if due then
    waiting.rest({}, due)
  end
  if job and job:is_stopped() then
    return "canceled", "canceled"
  end
end

return waiting
