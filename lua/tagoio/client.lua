-- SPDX-License-Identifier: MIT

--- A client of `tagoio.new`: how calls are made, and the connections they are made over. Its fields
-- `profile` and `account` are tables like `tagoio.profile` and `tagoio.account`. It belongs to the
-- Lua state that made it.
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
local resource = require("tagoio.resource")
local waiting = require("tagoio.waiting")

local client = {}

-- The key under which a client keeps what is its own: nobody else has it.
local own_key = {}

-- How the functions of a table of operations make their calls. find_client(operation) gives the
-- client, or nil, message, err.
function client.caller(find_client)
  local caller = {}

  -- The result of one operation, called by the function with that name; or nil, message, err. The
  -- operation is the name of one of ours, or core.operation's.
  function caller.call(operation, name, ...)
    local shown = tostring(operation)
    local self, message, err = find_client(shown)
    if not self then
      return nil, message, err
    end
    local result, new_call
    local own = self[own_key]
    local start = own.core.start
    result, message, err, new_call = call.perform(own, shown, name, start, operation, ...)
    if err then
      return nil, message, err
    elseif own.response_info then
      return result, request.info(new_call)
    end
    return result
  end

  -- Lets time pass, as it passes while a call is on its way. False: the client's calls were
  -- canceled.
  function caller.pause(seconds)
    return call.pause(find_client("pause")[own_key], core.now() + seconds)
  end

  return caller
end

-- ---- the object ----

local methods = {}
client.methods = methods

-- What makes the tables of operations that are fields of a client, by their names. They cannot be
-- required here: they need this file for the clients of the environment.
client.tables = {}

local function caller_of(self)
  return client.caller(function()
    return self
  end)
end

-- Every function of a client, and of its tables of operations.
local function known_names(self)
  local known = names.of(methods, "")
  for name in pairs(client.tables) do
    names.of(self[name], name .. ".", known)
  end
  return known
end

-- A table of operations is made when it is first asked for: a client may live for one call.
local function find_member(self, name)
  local new_table = client.tables[name]
  if not new_table then
    local method = methods[name]
    if method == nil then
      return names.unknown("client", name, known_names(self))
    end
    return method
  end
  local operations = new_table(caller_of(self))
  self[name] = operations
  return operations
end

local metatable = {
  __index = find_member,
  __metatable = false,
  __tostring = function(self)
    local own = self[own_key]
    return ("tagoio client (%s%s)"):format(own.url, own.core:is_closed() and ", closed" or "")
  end,
}

-- Makes a client of the core's client and options that were checked, on a pool unless a transport
-- takes its place. `starts` are the parent's.
local function wrap(core_client, checked, shared_pool, starts)
  if checked.array_mt then
    core.mark(checked.array_mt)
  end
  local own = {
    core = core_client,
    pool = shared_pool,
    url = core_client:base_url(),
    transport = checked.transport,
    proxy = checked.proxy, -- for messages: who named it
    tell = hooks.join(checked.on_attempt),
    wait = checked.wait,
    headers = checked.headers,
    on_attempt = checked.on_attempt,
    response_info = checked.response_info,
    per_minute = checked.per_minute,
    starts = starts or { next_s = 0 }, -- shared, whatever the pace
    deadline = checked.deadline,
    waiters = setmetatable({}, { __mode = "k" }), -- weak, for coroutines that are abandoned
  }
  own.pace = own.per_minute and { per_minute = own.per_minute, starts = own.starts }
  local self = setmetatable({ [own_key] = own }, metatable)
  own.host = hosts.of(checked.wait, self, shared_pool)
  return self
end

local function is_client(value)
  return type(value) == "table" and rawget(value, own_key) ~= nil
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
  local own = self[own_key]
  if own.core:is_closed() then
    errors.raise(("client:%s: the client is closed"):format(name))
  end
  return own.pool
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
  checked.deadline = checked.deadline and core.now() + checked.deadline
  checked.headers = options.join_headers(nil, checked.headers)
  local own_pool, new, message, kind
  if not checked.transport then
    own_pool, message, kind = pool.new(checked)
  end
  if own_pool or checked.transport then
    new, message, kind = core.client(checked, own_pool and own_pool.core)
  end
  if new then
    return wrap(new, checked, own_pool)
  end
  local wrong_url = message:match("^base_url: (.*)$")
  if not wrong_url then
    return refuse(operation, message, kind)
  end
  -- The environment's mistake is not the caller's.
  return refuse(operation, (source or "region") .. ": " .. wrong_url, source and "invalid" or kind)
end

-- A function that finds one client, made of the environment when it is first asked for, with this
-- token if it is not nil; or nil, message, err.
function client.lazy(token)
  local found
  return function(operation)
    local message, err
    if not found then
      found, message, err = client.new({ token = token }, operation)
    end
    return found, message, err
  end
end

-- What the core does not keep for derived clients.
local inherited = { "transport", "proxy", "wait", "on_attempt", "response_info", "per_minute" }

--- A client on the same connections, with other options: as cheap as a table. The retry
-- budget is shared as well.
-- @function with
-- @tparam table given options of `tagoio.new`; not `region`, `ca_file`, `proxy`, `max_connections`
--   and `transport`, which belong to the connections. One that is nil keeps its value, `token` too:
--   assert what comes from the environment. `on_attempt = false` removes the hook and
--   `headers = false` the headers; a table of headers adds to the parent's table
-- @treturn table client
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
-- @usage local patient = client:with { timeout = 120, attempts = 5 }
function methods:with(given)
  check_self(self, "with")
  local checked = options.check_derived(given)
  check_open(self, "with")
  local own = self[own_key]
  checked.headers = options.join_headers(own.headers, checked.headers)
  for _, name in ipairs(inherited) do
    if checked[name] == nil then -- false removes what the parent has
      checked[name] = own[name]
    end
  end
  checked.deadline = waiting.earlier(
    checked.deadline and core.now() + checked.deadline,
    own.deadline
  )
  if checked.user_agent then
    checked.user_agent = options.user_agent(checked.user_agent)
  end
  local new, message, kind = own.core:with(checked)
  if not new then
    return refuse("client:with", message, kind)
  end
  return wrap(new, checked, own.pool, own.starts)
end

local function cancel_calls(own)
  if own.pool then
    own.core:cancel()
    own.pool:dispatch() -- now event loops let go of its descriptor, which is still open
  end
  for waiter, new_call in pairs(own.waiters) do
    if new_call then
      new_call:cancel()
    end
    waiter:wake()
  end
end

--- Cancels this client's calls; a call on it raises from now on. The connections go with their
-- last owner. In Lua 5.4 `local client <close> = ...` does the same.
-- @function close
function methods:close()
  check_self(self, "close")
  local own = self[own_key]
  if not own.core:is_closed() then
    cancel_calls(own)
  end
  own.core:close()
end

--- Cancels the calls of this client that are on their way, and leaves it usable: each returns an
-- error of the kind `canceled`. Those of derived clients go on. Over a transport a call that is
-- canceled returns when the transport's function does.
-- @function cancel
-- @usage local job = client:with {} -- what may be canceled together
function methods:cancel()
  check_open(self, "cancel")
  cancel_calls(self[own_key])
end

--- Moves all calls over these connections, for event loops of one's own.
-- @function step
-- @tparam[opt] number seconds to wait at most for something to happen (0)
-- @treturn number how many calls are still on their way
function methods:step(seconds)
  local own_pool = check_open(self, "step")
  check.argument("client:step", "seconds", "number or nil", seconds)
  return own_pool and own_pool:step(seconds or 0) or 0
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
  local fields = request.check(given)
  local own = self[own_key]
  local result, message, err, new_call = call.perform(
    own,
    "request." .. fields.method,
    "client:request",
    own.core.start_request,
    fields.method,
    fields.idempotent or false,
    fields.path,
    fields.query,
    fields.body
  )
  if err then
    return nil, message, err
  end
  return result, request.info(new_call)
end

--- A table of functions like `profile` for other parts of the API, from rows that describe them.
-- They obey the rules of the operations: segments are percent-encoded, reads retried, secrets kept.
-- Names in errors and events are as `device.info`. A bad row raises here.
-- @function resource
-- @tparam string name as `"device"`
-- @tparam table rows by the names of the functions. A row is `{ method, path }` and
--
-- * in the path, `{name}`: an argument, a string that becomes one segment
-- * `body` (false): true: the next argument is a table, sent as JSON
-- * `query`: the last argument is a table, which may be left out, with these keys. Their types are
--   `"text"`, `"count"` (a whole number), `"flag"` (a boolean), `"date"`, `"list"` (of strings),
--   `"order"` or `"map"` (as `filter`), or `{ type, default }`
-- * `retry`: `"safe"` (GET alone, its default), `"never"` (the default of all others) or
--   `"idempotent"`: the effect of twice is that of once
-- * `result` (`"any"`): `"object"`, `"array"` or `"text"`: all else is an error
-- * `secret`: a list of the arguments in the path that are never shown; one that is called `token`,
--   `password` or `pin_code` is never shown anyway
-- * `pages` (false): true: a list with `page` and `amount` in its query. It adds two functions, as
--   `listEach` and `listAll` of `list`, which do what `profile.tokenListEach` and
--   `profile.tokenListAll` do. Rows differ by their `id`, or by the field that is named in place
--   of true; it is added to the `fields` that are asked for
-- @treturn table functions; their arguments are those of the path in order, body, query
-- @usage local device = client:resource("device", {
--   info = { "GET", "/device/{deviceID}" },
--   edit = { "PUT", "/device/{deviceID}", body = true, retry = "idempotent" },
-- })
-- assert(device.edit(id, { name = "Press 4" }))
function methods:resource(name, rows)
  check_open(self, "resource")
  return resource.new(caller_of(self), name, rows)
end

metatable.__close = methods.close

return client
