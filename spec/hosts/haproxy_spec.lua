-- SPDX-License-Identifier: MIT
-- The module in HAProxy, on the Lua that HAProxy was built with.

local emulator = require("spec.support.emulator")
local guest = require("spec.support.guest")
local loops = require("spec.support.loops")
local nginx = require("spec.support.nginx")
local process = require("spec.support.process")
local socket = require("socket")

-- A port that was free a moment ago: HAProxy cannot be asked for the one it has taken.
local function free_port()
  local server = assert(socket.bind("127.0.0.1", 0))
  local _, port = server:getsockname()
  server:close()
  return port
end

local function start(version)
  local variables = guest.paths("lua" .. version, version)
  variables.EMULATOR_DIR = os.getenv("EMULATOR_DIR")
  variables.GUEST_PORT = tostring(free_port())
  local command = "echo $GUEST_PORT; exec haproxy -db -f spec/hosts/guests/haproxy.cfg"
  local host = guest.start("sh -c " .. process.quote(command), variables)
  local deadline = socket.gettime() + 20
  local connection = socket.connect("127.0.0.1", host.port)
  while not connection do
    assert(socket.gettime() < deadline, "HAProxy does not answer")
    socket.sleep(0.02)
    connection = socket.connect("127.0.0.1", host.port)
  end
  connection:close()
  return host
end

it("outside HAProxy its host says where it runs", function()
  local output, status = process.run_lua('require("tagoio.hosts.haproxy")')
  assert.not_equal(0, status)
  assert.matches("tagoio.hosts.haproxy runs inside HAProxy only", output, 1, true)
end)

describe("in HAProxy", function()
  local version = os.getenv("HAPROXY_LUA")
  if not version then
    return pending("the module for its Lua is made by make test-hosts")
  elseif version == "" then
    return pending("haproxy is not installed")
  end
  local host

  setup(function()
    emulator.reset()
    loops.manual_file("tagoio.hosts.haproxy")
    host = start(version)
  end)

  teardown(function()
    assert.not_matches("ALERT", host:stop("USR1"))
  end)

  before_each(function()
    emulator.reset()
  end)

  local function get(path)
    return (nginx.finish(nginx.begin(host, path)))
  end

  it("calls are made while it starts, and in tasks", function()
    local names
    repeat
      names = get("/names")
    until names:find("task", 1, true)
    assert.equal("body Factory, init Factory, task Factory", names)
  end)

  it("two calls overlap while its tasks go on and others are answered", function()
    emulator.inject({ hold = true, times = 2 })
    local service, action = nginx.begin(host, "/info"), nginx.begin(host, "/action")
    emulator.wait_for(2)
    local first = tonumber(get("/ticks"))
    repeat
      assert.equal("pong", get("/ping"))
    until tonumber(get("/ticks")) > first + 3
    assert.equal(2, emulator.counts().holding)
    emulator.release()
    assert.equal("Factory", (nginx.finish(service)))
    assert.equal("Factory", (nginx.finish(action)))
  end)

  it("the manual's lines work", function()
    assert.equal("Factory", get("/profile"))
  end)

  it("a call that is retried goes on after its pause", function()
    emulator.inject({ status = 503, times = 2 })
    assert.equal("Factory", get("/info"))
    assert.equal(3, #emulator.journal())
  end)

  it("the functions of a map overlap", function()
    emulator.inject({ hold_until = 16, times = 16 })
    assert.equal("40 3 nil", get("/map"))
    assert.equal(16, emulator.counts().most_at_once)
  end)

  it("what lets time pass lets others go on", function()
    assert.equal("2", get("/events"))
  end)

  it("who is canceled by a task goes on", function()
    emulator.inject({ match = { path = "/profile" }, hold = true })
    assert.equal("canceled", get("/close"))
  end)
end)
