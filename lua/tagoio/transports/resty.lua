-- SPDX-License-Identifier: MIT
-- A transport over lua-resty-http: nginx's own sockets, resolver, TLS and connection pool in place
-- of libcurl. `tagoio.new { transport = require("tagoio.transports.resty") }`.

if not ngx then
  error("tagoio.transports.resty runs inside nginx (OpenResty) only", 0)
end
local found, http = pcall(require, "resty.http")
if not found then
  error("tagoio.transports.resty needs lua-resty-http: " .. tostring(http), 0)
end
local core = require("tagoio.core")
local semaphore = require("ngx.semaphore")
local waiting = require("tagoio.waiting")

local block_bytes = 65536
-- Load balancers usually close connections that were idle for 60 s; a write on one that is just
-- being closed fails, and cannot be sent again.
local idle_ms = 50000
local idle_connections = 64

-- nginx's resolver asks name servers alone, and they need not know this name.
local addresses = { localhost = "127.0.0.1" }

local cannot_connect = "cannot connect to %s: %s"

-- What nginx.conf lacks when nginx says this.
local hints = {
  {
    "no resolver defined",
    "nginx.conf needs `resolver ADDRESS;` (of a name server) in its http block",
  },
  {
    "^%d+: .*local issuer", -- 20
    "nginx.conf needs `lua_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;` and "
      .. "`lua_ssl_verify_depth 5;` in its http block",
  },
  { "certificate chain too long", "nginx.conf needs `lua_ssl_verify_depth 5;` in its http block" },
}

-- What nginx says of TLS; all else that it says before a request is about TCP or names.
local tls_texts = { "^%d+: ", "certificate", "handshake", "ssl", "SSL" }

local function is_tls_text(message)
  for _, pattern in ipairs(tls_texts) do
    if message:find(pattern) then
      return true
    end
  end
  return false
end

local function with_hint(message)
  for _, row in ipairs(hints) do
    if message:find(row[1]) then
      return message .. ": " .. row[2]
    end
  end
  return message
end

local function milliseconds(seconds)
  return math.max(math.ceil(1000 * seconds), 1)
end

-- ---- reading ----

-- lua-resty-http takes any number for a length, and a negative one would keep it busy for ever.
local function has_readable_length(headers)
  local length = headers["Content-Length"]
  return headers["Transfer-Encoding"] or length == nil
    or (type(length) == "string" and length:find("^%d+$"))
end

-- The body, or as much of it as shows that it is over the limit; or nil and a message.
local function read_body(response, limit)
  local headers, chunks, total = response.headers, {}, 0
  local ends_with_connection = not (headers["Content-Length"] or headers["Transfer-Encoding"])
  while response.has_body and total <= limit do
    local chunk, message = response.body_reader(math.min(block_bytes, limit + 1 - total))
    chunks[#chunks + 1] = chunk
    total = total + #(chunk or "")
    if message == "closed" and ends_with_connection then
      break
    elseif message then
      return nil, message
    elseif not chunk then
      break
    end
  end
  return table.concat(chunks), total
end

-- It is not kept when something is unread, which the next request would take for its response.
local function keep(client)
  if not client:set_keepalive(idle_ms, idle_connections) then
    client:close()
  end
end

-- Reads the rest of a response. Returns what is wrong with it, or nothing.
local function receive(state, response)
  if response.status < 200 then
    return "unexpected interim response " .. response.status
  elseif not has_readable_length(response.headers) then
    return "invalid Content-Length"
  end
  local limit = state.request.max_response_bytes or math.huge
  local body, total = read_body(response, limit)
  if not body then
    return total
  end
  state.status, state.headers, state.body = response.status, response.headers, body
  if total > limit then
    state.client:close()
  else
    keep(state.client)
  end
end

-- ---- one attempt ----

local function fail(state, kind, message)
  state.kind = message == "timeout" and "timeout" or kind
  state.message = message
end

-- lua-resty-core asserts where it should return when a server's certificate is refused in a
-- handshake that never had to wait; nothing was sent then either.
local function connect_safely(client, options)
  local called, connected, message = pcall(client.connect, client, options)
  if called then
    return connected, message
  elseif options.scheme == "https" then
    client:close()
    return nil, "the TLS handshake failed: " .. tostring(connected)
  end
  error(connected, 0)
end

local function connect(state)
  local request, client = state.request, state.client
  local parsed, message = client:parse_uri(request.url, true)
  if not parsed then
    return fail(state, "connect", message)
  end
  local scheme, host, port = parsed[1], parsed[2], parsed[3]
  state.path = parsed[4]
  request.headers.Host = request.url:match("^%a+://([^/?]+)")
  state.peer = host .. ":" .. port
  local timeout_ms = milliseconds(request.timeout)
  client:set_timeouts(milliseconds(state.connect_timeout), timeout_ms, timeout_ms)
  local connected
  connected, message = connect_safely(client, {
    scheme = scheme,
    host = addresses[host] or host,
    port = port,
    ssl_verify = true,
    ssl_server_name = host,
  })
  if not connected then
    local is_tls = scheme == "https" and is_tls_text(message)
    return fail(state, is_tls and "tls" or "connect", with_hint(message))
  end
  state.connected = true
end

local function exchange(state)
  local request, client = state.request, state.client
  -- A write may fail when some of it has left, so all that follows counts as sent.
  state.sent = true
  local response, message = client:request({
    method = request.method,
    path = state.path,
    headers = request.headers,
    body = request.body,
  })
  if response then
    message = receive(state, response)
  end
  if not state.status then
    client:close()
    fail(state, "network", message)
  end
end

local function run(state)
  connect(state)
  if state.connected then
    exchange(state)
  end
end

-- A light thread's errors would only be logged.
local function run_protected(state)
  local ok, problem = xpcall(run, debug.traceback, state)
  if not ok then
    state.problem = problem
  end
  state.done = true
  state.ended:post()
end

-- ---- the time limits ----

-- Of the time to connect, or once it is connected of that for all of the attempt.
local function seconds_left(state, begun)
  local limit = state.connected and state.request.timeout or state.connect_timeout
  return begun + limit - core.now()
end

-- nginx's timeouts begin anew with each byte, and a look-up has one of its own: the attempt is made
-- by a light thread, which ends when its time is over.
local function supervise(state)
  local begun = core.now()
  local thread = ngx.thread.spawn(run_protected, state)
  local left = seconds_left(state, begun)
  while not state.done and left > 0 do
    state.ended:wait(math.max(left, waiting.shortest_pause_s))
    left = seconds_left(state, begun)
  end
  if state.done then
    ngx.thread.wait(thread)
  else
    ngx.thread.kill(thread)
    fail(state, nil, "timeout")
  end
end

local function failure_of(state)
  local message = state.message
  if not state.sent then
    message = cannot_connect:format(state.peer or "the server", message)
  end
  return nil, message, { sent = state.sent, kind = state.kind }
end

-- Sends a request of the core's, once.
return function(request)
  -- In init, init_worker and the filters nginx has no sockets.
  local ok, client = pcall(http.new)
  if not ok or not client then
    local message = 'nginx has no sockets in the phase "%s": make the call in ngx.timer.at(0, ...)'
    return nil, message:format(ngx.get_phase()), { sent = false, kind = "connect" }
  end
  local state = {
    request = request,
    client = client,
    connect_timeout = math.min(request.connect_timeout or request.timeout, request.timeout),
    ended = semaphore.new(),
    sent = false,
  }
  supervise(state)
  if state.problem then
    error(state.problem, 0)
  elseif state.status then
    return state.status, state.headers, state.body
  end
  return failure_of(state)
end
