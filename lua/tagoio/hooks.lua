-- SPDX-License-Identifier: MIT
-- Events: how each attempt ended is passed to the client's `on_attempt`, and to the log that
-- TAGOIO_LOG switches on. After libcurl has returned, in the coroutine that made the call.

local core = require("tagoio.core")
local errors = require("tagoio.errors")
local waiting = require("tagoio.waiting")

local io, package = io, package -- hosts may take them away from programs

local hooks = {}

-- ---- the log ----

local function write_line(line)
  if package.loaded.ngx then
    ngx.log(ngx.NOTICE, line)
  elseif io then
    io.stderr:write(line, "\n")
  end
end

-- Waits from this on are told: shorter ones are soon over.
local long_wait_s = 2
local told_until = 0

-- One line when calls wait before they are sent; the next one when the limit is closed again.
local function log_wait(call)
  local want, due = call:want()
  local seconds = due - core.now()
  if want == "backoff" and seconds >= long_wait_s and core.now() >= told_until then
    told_until = due
    local form = "tagoio: the rate limit is reached: calls wait for %.1f s, until TagoIO allows "
    write_line((form .. "more"):format(seconds))
  end
end

-- "tagoio: profile.info: GET /profile/{}: 503 in 0.012 s, 0 bytes; attempt 2 in 0.08 s"
local function log(event)
  local target = event.path and event.method .. " " .. event.path or event.method
  local outcome = event.status or event.kind
  local line = ("tagoio: %s: %s: %s in %.3f s, %d bytes"):format(
    event.operation,
    target,
    outcome,
    event.elapsed,
    event.bytes
  )
  if event.retry_in then
    line = line .. ("; attempt %d in %.3f s"):format(event.attempt + 1, event.retry_in)
  elseif event.message then
    line = line .. "; " .. event.message
  end
  write_line(line)
end

-- ---- the caller's functions ----

-- The one that is running, by coroutine: one that is left in it is collected with it.
local running = setmetatable({}, { __mode = "kv" })

-- Within pcall: where that lacks memory, the function does not count as running.
local function enter(routine, fn, argument)
  running[routine] = fn
  return fn(argument)
end

-- The one for which this code runs, also in a map that it has made; nil: none.
function hooks.running()
  local task = waiting.task()
  return running[coroutine.running() or "main"] or task and task.job.hook
end

-- Calls a function of the caller's as pcall does, but not for a call that it makes itself: nil.
function hooks.call(fn, argument)
  local routine = coroutine.running() or "main"
  local outer = hooks.running()
  if outer == fn then
    return nil
  end
  local ok, result = pcall(enter, routine, fn, argument)
  running[routine] = outer
  return ok, result
end

local reported = setmetatable({}, { __mode = "k" })

-- An error in a hook does not change the call, and is reported once.
local function guarded(hook)
  return function(event)
    local ok, problem = hooks.call(hook, event)
    if ok == false and not reported[hook] then
      reported[hook] = true
      write_line("tagoio: on_attempt: " .. errors.text(problem))
    end
  end
end

-- Read once: the environment of a process is set when it begins.
local is_logging = os.getenv("TAGOIO_LOG") == "1"

-- The function that gets the event of each attempt, or nil when there is none.
function hooks.join(on_attempt)
  local hook = on_attempt and guarded(on_attempt)
  if not is_logging then
    return hook
  end
  return hook and function(event)
    log(event)
    hook(event)
  end or log
end

-- To be called when a call was started. A function that passes on the attempts that ended since it
-- was last called.
function hooks.watch(notify, call)
  if is_logging then
    log_wait(call)
  end
  local number = 1
  return function()
    local event = call:attempt(number)
    while event do
      number = number + 1
      event.message = not event.retry_in and call:facts().message or nil
      notify(event)
      event = call:attempt(number)
    end
  end
end

return hooks
