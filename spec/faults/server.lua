-- SPDX-License-Identifier: MIT
-- A TCP and TLS server that misbehaves as it is told: a program of its own, with LuaSocket and
-- LuaSec. It prints its port and the port of its control connection, and ends when that closes.
--
-- usage: server.lua CERTIFICATES        a folder of spec/emulator/certificates
--
-- Each connection, in order of arrival, plays a script of its own, the last one again for all that
-- follow. A script is Lua text; `steps` below are its functions. Where it ends, its connection is
-- closed.

local dkjson = require("dkjson")
local http2 = require("spec.faults.http2")
local socket = require("socket")
local ssl = require("ssl")

local certificates = assert(arg[1], "a folder of certificates is needed")

local scripts = {}
local connections = {} -- since the last `play`
local playing = {} -- a set of connections
local released = {} -- the number of `release`s so far is its length

-- ---- connections: every wait is a yield of what is waited for ----

local function wait_for(raw, problem)
  local direction = problem == "wantwrite" and "write" or "read"
  coroutine.yield({ [direction] = raw })
end

local is_momentary = { timeout = true, wantread = true, wantwrite = true }

-- Adds what has come to the connection's input; false: the other side has closed. Then nothing more
-- is read or written: LuaSec may loop for ever on a connection that has failed.
local function pull(it)
  while not it.is_closed do
    local bytes, problem, part = it.socket:receive(65536)
    bytes = bytes or part or ""
    it.input = it.input .. bytes
    it.received = it.received .. bytes
    it.is_closed = problem ~= nil and not is_momentary[problem]
    if #bytes > 0 then
      return true
    elseif not it.is_closed then
      wait_for(it.socket, problem)
    end
  end
  return false
end

local function push(it, text)
  local position = 1
  while position <= #text do
    if it.is_closed then
      return false
    end
    local last, problem, partial = it.socket:send(text, position)
    position = (last or partial or 0) + 1
    it.is_closed = not last and not is_momentary[problem]
    if not last and not it.is_closed then
      wait_for(it.socket, problem == "wantread" and problem or "wantwrite")
    end
  end
  return true
end

-- LuaSec's sockets whose file descriptors were taken from them: were they collected, they would
-- close what then has that number.
local robbed = {}

-- Closes without a word of TLS.
local function close_bare(it, linger)
  local raw = it.socket
  if it.is_tls then
    raw = socket.tcp()
    raw:setfd(it.socket:getfd())
    robbed[#robbed + 1] = it.socket
    it.socket = raw
  end
  if linger then
    raw:setoption("linger", linger)
  end
  raw:close()
end

-- ---- steps ----

local steps = {}

-- Speaks TLS from here on, with one of the certificates ("localhost"). With `alpn`, an array, it
-- chooses among these protocols, and the journal's `offered` is what the client named.
function steps.tls(it, name, protocol, alpn)
  it.socket = assert(ssl.wrap(it.socket, {
    mode = "server",
    protocol = protocol or "any",
    certificate = ("%s/%s.pem"):format(certificates, name or "localhost"),
    key = ("%s/%s.key"):format(certificates, name or "localhost"),
    options = "all",
    alpn = alpn and function(offered)
      it.offered = offered
      return alpn
    end,
  }))
  it.is_tls = true
  it.socket:settimeout(0)
  while true do
    local done, problem = it.socket:dohandshake()
    if done then
      return
    elseif problem ~= "wantread" and problem ~= "wantwrite" and problem ~= "timeout" then
      error("handshake: " .. tostring(problem), 0)
    end
    wait_for(it.socket, problem)
  end
end

-- Reads what comes next, whatever it is.
function steps.some(it)
  return pull(it)
end

-- Waits until something has come, which stays unread.
function steps.arrival(it)
  wait_for(it.socket)
end

-- Reads up to the end of a request's head.
function steps.head(it)
  while not it.input:find("\r\n\r\n", 1, true) do
    if not pull(it) then
      return nil
    end
  end
  local _, last = it.input:find("\r\n\r\n", 1, true)
  return it.input:sub(1, last)
end

-- Reads a request, which counts as executed. Its text; nil: the client has closed.
function steps.request(it)
  local head = steps.head(it)
  if not head then
    return nil
  end
  local length = #head + tonumber(head:lower():match("\ncontent%-length: *(%d+)") or 0)
  while #it.input < length do
    if not pull(it) then
      return nil
    end
  end
  local text = it.input:sub(1, length)
  it.input = it.input:sub(length + 1)
  it.requests[#it.requests + 1] = text
  return text
end

-- Does not count the last request as executed: it is refused.
function steps.forget(it)
  table.remove(it.requests)
end

-- Sends bytes as they are.
function steps.send(it, text)
  return push(it, text)
end

-- An answer with this status, body and lines of the head, and what comes right behind it.
function steps.answer(it, status, body, head, behind)
  body = body or ""
  local form = "HTTP/1.1 %d Status\r\nContent-Length: %d\r\n%s\r\n"
  return push(it, form:format(status, #body, head or "") .. body .. (behind or ""))
end

local results = { GET = "[]", POST = '{"id":"1"}' }

-- The body that a request expects.
local function success(request)
  local result = results[request:match("^%u+")] or '"Done"'
  return '{"status":true,"result":' .. result .. "}"
end

-- A success, as the last request expects it, with lines of the head, and what comes behind it.
function steps.ok(it, head, behind)
  return steps.answer(it, 200, success(it.requests[#it.requests]), head, behind)
end

-- Successes until the client closes.
function steps.serve(it)
  while steps.request(it) and steps.ok(it) do -- luacheck: ignore 542
  end
end

function steps.pause(_, seconds)
  coroutine.yield({ due = socket.gettime() + seconds })
end

-- Waits for a `release`, or for the client to close.
function steps.hold(it)
  local before = #released
  while #released == before do
    coroutine.yield({ read = it.socket, release = true })
    if #released == before and not pull(it) then
      return
    end
  end
end

-- Waits until so many requests were read over all connections.
function steps.meet(_, count)
  local function read()
    local sum = 0
    for _, it in ipairs(connections) do
      sum = sum + #it.requests
    end
    return sum
  end
  while read() < count do
    steps.pause(nil, 0.01)
  end
end

-- Waits for the client to close.
function steps.silence(it)
  while pull(it) do -- luacheck: ignore 542
  end
end

-- Closes as a crashed machine does: no end of TLS, no end of TCP.
function steps.reset(it)
  close_bare(it, { on = true, timeout = 0 })
end

-- Closes the connection, but not the TLS in it.
function steps.cut(it)
  close_bare(it)
end

http2.add(steps, pull, push, success)

-- ---- scripts ----

local function compile(text, environment)
  if setfenv then -- luacheck: ignore 113
    return setfenv(assert(loadstring(text)), environment) -- luacheck: ignore 113
  end
  return assert(load(text, "script", "t", environment))
end

local function environment_of(it)
  local environment = setmetatable({}, { __index = _G })
  for name, step in pairs(steps) do
    environment[name] = function(...)
      return step(it, ...)
    end
  end
  return environment
end

local function accept(listener)
  local raw = listener:accept()
  raw:settimeout(0)
  raw:setoption("tcp-nodelay", true)
  local it = { socket = raw, input = "", received = "", requests = {}, want = { due = 0 } }
  connections[#connections + 1] = it
  local text = scripts[#connections] or scripts[#scripts] or ""
  it.routine = coroutine.create(compile(text, environment_of(it)))
  playing[it] = true
end

-- ---- orders: a line of JSON each way ----

local orders = {}

function orders.play(order)
  scripts, connections = order.scripts, {}
end

function orders.release()
  released[#released + 1] = true
end

function orders.journal()
  local rows = {}
  for i, it in ipairs(connections) do
    rows[i] = {
      requests = it.requests,
      received = it.received,
      problem = it.problem,
      offered = it.offered,
      most_open = it.most_open,
    }
  end
  return rows
end

-- The journal since it was last taken; connections that have ended are not in the next.
function orders.take()
  local rows, open = orders.journal(), {}
  for _, it in ipairs(connections) do
    it.requests, it.received = {}, ""
    open[#open + 1] = playing[it] and it or nil
  end
  connections = open
  return rows
end

local function obey(order)
  return orders[order.order](order) or {}
end

-- ---- the loop ----

local function is_ready(want, readable, writable, now)
  return want.release and #released > want.release
    or want.read and readable[want.read]
    or want.write and writable[want.write]
    or want.due and want.due <= now
end

-- Until the script waits again, ends or fails.
local function go_on(it)
  local ok, want = coroutine.resume(it.routine)
  if coroutine.status(it.routine) == "dead" then
    it.problem = not ok and tostring(want) or nil
    it.socket:close()
    playing[it] = nil
  else
    want.release = want.release and #released
    it.want = want
  end
end

-- What to select on: sockets to read, to write, and for how long.
local function interests(listeners)
  local read, write, due = {}, {}, math.huge
  for _, listener in ipairs(listeners) do
    read[#read + 1] = listener
  end
  for it in pairs(playing) do
    local want = it.want
    read[#read + 1] = want.read
    write[#write + 1] = want.write
    due = math.min(due, want.due or math.huge)
  end
  return read, write, due < math.huge and math.max(due - socket.gettime(), 0) or nil
end

-- Orders are answered when scripts have done what follows from them. False: no more orders.
local function turn(listener, control)
  local readable, writable = socket.select(interests({ listener, control }))
  if readable[listener] then
    accept(listener)
  end
  local line = readable[control] and control:receive("*l")
  if readable[control] and not line then
    return false
  end
  local answer = line and obey(dkjson.decode(line))
  local now, ready = socket.gettime(), {}
  for it in pairs(playing) do
    if is_ready(it.want, readable, writable, now) then
      ready[#ready + 1] = it
    end
  end
  for _, it in ipairs(ready) do
    go_on(it)
  end
  return not answer or control:send(dkjson.encode(answer) .. "\n")
end

-- ---- the program ----

local function listen()
  local listener = assert(socket.bind("127.0.0.1", 0, 128))
  return listener, (select(2, listener:getsockname()))
end

local listener, port = listen()
local control_listener, control_port = listen()
print(port, control_port)
io.stdout:flush()
local control = assert(control_listener:accept())

while turn(listener, control) do -- luacheck: ignore 542
end
