-- SPDX-License-Identifier: MIT

--- Many calls at once, written as straight-line Lua: a function is run for each item in a coroutine
-- of its own, and while one of them waits for an answer the others go on.
-- @submodule tagoio

local core = require("tagoio.core")
local errors = require("tagoio.errors")
local waiting = require("tagoio.waiting")

local map = {}

-- ---- the job: what is known of a map, however it is run ----

local job = {}
job.__index = job

-- An item is called after where it comes from: "item 3 of tagoio.map".
local function new_job(items, fn, options, item_name)
  local around = waiting.task()
  return setmetatable({
    items = items,
    fn = fn,
    options = options,
    item_name = item_name,
    parent = around and around.job, -- of a map within a map
    tasks = {}, -- those that have started and not ended
    total = #items,
    started = 0,
    done = 0,
    next_start_s = 0,
    stopped = false,
    results = {},
    errors = nil, -- by index, once there is one
    first_error = nil,
  }, job)
end

function job:is_stopped()
  return self.stopped or self.parent ~= nil and self.parent:is_stopped()
end

-- When the next request may start, nil: at once. That moment is taken.
function job:next_start()
  local start = self.parent and self.parent:next_start()
  local per_minute = self.options.per_minute
  if per_minute then
    start = math.max(self.next_start_s, start or core.now())
    self.next_start_s = start + 60 / per_minute
  end
  return start
end

-- A task for the next item, nil: there is none.
function job:next_task()
  if self.started == self.total then
    return nil
  end
  self.started = self.started + 1
  return { job = self, index = self.started, item = self.items[self.started] }
end

function job:forget(task)
  for i = 1, #self.tasks do
    if self.tasks[i] == task then
      table.remove(self.tasks, i)
      return
    end
  end
end

function job:cancel_calls()
  for _, task in ipairs(self.tasks) do
    for _, pending in ipairs(task.calls or {}) do
      pending.call:cancel()
    end
  end
end

local close = coroutine.close or function() end -- luacheck: ignore

-- An error goes on to who called map, and ends everything that is in flight.
function job:raise(problem)
  self.stopped = true
  self:cancel_calls()
  for _, task in ipairs(self.tasks) do
    if task.coroutine and coroutine.status(task.coroutine) == "suspended" then
      close(task.coroutine)
    end
  end
  error(problem, 0)
end

-- What was raised for an item, with the item's name if it is a text.
function job:name_item(problem, index)
  if type(problem) ~= "string" then
    return problem
  end
  return ("%s (in %s)"):format(problem, self.item_name:format(index))
end

local function as_error(message, err)
  if type(err) == "table" then
    return err
  elseif type(message) == "table" then
    return message
  end
  local _, _, made = errors.new("task", "map", tostring(message))
  return made
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
  if self.options.on_progress then
    local ok, problem = pcall(self.options.on_progress, self.done, self.total)
    if not ok then
      self:raise(problem)
    end
  end
end

-- What has not started will not; what is in flight is canceled, and its function told so.
function job:stop()
  local task = self:next_task()
  while task do
    self:finish(task.index, errors.new("canceled", "map", "map: canceled"))
    task = self:next_task()
  end
  self:cancel_calls()
end

-- ---- the loop ----

local go_on

local function take(task, ok, first, ...)
  if not ok then
    local problem = task.job:name_item(first, task.index)
    local has_text = type(problem) == "string"
    task.job:raise(has_text and debug.traceback(task.coroutine, problem) or problem)
  elseif coroutine.status(task.coroutine) == "dead" then
    task.job:finish(task.index, first, ...)
  elseif first ~= waiting.mark then
    -- Not ours: it is for the coroutine that called map.
    return go_on(task, coroutine.yield(first, ...))
  end
end

function go_on(task, ...)
  return take(task, waiting.resume(task, ...))
end

local function is_ready(task, now)
  if not task.calls or task.job:is_stopped() or task.due and now >= task.due then
    return true
  end
  for _, pending in ipairs(task.calls) do
    if pending.call:is_done() then
      return true
    end
  end
  return false
end

local function forget_ended(tasks)
  local kept = 0
  for i = 1, #tasks do
    local task = tasks[i]
    tasks[i] = nil
    if coroutine.status(task.coroutine) ~= "dead" then
      kept = kept + 1
      tasks[kept] = task
    end
  end
end

-- Lets every task go on that can. False: none could.
local function advance(tasks)
  local now, progress = core.now(), false
  for i = 1, #tasks do
    local task = tasks[i]
    if is_ready(task, now) then
      progress = true
      go_on(task, task.item, task.index)
    end
  end
  forget_ended(tasks)
  return progress
end

local function wait_for_any(tasks)
  local calls, due = {}, nil
  for _, task in ipairs(tasks) do
    for _, pending in ipairs(task.calls) do
      calls[#calls + 1] = pending
    end
    if task.due and (not due or task.due < due) then
      due = task.due
    end
  end
  waiting.wait(calls, due)
end

local function start_some(self)
  local tasks = self.tasks
  while #tasks < self.options.concurrency and self.started < self.total do
    local task = self:next_task()
    task.coroutine = coroutine.create(self.fn)
    tasks[#tasks + 1] = task
  end
end

-- Where nothing can wait: nil, message, err, as of a call.
local function refuse(name)
  local kind, problem = waiting.refusal()
  if kind then
    return errors.new(kind, name, name .. ": " .. problem)
  end
end

-- One item after the other.
local function run_in_turn(self)
  local task = self:next_task()
  while task do
    self:finish(task.index, self.fn(task.item, task.index))
    if self:is_stopped() then
      self:stop()
    end
    task = self:next_task()
  end
end

local function run(self)
  local nginx = waiting.nginx()
  if nginx and nginx.mode() == "yield" then
    return nginx.run(self)
  elseif nginx and not nginx.has_coroutines() then
    return run_in_turn(self)
  end
  while self.done < self.total do
    if self:is_stopped() then
      self:stop()
    end
    start_some(self)
    if not advance(self.tasks) and #self.tasks > 0 then
      wait_for_any(self.tasks)
    end
  end
end

-- ---- what users call ----

local option_types = {
  concurrency = "number",
  per_minute = "number",
  on_progress = "function",
  stop_on_error = "boolean",
}

local function check_options(options)
  if type(options) ~= "table" then
    return "a table of options is needed, got a " .. type(options)
  end
  for name, value in pairs(options) do
    local needed = option_types[name]
    if not needed then
      local known = "concurrency, per_minute, on_progress, stop_on_error"
      return ("unknown option %s; there are %s"):format(errors.quote(name), known)
    elseif type(value) ~= needed then
      return ("%s: a %s is needed, got a %s"):format(name, needed, type(value))
    end
  end
  local concurrency, per_minute = options.concurrency, options.per_minute
  if concurrency and not (concurrency >= 1 and concurrency == math.floor(concurrency)) then
    return ("concurrency: %.14g is not a whole number of 1 or more"):format(concurrency)
  elseif per_minute and not (per_minute > 0 and per_minute < math.huge) then
    return ("per_minute: %.14g is not a number over 0"):format(per_minute)
  end
end

--- Runs a function for each item, many at once, and waits for all. Within it every call of every
-- client overlaps with the others; the code between calls is ordinary Lua.
-- @function map
-- @tparam table items an array
-- @tparam function fn called with the item and its index; what it returns first is the result; nil
--   or false and a message is an error
-- @tparam[opt] table options
--
-- * `concurrency` (16): how many functions run at once
-- * `per_minute`: spreads the starts of requests, for TagoIO's limits by the minute; repetitions
--   after a failure are not counted
-- * `on_progress`: `function(done, total)`, after each item
-- * `stop_on_error` (false): after the first error the rest is canceled
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
function map.map(items, fn, options)
  local problem = options ~= nil and check_options(options)
  if type(items) ~= "table" then
    problem = "items: an array is needed, got a " .. type(items)
  elseif type(fn) ~= "function" then
    problem = "fn: a function is needed, got a " .. type(fn)
  elseif #items == 0 and next(items) ~= nil then
    problem = "items: an array is needed, got a table that has only other keys"
  end
  if problem then
    errors.raise("tagoio.map: " .. problem)
  end
  local _, message, err = refuse("map")
  if err then
    return nil, message, err
  end
  local own = { concurrency = 16 }
  for name, value in pairs(options or {}) do
    own[name] = value
  end
  local it = new_job(items, fn, own, "item %d of tagoio.map")
  run(it)
  return it.results, it.errors
end

local function call_it(fn)
  return fn()
end

--- Runs functions at once.
-- @function gather
-- @param ... functions
-- @return the first result of each, in order
-- @treturn[2] nil
-- @treturn[2] string message of the first that failed; the others are canceled
-- @treturn[2] table err
-- @usage local info, tokens = tagoio.gather(
--   function() return tagoio.profile.info(id) end,
--   function() return tagoio.profile.tokenList(id) end
-- )
function map.gather(...)
  local functions = { ... }
  for i = 1, select("#", ...) do
    local kind = type(functions[i])
    if kind ~= "function" then
      errors.raise(("tagoio.gather: argument %d: a function is needed, got a %s"):format(i, kind))
    end
  end
  local _, message, err = refuse("gather")
  if err then
    return nil, message, err
  end
  local options = { concurrency = math.max(#functions, 1), stop_on_error = true }
  local it = new_job(functions, call_it, options, "function %d of tagoio.gather")
  run(it)
  if it.first_error then
    return nil, tostring(it.first_error), it.first_error
  end
  return (table.unpack or unpack)(it.results, 1, #functions) -- luacheck: ignore
end

return map
