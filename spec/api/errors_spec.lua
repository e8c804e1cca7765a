-- SPDX-License-Identifier: MIT
-- What a caller learns of an answer that is no success, over real sockets.

local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local id = emulator.profile
local host = emulator.http:match("//(.*)$")

describe("an error", function()
  local client

  before_each(function()
    emulator.reset()
    client = emulator.client({ attempts = 1 })
  end)

  after_each(function()
    client:close()
  end)

  -- An answer with this status and body to profile.info.
  local function answer(status, body, headers)
    emulator.inject({
      match = { path = "/profile/" .. id },
      status = status,
      body = body,
      headers = headers or { ["Content-Type"] = "application/json" },
    })
    return client.profile.info(id)
  end

  it("shows a key of the caller's on one line, without control characters", function()
    local ok, message = pcall(client.profile.tokenList, id, { ["two\nlines\27[2J\194\133"] = 1 })
    assert.is_false(ok)
    assert.is_truthy(message:find("query.two lines [2J : unknown key", 1, true), message)
    assert.is_nil(message:find("%c"))
  end)

  -- body, what is said of it, the status
  local bodies = {
    { '{"status":false,"message":"Profile not found"}', "Profile not found" },
    { '{"status":false,"result":{"message":"No such thing"}}', "No such thing" },
    { '{"status":false,"result":"Authorization denied"}', "Authorization denied" },
    {
      '{"status":false,"message":"Invalid","field_errors":{"name":"is required"}}',
      "Invalid: name: is required",
    },
    { '{"status":false,"message":"{\\"otp_enabled\\":true}"}', "two-factor authentication is on" },
    { '{"status":false}', "an error without a message" },
    { "", "an empty body" },
    { "<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway" },
  }
  for _, row in ipairs(bodies) do
    it(("with the body %q is readable"):format(row[1]), function()
      local result, message, err = answer(404, row[1])
      assert.is_nil(result)
      assert.is_truthy(message:find(row[2], 1, true), message)
      assert.is_truthy(message:find(("(HTTP 404, %s)"):format(host), 1, true), message)
      assert.equal("api", err.kind)
      assert.equal(404, err.status)
      assert.equal("profile.info", err.operation)
      assert.equal(1, err.attempts)
      assert.is_false(err.maybe_applied)
      assert.equal(message, tostring(err))
      assert.equal(message, "" .. err)
    end)
  end

  it("that names the profile's id shows it: only tokens are secret in a path", function()
    local _, message, err = answer(404, ('{"status":false,"message":"No %s"}'):format(id))
    assert.is_truthy(message:find("profile.info: No " .. id .. " (HTTP 404", 1, true), message)
    assert.equal("No " .. id, err.details.message)
  end)

  it("carries the decoded body as details", function()
    local body = '{"status":false,"message":"Bad","field_errors":{"name":["a","b"]}}'
    local _, _, err = answer(400, body)
    assert.equal("b", err.details.field_errors.name[2])
    _, _, err = answer(400, "no JSON")
    assert.is_nil(err.details)
  end)

  it("with status 200 and status false is an api error", function()
    local result, message, err = answer(200, '{"status":false,"message":"Invalid Params"}')
    assert.is_nil(result)
    assert.matches("^profile.info: Invalid Params %(HTTP 200, ", message)
    assert.equal("api", err.kind)
    assert.equal(200, err.status)
  end)

  it("works with assert", function()
    emulator.answer("/profile", 403, '{"status":false,"message":"No"}')
    local ok, message = pcall(function()
      local _ = assert(client.profile.list())
    end)
    assert.is_false(ok)
    assert.matches("profile.list: No %(HTTP 403, ", message)
  end)

  it("a refused token is told with the host that refused it", function()
    local stranger = client:with({ token = "p-0000-unknown" })
    local result, message, err = stranger.profile.info("current")
    assert.is_nil(result)
    local form = "profile.info: Authorization Denied (HTTP 401, %s); the token is unknown, "
    local told = form:format(host)
    assert.equal(told, message:sub(1, #told))
    assert.equal(401, err.status)
  end)

  it("a success that cannot be read is protocol", function()
    local bodies_of_protocol = {
      "<html><title>Log in</title></html>",
      "",
      "null",
      "[]",
      '"x"',
      "1",
      '{"result":{}}',
      '{"status":"true","result":{}}',
      '{"status":true,"result":[]}',
      '{"status":true,"result":null}',
      '{"status":true}',
      '{"status":true,"result":{}} trailing',
      "\239\187\191{}x",
    }
    for _, body in ipairs(bodies_of_protocol) do
      local result, message, err = answer(200, body)
      assert.is_nil(result, body)
      assert.equal("protocol", err.kind, message)
      assert.equal(200, err.status)
    end
  end)

  it("a redirect is not followed", function()
    for _, status in ipairs({ 301, 302, 303, 307, 308 }) do
      local result, _, err = answer(status, "", { Location = emulator.http .. "/profile" })
      assert.is_nil(result)
      assert.equal("protocol", err.kind)
      assert.equal(status, err.status)
    end
    assert.equal(5, #emulator.journal())
  end)

  it("of an array where an object is promised, and the other way round, is protocol", function()
    emulator.answer("/profile", 200, '{"status":true,"result":{}}')
    local result, message, err = client.profile.list()
    assert.is_nil(result)
    assert.equal("protocol", err.kind)
    assert.matches("array", message)
  end)
end)

describe("a success", function()
  local client = emulator.client()

  before_each(function()
    emulator.reset()
  end)

  it("of a write without a result is true", function()
    for _, result in ipairs({ ',"result":null', ',"result":false', "" }) do
      emulator.answer("/profile/" .. id, 200, '{"status":true' .. result .. "}")
      assert.is_true(client.profile.edit(id, { name = "x" }))
    end
  end)

  it("may have any status of 2xx, and a warning beside it", function()
    for _, status in ipairs({ 200, 201, 202 }) do
      emulator.answer("/profile", status, '{"status":true,"result":[],"message":"Soon gone"}')
      assert.same({}, assert(client.profile.list()))
    end
  end)
end)

describe("reads are repeated", function()
  it("after 502, 503 and 504, and the success is returned", function()
    for _, status in ipairs({ 502, 503, 504 }) do
      emulator.reset()
      emulator.inject({ match = { path = "/profile" }, status = status, times = 2, body = "" })
      local client = emulator.client()
      assert.equal("table", type(assert(client.profile.list())))
      assert.equal(3, #emulator.journal())
      client:close()
    end
  end)

  it("three times at most", function()
    emulator.reset()
    emulator.inject({ match = { path = "/profile" }, status = 503, times = 0, body = "" })
    local client = emulator.client()
    local result, message, err = client.profile.list()
    assert.is_nil(result)
    assert.equal(3, err.attempts)
    assert.matches(", 3 attempts%)", message)
    assert.equal(3, #emulator.journal())
    client:close()
  end)
end)

describe("certificates", function()
  it("are checked: what is not trusted gets no request", function()
    emulator.reset()
    local client = assert(tagoio.new(emulator.options({ region = { api = emulator.https } })))
    local result, message, err = client.profile.list()
    assert.is_nil(result)
    assert.equal("tls", err.kind)
    assert.equal(1, err.attempts)
    assert.matches("certificate", message)
    assert.same({}, emulator.journal())
    client:close()
  end)

  it("a file of authorities that has gone since is an error of the kind tls", function()
    local name = os.tmpname()
    local file, source = assert(io.open(name, "w")), assert(io.open(emulator.ca_file))
    file:write(source:read("*a"))
    file:close()
    source:close()
    local client = emulator.secure_client({ ca_file = name })
    os.remove(name)
    local _, _, err = client.profile.list()
    assert.equal("tls", err.kind)
    client:close()
  end)
end)
