-- SPDX-License-Identifier: MIT
-- What a step of the Lua fuzzer does: calls of every public function, and a transport that knows
-- what it executed.

local core = require("tagoio.core")
local emulator = require("spec.support.emulator")
local progress = require("tagoio.progress")
local tagoio = require("tagoio")
local values = require("spec.fuzz.values")

local any, mostly, one_of = values.any, values.mostly, values.one_of
local unpack = table.unpack or unpack -- luacheck: ignore

local actions = {}

local token, password = "p-SECRET-of-the-client", "SECRET password"
local secrets = { token, password, "SECRET-pin", "SECRET-of-a-header" }

-- ---- a server without a network, which knows what it executed ----

-- Replies that promise that nothing was executed: they may be followed by another attempt.
local refusals = { [408] = true, [425] = true, [429] = true }

local function envelope(world)
  local result = one_of(world, {
    "[]", "{}", '"Done"', '{"id":"1"}', "[null,1,{}]", '[{"token":"a"},{"token":"b","id":3}]',
    '{"queryId":"q","status":"Running"}', '{"queryId":"q","events":[{}],"status":"Complete"}',
    '{"events":null,"status":"Complete","statistics":null}', '{"status":5,"events":"x"}', "null",
    '{"status":"Complete","events":7,"statistics":7}', '{"status":"Failed"}', "1", "false",
  })
  local text = ('{"status":true,"result":%s}'):format(result)
  return world.random(9) == 1 and values.text(world) or text
end

-- A secret of this request, which a response may send back.
local function secret_of(world, request)
  local list = {}
  for _, secret in ipairs(secrets) do
    local headers, text = request.headers, request.body or ""
    local sent = headers.token == secret or headers["X-Farm"] == secret
      or text:find(secret, 1, true)
    list[#list + 1] = sent and secret or nil
  end
  return one_of(world, list) or "nothing"
end

local function refusal(world, request)
  local form = one_of(world, {
    '{"status":false,"message":"%s"}', "<html>%s", "%s", '{"message":{"a":"%s"}}',
  })
  return form:format(secret_of(world, request))
end

local function send(world, request)
  local mark = request.method == "POST" and request.body and request.body:match("once%-%d+")
  local function execute()
    if mark then
      world.executed[mark] = (world.executed[mark] or 0) + 1
    end
  end
  local die = world.random(10)
  if die == 1 then
    execute()
    return any(world), any(world), any(world)
  elseif die == 2 then
    local kind = one_of(world, { "connect", "tls", "network" })
    local facts = { sent = world.random(2) == 1, kind = kind }
    if facts.sent then
      execute()
    end
    return nil, "failed with " .. secret_of(world, request), mostly(world, facts)
  elseif die <= 5 then
    local status = one_of(world, { 400, 401, 403, 404, 408, 425, 429, 500, 502, 503, 301, 200 })
    local headers = { ["X-Request-Id"] = token }
    headers["Retry-After"] = one_of(world, { "0", "1", "x", "99" })
    if not refusals[status] and status ~= 503 then
      execute()
    end
    return status, mostly(world, headers), refusal(world, request)
  end
  execute()
  return 200, world.random(3) == 1 and mostly(world, { Date = "x" }) or nil, envelope(world)
end

-- ---- arguments ----

local function once(world)
  world.marks = world.marks + 1
  return "once-" .. world.marks
end

local function body(world)
  local new = { name = once(world), password = password, pin_code = secrets[3], token = password }
  new[values.text(world)] = world.random(3) == 1 and any(world) or nil
  return new
end

local queries = {
  page = 1, amount = 2, fields = { "name" }, filter = { name = "x*" }, orderBy = "name,asc",
  date = "2023-02-21", start_date = 0, end_date = 86400, periodicity = "day", timezone = "UTC",
  resourceName = "device", limit = 1, onlyAmount = true,
}

local function query(world, keys)
  local new = {}
  for _, key in ipairs(keys) do
    new[key] = world.random(3) == 1 and mostly(world, queries[key]) or nil
  end
  return new
end

local function audit_options(world)
  local limit = world.random(2) == 1
  return mostly(world, { timeout = limit and 0.05 or 0.1, on_progress = values.hook(world) })
end

-- A function that gives headers, of which some are refused.
local function headers_hook(world)
  local hook = values.hook(world)
  return function(...)
    return hook(...) or { ["X-Farm"] = secrets[4] }
  end
end

-- Options that are right, but for what they do; or one of them is any value at all.
local function options_of_client(world, is_right)
  local headers = world.random(4)
  local new = {
    token = token,
    timeout = world.random(10) / 50,
    attempts = world.random(3),
    on_attempt = values.hook(world),
    headers = headers == 1 and headers_hook(world) or headers == 2 and { ["X-Farm"] = secrets[4] }
      or nil,
    per_minute = world.random(8) == 1 and 60000 or nil,
    response_info = world.random(2) == 1,
    keep_null = world.random(2) == 1,
    array_mt = world.random(4) == 1 and values.hostile(world, {}) or nil,
  }
  local wrong = one_of(world, {
    "timeout", "attempts", "token", "region", "on_attempt", "array_mt", "user_agent", "ca_file",
    "max_connections", "keep_null", "wait", "transport", "proxy", "max_response_bytes", "x",
    "headers", "deadline", "attempt_timeout", "connect_timeout", "max_retry_after",
  })
  if not is_right and world.random(4) == 1 then
    new[wrong] = any(world)
    new.wait = type(new.wait) == "number" and new.wait or nil -- one that does not step never ends
  end
  return new
end

local arguments = {
  profileID = function() return emulator.profile end,
  body = body,
  token = function() return password end,
}

-- The arguments of an operation, and sometimes one too many.
local function arguments_of(world, row)
  local list = {}
  for i, name in ipairs(row.arguments) do
    local value = name == "query" and query(world, row.query)
      or arguments[name] and arguments[name](world) or emulator.profile
    list[i] = mostly(world, value)
  end
  local count = #row.arguments + (world.random(12) == 1 and 1 or 0)
  list[#row.arguments + 1] = any(world)
  return unpack(list, 1, count)
end

-- ---- actions ----

local acts = {}

local rows_of_core = core.operations()

function acts.operation(world)
  local row = one_of(world, rows_of_core)
  local tables, name = row.name:match("(%a+)%.(%a+)")
  local client = one_of(world, world.clients)
  world:call(row.name, true, client[tables][name], arguments_of(world, row))
end
acts.operation_2, acts.operation_3 = acts.operation, acts.operation

function acts.each(world)
  local client = one_of(world, world.clients)
  local keys = { "page", "amount", "fields", "filter" }
  world:call("profile.tokenListEach", false, function(...)
    local rows = 0
    for row in client.profile.tokenListEach(...) do
      rows = rows + 1
      if row == nil or rows > 5 then
        break
      end
      world:act(row)
    end
  end, mostly(world, "current"), mostly(world, query(world, keys)))
  world:call("profile.tokenListAll", true, client.profile.tokenListAll, "current",
    mostly(world, query(world, keys)), mostly(world, { limit = 3 }))
end

function acts.events(world)
  local client = one_of(world, world.clients)
  local events = client.profile.auditLogEvents
  world:call("profile.auditLogEvents", true, events, mostly(world, "current"),
    mostly(world, { limit = 1 }), audit_options(world))
end

function acts.request(world)
  local client = one_of(world, world.clients)
  world:call("client:request", true, client.request, client, mostly(world, {
      method = mostly(world, one_of(world, { "GET", "POST", "PUT", "DELETE", "PATCH" })),
      path = mostly(world, { "profile", mostly(world, "a/b") }),
      query = world.random(3) == 1 and mostly(world, { a = any(world), token = password }) or nil,
      body = world.random(2) == 1 and mostly(world, body(world)) or nil,
    }))
end

function acts.resource(world)
  local client = one_of(world, world.clients)
  local function row(method)
    local is_list = method == "GET"
    return mostly(world, {
      mostly(world, method),
      mostly(world, "/things/{thingID}"),
      body = not is_list,
      query = mostly(world, { page = "count", amount = "count", q = mostly(world, "text") }),
      pages = is_list and mostly(world, true),
      result = mostly(world, is_list and "array" or "any"),
      retry = mostly(world, is_list and "safe" or "never"),
      secret = mostly(world, { "thingID" }),
    })
  end
  local made
  world:call("client:resource", false, function(...)
    made = client:resource(...)
  end, mostly(world, "things"), mostly(world, { list = row("GET"), make = row("POST") }))
  if not made then
    return
  end
  for _, name in ipairs({ "list", "make", "listAll", "listEach" }) do
    local fn = rawget(made, name)
    if fn then
      local second = name == "make" and body(world) or query(world, { "page" })
      local first = mostly(world, password)
      world:call("things." .. name, name ~= "listEach", fn, first, mostly(world, second))
    end
  end
end

function acts.with(world)
  local given = options_of_client(world)
  local parent = one_of(world, world.clients)
  world:call("client:with", true, function(...)
    local new, message, err = parent:with(...)
    world.clients[#world.clients + 1] = new
    return new, message, err
  end, mostly(world, given))
end

function acts.new(world)
  local given = options_of_client(world)
  given.region = mostly(world, { api = mostly(world, "http://127.0.0.1:1") })
  world:call("tagoio.new", true, function(...)
    local new, message, err = tagoio.new(...)
    if new then
      tostring(new)
      new:close()
    end
    return new, message, err
  end, mostly(world, given))
end

local methods = { "close", "cancel", "step", "pollfd", "events", "timeout" }

function acts.method(world)
  local client, name = one_of(world, world.clients), one_of(world, methods)
  if name ~= "close" or world.random(3) == 1 then
    local argument = world.random(2) == 1 and any(world) or nil
    world:call("client:" .. name, false, client[name], mostly(world, client), argument)
  end
  world:check_text("tostring", tostring(client))
  world:call("client." .. name, false, function(key) return client[key] end, any(world))
  world:call("tagoio." .. name, false, function(key)
    return tagoio.profile[key] or tagoio[key]
  end, any(world))
end

function acts.map(world)
  local items = {}
  for i = 1, world.random(6) do
    items[i] = i
  end
  world:call("tagoio.map", true, tagoio.map, mostly(world, items), mostly(world, function(...)
    world:act(...)
    return values.hook(world)(...)
  end), world.random(2) == 1 and mostly(world, {
    concurrency = mostly(world, world.random(4)), on_progress = values.hook(world),
    stop_on_error = world.random(2) == 1, per_minute = world.random(4) == 1 and 60000 or nil,
  }) or nil)
end

function acts.gather(world)
  local hook = values.hook(world)
  world:call("tagoio.gather", false, tagoio.gather, mostly(world, hook), mostly(world, function()
    return one_of(world, world.clients).profile.info("current")
  end), hook)
end

function acts.json(world)
  local indent = mostly(world, { indent = mostly(world, 2) })
  world:call("tagoio.encode", true, tagoio.encode, any(world), indent)
  local text = mostly(world, values.text(world))
  local given = { keep_null = world.random(2) == 1, array_mt = mostly(world, nil) }
  world:call("tagoio.decode", false, tagoio.decode, text, mostly(world, given))
  local list = world.random(2) == 1 and values.hostile(world, {}) or one_of(world, world.clients)
  world:call("tagoio.array", false, tagoio.array, list)
end

-- Numbers are seconds that nobody waits for.
local function any_but_a_pause(world)
  local value = mostly(world, 0.001)
  return type(value) == "number" and value > 1 and value <= 3600 and 0 or value
end

function acts.date(world)
  world:call("tagoio.date.parse", true, tagoio.date.parse, mostly(world, values.text(world)))
  world:call("tagoio.date.format", true, tagoio.date.format, mostly(world, values.number(world)))
  world:call("tagoio.sleep", true, tagoio.sleep, any_but_a_pause(world))
end

function acts.progress(world)
  world:call("tagoio.progress", false, function(...)
    progress(...)(1, 2, 1, any(world), any(world))
  end, mostly(world, "working"))
end

function acts.collect()
  collectgarbage()
end

function acts.yield(world)
  world.is_yielding = true
  coroutine.yield(any(world))
end

acts.raise = values.raise

-- Internals by hand, which may raise whatever they like but not crash.
function acts.internals(world)
  if not world.is_lenient then
    return
  end
  local own = {}
  for _, value in pairs(one_of(world, world.clients)) do
    own = type(value) == "table" and rawget(value, "core") and value or own
  end
  local list = {}
  for _, value in pairs(own) do
    list[#list + 1] = type(value) == "userdata" and value or nil
  end
  list[#list + 1] = own.pool and own.pool.core
  local object = one_of(world, list)
  local metatable = object and debug.getmetatable(object)
  for _, name in ipairs({ "__gc", "__close", "__tostring", "start", "result", "with", "base_url",
    "cancel", "close", "is_closed", "multiplex", "step", "next_event", "pollfd", "timeout" }) do
    local fn = metatable and (metatable[name] or metatable.__index[name])
    if type(fn) == "function" and world.random(4) == 1 then
      pcall(fn, mostly(world, object), name == "step" and 0 or any(world), any(world))
    end
  end
end

actions.list, actions.secrets = acts, secrets
actions.send, actions.options_of_client = send, options_of_client

return actions
