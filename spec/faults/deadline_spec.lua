-- SPDX-License-Identifier: MIT
-- Deadlines: `timeout` holds over attempts and rests, wherever the time goes. The only specs with a
-- clock: what is late here is late by seconds.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")
local socket = require("socket")
local tagoio = require("tagoio")

local late_s = 1

describe("the deadline", function()
  local server

  setup(function()
    server = faults.start()
  end)

  teardown(function()
    server:stop()
  end)

  -- The call ended because of the time, and in time.
  local function assert_in_time(seconds, result, message, err)
    assert.is_nil(result)
    assert.equal("timeout", err.kind, message)
    assert.is_true(err.elapsed >= seconds - 0.05, message)
    assert.is_true(err.elapsed < seconds + late_s, message)
    return message, err
  end

  it("holds while nothing is answered", function()
    server:play("request() silence()")
    local client = server:client({ timeout = 0.4 })
    local message, err = assert_in_time(0.4, client.profile.create({ name = "x" }))
    assert.is_true(err.maybe_applied)
    assert.matches("timeout after [%d.]+ s without a complete response", message)
    client:close()
  end)

  it("holds while a body comes byte by byte", function()
    server:play([[
      request()
      send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
      while send("x") do rest(0.05) end]])
    local client = server:client({ timeout = 0.4 })
    assert_in_time(0.4, client.profile.list())
    client:close()
  end)

  it("holds while a head comes byte by byte", function()
    server:play([[
      request()
      send("HTTP/1.1 200 OK\r\nX: ")
      while send("x") do rest(0.05) end]])
    local client = server:client({ timeout = 0.4 })
    assert_in_time(0.4, client.profile.list())
    client:close()
  end)

  it("holds in a TLS handshake, and nothing was sent then", function()
    server:play("silence()")
    local client = server:secure_client({ timeout = 0.4, attempts = 1 })
    local message, err = assert_in_time(0.4, client.profile.create({ name = "x" }))
    assert.is_false(err.maybe_applied)
    assert.matches("without a connection", message)
    client:close()
  end)

  it("of connecting holds where nobody accepts, and nothing was sent then", function()
    local listener = assert(socket.bind("127.0.0.1", 0, 0))
    local _, port = listener:getsockname()
    local waiting, connected = {}, true
    while connected do -- until the system keeps no more of them
      local one = socket.tcp()
      one:settimeout(0.2)
      connected = one:connect("127.0.0.1", port)
      waiting[#waiting + 1] = one
    end
    local client = emulator.client({
      region = { api = "http://127.0.0.1:" .. port },
      connect_timeout = 0.3,
      attempts = 2,
    })
    local message, err = assert_in_time(0.6, client.profile.create({ name = "x" }))
    assert.equal(2, err.attempts)
    assert.is_false(err.maybe_applied)
    assert.matches("without a connection", message)
    client:close()
    for _, one in ipairs(waiting) do
      one:close()
    end
    listener:close()
  end)

  it("holds over several attempts", function()
    server:play("request() silence()")
    local client = server:client({ timeout = 0.9, attempt_timeout = 0.3, attempts = 10 })
    local _, err = assert_in_time(0.9, client.profile.list())
    assert.is_true(err.attempts > 1)
    assert.equal(err.attempts, server:executed())
    client:close()
  end)

  it("is not waited for when the rest before the next attempt is longer", function()
    server:play([[while request() do answer(503, "", "Retry-After: 30\r\n") end]])
    local client = server:client({ timeout = 20 })
    local result, _, err = client.profile.list()
    assert.is_nil(result)
    assert.equal("api", err.kind)
    assert.equal(30, err.retry_after)
    assert.equal(1, err.attempts)
    assert.is_true(err.elapsed < 10)
    client:close()
  end)

  it("says when the time went by waiting for a connection", function()
    server:play("request() silence()")
    local client = server:client({ max_connections = 1, timeout = 0.4, attempts = 1 })
    local _, failed = tagoio.map({ 1, 2 }, function()
      return client.profile.list()
    end)
    assert.is_true(failed[1].queued < failed[2].queued)
    local text = "timeout after [%d.]+ s, [%d.]+ s of it waiting for one of 1 connections"
    assert.matches(text .. " %(max_connections%)", failed[2].message)
    client:close()
  end)
end)

describe("a name look-up that is stuck for four seconds", function()
  -- A script's output, where spec/support/slow_resolver.c looks names up.
  local function run(code)
    local library = os.getenv("BUILD") .. "/test/slow_resolver.so"
    local preload = os.getenv("LD_PRELOAD")
    return (process.run_lua(code, {
      LD_PRELOAD = preload and preload .. ":" .. library or library,
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = "https://api.slow.test",
    }))
  end

  local function code(timeout)
    return ([[
      local client = assert(require("tagoio").new({ timeout = %s, attempts = 1, proxy = false }))
      local result, message, err = client.profile.create({ name = "x" })
      print(result, err.kind, err.maybe_applied, err.elapsed < 3, message)]]):format(timeout)
  end

  it("does not hold a call up", function()
    local said = "nil\ttimeout\tfalse\ttrue\tprofile.create: timeout after "
    assert.equal(said, run(code(0.5)):sub(1, #said))
  end)

  it("does not hold close up", function()
    local output = run([[
      local core = require("tagoio.core")
      local client = assert(require("tagoio").new({ proxy = false }))
      local call = client._core:start("profile.list")
      client:step(0.1)
      local before = core.now()
      client:close()
      print(call:is_done(), core.now() - before < 3)]])
    assert.equal("true\ttrue\n", output)
  end)

  it("is waited for where there is time", function()
    local said = "nil\tconnect\tfalse\tfalse\tprofile.create: name not found: "
    assert.equal(said, run(code(20)):sub(1, #said))
  end)
end)

describe("Ctrl-C", function()
  it("interrupts a call that waits", function()
    emulator.reset()
    emulator.inject({ match = { path = "/profile" }, hold = true })
    local variables = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
    local code = 'require("tagoio").profile.list()'
    local command = "echo $$; exec " .. process.lua_command(code, variables) .. " 2>&1"
    local pipe = assert(io.popen(command))
    local pid = pipe:read("*n")
    emulator.wait_for(1)
    local before = socket.gettime()
    process.run("kill -INT " .. pid)
    local output = pipe:read("*a")
    assert.matches("interrupted!", output)
    assert.is_true(socket.gettime() - before < 1 + late_s)
    pipe:close()
    emulator.release()
  end)
end)
