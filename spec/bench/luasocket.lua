-- SPDX-License-Identifier: MIT
-- By hand in Lua: LuaSocket, LuaSec and lua-cjson, a connection that is kept for each call in
-- flight, and select over coroutines. No limit, no retry, no deadline.
--
-- usage: luasocket.lua info|teamList URL ID COUNT IN_FLIGHT

local cjson = require("cjson")
local measure = require("spec.bench.measure")
local socket = require("socket")
local ssl = require("ssl")

local work, url, id, count, in_flight = arg[1], arg[2], arg[3], tonumber(arg[4]), tonumber(arg[5])
local scheme, host, port = url:match("^(%w+)://([^:/]+):(%d+)$")
local request = ("GET /profile/%s%s HTTP/1.1\r\nHost: %s:%s\r\ntoken: %s\r\n"):format(
  id,
  work == "teamList" and "/team" or "",
  host,
  port,
  os.getenv("EMULATOR_TOKEN")
) .. "User-Agent: luasocket\r\nAccept: application/json\r\n\r\n"

local function connect()
  local connection = assert(socket.connect(host, port))
  connection:setoption("tcp-nodelay", true)
  if scheme == "https" then
    local cafile = os.getenv("EMULATOR_CA")
    local options = { mode = "client", protocol = "any", verify = "peer", cafile = cafile }
    connection = assert(ssl.wrap(connection, options))
    connection:sni(host)
    assert(connection:dohandshake())
  end
  return connection
end

-- Receives like the connection's own, and lets other coroutines run meanwhile.
local function receive(connection, pattern)
  local data, problem, part = connection:receive(pattern)
  while not data and problem == "timeout" do
    coroutine.yield(connection)
    data, problem, part = connection:receive(pattern, part)
  end
  assert(data, problem)
  return data
end

local function call(connection)
  assert(connection:send(request))
  assert(receive(connection, "*l"):find(" 200 ", 1, true))
  local length
  local line = receive(connection, "*l")
  while line ~= "" do
    length = length or tonumber(line:match("^[Cc]ontent%-[Ll]ength: (%d+)"))
    line = receive(connection, "*l")
  end
  local body = receive(connection, length)
  assert(cjson.decode(body).status)
end

local function go_on(tasks, task)
  local ok, connection = coroutine.resume(task)
  assert(ok, connection)
  if connection then
    tasks[connection] = task
  end
end

-- Runs that many calls, over all connections at once.
local function run(connections, total)
  local left = total
  local tasks = {}
  for _, connection in ipairs(connections) do
    go_on(tasks, coroutine.create(function()
      while left > 0 do
        left = left - 1
        call(connection)
      end
    end))
  end
  while next(tasks) do
    local waiting = {}
    for connection in pairs(tasks) do
      waiting[#waiting + 1] = connection
    end
    for _, connection in ipairs((socket.select(waiting))) do
      local task = tasks[connection]
      tasks[connection] = nil
      go_on(tasks, task)
    end
  end
end

local connections = {}
for i = 1, in_flight do
  connections[i] = connect()
end
if in_flight == 1 then
  print(measure.repeated(function()
    call(connections[1])
  end, count))
else
  for _, connection in ipairs(connections) do
    connection:settimeout(0)
  end
  run(connections, in_flight)
  print(measure.once(run, connections, count))
end
