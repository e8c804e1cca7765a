-- SPDX-License-Identifier: MIT
-- NOT lua-resty-http, but a stand-in for specs: as much of its documented interface as
-- tagoio.transports.resty uses, on nginx's sockets like the original, and without its proxies,
-- pipelines, trailers and client certificates. Where the original is found, the same specs run
-- over it, too.

local http = { _VERSION = "stand-in" }
http.__index = http

function http.new()
  return setmetatable({ sock = assert(ngx.socket.tcp()), keepalive = true }, http)
end

function http:set_timeouts(connect_ms, send_ms, read_ms)
  return self.sock:settimeouts(connect_ms, send_ms, read_ms)
end

function http.parse_uri(_, uri, query_in_path)
  assert(query_in_path == true)
  local scheme, authority, path = uri:match("^(https?)://([^/?]+)(.*)$")
  if not scheme then
    return nil, "bad uri: " .. uri
  end
  local host, port = authority:match("^(%[.+%]):?(%d*)$")
  if not host then
    host, port = authority:match("^([^:]+):?(%d*)$")
  end
  return { scheme, host, tonumber(port) or (scheme == "https" and 443 or 80), path }
end

function http:connect(options)
  local is_tls = options.scheme == "https"
  local name = { options.scheme, options.host, options.port, options.ssl_server_name }
  local pool = table.concat(name, ":")
  local ok, message = self.sock:connect(options.host, options.port, { pool = pool })
  if not ok then
    return nil, message
  end
  if is_tls and self.sock:getreusedtimes() == 0 then
    ok, message = self.sock:sslhandshake(nil, options.ssl_server_name, options.ssl_verify ~= false)
    if not ok then
      self.sock:close()
      return nil, message
    end
  end
  return true
end

function http:close()
  return self.sock:close()
end

function http:set_keepalive(...)
  if self.keepalive then
    return self.sock:setkeepalive(...)
  end
  self.sock:close()
  return 2, "connection must be closed"
end

-- ---- requests ----

local function add_header(headers, name, value)
  local before = headers[name]
  if type(before) == "table" then
    before[#before + 1] = value
  else
    headers[name] = before and { before, value } or value
  end
end

-- Names are found in any case, as in the original.
local function new_headers()
  local exact = {}
  return setmetatable({}, {
    __index = function(_, name)
      return rawget(exact, name:lower())
    end,
    __newindex = function(headers, name, value)
      exact[name:lower()] = value
      rawset(headers, name, value)
    end,
  })
end

local function read_headers(sock)
  local headers = new_headers()
  local line, message = sock:receive("*l")
  while line and line ~= "" do
    local name, value = line:match("^([^:%s]+):%s*(.*)$")
    if not name then
      return headers
    end
    add_header(headers, name, value)
    line, message = sock:receive("*l")
  end
  return line and headers, message
end

-- Bytes of a known number, in blocks.
local function counted_reader(sock, length)
  return function(most)
    local count = math.min(most, length)
    length = length - count
    if count > 0 then
      return sock:receive(count)
    end
  end
end

local function closing_reader(sock)
  return function(most)
    local bytes, message, partial = sock:receive(most)
    return bytes or partial, message
  end
end

local function chunked_reader(sock)
  local length, ended = 0, false
  return function(most)
    if length == 0 and not ended then
      local line, message = sock:receive("*l")
      length = tonumber(line or "", 16)
      if not length then
        return nil, message or "unable to read chunksize"
      end
      ended = length == 0
    end
    local count = math.min(most, length)
    local bytes, message = sock:receive(count)
    length = length - count
    if bytes and length == 0 then
      sock:receive(2)
    end
    if message or not ended then
      return bytes, message
    end
  end
end

local function body_reader(sock, headers)
  if (headers["Transfer-Encoding"] or ""):find("chunked") then
    return chunked_reader(sock)
  elseif headers["Content-Length"] then
    return counted_reader(sock, tonumber(headers["Content-Length"]))
  end
  return closing_reader(sock)
end

local function format_request(params)
  local lines = { ("%s %s HTTP/1.1\r\n"):format(params.method, params.path) }
  for name, value in pairs(params.headers) do
    lines[#lines + 1] = ("%s: %s\r\n"):format(name, value)
  end
  if params.body then
    lines[#lines + 1] = ("Content-Length: %d\r\n"):format(#params.body)
  end
  return table.concat(lines) .. "\r\n"
end

function http:request(params)
  local sock = self.sock
  local sent, message = sock:send(format_request(params))
  if sent and params.body then
    sent, message = sock:send(params.body)
  end
  local line = sent and nil
  if sent then
    line, message = sock:receive("*l")
  end
  if not line then
    return nil, message
  end
  local status = tonumber(line:match("^HTTP/1%.%d (%d%d%d)"))
  if not status then
    return nil, "couldn't parse status code from response status line: " .. line
  end
  local headers
  headers, message = read_headers(sock)
  if not headers then
    return nil, message
  end
  self.keepalive = (headers.Connection or ""):lower() ~= "close"
  local has_body = status >= 200 and status ~= 204 and status ~= 304
  local reader = has_body and body_reader(sock, headers)
  return { status = status, headers = headers, has_body = has_body, body_reader = reader }
end

return http
