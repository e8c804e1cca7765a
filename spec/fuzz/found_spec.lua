-- SPDX-License-Identifier: MIT
-- What the Lua fuzzer found, each as the bug that it was; over real sockets.

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local id = emulator.profile

-- What is wrong with one answer of the server, for auditLogEvents and for lists in pages.
local function answer(result, times)
  emulator.inject({ json = { status = true, result = result }, times = times })
end

local function raised(fn, ...)
  local ok, problem = pcall(fn, ...)
  assert.is_false(ok)
  return problem
end

-- What code prints in a program of its own, which is ended after some seconds.
local function run(code)
  local variables = { EMULATOR_HTTP = emulator.http, EMULATOR_TOKEN = emulator.token }
  local before = 'local emulator, tagoio = require("spec.support.emulator"), require("tagoio")\n'
  return (process.run("timeout 20 " .. process.lua_command(before .. code, variables)))
end

-- A table whose members are others when they are read again.
local function changing(first, second)
  local reads = 0
  return setmetatable({}, {
    __pairs = function()
      reads = reads + 1
      return next, reads == 1 and first or second, nil
    end,
  })
end

describe("the fuzzer found that", function()
  local client, profile

  before_each(function()
    emulator.reset()
    client = emulator.client({ keep_null = true, attempts = 1 })
    profile = client.profile
  end)

  after_each(function()
    client:close()
  end)

  for _, text in ipairs({ "error", "function() return {} end" }) do
    it("an error object without a text (" .. text .. ") was raised out of on_attempt", function()
      local output = run(([[
        local client = emulator.client({ on_attempt = function()
          error(setmetatable({}, { __tostring = %s }))
        end })
        print(#assert(client.profile.list()))]]):format(text))
      assert.equal("tagoio: on_attempt: a table without a text\n3\n", output)
    end)
  end

  it("options that change when they are read again were used unchecked", function()
    if _VERSION == "Lua 5.1" then
      return -- it has no __pairs, as a rule
    end
    local options = emulator.options({ timeout = 20 })
    local new = tagoio.new(changing(options, { token = 1, timeout = 0 / 0 }))
    assert.equal(3, #assert(new.profile.list()))
    new:close()
    local text = tagoio.encode({ 1 }, changing({ indent = 0 }, { indent = {} }))
    assert.equal("[1]", text)
  end)

  it("a region that is another when it is read again was used unchecked", function()
    local reads = 0
    local region = setmetatable({}, {
      __index = function(_, key)
        reads = reads + (key == "api" and 1 or 0)
        return key == "api" and (reads == 1 and emulator.http or {}) or nil
      end,
    })
    local new = assert(tagoio.new({ token = emulator.token, region = region }))
    assert.equal(3, #assert(new.profile.list()))
    new:close()
  end)

  it("a response without events raised where keep_null is on", function()
    answer({ status = "Complete", events = dkjson.null, statistics = dkjson.null })
    assert.equal(0, #assert(profile.auditLogEvents(id)))
  end)

  for name, result in pairs({
    ["events that are a number"] = { status = "Complete", events = 7 },
    ["a query without its id"] = { status = "Running" },
  }) do
    it("a server's " .. name .. " raised in auditLogEvents", function()
      answer(result)
      local events, message, err = profile.auditLogEvents(id)
      assert.is_nil(events)
      assert.equal("protocol", err.kind)
      assert.equal(message, err.message)
    end)
  end

  it("statistics that are a number raised in auditLogEvents", function()
    answer({ status = "Complete", events = { { message = "m" } }, statistics = 7 })
    assert.equal(1, #assert(profile.auditLogEvents(id)))
  end)

  it("a null in a page raised in tokenListAll", function()
    answer({ dkjson.null, { token = "t", name = "n" } })
    answer({})
    local rows = assert(profile.tokenListAll(id, { fields = { "name" } }))
    assert.same({ tagoio.null, { name = "n" } }, { rows[1], rows[2] })
  end)

  it("an array_mt that hides itself made tokenListAll raise in our files", function()
    local message = raised(client.with, client, { array_mt = { __metatable = false } })
    assert.matches("array_mt must be a metatable without __metatable", message)
  end)

  it("an iterator that two coroutines share ended early without a word", function()
    local each = profile.tokenListEach(id)
    local results, failed = tagoio.map({ 1, 2 }, function()
      local ok, row = pcall(each)
      return ok and row or nil, tostring(row)
    end)
    if _VERSION == "Lua 5.1" and not package.loaded.jit then
      return -- a call within pcall blocks there: they do not overlap
    end
    assert.is_table(results[1])
    assert.matches("profile.tokenListEach: another coroutine waits", failed[2].message)
    assert.is_table(each())
  end)

  it("tagoio.array raised in our file for a table that protects its metatable", function()
    assert.matches("found_spec.lua:%d+: tagoio.array: list must be", raised(function()
      return (tagoio.array(client))
    end))
  end)

  it("a module called cjson that returns nothing made every call raise", function()
    local before = package.loaded.cjson
    package.loaded.cjson = true
    local ok, rows = pcall(profile.list)
    package.loaded.cjson = before
    assert.is_true(ok)
    assert.equal(3, #rows)
  end)

  it("a body's metatable ran, and raised, after a write had failed", function()
    local body = setmetatable({ name = "" }, { __index = error, __pairs = error })
    local made, _, err = profile.tokenCreate(id, body)
    assert.is_nil(made)
    assert.equal("api", err.kind)
  end)

  it("a yield in a map of the main program left the other calls on their way", function()
    emulator.inject({ hold = true, times = 0 })
    local output = run([[
      local client = emulator.client()
      local ok, message = pcall(tagoio.map, { 1, 2 }, function(item)
        if item == 1 then
          return client.profile.list()
        end
        coroutine.yield("x")
      end)
      print(ok, tagoio.encode(message:match("[^\n]*")), client:step(0))]])
    local message = "attempt to yield from outside a coroutine (in item 2 of tagoio.map)"
    assert.equal(("false\t%q\t0\n"):format(message), output)
  end)

  it("a map over two clients, one of them with a function that waits, did not end", function()
    local output = run([[
      local first, second = emulator.client(), emulator.client()
      local waiting = first:with({ wait = function(client) client:step(0.1) end })
      local rows = tagoio.map({ second, second, waiting }, function(client)
        return (client.profile.list())
      end)
      print(#rows[1], #rows[2], #rows[3])]])
    assert.equal("3\t3\t3\n", output)
  end)

  it("a map did not end when its function yielded a table that equals all others", function()
    local output = run([[
      local equal = setmetatable({}, { __eq = function() return true end })
      local routine = coroutine.wrap(function()
        return tagoio.map({ 1 }, function() return coroutine.yield(equal) end)[1]
      end)
      print(rawequal(routine(), equal), routine("back"))]])
    assert.equal("true\tback\n", output)
  end)

  it("a finalizer that closed the client while a call began, or with, crashed", function()
    local output = run([[
      local base = assert(tagoio.new({ token = "t", region = "us-e1", transport = function()
        return 200, nil, '{"status":true,"result":"x"}'
      end }))
      for name, value in pairs({ pause = 1, stepmul = 1000 }) do -- 5.5 has them as "param"
        local _ = pcall(collectgarbage, "set" .. name, value)
          or collectgarbage("param", name, value)
      end
      for _ = 1, 1500 do
        local client = base:with({})
        local function close() client:close() end
        if newproxy then
          getmetatable(newproxy(true)).__gc = close
        else
          setmetatable({}, { __gc = close })
        end
        local ok, problem, message = pcall(function()
          client:with({ timeout = 5 })
          return client.profile.edit("x", { name = "y" })
        end)
        local closed = tostring(ok and message or problem):find("the client is closed")
        assert(problem == "x" or closed or tostring(message):find("canceled"), message or problem)
      end
      print("done")]])
    assert.equal("done\n", output)
  end)

  it("a transport's header with a length of its own raised in our file", function()
    local values = setmetatable({ "a" }, { __len = function() return {} end })
    local new = tagoio.new({ token = "t", region = "us-e1", transport = function()
      return 200, { ["X-A"] = values }, '{"status":true,"result":"x"}'
    end })
    assert.equal("x", assert(new.profile.edit(id, {})))
    new:close()
  end)

  it("the text of a header's name that is a table was asked for, and raised in our file", function()
    local name = setmetatable({}, { __tostring = function() return {} end })
    assert.matches("found_spec.lua:%d+: client:with: headers", raised(function()
      client:with({ headers = { [name] = "x" } })
    end))
  end)

  it("a map that raised within another was kept as long as that one ran", function()
    local kept = setmetatable({}, { __mode = "k" })
    tagoio.map({ 1 }, function()
      local items = { 1 }
      kept[items] = true
      pcall(tagoio.map, items, error)
      items = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end)
    assert.is_nil(next(kept))
  end)
end)
