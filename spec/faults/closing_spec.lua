-- SPDX-License-Identifier: MIT
-- Calls that nobody waits for any more: dropped, abandoned, closed, cut off with their state.

local core = require("tagoio.core")
local emulator = require("spec.support.emulator")
local process = require("spec.support.process")

-- The answers to profile.list come when they are released.
local function hold(times)
  emulator.inject({ match = { path = "/profile" }, hold = true, times = times or 1 })
end

-- A client of the C layer, whose calls are handles, and its pool.
local function core_client()
  local options = { token = emulator.token, base_url = emulator.http, proxy = "" }
  local pool = assert(core.pool(options))
  return assert(core.client(options, pool)), pool
end

-- Starts calls in coroutines that wait by yielding: a function that tells how each ended.
local function start(client, count)
  local routines, ends = {}, {}
  for i = 1, count do
    routines[i] = coroutine.wrap(function()
      ends[i] = { client.profile.list() }
    end)
    routines[i]()
  end
  return function()
    for i = 1, count do
      if not ends[i] then
        routines[i]()
      end
    end
    return ends
  end
end

local yield = coroutine.yield

-- Steps a client or a pool until the emulator holds that many requests.
local function step_until_held(stepped, count)
  for _ = 1, 1000 do
    stepped:step(0.01)
    if emulator.counts().holding == count then
      return
    end
  end
  error(count .. " requests never came")
end

local function finish(pool)
  while pool:step(1) > 0 do -- luacheck: ignore 542
  end
end

local function collect()
  collectgarbage()
  collectgarbage()
end

describe("a call whose handle is dropped", function()
  before_each(function()
    emulator.reset()
  end)

  it("is canceled, and its client goes on", function()
    local client, pool = core_client()
    hold()
    local call = assert(client:start("profile.list"))
    step_until_held(pool, 1)
    assert.is_false(call:is_done())
    call = nil -- luacheck: ignore 311
    collect()
    assert.equal(0, (pool:step(0)))
    assert.is_nil(pool:next_event())
    call = assert(client:start("profile.list"))
    finish(pool)
    assert.equal(3, #assert(client:result(call)))
    client:close()
  end)

  it("is canceled with the coroutine that waited for it", function()
    local client = emulator.client({ wait = yield })
    hold()
    local routine = coroutine.wrap(function()
      client.profile.list()
    end)
    routine()
    step_until_held(client, 1)
    routine = nil -- luacheck: ignore 311
    collect()
    assert.equal(0, client:step(0))
    client:close()
  end)

  it("outlives its client, which cancels it", function()
    local client = core_client()
    local call = assert(client:start("profile.list"))
    client = nil -- luacheck: ignore 311
    collect()
    assert.is_true(call:is_done())
    call:cancel()
    call:cancel()
  end)
end)

describe("close", function()
  before_each(function()
    emulator.reset()
  end)

  it("cancels what is on its way", function()
    local client = emulator.client({ wait = yield })
    hold(3)
    local look = start(client, 3)
    step_until_held(client, 3)
    client:close()
    client:close()
    for _, ended in ipairs(look()) do
      assert.is_nil(ended[1])
      assert.matches("^profile.list: canceled ", ended[2])
      assert.equal("canceled", ended[3].kind)
      assert.is_false(ended[3].maybe_applied)
    end
    assert.has_error(client.profile.list, "profile.list: the client is closed")
  end)

  it("says that a write may have been applied", function()
    local client = emulator.client({ wait = yield })
    emulator.inject({ match = { method = "POST" }, hold = true })
    local err
    local routine = coroutine.wrap(function()
      err = select(3, client.profile.create({ name = "x" }))
    end)
    routine()
    step_until_held(client, 1)
    client:close()
    routine()
    assert.equal("canceled", err.kind)
    assert.is_true(err.maybe_applied)
  end)

  it("of a derived client leaves the calls of the others alone", function()
    local client = emulator.client({ wait = yield })
    local derived = client:with({ timeout = 20 })
    hold(2)
    local look, look_derived = start(client, 1), start(derived, 1)
    step_until_held(client, 2)
    derived:close()
    assert.equal("canceled", look_derived()[1][3].kind)
    emulator.release()
    finish(client)
    assert.equal(3, #look()[1][1])
    client:close()
  end)
end)

describe("a metamethod called by hand", function()
  it("harms nothing", function()
    local client = core_client()
    local call = assert(client:start("profile.list"))
    local methods = debug.getmetatable(client)
    methods.__gc(client)
    methods.__gc(client)
    debug.getmetatable(call).__gc(call)
    assert.has_error(function()
      methods.__gc(call)
    end)
    assert.has_error(function()
      methods.__gc(io.stdout)
    end)
    assert.is_true(call:is_done())
  end)

  it("ends what it is called on, whose methods raise then", function()
    local client, pool = core_client()
    local call = assert(client:start("profile.list"))
    local operation = assert(core.operation("x.list", { method = "GET", path = "/x" }))
    for _, ended in ipairs({ call, operation, pool, client }) do
      debug.getmetatable(ended).__gc(ended)
    end
    local function raises(text, fn, ...)
      assert.matches(text, select(2, pcall(fn, ...)))
    end
    raises("the call is closed", call.want, call)
    raises("the call was canceled", client.result, client, call)
    raises("the pool is closed", pool.step, pool, 0)
    assert.matches("the client is closed", select(2, client:start("profile.list")))
    assert.is_nil(call:attempt(1))
    client = core_client()
    raises("the operation is closed", client.start, client, operation)
    raises("unknown operation", client.start, client, "profile.nothing")
    raises("unknown method", client.start_request, client, "BREW")
    client:close()
  end)
end)

describe("a finalizer at the program's end", function()
  it("crashed LuaJIT when it made a call, because the module was unloaded by then", function()
    local output, status = process.run_lua([[
      local client = assert(require("tagoio").new({
        token = "t",
        region = "us-e1",
        transport = function() return 200, nil, '{"status":true,"result":"bye"}' end,
      }))
      local function say_bye()
        print(client.profile.edit("x", { name = "y" }))
        io.stdout:flush()
      end
      if newproxy then
        proxy = newproxy(true)
        getmetatable(proxy).__gc = say_bye
      else
        proxy = setmetatable({}, { __gc = say_bye })
      end]], { ASAN_OPTIONS = "detect_leaks=0" }) -- Lua finalizes nothing that is made so late
    assert.equal("bye\n", output)
    assert.equal(0, status)
  end)
end)

describe("a program that ends in mid-call", function()
  it("ends", function()
    emulator.reset()
    hold(0)
    local code = [[
      local core = require("tagoio.core")
      local options = {
        token = os.getenv("T_ANALYSIS_TOKEN"), base_url = os.getenv("TAGOIO_API"), proxy = "" }
      local pool = assert(core.pool(options))
      client, calls = assert(core.client(options, pool)), {}
      for i = 1, 10 do
        calls[i] = assert(client:start("profile.list"))
      end
      for _ = 1, 10 do
        pool:step(0.01)
      end
      io.write("on their way: ", (pool:step(0)), "\n")]]
    local variables = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
    local output, status = process.run_lua(code, variables)
    assert.equal("on their way: 10\n", output)
    assert.equal(0, status)
    emulator.release()
  end)
end)
