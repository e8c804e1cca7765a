-- SPDX-License-Identifier: MIT
-- A transport: a Lua function in place of libcurl, under the same policy, limits and secrets.

local tagoio = require("tagoio")

local id = "5bbe3d1d4d3ad10021e1d2a1"
local secret = "p-0wn-t0ken"

describe("a transport", function()
  local requests, answers, client

  -- Gives the answers in turn, the last one again; each is a function or { status, headers, body }.
  local function send(request)
    requests[#requests + 1] = request
    local answer = answers[#requests] or answers[#answers]
    if type(answer) == "function" then
      return answer(request)
    end
    return answer[1], answer[2], answer[3]
  end

  local function play(...)
    requests, answers = {}, { ... }
  end

  local ok = { 200, nil, '{"status":true,"result":[]}' }
  local done = { 200, nil, '{"status":true,"result":"Done"}' }

  before_each(function()
    play(ok)
    client = assert(tagoio.new({ token = secret, transport = send, region = "eu-w1" }))
  end)

  after_each(function()
    client:close()
  end)

  it("is given a read as it would be sent", function()
    assert(client.profile.tokenList(id, { page = 2 }))
    local request = requests[1]
    assert.equal("GET", request.method)
    assert.matches("^https://api.eu%-w1.tago.io/profile/" .. id .. "/token%?page=2&", request.url)
    assert.equal(secret, request.headers.token)
    assert.equal("application/json", request.headers.Accept)
    assert.matches("^TagoIO%-SDK|Lua|", request.headers["User-Agent"])
    assert.is_nil(request.headers["Content-Type"])
    assert.is_nil(request.body)
    assert.is_true(request.timeout > 29 and request.timeout <= 30)
    assert.equal(64 * 1024 * 1024, request.max_response_bytes)
    assert.equal(10, request.connect_timeout)
    assert(client:with({ attempt_timeout = 2 }).profile.list())
    assert.equal(2, requests[2].connect_timeout) -- never more than for the whole attempt
    assert(client:with({ connect_timeout = 3 }).profile.list())
    assert.equal(3, requests[3].connect_timeout)
  end)

  it("is given the bodies of writes, and an empty one where none is told of", function()
    play(done)
    assert(client.profile.edit(id, { name = "\195\164", n = 1 }))
    assert(client.profile.delete(id, { password = "x" }))
    assert(client.profile.transferTokenToAnotherProfile(id))
    assert(client.profile.tokenDelete(id, "t"))
    assert.equal('{"n":1,"name":"\195\164"}', requests[1].body)
    assert.equal("application/json", requests[1].headers["Content-Type"])
    assert.equal("DELETE", requests[2].method)
    assert.equal('{"password":"x"}', requests[2].body)
    assert.equal("PUT", requests[3].method)
    assert.equal("", requests[3].body)
    assert.is_nil(requests[3].headers["Content-Type"])
    assert.is_nil(requests[4].body)
  end)

  it("has its answers read like any other", function()
    play({ 404, { ["x-ReQuest-id"] = { "r-1", "r-2" } }, '{"status":false,"message":"No"}' })
    local result, message, err = client.profile.info(id)
    assert.is_nil(result)
    assert.matches("^profile.info: No %(HTTP 404, api.eu%-w1.tago.io%)", message)
    assert.equal("r-1", err.request_id)
    assert.equal("api", err.kind)
    play({ 200, nil, "<html>" })
    assert.equal("protocol", (select(3, client.profile.list())).kind)
    play({ 302, { Location = "https://elsewhere" }, "" })
    assert.equal("protocol", (select(3, client.profile.list())).kind)
  end)

  it("is asked again by the same policy", function()
    play({ 503, {}, "" }, ok)
    assert(client.profile.list())
    assert.equal(2, #requests)
    play({ 503, {}, "" }, done)
    local _, _, err = client.profile.create({ name = "x" })
    assert.is_true(err.maybe_applied)
    assert.equal(1, #requests)
    play({ 429, { ["retry-after"] = 0 }, "" }, { 200, nil, '{"status":true,"result":{"id":"1"}}' })
    assert(client.profile.create({ name = "x" }))
    assert.equal(2, #requests)
    play({ 429, { ["Retry-After"] = 100 }, "" })
    _, _, err = client.profile.list()
    assert.equal(100, err.retry_after)
    assert.equal(1, #requests)
  end)

  it("that fails is of the kind network, and counts as sent unless it says otherwise", function()
    local function lost()
      return nil, "closed: " .. secret
    end
    play(lost)
    local _, message, err = client.profile.create({ name = "x" })
    assert.equal("network", err.kind)
    assert.is_true(err.maybe_applied)
    assert.matches("^profile.create: closed: %*%*%* %(", message)
    assert.equal(1, #requests)
    play(lost, ok)
    assert(client.profile.list())
    assert.equal(2, #requests)
    play(function()
      return nil, "refused", { sent = false }
    end)
    _, _, err = client.profile.create({ name = "x" })
    assert.is_false(err.maybe_applied)
    assert.equal(3, #requests)
  end)

  it("may say of which kind its failure is", function()
    for _, kind in ipairs({ "connect", "tls", "timeout", "network" }) do
      play(function()
        return nil, "no luck", { sent = false, kind = kind }
      end)
      local _, message, err = client.profile.create({ name = "x" })
      assert.equal(kind, err.kind)
      assert.matches("^profile.create: no luck %(api.eu%-w1.tago.io", message)
      assert.is_false(err.maybe_applied)
    end
    play(function()
      return nil, "too late", { sent = true, kind = "timeout" }
    end)
    local _, _, err = client.profile.create({ name = "x" })
    assert.equal("timeout", err.kind)
    assert.is_true(err.maybe_applied)
    assert.equal(1, #requests)
  end)

  it("keeps the limits", function()
    local small = assert(tagoio.new({ token = "t", transport = send, max_response_bytes = 100 }))
    play({ 200, nil, ("x"):rep(101) })
    local _, message, err = small.profile.list()
    assert.equal("protocol", err.kind)
    assert.matches("max_response_bytes", message)
    play({ 200, { X = ("x"):rep(70000) }, "" })
    assert.equal("protocol", (select(3, small.profile.list())).kind)
    play(ok)
    assert(small.profile.list())
    small:close()
  end)

  it("that returns an invalid response, or raises, raises", function()
    local invalid = {
      { "200", "status must be a whole number from 200 to 999 (got a string)" },
      { 99, "status must be a whole number from 200 to 999 (got 99)" },
      { 200.5, "status must be " },
      { 200, "headers must be a table (got a number)", 5 },
      { 200, 'headers: "x" must be a string', { x = true } },
      { 200, 'headers: "x" must be a string', { x = {} } },
      { 200, "body must be a string (got a table)", {}, {} },
      { nil, 'kind must be connect, tls, timeout or network (got "a?b c")', "x",
        { kind = "a\255b\nc" } },
    }
    for _, row in ipairs(invalid) do
      play({ row[1], row[3], row[4] })
      local raised, message = pcall(client.profile.list)
      assert.is_false(raised)
      local start = "profile.list: the transport returned an invalid response: " .. row[2]
      assert.equal(start, message:sub(1, #start))
    end
    local thrown = {}
    play(function()
      error(thrown)
    end)
    assert.same({ false, thrown }, { pcall(client.profile.list) })
    play(ok)
    assert(client.profile.list())
  end)

  it("whose events have the wrong types raises, and does not crash", function()
    local own = assert(require("tagoio.core").client({
      token = "t",
      base_url = "https://api.tago.io",
      transport = true,
    }))
    local call = assert(own:start("profile.list"))
    call:begin()
    for _, event in ipairs({ "status", "header", "body", "begin" }) do
      assert.has_error(function()
        call[event](call, {}, {})
      end)
    end
    assert.is_false(call:is_done())
    call:status(200)
    call:header("X", "y")
    call:body(ok[3])
    call:complete()
    assert.is_true(call:is_done())
  end)

  it("cannot smuggle headers in", function()
    play({ 200, { X = "a\r\nX-Request-Id: b" }, '{"status":false}' })
    assert.is_nil((select(3, client.profile.list())).request_id)
  end)

  it("serves derived clients, requests to any endpoint, hooks and maps", function()
    local events = {}
    local derived = client:with({
      token = "other",
      on_attempt = function(event)
        events[#events + 1] = event.status
      end,
    })
    assert.same({}, (derived:request({ method = "GET", path = { "a b" } })))
    assert.equal("other", requests[1].headers.token)
    assert.matches("/a%%20b$", requests[1].url)
    assert.same({ 200 }, events)
    assert.has_error(function()
      local never = client:with({ transport = send })
      return never
    end)
    play(ok, { 503, {}, "" }, ok)
    local results, failed = tagoio.map({ 1, 2, 3 }, function()
      return derived.profile.list()
    end)
    assert.is_nil(failed)
    assert.equal(3, #results)
    assert.equal(0, client:step(0))
  end)

  -- A call in a coroutine of its own, which gives way in the transport.
  local function begin(one)
    local routine = coroutine.create(function()
      return one.profile.create({ name = "x" })
    end)
    assert.same({ true, "sent" }, { coroutine.resume(routine) })
    return routine
  end

  it("that gives way is canceled: its response is no success, and the client goes on", function()
    local made = { 200, nil, '{"status":true,"result":{"id":"1"}}' }
    play(function()
      coroutine.yield("sent")
      return made[1], made[2], made[3]
    end)
    local canceled, other = begin(client), begin(client:with({}))
    client:cancel()
    local _, result, message, err = coroutine.resume(canceled)
    assert.is_nil(result)
    assert.matches("^profile.create: canceled", message)
    assert.equal("canceled", err.kind)
    assert.is_true(err.maybe_applied)
    assert.same({ true, { id = "1" } }, { coroutine.resume(other) })
    play(made)
    assert(client.profile.create({ name = "x" }))
  end)

  it("that does not give way is not interrupted: the call is canceled when it returns", function()
    local returned = false
    play(function()
      client:cancel()
      returned = true
      return 503, nil, ""
    end)
    local _, _, err = client.profile.create({ name = "x" })
    assert.equal("canceled", err.kind)
    assert.is_true(err.maybe_applied)
    assert.is_true(returned)
    assert.equal(1, #requests)
  end)

  it("went on waiting for a retry of a call that was canceled", function()
    play({ 503, { ["Retry-After"] = 30 }, "" })
    local waits = 0
    local own = client:with({
      wait = function(self)
        waits = waits + 1
        assert(waits == 1, "it waits for a call that was canceled")
        self:cancel()
      end,
    })
    local _, _, err = own.profile.create({ name = "x" })
    assert.equal("canceled", err.kind)
    assert.is_false(err.maybe_applied)
    assert.equal(1, #requests)
  end)

  it("was asked again after close, for a call that waited for its retry", function()
    local own
    play(function()
      own:close()
      return 503, { ["Retry-After"] = 30 }, ""
    end)
    own = client:with({})
    assert.equal("canceled", select(3, own.profile.list()).kind)
    play({ 503, { ["Retry-After"] = 30 }, "" })
    own = client:with({ wait = function(self) self:close() end })
    assert.equal("canceled", select(3, own.profile.list()).kind)
    assert.equal(1, #requests)
  end)

  it("is not asked again after close, or in a map that has stopped", function()
    play({ 503, { ["Retry-After"] = 3 }, "" })
    local results, failed = tagoio.map({ 1, 2 }, function(i)
      if i == 2 then
        return nil, "enough"
      end
      return client.profile.list()
    end, { stop_on_error = true })
    assert.is_false(results[1])
    assert.equal("canceled", failed[1].kind)
    assert.equal(1, #requests)
    client:close()
    assert.is_false((pcall(client.profile.list)))
    assert.equal(1, #requests)
  end)
end)
