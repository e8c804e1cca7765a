-- SPDX-License-Identifier: MIT
-- Responses that are whole, and whose content is not what TagoIO promises.

local faults = require("spec.support.faults")
local tagoio = require("tagoio")

-- The least and the largest integer, where Lua has them.
local least, largest = math.mininteger, math.maxinteger -- luacheck: ignore

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
  { "a NUL in a key", result([==[{"a\u0000b":1}]==]), not_json },
  { "a control character in a string", result('["\1"]'), not_json },
  { "a surrogate in UTF-8", result('["\237\160\128"]'), not_json },
  { "an overlong form of UTF-8", result('["\192\175"]'), not_json },
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
  { "a NUL in a string", result([==[["a\u0000b"]]==]), { "a\0b" } },
  { "2^53", result("[9007199254740992,-9007199254740992]"), { 2 ^ 53, -2 ^ 53 } },
  { "-2^63", result("[-9223372036854775808]"), { least or -2 ^ 63 } },
  { "the largest float", result("[1.7976931348623157e308]"), { 1.7976931348623157e308 } },
  { "a number that is nearly 0", result("[1e-400]"), { 0 } },
  { "a pair of surrogates", result([==[["\ud83d\ude00"]]==]), { "\240\159\152\128" } },
  { "a result that comes twice", '{"result":[1],"status":true,"result":[2]}', { 2 } },
  { "a member that comes again as null", result('[{"a":1,"a":null}]'), { {} } },
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

  it("whole numbers past 2^53 keeps every digit, in a string where Lua has no integers", function()
    for _, digits in ipairs({ "9007199254740993", "9223372036854775807" }) do
      play(200, result("[" .. digits .. "]"))
      local number = assert(client.profile.list())[1]
      assert.equal(least and "number" or "string", type(number))
      assert.equal(digits, tostring(number))
      client:close()
    end
  end)

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

-- What is sent for a value, or why nothing is.
local deep = {}
for _ = 1, 126 do -- its own level, 126 around it, and the body
  deep = { deep }
end

local sent = {
  { "a NUL in a string", "a\0b", '"a\\u0000b"' },
  { "2^53", 2 ^ 53, "9007199254740992" },
  { "2^63", 2 ^ 63, "9.223372036854776e18" },
  { "-0", -0.0, "0" },
  { "a tenth", 0.1, "0.1" },
  { "127 levels in a body", deep, ("["):rep(126) .. "{}" .. ("]"):rep(126) },
  { "an infinite number", 1e308 * 10, nil, "NaN and infinity are not JSON" },
  { "what is not a number", 0 / 0, nil, "NaN and infinity are not JSON" },
  { "a string that is not UTF-8", "\255", nil, "a string that is not UTF-8" },
  { "a surrogate in UTF-8", "\237\160\128", nil, "a string that is not UTF-8" },
  { "a NUL in a key", { ["a\0b"] = 1 }, nil, "a key with a NUL byte" },
  { "128 levels in a body", { deep }, nil, "nested deeper than 128 levels" },
}
if largest then
  table.insert(sent, { "2^53+1", 9007199254740993, "9007199254740993" })
  table.insert(sent, { "2^63-1", largest, "9223372036854775807" })
end

describe("a body with", function()
  local server, client

  server = faults.server(setup, teardown)

  before_each(function()
    server:play("serve()")
    client = server:client()
  end)

  after_each(function()
    client:close()
  end)

  local function send(value)
    local result_of_it, message, err =
      client:request({ method = "PUT", path = { "x" }, body = { value = value } })
    return result_of_it, message, err
  end

  for _, row in ipairs(sent) do
    local what, value, text, why = row[1], row[2], row[3], row[4]
    it(what .. (text and " is sent" or " is not sent"), function()
      local _, message, err = send(value)
      local bytes = table.concat((server:journal()[1] or { requests = {} }).requests)
      if text then
        assert.equal('{"value":' .. text .. "}", bytes:match("\r\n\r\n(.*)$"))
      else
        assert.equal("", bytes)
        assert.equal("invalid", err.kind)
        assert.is_truthy(message:find(why, 1, true), message)
      end
    end)
  end

  it("a million elements is sent", function()
    local list = {}
    for i = 1, 1000000 do
      list[i] = 1
    end
    send(list)
    local body = server:journal()[1].requests[1]:match("\r\n\r\n(.*)$")
    assert.equal(#'{"value":[]}' + 2 * 1000000 - 1, #body)
  end)
end)
