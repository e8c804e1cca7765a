-- SPDX-License-Identifier: MIT

--- TagoIO's profile API for Lua.
-- @module tagoio

local call = require("tagoio.call")
local check = require("tagoio.check")
local client = require("tagoio.client")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local hosts = require("tagoio.hosts")
local map = require("tagoio.map")
local names = require("tagoio.names")
local options = require("tagoio.options")
local waiting = require("tagoio.waiting")

local tagoio = {
  _VERSION = "tagoio " .. core.version,
  profile = require("tagoio.profile"),
  account = require("tagoio.account"),
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
-- * `token`: else `T_ANALYSIS_TOKEN`, else `TAGOIO_TOKEN` of the environment; `false`: none, for
--   `client.account` and for what is public
-- * `region`: `"us-e1"`, `"eu-w1"`, `"env"` (`TAGOIO_API`), `{ tdeploy = id }` or
--   `{ api = url }`; else `TAGOIO_API`, else `"us-e1"`
-- * `timeout` (60): over all attempts and the pauses between them
-- * `deadline`: from now on, for all calls of this client and its derived ones together; a call
--   past it fails at once as `timeout`
-- * `attempt_timeout` (30), `connect_timeout` (10)
-- * `attempts` (3): the first included; else `TAGOIO_REQUEST_ATTEMPTS`
-- * `max_retry_after` (60): the longest wait that TagoIO may ask for; more is an error at once
-- * `max_response_bytes` (64 MiB)
-- * `max_connections` (64): more calls at once wait for their turn
-- * `ca_file`: certificates to trust, in PEM; else `SSL_CERT_FILE`, else `CURL_CA_BUNDLE` of the
--   environment, else libcurl's own
-- * `proxy`: a URL; `false` ignores the environment's. It is never used for this machine
-- * `user_agent`: appended to ours
-- * `headers`: a table of more headers to send with each request; or `function(call)`, called once
--   a call, in its coroutine, that returns one or nil. `call.operation` is as `"profile.info"`;
--   what it raises is raised. A retry sends the same ones. Their values are secrets
-- * `keep_null` (false): members that are null stay, as `tagoio.null`
-- * `array_mt`: the metatable of arrays in results, else `tagoio.array_mt`
-- * `response_info` (false): operations return a second value, as `client:request` does: status,
--   headers, attempts and more of the response
-- * `per_minute`: spreads the starts of calls, for limits by the minute; derived clients share the
--   spread. Retries are not counted, and the wait for a start is not part of `timeout`
-- * `on_attempt`: `function(event)`, called after each attempt in the coroutine that made the call.
--   `event` has `operation`, `method`, `path` (the template, without ids), `attempt` (from 1),
--   `status` or `kind` of the error or both, `elapsed`, `queued`, `bytes` of the body,
--   `request_id`, and `retry_in` (seconds until the next attempt) or, after the last, `message` (of
--   the error; of a success TagoIO's warning). What it raises is reported once, to stderr, and
--   changes nothing. It is not called for calls of its own client that it makes itself
-- * `transport`: `function(request)` in place of libcurl, for hosts with their own HTTP and tests
--   without a network. `request` has `method`, `url`, `headers`, `body` (a string or nil),
--   `timeout` (seconds, for this attempt) and `connect_timeout` (seconds of it). It returns the
--   status, a table of headers (or nil) and the decoded body; or nil, a message, and a table:
--   `sent = false` when no byte of the request has left, and the `kind` of failure (`"connect"`,
--   `"tls"`, `"timeout"` or `"network"`, the default). It follows no redirect and retries nothing
-- * `wait`: `function(client, seconds)`, called again and again while a call is on its way
-- @treturn table client
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
-- @usage local client = tagoio.new { token = "...", region = "eu-w1", timeout = 30 }
function tagoio.new(given)
  if rawequal(given, tagoio) then
    errors.raise("tagoio.new: call it with a dot, tagoio.new { ... }, not with a colon")
  end
  return client.new(options.check(given), "tagoio.new")
end

--- Marks a table as an array, so that it is sent as one even when it is empty.
-- @tparam[opt] table list changed; a new one when left out
-- @treturn table list
function tagoio.array(list)
  check.argument("tagoio.array", "list", "table or nil", list)
  local ok, array = pcall(setmetatable, list or {}, core.array_mt)
  if not ok then
    errors.raise("tagoio.array: list must be a table whose metatable can be replaced")
  end
  return array
end

--- Lets time pass as it passes while a call is on its way: in a map the others go on, in nginx the
-- worker. It ends early in a map that has stopped, or whose timeout is over.
-- @tparam number seconds at most 3600
-- @treturn boolean true
-- @treturn[2] nil where nothing can wait, in some phases of nginx
-- @treturn[2] string message
-- @treturn[2] table err of the kind `invalid`
function tagoio.sleep(seconds)
  check.argument("tagoio.sleep", "seconds", "number", seconds)
  if not (seconds >= 0 and seconds <= 3600) then
    local form = "tagoio.sleep: seconds must be a number from 0 to 3600 (got %s)"
    errors.raise(form:format(errors.quote(seconds)))
  end
  local mode, problem = hosts.default().mode()
  if not mode then
    return errors.new("invalid", "sleep", "sleep: " .. problem)
  end
  waiting.sleep(hosts.default(), core.now() + seconds)
  return true
end

local encode_rows = check.rows({
  { name = "indent", types = "number", check = check.whole(0, 31), default = 0 },
})

local decode_rows = check.rows({
  { name = "keep_null", types = "boolean", default = false },
  { name = "array_mt", types = "table", default = core.array_mt },
})

--- JSON of a value, by the rules of requests: members sorted, whole numbers without a fraction.
-- @param value `tagoio.null` for null
-- @tparam[opt] table given `indent`: spaces for each level, 0 to 31; without it one line
-- @treturn string text
-- @treturn[2] nil
-- @treturn[2] string message with the path to what has no JSON form
-- @treturn[2] table err
function tagoio.encode(value, given)
  local indent = check.options("tagoio.encode", encode_rows, given).indent
  if value == nil then
    errors.raise("tagoio.encode: value must be a value with a JSON form (got nil; use tagoio.null)")
  end
  call.learn_markers()
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
  check.argument("tagoio.decode", "text", "string", text)
  local wanted = check.options("tagoio.decode", decode_rows, given)
  local value, message, kind = core.decode(text, wanted.keep_null, wanted.array_mt)
  if kind then
    return errors.new(kind == "memory" and kind or "invalid", "decode", "decode: " .. message)
  end
  return value
end

local others = { ["profile."] = tagoio.profile, ["account."] = tagoio.account }

return names.guard(tagoio, "tagoio", others) --[[@as tagoio]]
