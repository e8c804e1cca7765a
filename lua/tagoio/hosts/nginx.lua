-- SPDX-License-Identifier: MIT
-- nginx with its Lua module, OpenResty first: calls wait without stopping the worker. One timer a
-- worker steps the connections while calls are in flight; whoever waits sleeps on a semaphore.

local core = require("tagoio.core")
local semaphore = require("ngx.semaphore")

local nginx = {}

-- What is allowed in a phase: to yield, or to block because nothing is served yet.
local modes = {
  init = "block",
  init_worker = "block",
  server_rewrite = "yield",
  rewrite = "yield",
  access = "yield",
  content = "yield",
  timer = "yield",
  ssl_cert = "yield",
  ssl_client_hello = "yield",
  ssl_session_fetch = "yield",
}

function nginx.phase()
  return ngx.get_phase()
end

-- "yield", "block", or nil where a call is impossible. Asked for each call: one client may be used
-- in many phases.
function nginx.mode()
  return modes[ngx.get_phase()]
end

-- Its own coroutines, which replace Lua's, are not for this phase.
function nginx.has_coroutines()
  return ngx.get_phase() ~= "init_worker"
end

-- ---- stepping ----

-- A step may take a tenth of the worker's time; a single costly one, such as a TLS handshake, must
-- not make the next answers late.
local rest_ratio = 9
local shortest_rest_s = 0.001
local longest_rest_s = 0.01
-- Without a step for that long the timer is gone, and those who wait step themselves.
local patience_s = 0.05

local waiters = {} -- { calls, semaphore }, in order of arrival
local running = false -- the timer
local stepped_at = 0

local function has_news(calls)
  for _, pending in ipairs(calls) do
    if pending.call:is_done() then
      return true
    end
  end
  return false
end

-- Each connection once, without waiting.
local function step_connections()
  local stepped = {}
  for _, waiter in ipairs(waiters) do
    for _, pending in ipairs(waiter.calls) do
      local connections = pending.client._connections
      if not stepped[connections] and not pending.call:is_done() then
        stepped[connections] = true
        pending.client._core:step(0)
      end
    end
  end
  stepped_at = core.now()
end

-- Wakes those whose call is done. A request that has gone leaves its waiter behind until then.
local function wake()
  local kept = 0
  for i = 1, #waiters do
    local waiter = waiters[i]
    waiters[i] = nil
    if has_news(waiter.calls) then
      waiter.semaphore:post()
    else
      kept = kept + 1
      waiters[kept] = waiter
    end
  end
end

-- How long it took, in seconds of processor time.
local function step()
  local before = os.clock()
  step_connections()
  wake()
  return os.clock() - before
end

local function run_timer(premature)
  while #waiters > 0 and not premature do
    local rest_s = rest_ratio * step()
    ngx.sleep(math.min(math.max(rest_s, shortest_rest_s), longest_rest_s))
  end
  running = false
end

local function ensure_timer()
  if not running then
    running = ngx.timer.at(0, run_timer) or false -- it fails while a worker exits
  end
end

local function leave(waiter)
  for i = 1, #waiters do
    if waiters[i] == waiter then
      table.remove(waiters, i)
      return
    end
  end
end

-- ---- waiting ----

-- Waits, for that many seconds at most, until one of the calls may be done.
function nginx.wait(calls, seconds)
  if #calls == 0 then
    ngx.sleep(math.max(seconds, shortest_rest_s)) -- of 0 nginx would make a loop that spins
    return
  end
  local waiter = { calls = calls, semaphore = semaphore.new() }
  waiters[#waiters + 1] = waiter
  ensure_timer()
  if not waiter.semaphore:wait(math.min(seconds, patience_s)) then
    if core.now() - stepped_at >= patience_s then
      step()
    end
    leave(waiter)
  end
end

-- ---- maps ----

-- By coroutine; weak, for light threads whose request has gone.
local tasks = setmetatable({}, { __mode = "k" })

-- The task of a map that runs as this light thread.
function nginx.task()
  return tasks[coroutine.running()]
end

local function run_task(job, task)
  local function finish(ok, first, ...)
    if not ok then
      return first
    end
    job:finish(task.index, first, ...)
  end
  local function trace(problem)
    local named = job:name_item(problem, task.index)
    return type(named) == "string" and debug.traceback(named, 2) or named
  end
  return finish(xpcall(job.fn, trace, task.item, task.index))
end

-- One light thread of a map: item after item. What was raised, or nil.
local function work(job)
  local me = coroutine.running()
  local task = not job:is_stopped() and job:next_task()
  while task do
    tasks[me] = task
    job.tasks[#job.tasks + 1] = task
    local problem = run_task(job, task)
    tasks[me] = nil
    job:forget(task)
    if problem then
      job.stopped = true
      job:cancel_calls()
      return problem
    elseif job:is_stopped() then
      job:stop()
    end
    task = job:next_task()
  end
end

-- Runs a map as light threads, so that the functions may use all of nginx's own calls.
function nginx.run(job)
  local threads = {}
  for i = 1, math.min(job.options.concurrency, job.total) do
    threads[i] = ngx.thread.spawn(work, job)
  end
  for _, thread in ipairs(threads) do
    local _, problem = ngx.thread.wait(thread)
    if problem then
      for _, other in ipairs(threads) do
        ngx.thread.kill(other)
      end
      job:raise(problem)
    end
  end
end

return nginx
