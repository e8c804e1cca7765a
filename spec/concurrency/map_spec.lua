-- SPDX-License-Identifier: MIT
-- tagoio.map and tagoio.gather: how much overlaps, in which order results come, how errors end it.
-- The emulator holds answers until enough requests are there, and counts; nothing depends on time.

local core = require("tagoio.core")
local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local id = emulator.profile
local unpack = table.unpack or unpack -- luacheck: ignore

local function numbers(count)
  local list = {}
  for i = 1, count do
    list[i] = i
  end
  return list
end

-- Raises at this file's line, with this text.
local function raises(name, text, ...)
  local arguments = { n = select("#", ...), ... }
  local ok, message = pcall(function()
    local results = tagoio[name](unpack(arguments, 1, arguments.n))
    return results
  end)
  assert.is_false(ok)
  assert.matches("map_spec.lua:%d+: tagoio." .. name .. ": ", message)
  assert.is_truthy(message:find(text, 1, true), message)
end

describe("tagoio.map", function()
  local client

  before_each(function()
    emulator.reset()
    client = emulator.client({ timeout = 20 })
  end)

  after_each(function()
    client:close()
  end)

  local function list()
    return client.profile.list()
  end

  -- Answers come only when that many requests wait for them.
  local function hold_until(count, times)
    emulator.inject({ hold_until = count, times = times or 0 })
  end

  it("gives results in the order of the items", function()
    local results, failed = tagoio.map(numbers(50), function(i, index)
      assert.equal(i, index)
      return assert(client.profile.info(id)).info.name .. i
    end)
    assert.is_nil(failed)
    assert.equal(50, #results)
    for i, result in ipairs(results) do
      assert.equal("Factory" .. i, result)
    end
  end)

  it("reaches its concurrency, and never more", function()
    hold_until(50)
    local results = tagoio.map(numbers(200), list, { concurrency = 50 })
    assert.equal(200, #results)
    local counts = emulator.counts()
    assert.equal(50, counts.most_at_once)
    assert.equal(50, counts.connections)
    assert.equal(200, counts.requests)
  end)

  it("has 16 at once when nothing else is said", function()
    hold_until(16)
    tagoio.map(numbers(32), list)
    assert.equal(16, emulator.counts().most_at_once)
  end)

  it("never has more than max_connections", function()
    client = emulator.client({ max_connections = 4 })
    hold_until(4)
    local results = tagoio.map(numbers(20), list)
    assert.equal("table", type(results[20]))
    local counts = emulator.counts()
    assert.equal(4, counts.most_at_once)
    assert.equal(4, counts.connections)
  end)

  it("overlaps the calls of every client, and several calls in one function", function()
    local other = emulator.secure_client()
    hold_until(10)
    local results = tagoio.map(numbers(10), function(i)
      local first, second = client, other
      if i % 2 == 0 then
        first, second = other, client
      end
      return #assert(first.profile.list()) + #assert(second.profile.list())
    end)
    assert.same({ 6, 6, 6, 6, 6, 6, 6, 6, 6, 6 }, results)
    assert.equal(10, emulator.counts().most_at_once)
    other:close()
  end)

  it("goes out again on the connections that it had, as many as they were", function()
    for _ = 1, 2 do
      hold_until(12, 12)
      tagoio.map(numbers(12), function()
        return client.profile.list()
      end, { concurrency = 12 })
    end
    assert.equal(12, emulator.counts().connections)
  end)

  it("shares connections over TLS where the server speaks HTTP/2", function()
    local secure = emulator.secure_client()
    hold_until(20, 20)
    tagoio.map(numbers(20), function()
      return secure.profile.list()
    end, { concurrency = 20 })
    assert.equal(1, emulator.counts().connections)
    for _, request in ipairs(emulator.journal()) do
      assert.equal("HTTP/2.0", request.http_version)
    end
    assert(secure.profile.list()) -- alone: over the same connection
    assert.equal(1, emulator.counts().connections)
    emulator.reset()
    -- What must not be repeated does not share.
    tagoio.map(numbers(3), function(i)
      return secure.profile.addTeamMember(id, ("guest%d@example.com"):format(i))
    end)
    for _, request in ipairs(emulator.journal()) do
      assert.equal("HTTP/1.1", request.http_version)
    end
    secure:close()
  end)

  it("goes on over one client while a call over another is held", function()
    local other = emulator.client()
    emulator.inject({ match = { path = "/profile" }, hold_until = 2, times = 2 })
    local order = {}
    local results = tagoio.map({ client, other }, function(own, index)
      for _ = 2, index do -- the second one alone, until its last call lets the first one go
        assert(own.profile.info(id))
        order[#order + 1] = index
      end
      return #assert(own.profile.list())
    end)
    assert.same({ 3, 3 }, results)
    assert.same({ 2 }, order)
    other:close()
  end)

  it("gives false for what is empty, and err tables for what failed", function()
    local own = { kind = "mine" }
    local results, failed = tagoio.map({ "current", "0", "empty", "mine", "own" }, function(name)
      if name == "empty" then
        return nil
      elseif name == "mine" then
        return nil, "my own trouble"
      elseif name == "own" then
        return nil, own -- as pcall gives it of what raises a table
      end
      return client.profile.info(name)
    end)
    assert.equal(5, #results)
    assert.equal("Factory", results[1].info.name)
    assert.is_false(results[2])
    assert.is_false(results[3])
    assert.is_false(results[4])
    assert.equal(404, failed[2].status)
    assert.is_nil(failed[3])
    assert.equal("task", failed[4].kind)
    assert.equal("my own trouble", tostring(failed[4]))
    assert.equal(own, failed[5])
    assert.is_nil(failed[1])
  end)

  it("stops after the first error when it is told to, and cancels the rest", function()
    emulator.inject({ match = { path = "/profile/0" }, hold_until = 3, status = 404, body = "{}" })
    emulator.inject({ hold = true, times = 2 })
    local results, failed = tagoio.map({ "0", id, id, id, id }, function(name)
      return client.profile.info(name)
    end, { concurrency = 3, stop_on_error = true })
    assert.equal(5, #results)
    assert.equal(404, failed[1].status)
    for i = 2, 5 do
      assert.is_false(results[i])
      assert.equal("canceled", failed[i].kind)
    end
    assert.equal(3, emulator.counts().requests)
  end)

  it("tells of its progress", function()
    local seen = {}
    tagoio.map(numbers(5), list, {
      on_progress = function(done, total)
        seen[#seen + 1] = done .. "/" .. total
      end,
    })
    assert.same({ "1/5", "2/5", "3/5", "4/5", "5/5" }, seen)
  end)

  it("raises again what the function raises, with its traceback, and cancels the rest", function()
    emulator.inject({ hold = true, times = 3, match = { path = "/profile" } })
    local function work(i)
      if i == 4 then
        assert(client.profile.info(id))
        emulator.wait_for(3)
        error("broken in item " .. i)
      end
      return list()
    end
    local ok, message = pcall(tagoio.map, numbers(8), work, { concurrency = 4 })
    assert.is_false(ok)
    assert.matches("map_spec.lua:%d+: broken in item 4", message)
    assert.matches("stack traceback:", message)
    assert.matches("map_spec.lua:%d+: in ", message)
    assert.equal(0, client:step(0))
    assert.equal(0, emulator.wait_for_none().holding)
    local thrown = {}
    ok, message = pcall(tagoio.map, { 1 }, function()
      error(thrown)
    end)
    assert.is_false(ok)
    assert.equal(thrown, message)
  end)

  local load_text = loadstring or load -- luacheck: ignore
  local closing = load_text([[
    local close, wait = ...
    local variable <close> = setmetatable({}, { __close = close })
    return wait()]])
  if closing then -- Lua 5.4 and newer
    it("closes what an item has to close when another one raises", function()
      emulator.inject({ hold = true, times = 0, match = { path = "/profile" } })
      local closed = {}
      local ok, message = pcall(tagoio.map, numbers(3), function(i)
        if i == 3 then
          assert(client.profile.info(id))
          error("broken")
        end
        return closing(function()
          closed[#closed + 1] = i
        end, list)
      end)
      assert.is_false(ok)
      assert.matches("broken", message)
      table.sort(closed)
      assert.same({ 1, 2 }, closed)
    end)
  end

  it("names the item for which the function raised, and a gather its function", function()
    local ok, message = pcall(tagoio.map, { "a", "b" }, function(item)
      return item == "a" or error("broken")
    end)
    assert.is_false(ok)
    assert.matches("map_spec.lua:%d+: broken %(in item 2 of tagoio.map%)\nstack traceback", message)
    ok, message = pcall(tagoio.gather, function() end, function()
      error("bad", 0)
    end)
    assert.is_false(ok)
    assert.matches("^bad %(in function 2 of tagoio.gather%)\n", message)
  end)

  it("raises what on_progress raises", function()
    local ok, message = pcall(tagoio.map, numbers(3), list, {
      on_progress = function()
        error("no terminal")
      end,
    })
    assert.is_false(ok)
    assert.matches("no terminal", message)
  end)

  it("within a map overlaps, too", function()
    hold_until(12)
    local results = tagoio.map(numbers(3), function()
      local inner = tagoio.map(numbers(4), list)
      return #inner
    end)
    assert.same({ 4, 4, 4 }, results)
    assert.equal(12, emulator.counts().most_at_once)
  end)

  it("stops the maps within it when it stops", function()
    emulator.inject({ match = { path = "/profile/0" }, status = 404, body = "{}", hold_until = 3 })
    emulator.inject({ hold = true, times = 0 })
    local _, failed = tagoio.map({ 1, 2 }, function(i)
      if i == 1 then
        return client.profile.info("0")
      end
      local _, inner_failed = tagoio.map(numbers(9), list, { concurrency = 2 })
      for n = 1, 9 do
        assert.equal("canceled", inner_failed[n].kind)
      end
      return nil, "all canceled"
    end, { stop_on_error = true })
    assert.equal(404, failed[1].status)
    assert.equal("all canceled", failed[2].message)
    assert.equal(3, emulator.counts().requests)
  end)

  it("lets the yields of the function through to who called map", function()
    local routine = coroutine.create(function()
      return (tagoio.map({ 1, 2 }, function(i)
        local answer = coroutine.yield("asks " .. i)
        assert(list())
        return answer
      end))
    end)
    assert.same({ true, "asks 1" }, { coroutine.resume(routine) })
    assert.same({ true, "asks 2" }, { coroutine.resume(routine, "one") })
    assert.same({ true, { "one", "two" } }, { coroutine.resume(routine, "two") })
  end)

  it("raises where a callback resumes its function, after which it never returned", function()
    local inner
    local outer = coroutine.wrap(function()
      tagoio.map({ 1 }, function()
        inner = coroutine.running()
        return coroutine.yield()
      end)
    end)
    outer()
    local ok, problem = coroutine.resume(inner, "back")
    assert.is_false(ok)
    assert.equal(
      "item 1 of tagoio.map: its function yielded, and a callback resumed it; "
        .. "what must be resumed is the coroutine that called tagoio.map",
      problem
    )
  end)

  it("blocks in a coroutine of the function's own", function()
    local results = tagoio.map({ 1, 2 }, function()
      return coroutine.wrap(function()
        return #assert(list())
      end)()
    end)
    assert.same({ 3, 3 }, results)
  end)

  it("blocks where nothing can yield", function()
    local results = tagoio.map({ 1, 2 }, function()
      local items = { 2, 1 }
      table.sort(items, function(a, b)
        assert(list())
        return a < b
      end)
      local ok, rows = pcall(list)
      return ok and #rows + items[1]
    end)
    assert.same({ 4, 4 }, results)
  end)

  it("is moved by client:step without an argument, which does not wait", function()
    emulator.inject({ hold = true })
    local own = client:with({ timeout = 5 }) -- which steps that wait would exceed
    local routine = coroutine.create(function()
      tagoio.map({ 1, 2 }, function(i)
        return i == 2 and coroutine.yield() or own.profile.list()
      end)
    end)
    assert(coroutine.resume(routine))
    for _ = 1, 5 do
      assert.equal(1, client:step())
    end
    own:cancel()
    assert.equal(0, client:step())
  end)

  it("was moved by client:step(math.huge), which did not wait", function()
    emulator.inject({ delay_ms = 300 })
    local own = client:with({ wait = coroutine.yield })
    local steps = 0
    coroutine.wrap(function()
      assert(own.profile.list())
    end)()
    while own:step(math.huge) > 0 do
      steps = steps + 1
    end
    assert.is_true(steps < 50)
  end)

  -- While the first item waits the second one makes its call, from a place of the language's own.
  -- Where the Lua does not say that nothing can yield there, its own error comes out.
  local function call_from(place, is_known)
    if is_known then
      hold_until(2, 2)
    end
    local ok, results = pcall(tagoio.map, { 1, 2 }, function(i)
      return #assert(i == 1 and list() or place())
    end)
    if is_known then
      assert.same({ 3, 3 }, results)
    else
      assert.is_false(ok)
      assert.matches("attempt to yield across", results)
    end
    assert.equal(3, #assert(list()))
  end

  local isyieldable = coroutine.isyieldable -- luacheck: ignore

  it("goes on while a metamethod makes a call", function()
    call_from(function()
      return setmetatable({}, { __index = list }).rows
    end, isyieldable or _VERSION ~= "Lua 5.1")
  end)

  it("goes on while a hook of the debugger makes a call", function()
    call_from(function()
      local rows
      debug.sethook(function()
        debug.sethook()
        rows = assert(list())
      end, "", 1)
      local _ = {} -- here it runs
      return rows
    end, isyieldable)
  end)

  it("that is abandoned leaves nothing in flight", function()
    emulator.inject({ hold = true, times = 0 })
    local routine = coroutine.create(function()
      tagoio.map(numbers(3), function(i)
        if i == 3 then
          coroutine.yield()
        end
        return list()
      end)
    end)
    assert(coroutine.resume(routine))
    client:step(0)
    assert.is_true(client:step(0) > 0)
    routine = nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(routine)
    assert.equal(0, client:step(0))
  end)

  -- What a clock may say without being wrong on a busy machine: no request is early.
  it("spreads the starts of requests", function()
    local starts = {}
    local own = emulator.client({
      transport = function()
        starts[#starts + 1] = core.now()
        return 200, nil, '{"status":true,"result":[]}'
      end,
    })
    local before = core.now()
    local _, failed = tagoio.map(numbers(20), function()
      return own.profile.list()
    end, { per_minute = 6000, concurrency = 5 })
    assert.is_nil(failed)
    assert.equal(20, #starts)
    for i, start in ipairs(starts) do
      assert.is_true(start >= before + (i - 1) * 0.01 - 0.0001)
    end
  end)

  it("lets nobody wait for the rest before a repetition", function()
    emulator.inject({
      match = { path = "/profile/" .. id },
      status = 500,
      headers = { ["Retry-After"] = "15" },
      body = '{"status":false,"message":"busy"}',
    })
    local order = {}
    local _, failed = tagoio.map(numbers(6), function(i)
      local result, message, err
      if i == 1 then
        result, message, err = client.profile.info(id)
      else
        result, message, err = list()
      end
      order[#order + 1] = i
      if #order == 5 then -- all but the one that waits
        client:cancel()
      end
      return result, message, err
    end, { concurrency = 2 })
    assert.equal(1, order[6])
    assert.equal("canceled", failed[1].kind)
    assert.is_nil(next(failed, 1))
  end)

  it("of no items is an empty result", function()
    assert.same({}, (tagoio.map({}, list)))
  end)

  it("goes on with the others while one sleeps", function()
    local goes_on = false
    tagoio.map({ "sleeps", "calls" }, function(item)
      if item == "calls" then
        goes_on = assert(list())
      end
      for _ = 1, goes_on and 0 or 1000 do
        assert.is_true(tagoio.sleep(0.01))
        if goes_on then
          return true
        end
      end
      return assert(goes_on)
    end)
    raises("sleep", "seconds must be a number (got nil)", nil)
    for _, bad in ipairs({ -1, 3601, 0 / 0 }) do
      raises("sleep", "seconds must be a number from 0 to 3600 (got ", bad)
    end
    raises("sleep", "(got NaN)", 0 / 0)
  end)

  it("waits in the event loop of its calls while an item sleeps", function()
    for first = 1, 2 do -- whichever of them is found first
      local waits = 0
      local own = client:with({
        wait = function(_, seconds)
          waits = waits + 1
          client:step(seconds)
        end,
      })
      local function sleep()
        return tagoio.sleep(3600)
      end
      local function call()
        assert(own:with({ timeout = 5 }).profile.list())
        return nil, "enough"
      end
      local _, message = tagoio.gather(unpack({ sleep, call, sleep }, first, first + 1))
      assert.equal("enough", message)
      assert.is_true(waits > 0)
    end
  end)

  it("tells on_progress the item, its result and its error", function()
    local told = {}
    tagoio.map({ id, "no-profile" }, function(profile_id)
      local info, message, err = client.profile.info(profile_id)
      return info and "found", message, err
    end, {
      concurrency = 1,
      on_progress = function(...)
        told[#told + 1] = { ... }
      end,
    })
    assert.same({ 1, 2, 1, "found" }, told[1])
    assert.same({ 2, 2, 2, false }, { unpack(told[2], 1, 4) })
    assert.equal(404, told[2][5].status)
  end)

  it("raises on bad arguments", function()
    raises("map", "items must be an array (got nil; assert", nil, list)
    raises("map", "items must be an array (got a number)", 5, list)
    raises("map", "fn must be a function (got a table)", {}, {})
    raises("map", "items must be an array (got a table that has only", { a = 1 }, list)
    raises("map", "items must be an array (got a table that has only", { [0] = 1 }, list)
    raises("map", "options must be a table or nil (got a number)", {}, list, 5)
    raises("map", 'unknown option "many"; there are concurrency', {}, list, { many = 1 })
    raises("map", 'unknown option "a b?c"; there are', {}, list, { ["a\nb\255c"] = 1 })
    for _, bad in ipairs({ 0, -1, 1.5, 0 / 0 }) do
      local whole = "concurrency must be a whole number of 1 or more (got "
      raises("map", whole, {}, list, { concurrency = bad })
      local rate = bad < 1 and bad or 0 / 0
      local over = "per_minute must be a number over 0 (got "
      raises("map", over, {}, list, { per_minute = rate })
    end
    local hook = "on_progress must be a function (got a boolean)"
    raises("map", hook, {}, list, { on_progress = true })
  end)
end)

describe("tagoio.gather", function()
  local client = emulator.client()

  before_each(function()
    emulator.reset()
  end)

  it("gives the first result of each function in order", function()
    emulator.inject({ hold_until = 2, times = 2 })
    local info, list = tagoio.gather(function()
      return client.profile.info(id)
    end, function()
      return client.profile.list()
    end)
    assert.equal("Factory", info.info.name)
    assert.equal(3, #list)
    assert.equal(0, select("#", tagoio.gather()))
  end)

  it("gives the first failure, and cancels the others", function()
    emulator.inject({ match = { path = "/profile" }, hold = true })
    local result, message, err = tagoio.gather(function()
      return client.profile.list()
    end, function()
      return client.profile.info("0")
    end)
    assert.is_nil(result)
    assert.matches("^profile.info: Profile not found", message)
    assert.equal(404, err.status)
    assert.equal(0, client:step(0))
  end)

  it("raises on what is no function", function()
    raises("gather", "argument 2 must be a function (got nil)", print, nil)
    raises("gather", "argument 1 must be a function (got a string)", "x", { timeout = 1 })
    local callable = setmetatable({}, { __call = print }) -- it was left out without a word
    raises("gather", "argument 2 must be a function (got a table)", print, callable)
    raises("gather", 'unknown option "concurrency"; there are timeout', print, { concurrency = 1 })
    raises("gather", "timeout must be a positive number of seconds (got 0)", { timeout = 0 })
  end)
end)

describe("over TLS", function()
  it("a read got the response of a write with which it shared a connection of HTTP/1.1", function()
    emulator.reset()
    local client = emulator.secure_client()
    emulator.inject({ match = { method = "POST" }, hold = true, times = 0 })
    local items = { "write", "write", "read", "read", "read", "read", "read", "read" }
    local readers = 6
    tagoio.map(items, function(name)
      if name == "write" then
        return client.profile.create({ name = "x" })
      end
      assert(client.profile.list()) -- an HTTP/2 connection
      while emulator.counts().holding < 2 do
        tagoio.sleep(0.01)
      end
      local derived = client:with({ timeout = 20 })
      for _ = 1, 5 do
        assert(derived.profile.info(emulator.profile))
      end
      readers = readers - 1
      if readers == 0 then
        emulator.release()
      end
    end)
    local used = {}
    for _, row in ipairs(emulator.journal()) do
      used[row.connection] = used[row.connection] or {}
      table.insert(used[row.connection], row.http_version)
    end
    for _, versions in pairs(used) do
      if versions[1] == "HTTP/1.1" then
        assert.equal(1, #versions)
      end
    end
    client:close()
  end)
end)
