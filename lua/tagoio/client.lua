-- SPDX-License-Identifier: MIT

--- A client of `tagoio.new`: how calls are made, and the connections they are made over. Its field
-- `profile` is a table like `tagoio.profile`. It belongs to the Lua state that made it.
-- @classmod tagoio.client

local call = require("tagoio.call")
local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local hooks = require("tagoio.hooks")
local hosts = require("tagoio.hosts")
local names = require("tagoio.names")
local options = require("tagoio.options")
local pool = require("tagoio.pool")
local request = require("tagoio.request")

local client = {}

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
    local own = self._caller
    result, message, err = call.perform(own, operation, name, own.core.start, operation, ...)
    if err then
      return nil, message, err
    end
    return result
  end

  -- Lets time pass, as it passes while a call is on its way.
  function caller.pause(seconds)
    call.sleep(find_client("pause")._caller, core.now() + seconds)
  end

  return caller
end

-- ---- the object ----

local methods = {}
client.methods = methods

-- The table of operations is made when it is first asked for: a client may live for one call.
local function find_member(self, name)
  if name ~= "profile" then
    local method = methods[name]
    if method == nil then
      local known = names.of(self.profile, "profile.", names.of(methods, ""))
      return names.unknown("client", name, known)
    end
    return method
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
    local own = self._caller
    return ("tagoio client (%s%s)"):format(own.url, own.core:is_closed() and ", closed" or "")
  end,
}

-- Makes a client of the core's client and options that were checked, on a pool unless a transport
-- takes its place.
local function wrap(core_client, checked, shared_pool, url)
  if checked.array_mt then
    core.mark(checked.array_mt)
  end
  local self = {
    _caller = {
      core = core_client,
      pool = shared_pool,
      url = url,
      transport = checked.transport,
      proxy = checked.proxy, -- for messages: who named it
      tell = hooks.join(checked.on_attempt),
    },
    _wait = checked.wait,
    _on_attempt = checked.on_attempt,
  }
  self._caller.host = hosts.of(checked.wait, self)
  return setmetatable(self, metatable)
end

local function is_client(value)
  return type(value) == "table" and rawget(value, "_caller") ~= nil
end

-- Raises when a method was called on something else, as client.close() does.
local function check_self(self, name)
  if not is_client(self) then
    errors.raise(("%s: call it with a colon: client:%s"):format(name, name))
  end
end

-- The same for a client that is closed. Its pool; nil: a transport is in its place.
local function check_open(self, name)
  check_self(self, name)
  if self._caller.core:is_closed() then
    errors.raise(("client:%s: the client is closed"):format(name))
  end
  return self._caller.pool
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
  local own_pool, new, message, kind
  if not checked.transport then
    own_pool, message, kind = pool.new(checked)
  end
  if own_pool or checked.transport then
    new, message, kind = core.client(checked, own_pool and own_pool.core)
  end
  if new then
    return wrap(new, checked, own_pool, new:base_url())
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
  check_open(self, "with")
  checked.transport = self._caller.transport
  checked.proxy = self._caller.proxy
  checked.wait = checked.wait or self._wait
  if checked.on_attempt == nil then -- false removes it
    checked.on_attempt = self._on_attempt
  end
  if checked.user_agent then
    checked.user_agent = options.user_agent(checked.user_agent)
  end
  local new, message, kind = self._caller.core:with(checked)
  if not new then
    return refuse("client:with", message, kind)
  end
  return wrap(new, checked, self._caller.pool, self._caller.url)
end

--- Cancels this client's calls; a call on it raises from now on. The connections go with their
-- last owner. In Lua 5.4 `local client <close> = ...` does the same.
-- @function close
function methods:close()
  check_self(self, "close")
  local own = self._caller
  if own.pool and not own.core:is_closed() then
    own.core:cancel()
    own.pool:dispatch() -- now event loops let go of its descriptor, which is still open
  end
  own.core:close()
end

--- Moves all calls over these connections, for event loops of one's own.
-- @function step
-- @tparam[opt] number seconds to wait at most for something to happen (0)
-- @treturn number how many calls are still on their way
function methods:step(seconds)
  local own_pool = check_open(self, "step")
  check.argument("client:step", "seconds", "number or nil", seconds)
  local pending = own_pool and own_pool:step(seconds or 0) or 0
  return pending
end

--- A descriptor for event loops: it is readable when `step` has something to do. With `events` and
-- `timeout` a client is what cqueues calls a pollable object. After a fork it is another one.
-- @function pollfd
-- @treturn number descriptor; it belongs to the connections, and is closed with them
-- @treturn[2] nil where there is none: with a transport, or out of descriptors
-- @treturn[2] string message
function methods:pollfd()
  local own_pool = check_open(self, "pollfd")
  if not own_pool then
    return nil, "client:pollfd: a transport has none"
  end
  return own_pool:pollfd()
end

--- What to wait for on `pollfd`.
-- @function events
-- @treturn string `"r"`
function methods:events()
  check_self(self, "events")
  return "r"
end

--- The time after which `step` has something to do, whatever the descriptor says.
-- @function timeout
-- @treturn ?number seconds; nil: never
function methods:timeout()
  local own_pool = check_open(self, "timeout")
  return own_pool and own_pool:timeout()
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
  local own = self._caller
  local result, message, err, new_call = call.perform(
    own,
    "request." .. given.method,
    "client:request",
    own.core.start_request,
    given.method,
    given.idempotent or false,
    given.path,
    given.query,
    given.body
  )
  if err then
    return nil, message, err
  end
  return result, request.info(new_call)
end

metatable.__close = methods.close

return client
