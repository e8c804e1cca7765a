-- SPDX-License-Identifier: MIT
-- What carries calls: libcurl, a transport of LuaSocket, nginx's own sockets. For each: how a
-- script of the server that misbehaves begins, and a client for which Lua code is run.

local nginx = require("spec.support.nginx")
local resty = require("spec.support.resty")
local socket = require("socket")
local tagoio = require("tagoio")

-- ---- a transport as a user might write it ----

local function read_chunks(connection)
  local chunks = {}
  repeat
    local line, message = connection:receive("*l")
    local size = tonumber(line or "", 16)
    local chunk
    if size then
      chunk, message = connection:receive(size + 2)
    end
    if not chunk then
      return nil, message or "no size of a chunk"
    end
    chunks[#chunks + 1] = chunk:sub(1, -3)
  until size == 0
  return table.concat(chunks)
end

-- A response: status, headers, body; or nil, message.
local function read_response(connection)
  local line, message = connection:receive("*l")
  local status = tonumber((line or ""):match("^HTTP/1%.1 ([2-9]%d%d)"))
  if not status then
    return nil, message or "no status"
  end
  local headers = {}
  line, message = connection:receive("*l")
  while line and line ~= "" do
    local name, value = line:match("^([^:]+): *(.*)$")
    headers[(name or line):lower()] = value
    line, message = connection:receive("*l")
  end
  local body = line and ""
  if line and headers["transfer-encoding"] then
    body, message = read_chunks(connection)
  elseif line then
    local length = tonumber(headers["content-length"])
    if length > 0 then
      body, message = connection:receive(length)
    end
  end
  if not body then
    return nil, message
  end
  return status, headers, body
end

local function format_request(request)
  local host, path = request.url:match("^http://([^/]+)(.*)$")
  local lines = { ("%s %s HTTP/1.1\r\nHost: %s\r\n"):format(request.method, path, host) }
  for name, value in pairs(request.headers) do
    lines[#lines + 1] = ("%s: %s\r\n"):format(name, value)
  end
  local length = request.body and ("Content-Length: %d\r\n"):format(#request.body) or ""
  return table.concat(lines) .. length .. "\r\n" .. (request.body or "")
end

-- Whether a connection is open and nothing has come on it. LuaSocket's select knows only the first
-- 1024 descriptors.
local function is_quiet(connection)
  connection:settimeout(0, "t")
  return select(2, connection:receive(1)) == "timeout"
end

-- Keeps one connection, which is used again when nothing has come on it.
local function over_luasocket()
  local kept
  return function(request)
    local connection, message = kept, nil
    if not connection or not is_quiet(connection) then
      connection, message = socket.connect(request.url:match("^http://(.+):(%d+)"))
    end
    kept = nil
    if not connection then
      return nil, message, { sent = false, kind = "connect" }
    end
    connection:settimeout(request.timeout, "t")
    connection:send(format_request(request))
    local status, headers, body = read_response(connection)
    if status and headers.connection ~= "close" then
      kept = connection
    else
      connection:close()
    end
    return status, headers, body or { kind = headers == "timeout" and headers or nil }
  end
end

-- ---- carriers ----

local load_text = loadstring or load -- luacheck: ignore

-- A client in this program, of the server's method with this name; its options are text.
local function open_here(server, name, options, transport)
  local given = load_text("return {" .. options .. "}")()
  given.transport = transport
  local client = server[name](server, given)
  return {
    run = function(code)
      return assert(load_text("local client, tagoio = ...\n" .. code))(client, tagoio)
    end,
    close = function()
      client:close()
    end,
  }
end

local function open_plain(server, options)
  return open_here(server, "client", options)
end

local function open_secure(server, options)
  return open_here(server, "secure_client", options)
end

local function open_transport(server, options)
  return open_here(server, "client", options, over_luasocket())
end

-- Over nginx's own sockets, which it keeps for all clients: who ends a spec leaves none open.
local function in_nginx(name, library)
  local host
  return {
    name = name,
    begin = "",
    is_transport = true,
    start = function()
      host = nginx.start({ PACKAGES = library })
    end,
    stop = function()
      host:stop()
    end,
    open = function(server, options)
      local code = "guest.own = guest.over_resty({ api = %q, %s }) return true"
      host:run(code:format(server.http, options))
      return {
        run = function(text)
          return (host:run("client = guest.own\n" .. text))
        end,
        close = function()
          host:run("guest.own:close() return true")
        end,
      }
    end,
  }
end

local carriers = {
  { name = "HTTP/1.1", begin = "", open = open_plain },
  { name = "TLS", begin = "tls() ", open = open_secure },
  { name = "HTTP/2", begin = "http2() ", is_http2 = true, open = open_secure },
  { name = "a transport", begin = "", is_transport = true, open = open_transport },
  in_nginx("nginx's sockets", nginx.root .. "/spec/support/resty-stand-in/?.lua"),
}

local original = resty.find_original()
if original then
  carriers[#carriers + 1] = in_nginx("lua-resty-http itself", original)
end

return carriers
