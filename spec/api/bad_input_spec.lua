-- SPDX-License-Identifier: MIT
-- A bug in the caller raises, at the caller's line, and nothing is sent.

local emulator = require("spec.support.emulator")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local unpack = table.unpack or unpack -- luacheck: ignore

local id = emulator.profile

-- A call of each operation that would be right.
local right = {
  info = { id },
  list = {},
  summary = { id, { onlyAmount = true } },
  tokenList = { id, { page = 1 } },
  create = { { name = "x" }, { allocate_free_resources = true } },
  edit = { id, { name = "x" } },
  delete = { id, { password = "x" } },
  usageStatisticList = { id, { date = 0 } },
  auditLog = { id, { find = "*" } },
  auditLogQuery = { id, "q" },
  serviceEdit = { id, { input = 1 } },
  transferTokenToAnotherProfile = { id },
  tokenCreate = { id, { name = "x" } },
  tokenDelete = { id, "t" },
  addTeamMember = { id, "a@example.com" },
  teamList = { id },
  deleteTeamMember = { id, "m" },
}

local optional = { summary = 2, tokenList = 2, create = 2, usageStatisticList = 2, auditLog = 2 }

local function copy(list)
  local new = {}
  for i = 1, #list do
    new[i] = list[i]
  end
  return new
end

describe("bad input", function()
  local client

  before_each(function()
    emulator.reset()
    client = emulator.client()
  end)

  after_each(function()
    client:close()
    assert.same({}, emulator.journal())
  end)

  -- Calls it, and expects it to raise a message with all of these texts at this file's line.
  local function raises(call, ...)
    local ok, message = pcall(function()
      local _ = call()
    end)
    assert.is_false(ok, "it did not raise")
    assert.matches("bad_input_spec.lua:%d+: ", message)
    for _, text in ipairs({ ... }) do
      assert.is_truthy(message:find(text, 1, true), ("%q is not in %q"):format(text, message))
    end
  end

  -- Calls it, and expects nil, a message and an err of this kind.
  local function refuses(kind, message, result, text, err)
    assert.is_nil(result)
    assert.equal(message, text)
    assert.equal(kind, err.kind)
    assert.equal(message, tostring(err))
    assert.same({ 0, 0, 0 }, { err.attempts, err.elapsed, err.queued })
    assert.is_false(err.maybe_applied)
  end

  for name, arguments in pairs(right) do
    local function call_with(changed, count)
      return function()
        local result = client.profile[name](unpack(changed, 1, count))
        return result
      end
    end

    describe("of profile." .. name, function()
      it("raises when it is called with a colon", function()
        raises(function()
          local result = client.profile[name](client.profile, id)
          return result
        end, ("profile.%s: "):format(name), ("profile.%s("):format(name), "not with a colon")
      end)

      it("raises on an extra argument", function()
        local more = copy(arguments)
        more[#more + 1] = "extra"
        local message = ("profile.%s: argument %d is one too many"):format(name, #more)
        raises(call_with(more, #more), message)
      end)

      for i = 1, #arguments do
        it("raises when argument " .. i .. " has the wrong type or is missing", function()
          for _, wrong in ipairs({ 1, true, print }) do
            local changed = copy(arguments)
            changed[i] = wrong
            raises(call_with(changed, #arguments), ("profile.%s: "):format(name))
          end
          local changed = copy(arguments)
          changed[i] = nil
          if optional[name] ~= i then
            raises(call_with(changed, #arguments), ("profile.%s: "):format(name), "must be")
          end
        end)

        local in_path = name ~= "addTeamMember" or i == 1
        if type(arguments[i]) == "string" and in_path then
          it("refuses argument " .. i .. " when it cannot be part of a path", function()
            for _, bad in ipairs({ "", ".", "..", "a\0b", "a\nb", "\127" }) do
              local changed = copy(arguments)
              changed[i] = bad
              local result, message, err = client.profile[name](unpack(changed))
              assert.is_nil(result)
              assert.equal("invalid", err.kind)
              assert.is_truthy(message:find("profile." .. name, 1, true))
            end
          end)
        end
      end
    end)
  end

  it("raises on an unknown key of a query and lists those there are", function()
    raises(function()
      local result = client.profile.tokenList(id, { token = "x" })
      return result
    end, "profile.tokenList: query.token: unknown key", "page, amount, fields, filter, orderBy")
  end)

  it("raises on a parameter of the wrong type", function()
    local wrong = {
      { "tokenList", { fields = "name" }, "tokenList: query.fields must be a list of strings" },
      { "tokenList", { page = 1.5 }, "profile.tokenList: query.page must be " },
      { "tokenList", { page = "1" }, "profile.tokenList: query.page must be " },
      { "tokenList", { orderBy = 1 }, "profile.tokenList: query.orderBy must be " },
      { "tokenList", { filter = { f = print } }, "profile.tokenList: query.filter.f: function" },
      { "summary", { onlyAmount = "yes" }, "profile.summary: query.onlyAmount must be " },
      { "auditLog", { start_date = true }, "profile.auditLog: query.start_date must be " },
    }
    for _, row in ipairs(wrong) do
      raises(function()
        local result = client.profile[row[1]](id, row[2])
        return result
      end, row[3])
    end
  end)

  it("refuses dates that are milliseconds, or before the year 0 or after 9999", function()
    for _, seconds in ipairs({ 1725148800000, 1e11 + 1, -62167219201 }) do
      local result, message, err = client.profile.usageStatisticList(id, { date = seconds })
      assert.is_nil(result)
      assert.equal("invalid", err.kind)
      assert.matches("^profile.usageStatisticList: query.date: ", message)
    end
  end)

  it("refuses what has no JSON form, with the path to it", function()
    local cycle = {}
    cycle.self = cycle
    local deep = {}
    local at = deep
    for _ = 1, 10000 do
      at.x = {}
      at = at.x
    end
    local bad = {
      { { tags = { {}, { value = print } } }, "body.tags[2].value: function cannot be sent" },
      { { x = 0 / 0 }, "body.x: NaN and infinity are not JSON" },
      { { x = 1 / 0 }, "body.x: NaN and infinity are not JSON" },
      { { x = "\255" }, "body.x: a string that is not UTF-8" },
      { { ["\255"] = 1 }, "body.?: a string that is not UTF-8" },
      { { ["a\r\n\27[1m"] = print }, "body.a   [1m: function cannot be sent" },
      { { [("k"):rep(200)] = print }, "body." .. ("k"):rep(63) .. ": function cannot be sent" },
      { { ["a\0b"] = 1 }, "body.a: a key with a NUL byte" },
      { { x = { 1, nil, 3 } }, "body.x: an array with holes (use tagoio.null)" },
      {
        { x = { 1, a = 2 } },
        "body.x: a table with indices and other keys is neither array nor object",
      },
      { cycle, "body.self: a table inside itself" },
      { { x = coroutine.create(function() end) }, "body.x: thread cannot be sent" },
      { { x = io.stdout }, "body.x: userdata cannot be sent" },
      { { [true] = 1 }, "body: a key that is not a string" },
    }
    for _, row in ipairs(bad) do
      refuses("invalid", "profile.edit: " .. row[2], client.profile.edit(id, row[1]))
    end
    local _, message, err = client.profile.edit(id, deep)
    assert.equal("invalid", err.kind)
    assert.matches("nested deeper than 128 levels$", message)
  end)

  it("does not run metamethods of what is sent", function()
    local ran = false
    local function run()
      ran = true
    end
    local trap = setmetatable({}, { __index = run, __len = run, __pairs = run, __tojson = run })
    assert.equal("{}", tagoio.encode(trap))
    assert.is_false(ran)
  end)

  it("shows keys and values of the caller's as one printable line that is not long", function()
    local bad = "a\nb\27[1m\255" .. ("x"):rep(300)
    local function shown(call)
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.is_nil(message:find("[%z\1-\31\127-\255]"), message)
      assert.matches('"a b %[1m%?x+"', message)
      assert.is_true(#message < 500)
    end
    local calls = {
      function() return (tagoio.new({ [bad] = 1 })) end,
      function() return (tagoio.new({ region = bad })) end,
      function() return (tagoio.new({ region = { [bad] = 1 } })) end,
      function() return (tagoio.encode(1, { [bad] = 1 })) end,
      function() return (client:with({ [bad] = 1 })) end,
      function() return (client:request({ [bad] = 1 })) end,
      function() return (client:request({ method = bad, path = { "x" } })) end,
      function() return (client.profile.tokenListAll(id, nil, { [bad] = 1 })) end,
      function() return (client.profile.auditLogEvents(id, nil, { [bad] = 1 })) end,
      function() return (tagoio.map({}, print, { [bad] = 1 })) end,
    }
    for _, call in ipairs(calls) do
      shown(call)
    end
    local _, message = tagoio.date.parse(bad)
    assert.matches('text must be a date .*"a b %[1m%?x+"', message)
  end)

  it("raises at the nearest line with the function's name where a tail call has none", function()
    local calls = {
      ["profile.summary: "] = function() return client.profile.summary(nil) end,
      ["tagoio.new: "] = function() return tagoio.new(5) end,
      ["tagoio.map: "] = function() return tagoio.map(nil) end,
      ["tagoio.gather: "] = function() return tagoio.gather(1) end,
      ["tagoio.encode: "] = function() return tagoio.encode(nil) end,
      ["tagoio.decode: "] = function() return tagoio.decode(nil) end,
      ["tagoio.date.parse: "] = function() return tagoio.date.parse(nil) end,
      ["client:with: "] = function() return client:with(5) end,
      ["client:request: "] = function() return client:request(5) end,
      ["client:step: "] = function() return client:step("x") end,
      ["client:close"] = function() return client.close() end,
    }
    for name, call in pairs(calls) do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.matches("^spec/api/bad_input_spec.lua:%d+: ", message)
      assert.is_truthy(message:find(name, 1, true), message)
    end
  end)

  it("raises at the caller's line from within coroutines, wrappers and functions in C", function()
    local function wrapped(...)
      return client.profile.info(...)
    end
    local gsub = string.gsub
    local calls = {
      coroutine.wrap(function() return (wrapped()) end),
      function() return (gsub("a", "a", function() return (wrapped()) end)) end,
      function() return (gsub("2", ".", tagoio.new)) end,
      function() return (tagoio.map({ 1 }, function() return (wrapped()) end)) end,
      function()
        local each = client.profile.tokenListEach(5)
        return (each())
      end,
    }
    for _, call in ipairs(calls) do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.matches("^spec/api/bad_input_spec.lua:%d+: [%w.]+: ", message)
    end
  end)

  it("raises without a line where there is none, or no debug library", function()
    local ok, message = pcall(coroutine.wrap(tagoio.date.parse))
    assert.is_false(ok)
    assert.matches("^[^:]*tagoio.date.parse: ", message)
    local output = process.run_lua([[
      debug = nil
      print(pcall(function() require("tagoio").date.parse(5) end))]])
    assert.matches("tagoio.date.parse: ", output)
  end)

  it("raises what an item of a map raised where there is no debug library", function()
    local output = process.run_lua([[
      debug = nil
      local tagoio = require("tagoio")
      print(pcall(tagoio.map, { 1 }, function() tagoio.sleep(0.001) error("oops", 0) end))]])
    assert.equal("false\toops (in item 1 of tagoio.map)\n", output)
  end)

  it("raises when tagoio.new is called with a colon", function()
    raises(function()
      local made = tagoio:new({ token = "x" })
      return made
    end, "tagoio.new: call it with a dot, tagoio.new { ... }, not with a colon")
  end)

  it("raises in a call on a closed client", function()
    client:close()
    raises(function()
      local result = client.profile.list()
      return result
    end, "profile.list: the client is closed")
    raises(function()
      local result = client:with({})
      return result
    end, "client:with: the client is closed")
    raises(function()
      local held = client:step(0)
      return held
    end, "client:step: the client is closed")
  end)

  it("raises when a method is called without its client", function()
    for _, method in ipairs({ "with", "close", "step" }) do
      raises(function()
        local result = client[method]()
        return result
      end, method .. ": call it with a colon: client:" .. method)
    end
  end)
end)
