-- SPDX-License-Identifier: MIT
-- Requests to endpoints that have no operation, over real sockets.

local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local id = emulator.profile

describe("client:request", function()
  local client

  before_each(function()
    emulator.reset()
    client = emulator.client()
  end)

  after_each(function()
    client:close()
  end)

  -- title, what is asked, uri, body
  local requests = {
    { "without anything", { method = "GET", path = { "status" } }, "/status" },
    {
      "with a query",
      {
        method = "GET",
        path = { "profile", id, "backup" },
        query = { page = 1, orderBy = "created_at,desc", filter = { tags = { { key = "k" } } } },
      },
      "/profile/" .. id
        .. "/backup?filter%5Btags%5D%5B0%5D%5Bkey%5D=k&orderBy=created_at%2Cdesc&page=1",
    },
    {
      "with a query whose order was that of Lua's table, another one in each process",
      {
        method = "GET",
        path = { "status" },
        query = { h = 1, b = 2, f = 3, a = 4, g = 5, d = 6, c = 7, e = 8 },
      },
      "/status?a=4&b=2&c=7&d=6&e=8&f=3&g=5&h=1",
    },
    {
      "with segments that need encoding",
      { method = "DELETE", path = { "profile", "a/b ?x#y", "..." } },
      "/profile/a%2Fb%20%3Fx%23y/...",
    },
    {
      "with a body",
      { method = "PUT", path = { "profile", id, "service" }, body = { sms = tagoio.null } },
      "/profile/" .. id .. "/service",
      '{"sms":null}',
    },
    {
      "with a body that is a list",
      { method = "POST", path = { "account", "allocation" }, body = { { profile = id, sms = 1 } } },
      "/account/allocation",
      '[{"profile":"' .. id .. '","sms":1}]',
    },
  }
  for _, row in ipairs(requests) do
    it("sends one " .. row[1], function()
      client:request(row[2])
      local request = emulator.request()
      assert.equal(row[2].method, request.method)
      assert.equal(row[3], request.uri)
      assert.equal(row[4] or "", request.body)
      assert.equal("<token>", request.headers.token)
      assert.equal(row[4] and "application/json", request.headers["content-type"])
    end)
  end

  it("returns the result and what is known of the call", function()
    emulator.inject({
      match = { path = "/profile/" .. id },
      status = 201,
      headers = { ["X-Request-Id"] = "r-1", ["X-Twice"] = "a: b" },
      body = '{"status":true,"result":{"a":1},"message":"Soon gone"}',
    })
    local result, info = client:request({ method = "GET", path = { "profile", id } })
    assert.same({ a = 1 }, result)
    assert.equal(201, info.status)
    assert.equal(1, info.attempts)
    assert.equal("number", type(info.elapsed))
    assert.equal("number", type(info.queued))
    assert.equal("Soon gone", info.message)
    assert.equal("r-1", info.request_id)
    assert.equal("r-1", info.headers["x-request-id"])
    assert.equal("a: b", info.headers["x-twice"])
    assert.is_nil(info.head)
  end)

  it("leaves out what is not known", function()
    local _, info = assert(client:request({ method = "GET", path = { "status" } }))
    assert.is_nil(info.message)
    assert.is_nil(info.request_id)
  end)

  it("makes, lists, fetches and deletes backups", function()
    local path = { "profile", id, "backup" }
    local made, info = assert(client:request({ method = "POST", path = path }))
    assert.equal("Backup queued", made.message) -- this answer has no envelope
    assert.equal(200, info.status)
    local backups = assert(client:request({ method = "GET", path = path }))
    assert.equal(made.backup_id, backups[1].id)
    local backup = { "profile", id, "backup", made.backup_id }
    local link = assert(client:request({
      method = "POST",
      path = { "profile", id, "backup", made.backup_id, "download" },
      body = { password = emulator.password },
    }))
    assert.matches("^https://", link.url)
    local body = { password = emulator.password }
    local said = assert(client:request({ method = "DELETE", path = backup, body = body }))
    assert.equal("Backup successfully removed", said)
    local gone, message, err = client:request({ method = "DELETE", path = backup, body = body })
    assert.is_nil(gone)
    assert.matches("^request.DELETE: Backup not found .*%(HTTP 404, ", message)
    assert.equal("request.DELETE", err.operation)
    assert.equal(404, err.status)
  end)

  it("repeats reads, and writes that are idempotent alone", function()
    local function attempts(method, idempotent)
      emulator.reset()
      emulator.inject({ match = { path = "/profile/" .. id }, status = 502, body = "", times = 2 })
      local path = { "profile", id }
      local _, _, err = client:request({ method = method, path = path, idempotent = idempotent })
      return #emulator.journal(), err and err.maybe_applied
    end
    assert.equal(3, attempts("GET"))
    assert.equal(3, attempts("PUT", true))
    local count, maybe_applied = attempts("PUT")
    assert.equal(1, count)
    assert.is_true(maybe_applied)
  end)

  it("counts the attempts", function()
    emulator.inject({ match = { path = "/status" }, status = 502, body = "" })
    local _, info = assert(client:request({ method = "GET", path = { "status" } }))
    assert.equal(2, info.attempts)
    assert.equal(200, info.status)
  end)

  it("hides a token in its path from the message", function()
    local path = { "profile", id, "token", "p-distinctive-secret" }
    emulator.inject({ status = 404, body = '{"status":false,"message":"no p-distinctive-secret"}' })
    local _, message = client:request({ method = "DELETE", path = path })
    assert.matches("^request.DELETE: no %*%*%* %(HTTP 404, ", message)
  end)

  it("says what it cannot send, with the path to it", function()
    local asked = { method = "PUT", path = { "a" }, body = { tags = { { value = print } } } }
    local result, message, err = client:request(asked)
    assert.is_nil(result)
    assert.equal("request.PUT: body.tags[1].value: function cannot be sent", message)
    assert.equal("invalid", err.kind)
    assert.same({}, emulator.journal())
  end)

  it("raises on bad input at the caller's line", function()
    local rows = {
      { nil, "request must be a table (got nil)" },
      { {}, "method must be GET, POST, PUT, PATCH or DELETE (got nil" },
      { { method = "get", path = { "a" } }, 'PATCH or DELETE (got "get")' },
      { { method = "GET" }, "path must be a list of segments, as { \"profile\", " },
      { { method = "GET", path = "a/b" }, "path must be a list of segments" },
      { { method = "GET", path = {} }, "path must be a list of strings" },
      { { method = "GET", path = { "a", 5 } }, "path[2] must be a string (got a number)" },
      { { method = "GET", path = { "a" }, body = {} }, "body cannot be sent with GET" },
      { { method = "GET", path = { "a" }, query = { 1 } }, "query must be a table with keys" },
      { { method = "PUT", path = { "a" }, body = "x" }, "body must be a table (got a" },
      { { method = "PUT", path = { "a" }, idempotent = 1 }, "idempotent must be a boolean" },
      { { method = "PUT", path = { "a" }, params = {} }, 'unknown field "params"' },
    }
    for _, row in ipairs(rows) do
      local ok, message = pcall(function()
        local _ = client:request(row[1])
      end)
      assert.is_false(ok)
      assert.matches("^spec/api/request_spec.lua:%d+: client:request: ", message)
      assert.is_truthy(message:find(row[2], 1, true), message)
    end
    assert.has_error(function()
      local _ = client.request({ method = "GET", path = { "a" } })
    end)
    assert.same({}, emulator.journal())
  end)

  it("raises on a closed client", function()
    client:close()
    assert.error_matches(function()
      local _ = client:request({ method = "GET", path = { "status" } })
    end, "client:request: the client is closed")
  end)
end)

describe("a client", function()
  it("with response_info tells what is known of the response of an operation", function()
    emulator.reset()
    local client = emulator.client({ response_info = true })
    local list, info = client.profile.list()
    assert.equal(3, #list)
    assert.equal(200, info.status)
    assert.equal(1, info.attempts)
    assert.matches("^application/json", info.headers["content-type"])
    local _, inherited = client:with({ timeout = 5 }).profile.list()
    assert.equal(200, inherited.status)
    local _, none = client:with({ response_info = false }).profile.list()
    assert.is_nil(none)
    client:close()
  end)

  it("that cancels its calls is still usable, and others' calls go on", function()
    emulator.reset()
    emulator.inject({ hold = true, times = 2 })
    local client = emulator.client({ timeout = 20 })
    local scope = client:with({})
    local results = tagoio.map({ scope, client, false }, function(one)
      if one then
        local list, _, err = one.profile.list()
        return list and "listed" or err.kind
      end
      assert(client.profile.info(id)) -- by now the others have been sent
      emulator.wait_for(2)
      scope:cancel()
      emulator.release()
      return "canceled it"
    end)
    assert.same({ "canceled", "listed", "canceled it" }, results)
    assert(scope.profile.list())
    client:close()
  end)
end)
