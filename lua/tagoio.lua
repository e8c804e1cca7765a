-- SPDX-License-Identifier: MIT

--- TagoIO's profile API for Lua.
-- @module tagoio

local client = require("tagoio.client")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local map = require("tagoio.map")
local options = require("tagoio.options")

local tagoio = {
  _VERSION = "tagoio " .. core.version,
  profile = require("tagoio.profile"),
  date = require("tagoio.date"),
  map = map.map,
  gather = map.gather,
  null = core.null,
  array_mt = core.array_mt,
}

--- Makes a client with its own connections. A bad option raises; what the environment
-- leaves open or says wrongly is returned, and so are a file of certificates that holds none, a
-- libcurl that is too old and a lack of memory.
-- @tparam[opt] table given options; times are in seconds, at most 3600
--
-- * `token`: else `T_ANALYSIS_TOKEN`, else `TAGOIO_TOKEN` of the environment
-- * `region`: `"us-e1"`, `"eu-w1"`, `"env"` (`TAGOIO_API`), `{ tdeploy = id }` or
--   `{ api = url }`; else `TAGOIO_API`, else `"us-e1"`
-- * `timeout` (60): over all attempts and the rests between them
-- * `attempt_timeout` (30), `connect_timeout` (10)
-- * `attempts` (3): the first included; else `TAGOIO_REQUEST_ATTEMPTS`
-- * `max_retry_after` (60): the longest wait that TagoIO may ask for; more is an error at once
-- * `max_response_bytes` (64 MiB)
-- * `max_connections` (64): more calls at once wait for their turn
-- * `ca_file`: certificates to trust, in PEM; else `SSL_CERT_FILE`, else `CURL_CA_BUNDLE` of the
--   environment, else libcurl's own
-- * `proxy`: a URL; `false` ignores the environment's. It is never used for this machine
-- * `user_agent`: appended to ours
-- * `keep_null` (false): members that are null stay, as `tagoio.null`
-- * `array_mt`: the metatable of arrays in results, else `tagoio.array_mt`
-- * `on_attempt`: `function(event)`, called after each attempt in the coroutine that made the call.
--   `event` has `operation`, `method`, `path` (the template, without ids), `attempt` (from 1),
--   `status` or `kind` of the error or both, `elapsed`, `queued`, `bytes` of the body,
--   `request_id`, and `wait` before the next attempt or, after the last, `message` (of the error;
--   of a success TagoIO's warning). What it raises is reported once, to stderr, and changes nothing
-- * `transport`: `function(request)` in place of libcurl, for hosts with their own HTTP and tests
--   without a network. `request` has `method`, `url`, `headers`, `body` (a string or nil),
--   `timeout` (seconds, for this attempt) and `connect_timeout` (seconds of it). It returns the
--   status, a table of headers (or nil) and the decoded body; or nil, a message, and a table:
--   `sent = false` when no byte of the request has left, and the `kind` of failure (`"connect"`,
--   `"tls"`, `"timeout"` or `"network"`, the default). It follows no redirect and repeats nothing
-- * `wait`: `function(client, seconds)`, called again and again while a call is on its way
-- @treturn table client
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
-- @usage local client = tagoio.new { token = "...", region = "eu-w1", timeout = 30 }
function tagoio.new(given)
  if given == tagoio then
    errors.raise("tagoio.new: call it with a dot, tagoio.new { ... }, not with a colon")
  end
  local checked, problem = options.check(given or {})
  if not checked then
    errors.raise("tagoio.new: " .. problem)
  end
  return client.new(checked, "tagoio.new")
end

--- Marks a table as an array, so that it is sent as one even when it is empty.
-- @tparam[opt] table list changed; a new one when left out
-- @treturn table list
function tagoio.array(list)
  if list ~= nil and type(list) ~= "table" then
    errors.raise("tagoio.array: a table is needed, got a " .. type(list))
  end
  return setmetatable(list or {}, core.array_mt)
end

local function check_options(name, given, types)
  if given ~= nil and type(given) ~= "table" then
    return ("%s: a table of options is needed, got a %s"):format(name, type(given))
  end
  for key, value in pairs(given or {}) do
    if not types[key] then
      return ("%s: unknown option %s"):format(name, errors.quote(key))
    elseif type(value) ~= types[key] then
      return ("%s: %s: a %s is needed, got a %s"):format(name, key, types[key], type(value))
    end
  end
end

--- JSON of a value, by the rules of requests: members sorted, whole numbers without a fraction.
-- @param value `tagoio.null` for null
-- @tparam[opt] table given `indent`: spaces for each level, 0 to 31; without it one line
-- @treturn string text
-- @treturn[2] nil
-- @treturn[2] string message with the path to what has no JSON form
-- @treturn[2] table err
function tagoio.encode(value, given)
  local problem = check_options("tagoio.encode", given, { indent = "number" })
  if problem then
    errors.raise(problem)
  end
  local indent = given and given.indent or 0
  if value == nil then
    errors.raise("tagoio.encode: value: nil has no JSON form (use tagoio.null)")
  elseif indent < 0 or indent > 31 or indent ~= math.floor(indent) then
    errors.raise("tagoio.encode: indent: a whole number from 0 to 31 is needed")
  end
  client.learn_markers()
  local text, message, kind = core.encode(value, indent)
  if not text then
    return errors.new(kind, "encode", message)
  end
  return text
end

--- The value of a JSON text, by the rules of results.
-- @tparam string text
-- @tparam[opt] table given `keep_null`, `array_mt`: as in `tagoio.new`
-- @return value; `false` and `tagoio.null` are values too
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
function tagoio.decode(text, given)
  local types = { keep_null = "boolean", array_mt = "table" }
  local problem = check_options("tagoio.decode", given, types)
  if not problem and type(text) ~= "string" then
    problem = "tagoio.decode: a string is needed, got a " .. type(text)
  end
  if problem then
    errors.raise(problem)
  end
  given = given or {}
  local value, message, kind =
    core.decode(text, given.keep_null or false, given.array_mt or core.array_mt)
  if kind then
    return errors.new(kind == "memory" and kind or "invalid", "decode", "decode: " .. message)
  end
  return value
end

return tagoio --[[@as tagoio]]
