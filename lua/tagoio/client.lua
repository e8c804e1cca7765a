-- SPDX-License-Identifier: MIT

--- A client of `tagoio.new`: how calls are made, and the connections they are made over. Its field
-- `profile` is a table like `tagoio.profile`. It belongs to the Lua state that made it.
-- @classmod tagoio.client

local audit = require("tagoio.audit")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local hooks = require("tagoio.hooks")
local options = require("tagoio.options")
local pages = require("tagoio.pages")
local request = require("tagoio.request")
local transport = require("tagoio.transport")
local waiting = require("tagoio.waiting")

local client = {}

-- Functions beside the operations, each made of several calls.
local composed = {
  tokenListEach = pages.each,
  tokenListAll = pages.all,
  auditLogEvents = audit.events,
}

-- Which arguments each function of a profile table takes, by its name without "profile.".
local arguments = {
  tokenListEach = { "profileID", "query" },
  tokenListAll = { "profileID", "query", "options" },
  auditLogEvents = { "profileID", "query", "options" },
}
for _, operation in ipairs(core.operations()) do
  arguments[operation.name:match("^profile%.(.*)$")] = operation.arguments
end
client.arguments = arguments

-- The markers of another JSON library are known once it is loaded.
local learned
function client.learn_markers()
  local cjson = package.loaded.cjson
  if cjson and cjson ~= learned then
    for _, name in ipairs({ "array_mt", "empty_array_mt", "empty_array" }) do
      if cjson[name] ~= nil then
        core.mark(cjson[name])
      end
    end
    learned = cjson -- at last: marking one may fail for want of memory
  end
end

-- Stands for a call where there is none: a client with a wait of its own is known by its calls.
local never = {
  is_done = function()
    return false
  end,
  cancel = function() end,
}

-- Lets time pass until it is due, as it passes while a call is on its way.
local function rest(self, due)
  waiting.rest(self._wait and { { client = self, call = never } } or {}, due)
end

-- Waits until the driver is done with a call.
local function wait_for(self, call, watch)
  local calls = { { client = self, call = call } }
  while not call:is_done() do
    waiting.wait(calls)
    if watch then
      watch()
    end
  end
end

-- Makes a call with a method of the core and brings it to its end: the result, nil, nil and the
-- call; or nil, message, err. A bug in the caller has the kind "misuse", and raises further up.
local function perform(self, operation, start, ...)
  local kind, message = waiting.admit()
  if kind then
    return errors.unsent(kind, operation, operation .. ": " .. message)
  end
  client.learn_markers()
  local call
  call, message, kind = self._core[start](self._core, ...)
  if not call then
    return errors.unsent(kind, operation, message)
  end
  local watch = self._watch and hooks.watch(self._watch, call)
  if self._transport then
    transport.run(self._transport, operation, call, function(due)
      rest(self, due)
    end, watch)
  else
    wait_for(self, call, watch)
  end
  local result, failure, err = self._core:result(call)
  if err then
    return nil, failure, errors.adopt(err)
  end
  return result, nil, nil, call
end

-- ---- the table of operations ----

local function usage(name)
  return ("profile.%s(%s)"):format(name, table.concat(arguments[name], ", "))
end

-- What is wrong with the number and the first of the arguments, or nil.
local function check_arguments(profile, name, count, ...)
  if count > 0 and rawequal((...), profile) then
    return ("profile.%s: call it with a dot, %s, not with a colon"):format(name, usage(name))
  end
  for i = #arguments[name] + 1, count do
    if select(i, ...) ~= nil then
      return ("profile.%s: argument %d is one too many: %s"):format(name, i, usage(name))
    end
  end
end

-- How the functions of a profile table reach their client.
local function caller_of(find_client)
  local caller = {}

  -- The result of one operation; or nil, message, err.
  function caller.call(operation, ...)
    local self, message, err = find_client(operation)
    if not self then
      return nil, message, err
    end
    local result
    result, message, err = perform(self, operation, "start", operation, ...)
    return result, message, err
  end

  -- Lets time pass, as it passes while a call is on its way.
  function caller.rest(seconds)
    rest(find_client("rest"), core.now() + seconds)
  end

  return caller
end

local function run(caller, name, ...)
  if composed[name] then
    return composed[name](caller, ...)
  end
  return caller.call("profile." .. name, ...)
end

local function bind_one(profile, name, caller)
  return function(...)
    local problem = check_arguments(profile, name, select("#", ...), ...)
    if problem then
      error(problem, 2)
    end
    local result, second, err = run(caller, name, ...)
    if err and err.kind == "misuse" then
      error(second, 2)
    elseif err then
      return nil, second, err
    elseif second ~= nil then
      return result, second
    end
    return result
  end
end

-- A table of the operations and what is composed of them. Each function is made when it is first
-- asked for: a client may live for one call. find_client(operation) gives the client, or nil,
-- message, err.
function client.bind(find_client)
  local caller
  return setmetatable({}, {
    __index = function(profile, name)
      if arguments[name] then
        caller = caller or caller_of(find_client)
        profile[name] = bind_one(profile, name, caller)
        return rawget(profile, name)
      end
    end,
  })
end

-- ---- the object ----

local methods = {}

local metatable = {
  __index = methods,
  __metatable = false,
  __tostring = function(self)
    local url = self._connections.url
    return ("tagoio client (%s%s)"):format(url, self._core:is_closed() and ", closed" or "")
  end,
}

-- connections is a table that derived clients share, as they do what it stands for.
local function wrap(made, checked, connections)
  if checked.array_mt then
    core.mark(checked.array_mt)
  end
  local self = {
    _core = made,
    _transport = checked.transport,
    _wait = checked.wait,
    _watch = hooks.join(checked.on_attempt),
    _connections = connections,
    _on_attempt = checked.on_attempt,
  }
  self.profile = client.bind(function()
    return self
  end)
  return setmetatable(self, metatable)
end

local function is_client(value)
  return type(value) == "table" and type(rawget(value, "_core")) == "userdata"
end

-- Raises when a method was called on something else, as client.close() does.
local function check_self(self, name)
  if not is_client(self) then
    error(("%s: call it with a colon: client:%s"):format(name, name), 3)
  end
end

-- Makes a client with its own connections, from options that were checked; or nil, message, err,
-- and what is wrong with the options themselves. The operation is for messages.
function client.new(checked, operation)
  local source, problem = options.complete(checked)
  if source == nil then
    return errors.unsent("invalid", operation, operation .. ": " .. problem)
  end
  checked.user_agent = options.user_agent(checked.user_agent)
  local made, message, kind = core.client(checked)
  if made then
    return wrap(made, checked, { url = (checked.base_url:gsub("/$", "")) })
  end
  if source and message:find("^base_url: ") then
    kind = "invalid" -- the environment's mistake, not the caller's
  end
  message = operation .. ": " .. message:gsub("^base_url: ", (source or "region") .. ": ")
  local _, _, err = errors.unsent(kind, operation, message)
  return nil, message, err, kind == "misuse" and message or nil
end

--- A client on the same connections, with other options: as cheap as a table. The quota of
-- repetitions is shared as well.
-- @function with
-- @tparam table given options of `tagoio.new`; not `region`, `ca_file`, `proxy`, `max_connections`
--   and `transport`, which belong to the connections. One that is nil keeps its value, `token` too:
--   assert what comes from the environment. `on_attempt = false` removes the hook
-- @treturn table client
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
-- @usage local patient = client:with { timeout = 120, attempts = 5 }
function methods:with(given)
  check_self(self, "with")
  local checked, problem = options.check(given, true)
  if not checked then
    error("client:with: " .. problem, 2)
  elseif self._core:is_closed() then
    error("client:with: the client is closed", 2)
  end
  checked.transport = self._transport
  checked.wait = checked.wait or self._wait
  if checked.on_attempt == nil then -- false removes it
    checked.on_attempt = self._on_attempt
  end
  if checked.user_agent then
    checked.user_agent = options.user_agent(checked.user_agent)
  end
  local made, message, kind = self._core:with(checked)
  if kind == "misuse" then
    error("client:with: " .. message, 2)
  elseif not made then
    return errors.unsent(kind, "with", "client:with: " .. message)
  end
  return wrap(made, checked, self._connections)
end

--- Cancels this client's calls; a call on it raises from now on. The connections go with their
-- last owner. In Lua 5.4 `local client <close> = ...` does the same.
-- @function close
function methods:close()
  check_self(self, "close")
  self._core:close()
end

--- Moves all calls over these connections, for event loops of one's own (option `wait`).
-- @function step
-- @tparam[opt] number seconds to wait at most for something to happen (0)
-- @treturn number how many calls are still on their way
function methods:step(seconds)
  check_self(self, "step")
  if seconds ~= nil and type(seconds) ~= "number" then
    error("client:step: a number of seconds is needed, got a " .. type(seconds), 2)
  elseif self._core:is_closed() then
    error("client:step: the client is closed", 2)
  end
  local held = self._core:step(seconds or 0)
  return held
end

--- Calls any endpoint of the API, by the same rules as the operations: segments are
-- percent-encoded, secrets kept, reads repeated.
-- @function request
-- @tparam table given
--
-- * `method`: `"GET"`, `"POST"`, `"PUT"`, `"PATCH"` or `"DELETE"`
-- * `path`: its segments, as `{ "profile", id, "backup" }`
-- * `query`: nested tables as in `filter`; values are strings, numbers and booleans
-- * `body`: a table, sent as JSON
-- * `idempotent` (false): this write has the same effect when it is repeated, so it may be
-- @return result, never nil or false; the whole answer when it has no `status`
-- @treturn table info `status`, `headers` (names in lower case), `attempts`, `elapsed`, `queued`;
--   `message` (a warning beside the result) and `request_id` when there are any
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
-- @usage local asked = { method = "GET", path = { "profile", id, "backup" } }
-- local backups, info = assert(client:request(asked))
function methods:request(given)
  check_self(self, "request")
  local problem = request.check(given)
  if problem then
    error("client:request: " .. problem, 2)
  end
  local operation = "request." .. given.method
  local result, message, err, call = perform(
    self,
    operation,
    "start_request",
    given.method,
    given.idempotent or false,
    given.path,
    given.query,
    given.body
  )
  if not err then
    return result, request.info(call)
  elseif err.kind == "misuse" then
    error((message:gsub("^request%.%u+", "client:request")), 2)
  end
  return nil, message, err
end

metatable.__close = methods.close

return client
