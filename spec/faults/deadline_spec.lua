-- SPDX-License-Identifier: MIT
-- Deadlines: `timeout` holds over attempts and pauses, wherever the time goes. The only specs with
-- a clock. A busy machine makes a call late now and then, a defect each time: the best try counts,
-- and what is late by less than two seconds is not seen.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")
local socket = require("socket")
local tagoio = require("tagoio")

local late_s, tries = 2, 5

describe("the deadline", function()
  local server = faults.server(setup, teardown)

  -- What `call` makes ends because of the time: never early, and the best try in time, by the
  -- caller's clock. The last try's message and error.
  local function assert_in_time(seconds, call)
    local best, result, message, err = math.huge
    for _ = 1, tries do
      local before = socket.gettime()
      result, message, err = call()
      local took = socket.gettime() - before
      assert.is_nil(result)
      assert.equal("timeout", err.kind, message)
      assert.is_true(took >= seconds - 0.01 and err.elapsed >= seconds - 0.01, message)
      best = math.min(best, math.max(took, err.elapsed))
      if best < seconds + late_s then
        return message, err
      end
    end
    error(("the best of %d tries took %.3f s instead of %g s"):format(tries, best, seconds))
  end

  it("holds while nothing is answered", function()
    server:play("request() silence()")
    local client = server:client({ timeout = 0.4 })
    local message, err = assert_in_time(0.4, function()
      return client.profile.create({ name = "x" })
    end)
    assert.is_true(err.maybe_applied)
    assert.matches("timeout after [%d.]+ s without a complete response", message)
    client:close()
  end)

  it("holds while a body comes byte by byte", function()
    server:play([[
      request()
      send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
      while send("x") do pause(0.05) end]])
    local client = server:client({ timeout = 0.4 })
    assert_in_time(0.4, client.profile.list)
    client:close()
  end)

  it("holds while a head comes byte by byte", function()
    server:play([[
      request()
      send("HTTP/1.1 200 OK\r\nX: ")
      while send("x") do pause(0.05) end]])
    local client = server:client({ timeout = 0.4 })
    assert_in_time(0.4, client.profile.list)
    client:close()
  end)

  it("holds in a TLS handshake, and nothing was sent then", function()
    server:play("silence()")
    local client = server:secure_client({ timeout = 0.4, attempts = 1 })
    local message, err = assert_in_time(0.4, function()
      return client.profile.create({ name = "x" })
    end)
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
    local message, err = assert_in_time(0.6, function()
      return client.profile.create({ name = "x" })
    end)
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
    local client = server:client({ timeout = 0.9, attempt_timeout = 0.3, attempts = 10 })
    local most = 0
    for _ = 1, tries do
      local _, err = assert_in_time(0.9, function()
        server:play("request() silence()")
        return client.profile.list()
      end)
      assert.is_true(server:executed() <= err.attempts)
      most = math.max(most, server:executed())
    end
    assert.is_true(most > 1)
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
    assert.is_true(err.elapsed < 20)
    client:close()
  end)

  it("says when the time went by waiting for a connection", function()
    server:play("request() silence()")
    local client = server:client({ max_connections = 1, timeout = 1, attempts = 1 })
    local patient = client:with({ timeout = 3 }) -- has the connection all the time
    local _, failed = tagoio.map({ patient, client }, function(own)
      return own.profile.list()
    end)
    assert.is_true(failed[1].queued < failed[2].queued)
    local text = "timeout after [%d.]+ s, [%d.]+ s of it waiting for one of 1 connections"
    assert.matches(text .. " %(max_connections%)", failed[2].message)
    client:close()
  end)

  it("says that the time went by waiting for a connection also when one came at last", function()
    server:play("request() silence()", "request() silence()")
    local client = server:client({ max_connections = 1, timeout = 1.4, attempts = 1 })
    local first = client:with({ timeout = 1 })
    local _, failed = tagoio.map({ first, client }, function(own)
      return own.profile.list()
    end)
    assert.matches("s of it waiting for one of 1 connections", failed[2].message)
    client:close()
  end)

  it("says nothing of max_connections where another call's handshake is waited for", function()
    server:play("silence()")
    local client = server:secure_client({ max_connections = 4, timeout = 20, attempts = 1 })
    local quick = client:with({ timeout = 0.3 })
    local _, message = tagoio.gather(client.profile.list, quick.profile.list)
    assert.matches("timeout after [%d.]+ s without a connection", message)
    assert.equal(1, #server:journal())
    client:close()
  end)

  it("is not reached by a write that another call's handshake does not concern", function()
    server:play("silence()", "tls() serve()")
    local client = server:secure_client({ timeout = 20, attempts = 1 })
    local _, message = tagoio.gather(client.profile.list, function()
      assert(client.profile.create({ name = "x" }))
      return nil, "created"
    end)
    assert.equal("created", message)
    client:close()
  end)
end)

describe("a name look-up", function()
  -- A script's output, where spec/support/slow_resolver.c looks names up, and says when it is done.
  local function run(code)
    local library = os.getenv("BUILD") .. "/test/slow_resolver.so"
    local preload = os.getenv("LD_PRELOAD")
    return (process.run_lua(code, {
      LD_PRELOAD = preload and preload .. ":" .. library or library,
      SLOW_RESOLVER_TELLS = "1",
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = "https://api.slow.test",
    }))
  end

  local function code(timeout)
    return ([[
      local client = assert(require("tagoio").new({ timeout = %s, attempts = 1, proxy = false }))
      local result, message, err = client.profile.create({ name = "x" })
      io.stdout:setvbuf("no")
      print(result, err.kind, err.maybe_applied, message)]]):format(timeout)
  end

  it("that is stuck does not hold up a call, its client's end, or the program's", function()
    local said = "nil\ttimeout\tfalse\tprofile.create: timeout after "
    local output = run(code(0.5))
    assert.equal(said, output:sub(1, #said))
    assert.is_nil(output:find("looked up", 1, true))
  end)

  it("that is stuck does not hold up close, collection, or the program's end", function()
    local output = run([[
      local core = require("tagoio.core")
      local client = assert(require("tagoio").new({ proxy = false, wait = coroutine.yield }))
      local result, message, err
      local routine = coroutine.wrap(function()
        result, message, err = client.profile.list()
      end)
      routine()
      local until_s = core.now() + 0.2
      while core.now() < until_s do
        client:step(0.1)
      end
      client:close()
      routine()
      print(err.kind)
      client, routine = nil, nil
      collectgarbage()
      collectgarbage()
      print("collected")]])
    assert.equal("canceled\ncollected\n", output)
  end)

  it("that failed is made again by the next attempt and the next call", function()
    local output = run([[
      local client = assert(require("tagoio").new({
        region = { api = "https://api.failing.test" }, attempts = 2, proxy = false }))
      for _ = 1, 2 do
        print(client.profile.create({ name = "x" }))
      end]])
    assert.is_true(4 <= select(2, output:gsub("looked up\n", "")), output)
  end)

  it("that is stuck is waited for where there is time", function()
    local said = "^looked up\n.*nil\tconnect\tfalse\tprofile.create: name not found: "
    assert.matches(said, run(code(20)))
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
    process.run("kill -INT " .. pid)
    assert.matches("interrupted!", pipe:read("*a")) -- while its answer is held
    pipe:close()
    emulator.release()
  end)
end)
