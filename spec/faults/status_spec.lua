-- SPDX-License-Identifier: MIT
-- Which status is repeated for which call, and when, as the server sees it.

local faults = require("spec.support.faults")

local function body(message)
  return ('{"status":false,"message":"%s"}'):format(message or "No")
end

-- A script that gives this answer to every request, also on the connections that follow.
local function always(status, head, message)
  local form = "while request() and answer(%d, %q, %q) do end"
  return form:format(status, body(message), head or "")
end

local past = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

-- A 503 to every request, with these lines after its body.
local function trailing(lines)
  local form = "while request() and send(%q) do end"
  local head = "HTTP/1.1 503 Status\r\nTransfer-Encoding: chunked\r\n\r\n"
  return form:format(("%s%x\r\n%s\r\n0\r\n%s\r\n"):format(head, #body(), body(), lines))
end

describe("the status", function()
  local server, client

  server = faults.server(setup, teardown)

  after_each(function()
    client:close()
  end)

  local soon = "Retry-After: 0\r\n"
  -- A title, the answer, and how often a read, an idempotent write, a destructive one and one that
  -- is never repeated are sent; whether it leaves open what became of a write.
  local rows = {
    { "408", always(408), { 2, 2, 2, 2 } },
    { "425", always(425), { 2, 2, 2, 2 } },
    { "429 with a time", always(429, soon), { 3, 3, 3, 3 } },
    { "429 with a time in its text", always(429, nil, "(Retry-After: 0)"), { 3, 3, 3, 3 } },
    { "200 that says 429", always(200, soon, "Too many requests"), { 3, 3, 3, 3 } },
    { "503 with a time", always(503, soon), { 3, 3, 3, 3 } },
    { "503 with a time that is past", always(503, past), { 3, 3, 3, 3 } },
    { "503", always(503), { 3, 3, 1, 1 }, true },
    { "503 with a time in its trailer", trailing(soon), { 3, 3, 1, 1 }, true },
    { "500", always(500), { 3, 3, 1, 1 }, true },
    { "502", always(502), { 3, 3, 1, 1 }, true },
    { "504", always(504), { 3, 3, 1, 1 }, true },
    { "520", always(520), { 3, 3, 1, 1 }, true },
    { "521", always(521), { 3, 3, 1, 1 }, true },
    { "522", always(522), { 3, 3, 1, 1 }, true },
    { "523", always(523), { 3, 3, 1, 1 }, true },
    { "524", always(524), { 3, 3, 1, 1 }, true },
    { "529", always(529), { 3, 3, 1, 1 }, true },
    { "530", always(530), { 3, 3, 1, 1 }, true },
    { "501", always(501), { 1, 1, 1, 1 } },
    { "511", always(511), { 1, 1, 1, 1 }, true },
    { "400", always(400), { 1, 1, 1, 1 } },
    { "401", always(401), { 1, 1, 1, 1 } },
    { "403", always(403), { 1, 1, 1, 1 } },
    { "404", always(404), { 1, 1, 1, 1 } },
    { "409", always(409), { 1, 1, 1, 1 } },
    { "302", always(302, "Location: /elsewhere\r\n"), { 1, 1, 1, 1 }, true },
    { "200 of a failure", always(200), { 1, 1, 1, 1 } },
  }
  local names = { "list", "edit", "delete", "create" }
  for _, row in ipairs(rows) do
    it(row[1], function()
      client = server:client()
      for i, name in ipairs(names) do
        server:play(row[2])
        local result, message, err = faults.calls[name](client)
        assert.is_nil(result)
        assert.equal(row[3][i], server:executed(), name)
        assert.equal(row[3][i], err.attempts, message)
        assert.equal(row[1]:sub(1, 3), tostring(err.status))
        assert.equal(i > 1 and row[4] or false, err.maybe_applied, name)
        client:close()
        client = server:client()
      end
    end)
  end

  it("of a failure that passes is forgotten", function()
    local busy = ("request() answer(503, %q) "):format(body())
    server:play(busy .. "request() ok() " .. busy .. "serve()")
    client = server:client()
    assert(client.profile.list())
    assert(client.profile.list())
    assert.equal(4, server:executed())
  end)

  it("503 twice and then 200 is a success, and what must not be repeated is sent once", function()
    local flapping = ("for _ = 1, 2 do request() answer(503, %q) end serve()"):format(body())
    for i, name in ipairs(names) do
      server:play(flapping)
      client = server:client()
      local result, _, err = faults.calls[name](client)
      assert.equal(i <= 2, result ~= nil)
      assert.equal(i <= 2 and 3 or 1, server:executed())
      assert.equal(i > 2, err ~= nil and err.maybe_applied)
      client:close()
    end
  end)

  it("408 and 425 are repeated on a new connection", function()
    for _, status in ipairs({ 408, 425 }) do
      server:play(("request() answer(%d) silence()"):format(status), "serve()")
      client = server:client()
      assert(client.profile.create({ name = "x" }))
      assert.equal(2, #server:journal())
    end
  end)

  it("404 of a repeated delete does not say that it failed", function()
    server:play("request() reset()", always(404))
    client = server:client()
    local _, message, err = client.profile.tokenDelete("5bbe3d1d4d3ad10021e1d2a1", "p-gone")
    assert.equal(404, err.status)
    assert.equal(2, err.attempts)
    assert.is_true(err.maybe_applied)
    assert.matches("; it may have been applied$", message)
  end)

  it("3xx is not followed, wherever it points", function()
    for _, location in ipairs({ server.http, "http://localhost:1", "https://example.com", "" }) do
      server:play(always(307, "Location: " .. location .. "/x\r\n"))
      client = server:client()
      local _, _, err = client.profile.list()
      assert.equal("protocol", err.kind)
      assert.equal(1, server:executed())
      client:close()
    end
  end)
end)

describe("Retry-After", function()
  local server, client

  server = faults.server(setup, teardown)

  after_each(function()
    client:close()
  end)

  -- The error of a read whose answers are 429 with this head and text, without a wait for it.
  local function refuse(others, head, message)
    server:play(always(429, head, message))
    client = server:client(others)
    local _, _, err = client.profile.list()
    assert.equal(429, err.status)
    return err
  end

  local function in_http_date(seconds)
    return os.date("!Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", os.time() + seconds)
  end

  it("beyond max_retry_after ends the call at once", function()
    local err = refuse({ max_retry_after = 10 }, "Retry-After: 11\r\n")
    assert.equal(11, err.retry_after)
    assert.equal(1, err.attempts)
    assert.is_true(err.elapsed < 11)
  end)

  it("beyond what is left of timeout ends the call at once", function()
    local err = refuse({ timeout = 25 }, "Retry-After: 26\r\n")
    assert.equal(26, err.retry_after)
    assert.equal(1, err.attempts)
    assert.is_true(err.elapsed < 25)
  end)

  it("may be a date", function()
    local err = refuse({}, in_http_date(3000))
    assert.is_true(err.retry_after > 2900 and err.retry_after <= 3000)
    assert.equal(1, err.attempts)
  end)

  it("that is past means now", function()
    local err = refuse({ attempts = 2 }, past)
    assert.equal(0, err.retry_after)
    assert.equal(2, err.attempts)
  end)

  it("may stand in the message", function()
    local err = refuse({ max_retry_after = 7 }, nil, "Too many requests (Retry-After: 8)")
    assert.equal(8, err.retry_after)
    assert.equal(1, err.attempts)
  end)

  it("that makes no sense counts as none: the next minute would be waited for", function()
    for _, value in ipairs({ "-1", "soon", "1.5", "" }) do
      local err = refuse({ max_retry_after = 0 }, "Retry-After: " .. value .. "\r\n")
      assert.is_nil(err.retry_after, value)
    end
  end)

  it("that no number can hold is too long", function()
    local err = refuse({}, "Retry-After: 99999999999999999999\r\n")
    assert.equal(1, err.attempts)
    assert.is_true(err.retry_after > 3600)
  end)

  it("is waited for", function()
    local refusal = ("request() answer(429, %q, 'Retry-After: 1\\r\\n') "):format(body())
    server:play(refusal .. "serve()")
    local wait
    client = server:client({
      on_attempt = function(event)
        wait = event.retry_in or wait
      end,
    })
    assert(client.profile.create({ name = "x" }))
    assert.is_true(wait >= 1 and wait <= 1.1)
    assert.equal(2, server:executed())
  end)
end)
