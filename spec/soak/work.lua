-- SPDX-License-Identifier: MIT
-- What the guests of the soak do: rounds of mixed calls, many at once, to the emulator and to the
-- server that misbehaves. Each call carries a mark: by it the servers' journals tell how often a
-- write was executed, and a response that has another call's is a stray one.

local core = require("tagoio.core")
local tagoio = require("tagoio")
local values = require("spec.fuzz.values")

local work = { tasks = 12, calls = 40, timeout_s = 2 }

local kinds = {}
for kind in ("invalid connect tls timeout network api protocol canceled memory"):gmatch("%a+") do
  kinds[kind] = true
end

-- ---- operations ----

-- function(client, mark, config); `once` must never be executed twice.
local operations = {
  { name = "info", run = function(client, _, config)
    return client.profile.info(config.profile)
  end },
  { name = "list", run = function(client)
    return client.profile.list()
  end },
  { name = "tokenListAll", run = function(client, _, config)
    return client.profile.tokenListAll(config.profile, { amount = 20 }, { limit = 40 })
  end },
  { name = "tokenCreate", once = true, run = function(client, mark, config)
    return client.profile.tokenCreate(config.profile, {
      name = mark,
      permission = "read",
      email = config.email,
      password = config.password,
    })
  end },
  { name = "request", once = true, run = function(client, mark)
    return client:request({ method = "POST", path = { "profile" }, body = { name = mark } })
  end },
  { name = "edit", writes = true, run = function(client, mark, config)
    return client.profile.edit(config.profile, { name = mark })
  end },
  { name = "gather", run = function(client)
    return tagoio.gather(client.profile.list, function()
      return client.profile.info("current")
    end)
  end },
}

-- ---- rounds ----

-- A client with options for one call, as programs derive one for each request.
local function derive(report, random, client, mark)
  local timeout = random(10) == 1 and 0.05 or work.timeout_s
  local function check_response(event)
    if event.request_id == mark then
      report.marked = report.marked + 1
    elseif event.request_id then
      report.strange = ("%s: %s got the response of %s"):format(
        event.operation, mark, event.request_id)
    end
  end
  return assert(client:with({
    timeout = timeout,
    headers = { ["X-Mark"] = "id=" .. mark }, -- the whole value is a secret, what comes back is not
    on_attempt = check_response,
  })), timeout
end

local function note_error(report, operation, message, err)
  local kind = type(err) == "table" and err.kind or "none"
  report.errors[kind] = (report.errors[kind] or 0) + 1
  if not kinds[kind] or err.message ~= message then
    report.strange = ("%s: an unknown error: %s %s"):format(operation.name, kind, tostring(message))
  end
end

local function call(report, random, clients, mark, config)
  local operation = operations[random(#operations)]
  local client, timeout = derive(report, random, clients[random(#clients)], mark)
  local started = core.now()
  local result, message, err = operation.run(client, mark, config)
  local late = core.now() - started - timeout
  local pages = operation.name == "tokenListAll" and 3 or 1 -- each of its calls has the timeout
  report.late = math.max(report.late, late - (pages - 1) * timeout)
  report.calls = report.calls + 1
  if not result then
    note_error(report, operation, message, err)
  end
  if operation.once or operation.writes then
    local outcome = result and "applied" or err.maybe_applied and "maybe" or "refused"
    report.writes[mark] = {
      name = operation.name,
      once = operation.once or false,
      outcome = outcome,
      told = err and ("%s, %d attempts"):format(message, err.attempts) or "success",
    }
  end
  if random(2) == 1 then
    client:close() -- else the collector has it
  end
end

-- Runs as many tasks at once; each calls the function with its number.
function work.in_map(count, task)
  local numbers = {}
  for i = 1, count do
    numbers[i] = i
  end
  tagoio.map(numbers, task, { concurrency = count })
end

-- One round: what became of its calls.
function work.round(clients, config, in_parallel)
  local report = { calls = 0, marked = 0, errors = {}, late = -work.timeout_s, writes = {} }
  in_parallel(work.tasks, function(number)
    local random = values.generator(config.seed * 100 + number, config.round)
    for i = 1, work.calls do
      local mark = ("soak-%s-%d-%d-%d"):format(config.guest, config.round, number, i)
      call(report, random, clients, mark, config)
    end
    return true
  end)
  collectgarbage()
  collectgarbage()
  return report
end

-- The clients of a guest: one for each server.
function work.clients(config, wait, transport)
  local clients = {}
  for i, url in ipairs(config.urls) do
    clients[i] = assert(tagoio.new({
      token = config.token,
      region = { api = url },
      ca_file = config.ca_file,
      proxy = false,
      timeout = work.timeout_s,
      attempt_timeout = 1,
      max_connections = 16,
      wait = wait,
      transport = transport,
    }))
  end
  return clients
end

-- ---- in nginx: the clients live as long as the worker ----

local kept

function work.in_nginx(text, transport)
  local config = assert(tagoio.decode(text))
  kept = kept or work.clients(config, nil, transport and require(transport))
  local report = work.round(kept, config, work.in_map)
  report.pid = ngx.worker.pid() -- luacheck: ignore 113
  return report
end

return work
