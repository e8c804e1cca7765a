-- SPDX-License-Identifier: MIT
-- Out of memory in calls over a transport: every operation, what is composed of them, and what
-- clients are made of. Run by test_lua_memory.c here, whose functions it uses.

local attack = require("spec.torture.attack")
local tagoio = require("tagoio")

-- ---- a server: what requests are made with memory, it learns; those without must be the same ----

local routes = {} -- by method and URL
local responses = {} -- to the requests that it learns, in order
local is_learning = false
local is_tampered = false -- an unknown request came, or one with another body or header

local function find_route(request)
  local of_method = routes[request.method] or {}
  local route = of_method[request.url]
  if not route and is_learning then
    local token, tenant = request.headers.token, request.headers["X-Tenant"]
    route = { body = request.body, token = token, tenant = tenant, responses = responses[1] }
    route.responses = table.remove(responses, 1) or route.responses
    of_method[request.url] = route
    routes[request.method] = of_method
  end
  return route
end

local function transport(request)
  local route = find_route(request)
  local headers = request.headers
  if
    not route
    or request.body ~= route.body
    or headers.token ~= route.token
    or headers["X-Tenant"] ~= route.tenant
  then
    is_tampered = true
    return 404, nil, "unknown"
  end
  route.asked = (route.asked or 0) + 1
  local response = route.responses[route.asked] or route.responses[#route.responses]
  return response.status or 200, response.headers, response.body
end

local function forget_requests()
  for _, of_method in pairs(routes) do
    for _, route in pairs(of_method) do
      route.asked = nil
    end
  end
end

-- ---- cases ----

local options = { token = "p-0000", region = "us-e1", transport = transport }
local client = assert(tagoio.new(options))

local function succeeds_with(body)
  return { { body = '{"status":true,"result":' .. body .. "}" } }
end

-- `run` asks for `scripts`, a list of responses for each request that differs. Its result is, as
-- JSON, what is expected; or a function judges it.
local function attack_calls(title, scripts, expected, run)
  local function is_right(result, ...)
    if type(expected) == "function" then
      return not is_tampered and expected(result, ...)
    end
    return not is_tampered and tagoio.encode({ result }) == "[" .. expected .. "]"
  end
  routes, responses, is_learning = {}, scripts, true
  assert(is_right(assert(run())), title)
  is_learning = false
  attack.run({
    title = title,
    kinds = { "Lua", "C", "jansson" },
    step = 7,
    before = forget_requests,
    run = run,
    is_right = is_right,
    after = function()
      is_tampered = false
      forget_requests()
      return is_right(run())
    end,
  })
end

-- ---- every operation ----

local object = '{"id":"x","n":[1,0.5,{}]}'
local array = '[{"id":"a"},{"id":"b"}]'
local text = '"Done"'

local day = 1700000000
local filter = { name = "s*", tags = { { key = "k" } } }
local secrets = { name = "n", email = "a@b.c", password = "pass-word", expire_time = day }

-- Its result, and its arguments.
local operations = {
  { "profile.info", object, "current" },
  { "profile.list", array },
  { "profile.summary", object, "a", { onlyAmount = true } },
  { "profile.tokenList", array, "a", { page = 2, filter = filter, orderBy = { "name", "desc" } } },
  { "profile.create", object, { name = "n" }, { allocate_free_resources = true } },
  { "profile.edit", text, "a", { name = "n", logo_url = tagoio.null } },
  { "profile.delete", text, "a", { password = "pass-word", pin_code = "123456" } },
  { "profile.usageStatisticList", array, "a", { start_date = day, timezone = "UTC" } },
  { "profile.auditLog", object, "a", { start_date = day, limit = 2 } },
  { "profile.auditLogQuery", object, "a", "q/1" },
  { "profile.serviceEdit", text, "a", { input = 1, file_storage = 0.5 } },
  { "profile.transferTokenToAnotherProfile", text, "a" },
  { "profile.tokenDelete", text, "a", "p-1111" },
  { "profile.addTeamMember", text, "a", "a@b.c" },
  { "profile.teamList", array, "a" },
  { "profile.deleteTeamMember", text, "a", "b" },
  { "account.login", object, secrets },
  { "account.requestLoginPINCode", text, { email = "a@b.c", password = "p", otp_type = "sms" } },
  { "account.tokenCreate", object, secrets },
  { "account.acceptTeamInvitation", text, "t-1111" },
  { "account.declineTeamInvitation", text, "t-1111" },
}

local unpack = table.unpack or unpack -- luacheck: ignore

for _, row in ipairs(operations) do
  local group, name = row[1]:match("(%w+)%.(%w+)")
  attack_calls(row[1], { succeeds_with(row[2]) }, row[2], function()
    return client[group][name](unpack(row, 3))
  end)
end

attack_calls(
  "profile.tokenCreate without memory does not send a body that lacks a member",
  { succeeds_with(object) },
  object,
  function()
    return client.profile.tokenCreate("a", secrets)
  end
)

-- ---- one call, otherwise ----

local found = { ["x-request-id"] = "r-1", server = { "a", "b" } }

attack_calls("a request of any endpoint", {
  { { headers = found, body = '{"status":true,"result":{},"message":"Soon"}' } },
}, function(result, info)
  return next(result) == nil and info.request_id == "r-1" and info.message ~= nil
end, function()
  local path = { "a", "b c" }
  return client:request({ method = "POST", path = path, query = filter, body = { 1 } })
end)

local unavailable = { status = 503, headers = { ["retry-after"] = "0" }, body = "" }
local events = 0

attack_calls("a retry, and on_attempt", {
  { unavailable, { body = '{"status":true}' } },
}, function(result)
  return result == true
end, function()
  local watched, message, err = client:with({
    on_attempt = function(event)
      events = events + (event.attempt or 0)
    end,
  })
  if not watched then
    return nil, message, err
  end
  return watched.profile.edit("a", { name = "n" })
end)

attack_calls("an error without memory does not lose its message or details", {
  { { status = 400, headers = found, body = '{"message":{"a":["p-0000"]},"errors":[1]}' } },
}, function(err)
  local details = '{"errors":[1],"message":{"a":["***"]}}'
  return err.kind == "api" and err.status == 400 and tagoio.encode(err.details) == details
end, function()
  local result, message, err = client.profile.info("a")
  assert(not result and message)
  if err.kind == "memory" then
    return nil, message, err
  end
  return err
end)

attack_calls("a failure of the transport", { {} }, function(err)
  return err.kind == "connect" and not err.maybe_applied
end, function()
  local broken, problem, why = tagoio.new({
    token = "p-0000",
    region = "us-e1",
    attempts = 1,
    transport = function()
      return nil, "refused", { sent = false, kind = "connect" }
    end,
  })
  if not broken then
    return nil, problem, why
  end
  local _, message, err = broken.profile.create({ name = "n" })
  if err.kind == "memory" then
    return nil, message, err
  end
  return err
end)

-- ---- composed of several ----

local pages = {
  succeeds_with('[{"token":"a"},{"token":"b"}]'),
  succeeds_with('[{"token":"c"}]'),
  succeeds_with("[]"),
}

local rows = '[{"token":"a"},{"token":"b"},{"token":"c"}]'

attack_calls(
  "tokenListAll without memory gives no empty or repeating list as a success",
  { pages[1], pages[2], pages[3] },
  rows,
  function()
    return client.profile.tokenListAll("x")
  end
)

attack_calls(
  "tokenListEach without memory does not end as if there were no more",
  { pages[1], pages[2], pages[3] },
  rows,
  function()
    local list = {}
    for row in client.profile.tokenListEach("x", { fields = { "name" } }) do
      row.token = row.token or ("abc"):sub(#list + 1, #list + 1) -- it was not asked for
      list[#list + 1] = row
    end
    return list
  end
)

attack_calls("auditLogEvents", {
  succeeds_with('{"queryId":"q","status":"Running"}'),
  succeeds_with('{"queryId":"q","status":"Complete","events":[{"who":"a"}]}'),
}, '[{"who":"a"}]', function()
  local first, message, err = client.profile.auditLog("a", { limit = 2 })
  if err then
    return nil, message, err
  end
  return client.profile.auditLogEvents("a", { limit = 2 }, { queryId = first.queryId })
end)

attack_calls("auditLogEvents that give up", {
  succeeds_with('{"queryId":"q","status":"Running"}'),
}, function(err)
  return err.kind == "timeout" and err.queryId == "q"
end, function()
  local events_of_it, message, err =
    client.profile.auditLogEvents("a", nil, { timeout = 1e-9, queryId = "q" })
  assert(not events_of_it)
  if err.kind == "memory" then
    return nil, message, err
  end
  return err
end)

local device_rows = {
  list = { "GET", "/device", pages = true, query = { page = "count", amount = "count" } },
  info = { "GET", "/device/{deviceID}", result = "object" },
  create = { "POST", "/device", body = true },
  edit = { "PUT", "/device/{id}", body = true, retry = "idempotent", secret = { "id" } },
}

attack_calls("client:resource without memory names the row, or works", { {} }, function(device)
  return type(device.listAll) == "function" and type(device.create) == "function"
end, function()
  local ok, device = pcall(client.resource, client, "device", device_rows)
  if ok then
    return device
  end
  local is_ours = tostring(device):find("client:resource:", 1, true)
  assert(not is_ours or device:find("device%.%w+: not enough memory"), device)
  error(device, 0)
end)

local device = client:resource("device", device_rows)

attack_calls("resource: its calls", {
  succeeds_with('[{"id":"a"}]'),
  succeeds_with("[]"),
  succeeds_with('{"name":"a"}'),
  succeeds_with('"Done"'),
}, '{"edited":"Done","info":{"name":"a"},"rows":[{"id":"a"}]}', function()
  local all, message, err = device.listAll()
  local info, edited
  if all then
    info, message, err = device.info("a")
  end
  if info then
    edited, message, err = device.edit("a", { name = "b" })
  end
  if not edited then
    return nil, message, err
  end
  return { rows = all, info = info, edited = edited }
end)

-- ---- clients ----

local all_options = {
  token = "p-0000",
  region = { api = "https://api.tago.io/" },
  timeout = 30,
  attempt_timeout = 20,
  connect_timeout = 5,
  attempts = 2,
  max_retry_after = 10,
  max_response_bytes = 10000,
  max_connections = 3,
  proxy = "http://proxy.example:3128",
  user_agent = "torture",
  keep_null = true,
  array_mt = {},
  response_info = true,
  per_minute = 1e6,
  headers = { ["X-Tenant"] = "a" },
  deadline = 60,
  on_attempt = function() end,
}

attack.run({
  title = "a client with all options, one that is derived from it, and their end",
  kinds = { "Lua", "C", "libcurl" },
  step = 3,
  run = function()
    local parent, message, err = tagoio.new(all_options)
    if not parent then
      return nil, message, err
    end
    local child
    child, message, err = parent:with({ token = "p-1111", user_agent = "derived" })
    if not child then
      return nil, message, err
    end
    child:close()
    parent:cancel()
    parent:close()
    return tostring(child) .. tostring(parent)
  end,
  is_right = function(shown)
    return shown == ("tagoio client (https://api.tago.io, closed)"):rep(2)
  end,
})

attack_calls("a client that is made for one call", { succeeds_with(array) }, array, function()
  local new, message, err = tagoio.new(options)
  if not new then
    return nil, message, err
  end
  return new.profile.list()
end)

attack_calls("a client with headers without memory sends no request without them", {
  succeeds_with(array),
}, array, function()
  local parent, message, err = tagoio.new({
    token = "p-0000",
    region = "us-e1",
    transport = transport,
    headers = { ["X-Tenant"] = "a", ["X-Other"] = "b" },
  })
  if not parent then
    return nil, message, err
  end
  local derived
  derived, message, err = parent:with({ headers = { ["X-Tenant"] = "c" } })
  if not derived then
    return nil, message, err
  end
  return derived.profile.list()
end)

attack_calls("headers that a function gives, and a deadline", {
  succeeds_with(array),
}, array, function()
  local derived, message, err = client:with({
    deadline = 60,
    headers = function(call)
      return { ["X-Tenant"] = call.operation }
    end,
  })
  if not derived then
    return nil, message, err
  end
  return derived.profile.list()
end)

-- ---- many at once ----

attack_calls("a map without memory says so, not that an item has no number", {
  succeeds_with('{"id":"a"}'),
  succeeds_with('{"id":"b"}'),
  succeeds_with('{"id":"c"}'),
}, '[{"id":"a"},{"id":"b"},{"id":"c"}]', function()
  local results, errors = tagoio.map({ "a", "b", "c" }, function(id)
    return client.profile.info(id)
  end, { concurrency = 2, on_progress = function() end })
  if results and errors then
    local _, err = next(errors)
    return nil, tostring(err), err
  end
  return results, errors
end)

attack_calls("gather over a transport", {
  succeeds_with('{"id":"a"}'),
  succeeds_with('{"id":"b"}'),
}, '{"id":"ab"}', function()
  local first, second, err = tagoio.gather(function()
    return client.profile.info("a")
  end, function()
    return client.profile.info("b")
  end)
  if not first then
    return nil, second, err
  end
  return { id = first.id .. second.id }
end)
