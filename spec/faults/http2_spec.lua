-- SPDX-License-Identifier: MIT
-- Faults of HTTP/2, which calls of a map speak: each request that the server read is one attempt
-- that `on_attempt` was told of, and after each fault the same client goes on.

local faults = require("spec.support.faults")
local socket = require("socket")
local tagoio = require("tagoio")

local works = "http2() serve_streams()"

-- A connection with two requests under way, to which this happens: a is the lower stream, whichever
-- of them was read first.
local function pair(fault)
  return "http2() local a, b = stream(), stream() if a > b then a, b = b, a end " .. fault
end

describe("over HTTP/2", function()
  local server, client, attempts

  server = faults.server(setup, teardown)

  after_each(function()
    client:close()
  end)

  -- The connections to come, and a client of them.
  local function play(options, ...)
    server:play(...)
    attempts = 0
    client = server:secure_client(faults.options({
      on_attempt = function()
        attempts = attempts + 1
      end,
    }, options))
  end

  -- This operation so many times at once, by the client or one that was derived.
  local function at_once(count, name, own)
    local items = {}
    for i = 1, count do
      items[i] = i
    end
    return tagoio.map(items, function()
      return faults.calls[name or "list"](own or client)
    end)
  end

  -- Two at once; the server goes on from `hold()` when the client has the result of one.
  local function two_that_release(name)
    return tagoio.map({ 1, 2 }, function()
      local result, message, err = faults.calls[name](client)
      server:release()
      return result, message, err
    end)
  end

  -- How many requests came over the first connection and over all: each was an attempt.
  local function assert_requests(first, all)
    assert.equal(first, #server:journal()[1].requests)
    assert.equal(all, server:executed())
    assert.equal(all, attempts)
  end

  local function assert_all(count, results, failed)
    assert.is_nil(failed and tostring(select(2, next(failed))))
    assert.equal(count, #results)
  end

  -- So many calls ended with this kind after their only attempt; the others succeeded.
  local function assert_failed(count, kind, maybe_applied, _, failed)
    for _, err in pairs(failed or {}) do
      assert.equal(kind, err.kind, tostring(err))
      assert.equal(1, err.attempts)
      assert.equal(maybe_applied, err.maybe_applied)
      count = count - 1
    end
    assert.equal(0, count)
  end

  it("calls of a map share a connection, and are answered in any order", function()
    play(nil, pair("reply(b) reply(a) serve_streams()"))
    assert_all(2, at_once(2))
    assert_all(2, at_once(2, "edit"))
    assert_requests(4, 4)
    assert.equal(2, server:journal()[1].most_open)
  end)

  it("what must not be repeated goes over HTTP/1.1 on another connection", function()
    play(nil, works, "tls() serve()")
    assert_all(2, at_once(2))
    assert_all(2, at_once(2, "create"))
    assert_all(2, at_once(2, "request.POST"))
    assert_requests(2, 6)
    local connections = server:journal()
    assert.matches("^GET /profile HTTP/2\r\n", connections[1].requests[1])
    assert.matches("^POST /profile/ HTTP/1.1\r\n", connections[2].requests[1])
  end)

  -- What ends one request without an answer, or two.
  local endings = {
    { "a refused stream", "refuse(a, 'REFUSED_STREAM') reply(b) serve_streams()", 1 },
    { "RST_STREAM before the head", "refuse(a, 'INTERNAL_ERROR') reply(b) serve_streams()", 1 },
    { "a canceled stream", "refuse(a, 'CANCEL') reply(b) serve_streams()", 1 },
    { "GOAWAY below the second stream", "goaway(a) reply(a) silence()", 1 },
    { "GOAWAY with an error", "goaway(a, 'INTERNAL_ERROR') reply(a) silence()", 1 },
    { "a reset", "reset()", 2 },
    { "an end without a word", "cut()", 2 },
  }

  for _, ending in ipairs(endings) do
    local title, fault, lost = ending[1], pair(ending[2]), ending[3]
    for _, name in ipairs({ "list", "edit" }) do
      it(("%s is an attempt, and %s is repeated by us alone"):format(title, name), function()
        play(nil, fault, works)
        assert_all(2, at_once(2, name))
        assert_requests(2, 2 + lost)
        assert(faults.calls[name](client))
      end)

      it(("%s ends the only attempt of %s, nothing is sent again"):format(title, name), function()
        play({ attempts = 1 }, fault, works)
        assert_failed(lost, "network", name ~= "list", at_once(2, name))
        assert_requests(2, 2)
        assert(faults.calls[name](client))
      end)
    end
  end

  -- What ends a request within its answer; all else is well.
  local cuts = {
    { "RST_STREAM within a body", "ping() refuse(a, 'INTERNAL_ERROR') reply(b) serve_streams()" },
    { "an end within a body", "reply(b) hold() cut()" },
  }

  for _, cut in ipairs(cuts) do
    local fault = pair("status(a) data(a, '{') " .. cut[2])

    it(cut[1] .. ": a read is repeated", function()
      play(nil, fault, works)
      assert_all(2, two_that_release("list"))
      assert_requests(2, 3)
      assert(client.profile.list())
    end)

    it(cut[1] .. ": a write is one attempt for each request", function()
      play(nil, fault, works)
      local _, failed = two_that_release("edit")
      for _, err in pairs(failed or {}) do
        assert.equal("network", err.kind)
        assert.is_true(err.maybe_applied)
      end
      -- libcurl 7.88 can lose the status that proves it applied; then it is retried.
      assert_requests(2, failed and 2 or 3)
      assert(client.profile.list())
    end)
  end

  it("an end within a body: a write is not retried, for it was applied", function()
    play(nil, pair("status(a) data(a, '{') reply(b) hold() cut()"), works)
    assert_failed(1, "network", true, two_that_release("edit"))
    assert_requests(2, 2)
    assert(client.profile.list())
  end)

  it("where a server speaks HTTP/1.1 alone, no call waits for the response of another", function()
    play({ attempts = 1, timeout = 10 }, "tls() request() meet(4) ok() serve()")
    for _ = 1, 2 do
      assert_all(4, at_once(4))
    end
    assert.equal(4, #server:journal())
    assert.equal(8, server:executed())
  end)

  it("a server without a handshake costs all calls together two waits for a connection", function()
    local ended, connected = 0, 0
    local function on_attempt()
      ended = ended + 1
      local deadline = socket.gettime() + 5
      while ended == 2 and connected < 4 and socket.gettime() < deadline do
        connected = #server:journal()
      end
    end
    play({ attempts = 1, connect_timeout = 0.5, on_attempt = on_attempt }, "silence()")
    assert_failed(4, "timeout", false, at_once(4))
    assert.equal(4, connected) -- when the second wait ended
  end)

  it("a graceful GOAWAY lets what is under way end, the next call opens a connection", function()
    local graceful = "goaway(2147483647) reply(a) goaway(b) reply(b) silence()"
    play(nil, pair(graceful), works)
    assert_all(2, at_once(2, "edit"))
    assert_all(2, at_once(2, "edit"))
    assert_requests(2, 4)
  end)

  it("a connection that went silent costs the calls under way a timeout, no later one", function()
    local falls_silent = "http2() for _ = 1, 4 do reply(stream()) end ignore_streams()"
    play({ attempts = 1 }, falls_silent, works)
    assert_all(4, at_once(4))
    local impatient = client:with({ attempt_timeout = 1.5 })
    assert_failed(2, "timeout", false, at_once(2, "list", impatient))
    for _ = 1, 8 do
      assert_all(2, at_once(2))
    end
    assert_requests(6, 22)
  end)

  it("a call that met silence is repeated on another connection, as those after it", function()
    local falls_silent = "http2() for _ = 1, 4 do reply(stream()) end ignore_streams()"
    play(nil, falls_silent, works)
    assert_all(4, at_once(4))
    assert_all(2, at_once(2, "edit", client:with({ attempt_timeout = 1.5 })))
    assert_all(2, at_once(2, "edit"))
    assert(client.profile.list())
    assert_requests(6, 11)
  end)

  it("a head and a body in TLS records of their own are an answer", function()
    local parts = "status(a) data(a, '{') data(a, success(a):sub(2), true)"
    play(nil, pair("reply(b) hold() " .. parts .. " silence()"))
    assert_all(2, two_that_release("list")) -- then the rest is sent, and none of it read
    assert_requests(2, 2)
  end)

  it("a server that allows one stream at a time gets one at a time on a connection", function()
    local one = "local id = stream() while id do ping() reply(id) id = stream() end"
    play(nil, "http2({ max_streams = 1 }) reply(stream()) reply(stream()) " .. one, works)
    assert_all(2, at_once(2)) -- which may go out before the client has read the server's settings
    assert_all(5, at_once(5))
    assert.equal(1, server:journal()[1].most_open)
    assert.equal(7, server:executed())
    assert.equal(7, attempts)
    assert(client.profile.list())
  end)
end)
