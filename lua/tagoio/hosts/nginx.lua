-- SPDX-License-Identifier: MIT
-- nginx with its Lua module, OpenResty first: calls wait without stopping the worker. One timer a
-- worker steps the pools while calls are in flight; whoever waits sleeps on a semaphore.

local blocking = require("tagoio.hosts.blocking")
local core = require("tagoio.core")
local semaphore = require("ngx.semaphore")
local waiting = require("tagoio.waiting")

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

local where_allowed = "nginx cannot wait in the phase %q: make the call in ngx.timer.at(0, ...)"

function nginx.mode()
  local phase = ngx.get_phase()
  local mode = modes[phase]
  return mode, not mode and where_allowed:format(phase) or nil
end

-- ---- stepping ----

-- Where no timer runs, those who wait step themselves that often.
local longest_unstepped_s = 0.05

local pools = {} -- a set of those with calls on their way
local timer -- the one that steps them: a table of its own, `runs` once it does; nil: none
local stepped_at = 0

-- The seconds since something last moved.
local function step()
  local still = math.huge
  for pool in pairs(pools) do
    local pending, seconds = pool:step(0)
    still = math.min(still, seconds)
    if pending == 0 then
      pools[pool] = nil
    end
  end
  stepped_at = core.now()
  return still
end

local function step_on(premature, me)
  while next(pools) and not premature and timer == me do
    ngx.sleep(waiting.pause_s(step()))
  end
end

local function run_timer(premature, me)
  me.runs = true
  local ok, problem = xpcall(step_on, debug.traceback, premature, me)
  if timer == me then
    timer = nil
  end
  if not ok then
    error(problem, 0) -- nginx logs it; whoever waits next makes another timer
  end
end

-- While calls are on their way there is one, whoever waits for them.
local function ensure_timer()
  if not timer and next(pools) then
    local me = {}
    -- It fails while a worker exits, and where there are too many; or it never runs.
    timer = ngx.timer.at(0, run_timer, me) and me or nil
  end
end

-- ---- waiting ----

local function post(waiter)
  waiter.semaphore:post()
end

-- Steps the waiter's pools a first time, and leaves the others to the timer.
local function begin(waiter)
  for _, pool in ipairs(waiter.pools) do
    if pool:step(0) > 0 then
      pools[pool] = true
    end
  end
  ensure_timer()
end

function nginx.wait(waiter, seconds)
  if nginx.mode() ~= "yield" then
    return blocking.wait(waiter, seconds)
  end
  begin(waiter)
  if waiter.awake then
    return
  end
  waiter.semaphore = waiter.semaphore or semaphore.new()
  waiter.notify = post
  -- Of 0 seconds nginx would make a loop that spins.
  local is_stepped = timer and timer.runs or #waiter.pools == 0
  local longest = is_stepped and seconds or longest_unstepped_s
  waiter.semaphore:wait(math.max(math.min(seconds, longest), waiting.shortest_pause_s))
  waiter.notify = nil
  if #waiter.pools > 0 and core.now() - stepped_at >= longest_unstepped_s then
    timer = nil -- if there was one, it never ran, or ends when it sees that
    step()
    ensure_timer()
  end
end

-- ---- maps ----

-- One light thread of a map. What was raised, in a table, because it may be nil; or nil.
local function work(job)
  local task = { job = job }
  local function trace(problem)
    return job:name_item(problem, task)
  end
  waiting.set_task(task)
  local ok, problem = xpcall(job.work, trace, job, task)
  waiting.set_task(nil)
  if not ok then
    job:cancel()
    return { problem }
  end
end

-- Runs a map as light threads, so that its functions may use all of nginx's own calls. False: the
-- phase has none, and Lua's own coroutines will do.
function nginx.run(job)
  local phase = ngx.get_phase()
  if phase == "init_worker" then -- nginx replaces Lua's coroutines, and does not run them here
    job:work({ job = job })
    return true
  elseif modes[phase] ~= "yield" then
    return false
  end
  local threads = {}
  for i = 1, job.concurrency do
    threads[i] = ngx.thread.spawn(work, job)
  end
  for _, thread in ipairs(threads) do
    local _, raised = ngx.thread.wait(thread)
    if raised then
      for _, other in ipairs(threads) do
        ngx.thread.kill(other)
      end
      job:raise(raised[1])
    end
  end
  return true
end

return nginx
