-- SPDX-License-Identifier: MIT
-- Lua values and JSON: encode, decode, and the same rules in calls.

local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local number_type = math.type -- luacheck: ignore

describe("tagoio.encode", function()
  local texts = {
    { {}, "{}" },
    { tagoio.array(), "[]" },
    { { 1, 2, 3 }, "[1,2,3]" },
    { { b = 1, a = { c = tagoio.null } }, '{"a":{"c":null},"b":1}' },
    { { 1.0, -2.0, 0.5, 0.1, 1e300, 2 ^ 53 }, "[1,-2,0.5,0.1,1e300,9007199254740992]" },
    { "a\0\"\\\n\195\188", '"a\\u0000\\"\\\\\\n\195\188"' },
    { true, "true" },
    { false, "false" },
    { tagoio.null, "null" },
    { setmetatable({}, { __jsontype = "array" }), "[]" },
    { setmetatable({}, { __jsontype = "object" }), "{}" },
  }
  for _, row in ipairs(texts) do
    it("writes " .. row[2], function()
      assert.equal(row[2], tagoio.encode(row[1]))
    end)
  end

  it("indents", function()
    assert.equal('{\n  "a": [\n    1\n  ]\n}', tagoio.encode({ a = { 1 } }, { indent = 2 }))
  end)

  it("understands the markers of cjson and dkjson", function()
    local dkjson = require("dkjson")
    assert.equal("null", tagoio.encode(require("cjson").null))
    assert.equal("[]", tagoio.encode((dkjson.decode("[]"))))
    assert.equal("{}", tagoio.encode((dkjson.decode("{}"))))
  end)

  it("understands a marker that a client was given", function()
    local mine = {}
    emulator.client({ array_mt = mine }):close()
    assert.equal("[]", tagoio.encode(setmetatable({}, mine)))
  end)

  local neither = "a table with indices and other keys is neither array nor object"
  local refused = {
    { "indices and a name", { 1, x = 2 }, neither },
    { "indices and a fraction", { 1, [1.5] = 2 }, neither },
    { "indices and one that is too large", { 1, [2 ^ 31] = 2 }, neither },
    { "indices and 0", { 1, [0] = 2 }, neither },
    { "a name, marked as an array", setmetatable({ x = 1 }, tagoio.array_mt), neither },
    { "indices, marked as an object", setmetatable({ 1 }, { __jsontype = "object" }), neither },
    { "a fraction", { [1.5] = 1 }, "a key that is not a string" },
    { "a hole", { 1, [3] = 2 }, "an array with holes (use tagoio.null)" },
  }
  for _, row in ipairs(refused) do
    it("refuses a table with " .. row[1], function()
      assert.equal("encode: value: " .. row[3], (select(2, tagoio.encode(row[2]))))
    end)
  end

  -- Only from 5.2 on can a spec have a light userdata of its own.
  if debug.upvalueid then -- luacheck: ignore
    local first, second = {}, {}
    local function upvalues()
      return first, second
    end
    local foreign = debug.upvalueid(upvalues, 1) -- luacheck: ignore
    local marker = debug.upvalueid(upvalues, 2) -- luacheck: ignore

    it("refuses a light userdata that is not null and not a marker", function()
      local text, message, err = tagoio.encode({ a = foreign })
      assert.is_nil(text)
      assert.equal("encode: value.a: userdata cannot be encoded", message)
      assert.equal("invalid", err.kind)
    end)

    it("writes an empty array for a marker beside other arrays, which stay as they are", function()
      local others = package.loaded.cjson
      package.loaded.cjson = { empty_array = marker }
      local text = tagoio.encode({ marker, { 1, 2 }, tagoio.array(), { marker } })
      package.loaded.cjson = others
      assert.equal("[[],[1,2],[],[[]]]", text)
      local many = {}
      for i = 1, 10000 do
        many[i] = marker
      end
      assert.equal(#"[]," * 10000 + 1, #assert(tagoio.encode(many)))
      assert.is_nil((tagoio.encode(foreign)))
    end)
  end

  it("says what has no JSON form", function()
    local text, message, err = tagoio.encode({ a = { 1, print } })
    assert.is_nil(text)
    assert.equal("encode: value.a[2]: function cannot be encoded", message)
    assert.equal("invalid", err.kind)
  end)

  it("raises on bad arguments", function()
    assert.has_error(function() local _ = tagoio.encode(nil) end)
    assert.has_error(function() local _ = tagoio.encode(1, 2) end)
    assert.has_error(function() local _ = tagoio.encode(1, { indent = 32 }) end)
    assert.has_error(function() local _ = tagoio.encode(1, { pretty = true }) end)
    assert.has_error(function() local _ = tagoio.array("x") end)
  end)
end)

describe("tagoio.decode", function()
  it("leaves null members out, and keeps null elements", function()
    local value = tagoio.decode('{"a":null,"b":[null,1]}')
    assert.is_nil(value.a)
    assert.equal(tagoio.null, value.b[1])
    assert.equal(tagoio.null, tagoio.decode('{"a":null}', { keep_null = true }).a)
    assert.equal(tagoio.null, tagoio.decode("null"))
    assert.is_false(tagoio.decode("false"))
  end)

  it("marks arrays, so that they stay arrays", function()
    local value = tagoio.decode('{"a":[]}')
    assert.equal(tagoio.array_mt, getmetatable(value.a))
    assert.equal('{"a":[]}', tagoio.encode(value))
    local mine = {}
    assert.equal(mine, getmetatable(tagoio.decode("[]", { array_mt = mine })))
  end)

  it("keeps every digit of a whole number", function()
    assert.equal("9007199254740993", tostring(tagoio.decode("9007199254740993")))
    assert.equal("9223372036854775807", tostring(tagoio.decode("9223372036854775807")))
    assert.equal(9007199254740992, tagoio.decode("9007199254740992"))
    if number_type then
      assert.equal("integer", number_type(tagoio.decode("1")))
      assert.equal("float", number_type(tagoio.decode("1.0")))
    end
  end)

  it("does not overflow at the largest whole number where Lua has no integers", function()
    for _, digits in ipairs({ "9223372036854775807", "-9223372036854775807" }) do
      assert.equal(digits, tostring(tagoio.decode(digits)))
    end
    assert.equal(-2 ^ 63, tonumber(tagoio.decode("-9223372036854775808")))
    assert.equal(9223372036854774784, tagoio.decode("9223372036854774784")) -- the largest double
  end)

  it("round-trips every number", function()
    local numbers = { 0.1, 1 / 3, 1e-300, 123456.789, 2 ^ 53 + 2, 5e-324, 1.7976931348623157e308 }
    for _, number in ipairs(numbers) do
      assert.equal(number, tagoio.decode(tagoio.encode({ number }))[1])
    end
  end)

  it("says what is no JSON", function()
    local deep = ("["):rep(129) .. ("]"):rep(129)
    for _, text in ipairs({ "", "{", "[1,]", "nul", '{"a":1} x', '"\255"', deep }) do
      local value, message, err = tagoio.decode(text)
      assert.is_nil(value)
      assert.matches("^decode: ", message)
      assert.equal("invalid", err.kind)
    end
    assert.has_error(function() local _ = tagoio.decode(nil) end)
    assert.has_error(function() local _ = tagoio.decode("1", { keepnull = true }) end)
  end)
end)

describe("results", function()
  local client

  before_each(function()
    emulator.reset()
    client = emulator.client()
  end)

  local function answer(result)
    emulator.answer("/profile", 200, '{"status":true,"result":' .. result .. "}")
  end

  it("leave null members out, unless keep_null is set", function()
    answer('[{"logo_url":null,"name":""}]')
    assert.same({ { name = "" } }, assert(client.profile.list()))
    answer('[{"logo_url":null}]')
    local keeping = client:with({ keep_null = true })
    assert.equal(tagoio.null, assert(keeping.profile.list())[1].logo_url)
    answer('[{"logo_url":null}]')
    assert.equal(tagoio.null, assert(keeping:with({}).profile.list())[1].logo_url)
    answer('[{"logo_url":null}]')
    assert.same({ {} }, assert(keeping:with({ keep_null = false }).profile.list()))
  end)

  it("that are empty are still arrays", function()
    answer("[]")
    assert.equal("[]", tagoio.encode(assert(client.profile.list())))
    local mine = {}
    answer("[]")
    assert.equal(mine, getmetatable(assert(client:with({ array_mt = mine }).profile.list())))
  end)

  it("keep fields that nobody documented", function()
    answer('[{"brand_new":{"deep":[1.5]}}]')
    assert.equal(1.5, assert(client.profile.list())[1].brand_new.deep[1])
  end)
end)
