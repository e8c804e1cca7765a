-- SPDX-License-Identifier: MIT
-- Responses that are whole, and whose content is not what TagoIO promises.

local faults = require("spec.support.faults")
local tagoio = require("tagoio")

local calls = { "list", "edit", "create" }

local function result(text)
  return '{"status":true,"result":' .. text .. "}"
end

local unlike = "not a response of TagoIO: "
local no_status = unlike .. "JSON without a status of true or false"
local not_json = unlike .. "not JSON"

-- Title, body, what the message says.
local refused = {
  { "HTML", "<html>hello</html>", unlike .. "an HTML page" },
  { "null at the top", "null", no_status },
  { "an array at the top", "[]", no_status },
  { "a string at the top", '"x"', no_status },
  { "a number at the top", "1", no_status },
  { "no status", '{"result":[]}', no_status },
  { "a status that is a string", '{"status":"true","result":[]}', no_status },
  { "a status that is null", '{"status":null,"result":[]}', no_status },
  { "a byte order mark", "\239\187\191" .. result("[]"), unlike },
  { "a lone high surrogate", result([==[["\ud800"]]==]), not_json },
  { "a lone low surrogate", result([==[["\udc00x"]]==]), not_json },
  { "a number that no float can hold", result("[1e400]"), not_json },
  { "a whole number of 2^63", result("[9223372036854775808]"), not_json },
  { "a whole number below -2^63", result("[-9223372036854775809]"), not_json },
  { "arrays 2048 deep", result(("["):rep(2048) .. ("]"):rep(2048)), "more than 128 deep" },
  { "garbage behind its end", result("[]") .. "x", not_json },
  { "a second value behind its end", result("[]") .. result("[]"), not_json },
  { "single quotes", "{'status':true}", not_json },
}

-- Title, body, what list returns.
local read = {
  { "-0", result("[-0,-0.0]"), { 0, 0 } },
  { "2^53", result("[9007199254740992,-9007199254740992]"), { 2 ^ 53, -2 ^ 53 } },
  { "a number that is nearly 0", result("[1e-400]"), { 0 } },
  { "a pair of surrogates", result([==[["\ud83d\ude00"]]==]), { "\240\159\152\128" } },
  { "a result that comes twice", '{"result":[1],"status":true,"result":[2]}', { 2 } },
}

-- Title, body, message.
local failures = {
  { "a message that is a number", '{"status":false,"message":5}', "5" },
  { "a message that is an object", '{"status":false,"message":{"a":1}}', "a: 1" },
  { "a message that is nested", '{"status":false,"result":{"message":{"message":"x"}}}', "x" },
}

describe("a response with", function()
  local server, client

  server = faults.server(setup, teardown)

  after_each(function()
    client:close()
  end)

  local function play(status, body)
    server:play(("while request() and answer(%d, %q) do end"):format(status, body))
    client = server:client()
  end

  -- One execution, one attempt, and the next call works.
  local function try(name, body)
    play(200, body)
    local value, message, err = faults.calls[name](client)
    assert.is_nil(value)
    assert.equal(1, server:executed())
    assert.equal(1, err.attempts)
    assert.equal(200, err.status)
    client:close()
    server:play("serve()")
    client = server:client()
    assert(client.profile.list())
    client:close()
    return message, err
  end

  for _, row in ipairs(refused) do
    it(row[1] .. " is no success", function()
      for _, name in ipairs(calls) do
        local message, err = try(name, row[2])
        assert.equal("protocol", err.kind)
        assert.equal(name ~= "list", err.maybe_applied)
        assert.is_truthy(message:find(row[3], 1, true), message)
      end
    end)
  end

  it("no result, or one of the wrong type, is no success where one is promised", function()
    for _, body in ipairs({ '{"status":true}', result("null"), result('"x"'), result("5") }) do
      for _, name in ipairs({ "list", "create" }) do
        local message, err = try(name, body)
        assert.equal("protocol", err.kind)
        assert.equal(name == "create", err.maybe_applied)
        assert.matches("result", message)
      end
    end
  end)

  for _, row in ipairs(failures) do
    it(row[1] .. " is an error with that message", function()
      for _, name in ipairs(calls) do
        local message, err = try(name, row[2])
        assert.equal("api", err.kind)
        assert.is_false(err.maybe_applied)
        assert.is_truthy(message:find(": " .. row[3] .. " (HTTP 200", 1, true), message)
      end
    end)
  end

  it("HTML and the status 502 is an error of the gateway", function()
    for i, attempts in ipairs({ 3, 3, 1 }) do
      play(502, "<html>Bad Gateway</html>")
      local value, _, err = faults.calls[calls[i]](client)
      assert.is_nil(value)
      assert.equal("api", err.kind)
      assert.equal(attempts, err.attempts)
      assert.equal(attempts, server:executed())
      assert.equal(i > 1, err.maybe_applied)
      client:close()
    end
  end)

  for _, row in ipairs(read) do
    it(row[1] .. " is read", function()
      play(200, row[2])
      assert.same(row[3], assert(client.profile.list()))
      assert.equal(1, server:executed())
    end)
  end

  it("a million elements is read", function()
    server:play([==[
      request()
      answer(200, '{"status":true,"result":[' .. ("1,"):rep(999999) .. "1]}")]==])
    client = server:client()
    local list = assert(client.profile.list())
    assert.equal(1000000, #list)
    assert.equal("[1,1]", tagoio.encode({ list[1], list[1000000] }))
  end)
end)
