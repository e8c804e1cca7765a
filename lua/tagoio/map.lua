-- SPDX-License-Identifier: MIT

--- Many calls at once, written as straight-line Lua: a function is run for each item in a coroutine
-- of its own, and while one of them waits for a response the others go on.
-- @submodule tagoio

local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local hooks = require("tagoio.hooks")
local hosts = require("tagoio.hosts")
local loop = require("tagoio.loop")
local options = require("tagoio.options")
local waiting = require("tagoio.waiting")

local map = {}

-- ---- the job: what is known of a map, however it is run ----

local job = {}
job.__index = job

-- What an item is called in messages, by the name of the function that runs it.
local item_names = { map = "item %d of tagoio.map", gather = "function %d of tagoio.gather" }

local function new_job(name, items, total, fn, given)
  local around = waiting.task()
  local parent = around and around.job -- of a map within a map
  local timeout = given.timeout
  local pace = parent and parent.pace
  if given.per_minute then
    pace = { per_minute = given.per_minute, starts = { next_s = 0 }, outer = pace }
  end
  local self = setmetatable({
    name = name,
    items = items,
    fn = fn,
    options = given,
    parent = parent,
    children = {}, -- a set of the maps that run within it
    tasks = {}, -- a set of those that work on it
    total = total,
    concurrency = math.min(given.concurrency, total),
    started = 0,
    done = 0,
    pace = pace,
    hook = hooks.running(),
    deadline = waiting.earlier(timeout and core.now() + timeout, parent and parent.deadline),
    stopped = false,
    results = {},
    errors = nil, -- by index, once there is one
    first_error = nil,
    failure = nil, -- what on_progress raised, in a table
  }, job)
  if parent then
    parent.children[self] = true
  end
  return self
end

function job:is_stopped()
  return self.stopped or self.parent ~= nil and self.parent:is_stopped()
end

-- The index of the next item, nil: there is none.
function job:next_index()
  if self.started < self.total then
    self.started = self.started + 1
    return self.started
  end
end

-- Nothing new starts; what is in flight is canceled, and who waits for it woken.
function job:cancel()
  self.stopped = true
  for task in pairs(self.tasks) do
    if task.call then
      task.pool:cancel(task.call)
    elseif task.waiter then
      task.waiter:wake()
    end
  end
  for child in pairs(self.children) do
    child:cancel()
  end
end

local close = coroutine.close or function() end -- luacheck: ignore

function job:leave_parent()
  if self.parent then
    self.parent.children[self] = nil
  end
end

-- An error goes on to who called map, and ends everything that is in flight.
function job:raise(problem)
  self:cancel()
  self:leave_parent()
  for task in pairs(self.tasks) do
    if task.coroutine and coroutine.status(task.coroutine) == "suspended" then
      close(task.coroutine)
    end
  end
  error(problem, 0)
end

local traceback = debug and debug.traceback -- hosts may take it away from programs

-- What a task raised. A text gets the item's name and a traceback, unless on_progress raised it.
function job:name_item(problem, task)
  if self.failure then
    return self.failure[1]
  elseif type(problem) ~= "string" or not task.index then -- before its first item, no memory
    return problem
  end
  local named = ("%s (in %s)"):format(problem, item_names[self.name]:format(task.index))
  if not traceback then
    return named
  end
  return task.coroutine and traceback(task.coroutine, named) or traceback(named, 2)
end

local function as_error(message, err)
  if type(err) == "table" then
    return err
  elseif type(message) == "table" then
    return message
  end
  local _, _, new = errors.new("task", "map", errors.text(message))
  return new
end

-- The function returned for an item.
function job:finish(index, result, message, err)
  self.done = self.done + 1
  self.results[index] = result or false
  if not result and message ~= nil then
    self.errors = self.errors or {}
    self.errors[index] = as_error(message, err)
    self.first_error = self.first_error or self.errors[index]
    self.stopped = self.stopped or self.options.stop_on_error or false
  end
  local told = self.options.on_progress
  if told then
    local failed = self.errors and self.errors[index]
    local ok, problem = pcall(told, self.done, self.total, index, self.results[index], failed)
    if not ok then
      self.failure = { problem }
      error(problem, 0)
    end
  end
end

-- What has not started will not; what is in flight is canceled, and its function told so.
function job:stop()
  local index = self:next_index()
  while index do
    self:finish(index, errors.new("canceled", self.name, self.name .. ": canceled"))
    index = self:next_index()
  end
  self:cancel()
end

-- What the function returns for an item; nothing starts when the time is over. What is in flight
-- then has the same deadline.
function job:call(index)
  if self.deadline and core.now() >= self.deadline then
    local message = self.name .. ": not started: the timeout has passed"
    return errors.new("timeout", self.name, message)
  end
  return self.fn(self.items[index], index)
end

local strayed = "%s: its function yielded, and a callback resumed it; what must be resumed is the "
  .. "coroutine that called tagoio.%s"

-- What each coroutine of a map does: item after item, until there are no more.
function job:work(task)
  self.tasks[task] = true
  local index = not self:is_stopped() and self:next_index()
  while index do
    task.index = index
    self:finish(index, self:call(index))
    if task.coroutine and waiting.task() ~= task then
      error(strayed:format(item_names[self.name]:format(index), self.name), 0)
    elseif self:is_stopped() then
      self:stop()
    end
    index = self:next_index()
  end
  self.tasks[task] = nil
end

-- ---- running it ----

local function run_in_loop(self)
  local all = loop.new()
  for _ = 1, self.concurrency do
    all:spawn({ job = self }, function(task)
      self:work(task)
    end)
  end
  repeat
    local more, problem, task = all:turn()
    if more == false then
      self:raise(self:name_item(problem, task))
    elseif more and self:is_stopped() then
      self:stop()
    end
  until not more
end

-- Runs it in the host's coroutines, or in ours. Where nothing can wait: nil, message, err.
local function run(self)
  local host = hosts.default()
  local mode, problem = host.mode()
  if not mode then
    return errors.new("invalid", self.name, self.name .. ": " .. problem)
  end
  if not (host.run and host.run(self)) then
    run_in_loop(self)
  end
  self:leave_parent()
  return true
end

-- ---- what users call ----

local timeout_row = { name = "timeout", types = "number", check = options.check_time }

local option_rows = check.rows({
  { name = "concurrency", types = "number", check = check.whole(1), default = 16 },
  { name = "per_minute", types = "number", check = options.check_rate },
  { name = "on_progress", types = "function" },
  { name = "stop_on_error", types = "boolean" },
  timeout_row,
})

local gather_rows = check.rows({ timeout_row })

--- Runs a function for each item, many at once, and waits for all. Within it every call of every
-- client overlaps with the others; the code between calls is ordinary Lua.
-- @function map
-- @tparam table items an array
-- @tparam function fn called with the item and its index; what it returns first is the result; nil
--   or false and a message is an error
-- @tparam[opt] table given options
--
-- * `concurrency` (16): how many functions run at once
-- * `timeout`: seconds, over all. It is a deadline of the calls that are on their way then, and
--   what has not started is not started: their errors are of the kind `timeout`. Results stay
-- * `per_minute`: spreads the starts of requests, for TagoIO's limits by the minute; retries are
--   not counted
-- * `on_progress`: `function(done, total, index, result, err)`, after each item: its index, its
--   result or false, and its err table if there is one
-- * `stop_on_error` (false): after the first error all other calls are canceled
-- @treturn table results in the order of the items, as many; `false` where there is none
-- @treturn ?table errors the err tables by index, when there is one. What has no err table of its
--   own gets one with the kind `task`
-- @treturn[2] nil where nothing can wait, in some phases of nginx
-- @treturn[2] string message
-- @treturn[2] table err of the kind `invalid`
-- @raise what the function or `on_progress` raises, after all that is in flight was canceled; a
--   text with the number of the item and a traceback
-- @usage local summaries, failed = tagoio.map(profiles, function(row)
--   return tagoio.profile.summary(row.id)
-- end)
function map.map(items, fn, given)
  local own = check.options("tagoio.map", option_rows, given)
  if type(items) ~= "table" then
    local got = items == nil and "nil; assert the call that makes it" or "a " .. type(items)
    errors.raise(("tagoio.map: items must be an array (got %s)"):format(got))
  end
  local total = #items -- a metatable may have it be anything
  if type(total) ~= "number" then
    errors.raise(("tagoio.map: items must be an array (its length is a %s)"):format(type(total)))
  elseif total == 0 and next(items) ~= nil then
    errors.raise("tagoio.map: items must be an array (got a table that has only other keys)")
  end
  check.argument("tagoio.map", "fn", "function", fn)
  local new = new_job("map", items, total, fn, own)
  local _, message, err = run(new)
  if err then
    return nil, message, err
  end
  return new.results, new.errors
end

local function call_it(fn)
  return fn()
end

--- Runs functions at once.
-- @function gather
-- @param ... functions; after them maybe a table with `timeout`: seconds, over all, as in `map`
-- @return the first result of each, in order
-- @treturn[2] nil
-- @treturn[2] string message of the first that failed; the others are canceled
-- @treturn[2] table err
-- @usage local info, tokens = tagoio.gather(
--   function() return tagoio.profile.info(id) end,
--   function() return tagoio.profile.tokenList(id) end
-- )
function map.gather(...)
  local functions, count = { ... }, select("#", ...)
  local own = {}
  local last = functions[count]
  local metatable = type(last) == "table" and getmetatable(last)
  if type(last) == "table" and not (type(metatable) == "table" and metatable.__call) then
    own = check.options("tagoio.gather", gather_rows, last)
    functions[count], count = nil, count - 1
  end
  for i = 1, count do
    check.argument("tagoio.gather", "argument " .. i, "function", functions[i])
  end
  own.concurrency, own.stop_on_error = math.max(count, 1), true
  local new = new_job("gather", functions, count, call_it, own)
  local _, message, err = run(new)
  if err then
    return nil, message, err
  end
  if new.first_error then
    return nil, errors.text(new.first_error), new.first_error
  end
  return (table.unpack or unpack)(new.results, 1, count) -- luacheck: ignore
end

return map
