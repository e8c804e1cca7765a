-- SPDX-License-Identifier: MIT
-- tagoio.core, which only our Lua files call: what each of its functions takes and returns. The
-- number of arguments is their caller's to get right; types are checked here, where a wrong one
-- would be a crash.

local core = require("tagoio.core")
local socket = require("socket")

local unpack = table.unpack or unpack -- luacheck: ignore
local given = { token = "t", base_url = "https://api.tago.io", proxy = "" }

local pool = assert(core.pool(given))
local client = assert(core.client(given, pool))
local alone = assert(core.client(given)) -- a transport moves its calls
local operation = assert(core.operation("x.list", { method = "GET", path = "/x/{id}" }))

-- A call that was begun, as far as a transport has brought it.
local function new_call(...)
  local call = assert(alone:start("profile.list", nil, nil))
  assert(call:begin())
  for _, event in ipairs({ ... }) do
    call[event[1]](call, unpack(event, 2))
  end
  return call
end

local objects = { pool = pool, client = client, operation = operation, call = new_call() }

-- The methods of each kind of userdata, and its metamethods that take one.
local function methods_of(object)
  local metatable = debug.getmetatable(object)
  local methods = { __gc = metatable.__gc, __close = metatable.__close }
  methods.__tostring = object == operation and metatable.__tostring or nil
  for name, method in pairs(metatable.__index) do
    methods[name] = method
  end
  return methods
end

describe("a function of the core raises", function()
  local function raises(number, fn, ...)
    local ok, message = pcall(fn, ...)
    assert.is_false(ok)
    assert.matches("bad argument #" .. number .. " ", message)
  end

  -- What is looked at before the userdata itself.
  local seconds = { with = {}, start = "profile.list", start_request = "GET" }

  for kind, object in pairs(objects) do
    it("when it is one of a " .. kind .. " and is called on something else", function()
      for name, method in pairs(methods_of(object)) do
        raises("%d", method)
        raises("%d", method, {}, {})
        for other, value in pairs(objects) do
          if other ~= kind then
            raises(1, method, value, seconds[name])
          end
        end
      end
    end)
  end

  local wrong = {
    { "pool", 1, core.pool, "options" },
    { "client", 1, core.client, "options" },
    { "client", 2, core.client, given, client },
    { "operation", 1, core.operation, {}, {} },
    { "operation", 2, core.operation, "x.list", "GET" },
    { "encode", 2, core.encode, {}, {} },
    { "decode", 1, core.decode, {}, false, {} },
    { "decode", 3, core.decode, "[]", false, "mt" },
    { "printable", 1, core.printable, {} },
    { "parse_date", 1, core.parse_date, {} },
    { "format_date", 1, core.format_date, "now" },
    { "sleep", 1, core.sleep, "long" },
    { "sleep", 2, core.sleep, 0, "descriptor" },
    { "client:start", 2, client.start, client, {} },
    { "client:start", 2, client.start, client, alone },
    { "client:start", 2, client.start, client, "profile.nothing" },
    { "client:start", 3, client.start, client, "profile.list", "now" },
    { "client:start_request", 2, client.start_request, client, {} },
    { "client:start_request", 2, client.start_request, client, "BREW" },
    { "client:result", 2, client.result, client, client },
    { "client:with", 2, client.with, client, "options" },
    { "pool:step", 2, pool.step, pool, "long" },
    { "call:attempt", 2, objects.call.attempt, objects.call, "first" },
    { "call:status", 2, objects.call.status, objects.call, "fine" },
    { "call:header", 2, objects.call.header, objects.call, {}, "value" },
    { "call:header", 3, objects.call.header, objects.call, "name", {} },
    { "call:body", 2, objects.call.body, objects.call, {} },
    { "call:fail", 2, objects.call.fail, objects.call, {}, false },
    { "call:fail", 4, objects.call.fail, objects.call, "why", false, "memory" },
  }
  for _, row in ipairs(wrong) do
    it("for a wrong argument: " .. row[1], function()
      raises(unpack(row, 2))
    end)
  end

  it("when what it is called on is closed", function()
    local call = new_call()
    local row = assert(core.operation("x.list", { method = "GET", path = "/x" }))
    local closed = assert(core.pool(given))
    for _, object in ipairs({ call, row, closed }) do
      debug.getmetatable(object).__gc(object)
    end
    raises(1, call.want, call)
    raises(1, call.status, call, 200)
    raises(1, call.facts, call)
    raises(1, row.arguments, row)
    raises(1, tostring, row)
    raises(1, closed.step, closed, 0)
    raises(2, client.start, client, row)
  end)

  it("for a call that is not ready for it", function()
    raises(1, objects.call.begin, objects.call)
    raises(1, objects.call.facts, objects.call)
    raises(2, alone.result, alone, objects.call)
    local canceled = new_call({ "cancel" })
    assert.is_nil((alone:result(canceled)))
    assert.is_nil(canceled:begin())
  end)
end)

describe("a function of the core returns", function()
  local body = '{"status":true,"result":[]}'
  local complete = { { "status", 200 }, { "header", "a", "b" }, { "body", body }, { "complete" } }
  local done = new_call(unpack(complete))
  local failed = new_call({ "fail", "gone", true, "tls" }, { "cancel" })

  -- A function, how many values it returns, its arguments.
  local counts = {
    { "nothing, when it tells a call of a status", 0, done.status, new_call(), 200 },
    { "nothing, when it tells a call of a header", 0, done.header, new_call(), "a", "b" },
    { "nothing, when it tells a call of a body", 0, done.body, new_call(), body },
    { "nothing, when it completes a call", 0, done.complete, new_call() },
    { "nothing, when it tells a call of a failure", 0, done.fail, new_call(), "gone", true },
    { "nothing, when it cancels a call", 0, done.cancel, new_call() },
    { "nothing, when it cancels a client's calls", 0, client.cancel, client },
    { "nothing, when it closes a client", 0, client.close, assert(client:with({})) },
    { "nothing, when it has requests share connections", 0, pool.multiplex, pool },
    { "nothing, when it sleeps", 0, core.sleep, 0 },
    { "nothing, when it marks a metatable", 0, core.mark, {} },
    { "nothing, when nothing has happened", 0, pool.next_event, pool },
    { "nothing, when no step is due", 0, pool.timeout, pool },
    { "a step's two numbers", 2, pool.step, pool, 0 },
    { "what a call wants and when", 2, done.want, new_call() },
    { "a request", 1, done.begin, (assert(alone:start("profile.list", nil, nil))) },
    { "nil in place of a request", 1, done.begin, done },
    { "an attempt", 1, done.attempt, done, 1 },
    { "nil for an attempt that was not", 1, done.attempt, done, 2 },
    { "the facts of a call", 1, done.facts, done },
    { "a result", 1, alone.result, alone, done },
    { "nil, a message and what is known of a failure", 3, alone.result, alone, failed },
    { "a new client", 1, client.with, client, {} },
    { "nil, a message and a kind", 3, client.with, client, { token = "a b" } },
    { "a descriptor", 1, pool.pollfd, pool },
    { "a text", 1, core.encode, {}, 0 },
    { "a value", 1, core.decode, "[]", false, core.array_mt },
    { "a date's number", 1, core.parse_date, "2024-01-01" },
    { "nil for what is no date", 1, core.parse_date, "today" },
    { "a date", 1, core.format_date, 0 },
    { "nil and what is wrong with a number", 2, core.format_date, 1e300 },
  }
  for _, row in ipairs(counts) do
    it(row[1], function()
      assert.equal(row[2], select("#", row[3](unpack(row, 4))))
    end)
  end
end)

describe("core.sleep", function()
  it("lets a millisecond pass, and none for a time that is over", function()
    local before = core.now()
    core.sleep(0.001)
    assert.is_true(core.now() > before)
    core.sleep(-1)
  end)

  it("is ended by the last of 64 descriptors, and takes no more", function()
    local server, quiet = assert(socket.bind("127.0.0.1", 0)), assert(socket.bind("127.0.0.1", 0))
    local host, port = server:getsockname()
    local guest = assert(socket.connect(host, port))
    local list = {}
    for i = 1, 63 do
      list[i] = quiet:getfd()
    end
    list[64] = server:getfd()
    local before = core.now()
    core.sleep(60, unpack(list))
    assert.is_true(core.now() - before < 30)
    list[64], list[65] = quiet:getfd(), server:getfd()
    before = core.now()
    core.sleep(0.05, unpack(list)) -- all of it
    assert.is_true(core.now() - before >= 0.049)
    guest:close()
    quiet:close()
    server:close()
  end)
end)
