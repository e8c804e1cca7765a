-- SPDX-License-Identifier: MIT
-- One call, from its arguments to its result.
--
-- `own` is what a client keeps as its own (client.lua):
--
-- * `core`: its userdata
-- * `pool`, or in its place `transport`
-- * `host`: where its calls wait, `tell`: what is told of each attempt, `headers`, and `deadline`,
--   a time of core.now(); each may be nil
-- * `pace`, or nil: how requests are spread: `per_minute`, `starts` with the time `next_s`, and
--   maybe `outer`, another pace
-- * `waiters`: who waits for what no pool knows of, and the call over a transport, else false: to
--   cancel them

local blocking = require("tagoio.hosts.blocking")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local hints = require("tagoio.hints")
local hooks = require("tagoio.hooks")
local hosts = require("tagoio.hosts")
local transport = require("tagoio.transport")
local waiting = require("tagoio.waiting")

local package = package -- hosts may take it away from programs

local call = {}

-- The markers of another JSON library are known once it is loaded.
local learned
function call.learn_markers()
  local cjson = package.loaded.cjson
  if type(cjson) == "table" and cjson ~= learned then
    for _, name in ipairs({ "array_mt", "empty_array_mt", "empty_array" }) do
      if cjson[name] ~= nil then
        core.mark(cjson[name])
      end
    end
    learned = cjson -- at last: marking one may fail for want of memory
  end
end

-- When a request may start by a pace, and those around it, and no earlier than given (nil: now);
-- nil: at once.
local function next_start(pace, earliest)
  while pace do
    earliest = math.max(pace.starts.next_s, earliest or core.now())
    pace = pace.outer
  end
  return earliest
end

-- A request starts then, and the next one later.
local function take_start(pace, start)
  while pace do
    pace.starts.next_s = start + 60 / pace.per_minute
    pace = pace.outer
  end
end

-- Why a request may not wait until it may start, nil: it may.
local function lateness(start, now, deadline)
  if deadline and start >= deadline then
    local form = "not sent (per_minute asks to wait %.0f s; deadline leaves %.0f s)"
    return form:format(math.ceil(start - now), math.floor(deadline - now))
  end
end

-- Lets time pass until it is due. False: the client's calls were canceled meanwhile.
local function sleep(own, host, due)
  local waiter = waiting.new()
  own.waiters[waiter] = false
  waiting.sleep(host, due, waiter)
  own.waiters[waiter] = nil
  return not waiter.awake
end

-- The same between the calls that a function is made of.
function call.pause(own, due)
  return sleep(own, own.host or hosts.default(), waiting.earlier(due, own.deadline))
end

-- Waits until a request may start here. Else a kind and why it may not.
local function acquire_start(own, host, task, deadline)
  local pool = own.pool
  local mode, problem = host.mode()
  if not mode then
    return "invalid", problem
  elseif mode == "yield" and pool then
    pool:multiplex()
  end
  local job, is_canceled = task and task.job, false
  local start, now = next_start(own.pace, next_start(job and job.pace)), core.now()
  if start and now < (deadline or math.huge) then -- else nothing is sent, and takes no start
    local late = lateness(start, now, deadline)
    if late then
      return "timeout", late
    end
    take_start(own.pace, start)
    take_start(job and job.pace, start)
    is_canceled = not sleep(own, host, waiting.earlier(start, deadline))
  end
  if is_canceled or job and job:is_stopped() then
    return "canceled", "canceled"
  end
end

-- A program that stands still meanwhile waits for nothing else: it needs no waiter.
local function run(pool, new_call, watch)
  repeat
    pool:step(waiting.longest_s)
    if watch then
      watch()
    end
  until new_call:is_done()
end

-- Waits until the pool is done with a call.
local function wait_for(pool, new_call, host, task, watch)
  local waiter = waiting.new({ pool })
  pool:watch(new_call, waiter)
  if task then
    task.pool, task.call = pool, new_call
  end
  while not new_call:is_done() do
    waiter.awake = false
    waiting.wait(waiter, host)
    if watch then
      watch()
    end
  end
  if task then
    task.pool, task.call = nil, nil
  end
end

-- The headers of one call: a table, or nil or false for none. A function gives them once, whatever
-- the call's attempts; what it raises is a bug in the caller, as is a call that would ask it again.
local function headers_of(own, operation, name)
  local headers = own.headers
  if type(headers) ~= "function" then
    return headers
  end
  local ok, given = hooks.call(headers, { operation = operation })
  if ok == nil then
    errors.raise(name .. ": headers: the function calls its own client")
  elseif not ok then
    errors.raise(name .. ": headers: " .. errors.text(given))
  elseif given ~= nil and type(given) ~= "table" then
    errors.raise(("%s: headers must return a table or nil (got a %s)"):format(name, type(given)))
  end
  return given
end

-- Makes a call with a method of the core and brings it to its end: the result, nil, nil and the
-- call; or nil, message, err. A bug in the caller is raised under the name of the function that was
-- called, which is not the operation's where a function is made of several.
function call.perform(own, operation, name, start, what, ...)
  local host = own.host or hosts.default()
  local task = waiting.task()
  local deadline = waiting.earlier(own.deadline, task and task.job.deadline)
  local kind, message = acquire_start(own, host, task, deadline)
  if kind then
    return errors.new(kind, operation, operation .. ": " .. message)
  end
  call.learn_markers()
  local new_call
  local headers = headers_of(own, operation, name)
  new_call, message, kind = start(own.core, what, deadline, headers, ...)
  if kind == "misuse" then
    errors.raise(name .. message:match(": .*"))
  elseif not new_call then
    return errors.new(kind, operation, message)
  end
  local watch = own.tell and hooks.watch(own.tell, new_call)
  if own.transport then
    local waiter = waiting.new()
    own.waiters[waiter] = new_call
    transport.run(own.transport, operation, new_call, function(due)
      waiting.sleep(host, due, waiter)
    end, watch)
    own.waiters[waiter] = nil
  elseif host == blocking and not task then
    run(own.pool, new_call, watch)
  else
    wait_for(own.pool, new_call, host, task, watch)
  end
  local result, _, err = own.core:result(new_call)
  if err then
    hints.explain(own, operation, err, what, ...)
    return nil, err.message, errors.wrap(err)
  end
  return result, nil, nil, new_call
end

return call
