-- SPDX-License-Identifier: MIT

--- A client of `tagoio.new`: how calls are made, and the connections they are made over. Its field
-- `profile` is a table like `tagoio.profile`. It belongs to the Lua state that made it.
-- @classmod tagoio.client

local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local hooks = require("tagoio.hooks")
local options = require("tagoio.options")
local request = require("tagoio.request")
local transport = require("tagoio.transport")
local waiting = require("tagoio.waiting")

local client = {}

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
local function pause(self, due)
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
-- call; or nil, message, err. A bug in the caller is raised under the name of the function that was
-- called, which is not the operation's where a function is made of several.
local function perform(self, operation, name, start, ...)
  local kind, message = waiting.admit()
  if kind then
    return errors.new(kind, operation, operation .. ": " .. message)
  end
  client.learn_markers()
  local call
  call, message, kind = self._core[start](self._core, ...)
  if kind == "misuse" then
    errors.raise(name .. message:match(": .*"))
  elseif not call then
    return errors.new(kind, operation, message)
  end
  local watch = self._watch and hooks.watch(self._watch, call)
  if self._transport then
    transport.run(self._transport, operation, call, function(due)
      pause(self, due)
    end, watch)
  else
    wait_for(self, call, watch)
  end
  local result, failure, err = self._core:result(call)
  if err then
    return nil, failure, errors.wrap(err)
  end
  return result, nil, nil, call
end

-- How the functions of a profile table make their calls. find_client(operation) gives the client,
-- or nil, message, err.
function client.caller(find_client)
  local caller = {}

  -- The result of one operation, called by the function with that name; or nil, message, err.
  function caller.call(operation, name, ...)
    local self, message, err = find_client(operation)
    if not self then
      return nil, message, err
    end
    local result
    result, message, err = perform(self, operation, name, "start", operation, ...)
    if err then
      return nil, message, err
    end
    return result
  end

  -- Lets time pass, as it passes while a call is on its way.
  function caller.pause(seconds)
    pause(find_client("pause"), core.now() + seconds)
  end

  return caller
end

-- ---- the object ----

local methods = {}
client.methods = methods

-- The table of operations is made when it is first asked for: a client may live for one call.
local function find_member(self, name)
  if name ~= "profile" then
    return methods[name]
  end
  local function find_self()
    return self
  end
  self.profile = client.new_profile(client.caller(find_self))
  return self.profile
end

local metatable = {
  __index = find_member,
  __metatable = false,
  __tostring = function(self)
    local url = self._connections.url
    return ("tagoio client (%s%s)"):format(url, self._core:is_closed() and ", closed" or "")
  end,
}

-- connections is a table that derived clients share, as they do what it stands for.
local function wrap(core_client, checked, connections)
  if checked.array_mt then
    core.mark(checked.array_mt)
  end
  return setmetatable({
    _core = core_client,
    _transport = checked.transport,
    _wait = checked.wait,
    _watch = hooks.join(checked.on_attempt),
    _connections = connections,
    _on_attempt = checked.on_attempt,
  }, metatable)
end

local function is_client(value)
  return type(value) == "table" and type(rawget(value, "_core")) == "userdata"
end

-- Raises when a method was called on something else, as client.close() does.
local function check_self(self, name)
  if not is_client(self) then
    errors.raise(("%s: call it with a colon: client:%s"):format(name, name))
  end
end

-- Why there is no client: nil, message, err; a bug in the options raises.
local function refuse(name, problem, kind)
  local message = ("%s: %s"):format(name, problem)
  if kind == "misuse" then
    errors.raise(message)
  end
  return errors.new(kind, name, message)
end

-- Makes a client with its own connections, from options that were checked; or nil, message, err. A
-- bug in the options raises. The operation is for messages.
function client.new(checked, operation)
  local source, problem = options.complete(checked)
  if source == nil then
    return refuse(operation, problem, "invalid")
  end
  checked.user_agent = options.user_agent(checked.user_agent)
  local new, message, kind = core.client(checked)
  if new then
    return wrap(new, checked, { url = (checked.base_url:gsub("/$", "")) })
  end
  local wrong_url = message:match("^base_url: (.*)$")
  if not wrong_url then
    return refuse(operation, message, kind)
  end
  -- The environment's mistake is not the caller's.
  return refuse(operation, (source or "region") .. ": " .. wrong_url, source and "invalid" or kind)
end

--- A client on the same connections, with other options: as cheap as a table. The retry
-- budget is shared as well.
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
  local checked = options.check_derived(given)
  if self._core:is_closed() then
    errors.raise("client:with: the client is closed")
  end
  checked.transport = self._transport
  checked.wait = checked.wait or self._wait
  if checked.on_attempt == nil then -- false removes it
    checked.on_attempt = self._on_attempt
  end
  if checked.user_agent then
    checked.user_agent = options.user_agent(checked.user_agent)
  end
  local new, message, kind = self._core:with(checked)
  if not new then
    return refuse("client:with", message, kind)
  end
  return wrap(new, checked, self._connections)
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
  check.argument("client:step", "seconds", "number or nil", seconds)
  if self._core:is_closed() then
    errors.raise("client:step: the client is closed")
  end
  return (self._core:step(seconds or 0))
end

--- Calls any endpoint of the API, by the same rules as the operations: segments are
-- percent-encoded, secrets kept, reads retried.
-- @function request
-- @tparam table given
--
-- * `method`: `"GET"`, `"POST"`, `"PUT"`, `"PATCH"` or `"DELETE"`
-- * `path`: its segments, as `{ "profile", id, "backup" }`
-- * `query`: nested tables as in `filter`; values are strings, numbers and booleans
-- * `body`: a table, sent as JSON
-- * `idempotent` (false): this write has the same effect when it is repeated, so it is
--   retried
-- @return result, never nil or false; the whole response when it has no `status`
-- @treturn table info `status`, `headers` (names in lower case), `attempts`, `elapsed`, `queued`;
--   `message` (a warning beside the result) and `request_id` when there are any
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
-- @usage local asked = { method = "GET", path = { "profile", id, "backup" } }
-- local backups, info = assert(client:request(asked))
function methods:request(given)
  check_self(self, "request")
  request.check(given)
  local result, message, err, call = perform(
    self,
    "request." .. given.method,
    "client:request",
    "start_request",
    given.method,
    given.idempotent or false,
    given.path,
    given.query,
    given.body
  )
  if err then
    return nil, message, err
  end
  return result, request.info(call)
end

metatable.__close = methods.close

return client
