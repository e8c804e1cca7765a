-- SPDX-License-Identifier: MIT
-- Out of memory in transfers over real sockets: pools, their lists and timers, connections, TLS
-- and HTTP/2. Run by test_lua_memory.c here, whose functions it uses.
-- luacheck: globals fail_after fail_no_more case check

local attack = require("spec.torture.attack")
local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

-- What a function returns that is given a client of its own, which is closed then.
local function with_client(others, fn)
  local client, message, err = tagoio.new(emulator.options(others))
  if not client then
    return nil, message, err
  end
  local result, second, third = fn(client)
  client:close()
  return result, second, third
end

local plain = { attempts = 1, timeout = 10 }
local secure = {
  attempts = 1,
  timeout = 10,
  region = { api = emulator.https },
  ca_file = emulator.ca_file,
}

local function list(client)
  return client.profile.list()
end

local function is_list(rows)
  return #rows == 3 and rows[2] ~= nil
end

-- ---- setting libcurl up: this is the first client that needs it ----

case("a client works although there was no memory to set libcurl up at first")
local successes, failures = 0
repeat
  fail_after("libcurl", successes, 1)
  local rows, message = with_client(plain, list)
  failures = fail_no_more()
  check(rows or failures > 0, tostring(message))
  successes = successes + 1
until failures == 0

-- ---- one call ----

local function attack_transfers(it)
  it.step = it.step or 13
  it.before = it.before or emulator.reset
  attack.run(it)
end

for _, options in ipairs({ plain, secure }) do
  attack_transfers({
    title = "the first read of a client" .. (options.region and " over TLS" or ""),
    run = function()
      return with_client(options, list)
    end,
    is_right = is_list,
  })
  local client = assert(tagoio.new(emulator.options(options)))
  attack_transfers({
    title = "a read of a client that has a connection" .. (options.region and " over TLS" or ""),
    run = function()
      return client.profile.list()
    end,
    is_right = is_list,
    lives = true,
  })
  client:close()
end

attack_transfers({
  title = "a create is executed once at most, and an error without maybe_applied is none",
  run = function()
    return with_client({ timeout = 10 }, function(client)
      return client.profile.create({ name = "New" })
    end)
  end,
  is_right = function(result)
    return type(result.id) == "string"
  end,
  is_true = function(result, err)
    local executed = emulator.counts().executed["POST /profile"] or 0
    if result then
      return executed == 1
    end
    return executed <= (not (err and not err.maybe_applied) and 1 or 0)
  end,
})

attack_transfers({
  title = "a read that is retried, and its on_attempt",
  before = function()
    local headers = { ["Retry-After"] = "0" }
    emulator.reset()
    emulator.inject({ match = { path = "/profile" }, status = 503, headers = headers, body = "" })
  end,
  run = function()
    return with_client({ timeout = 10, on_attempt = function() end }, list)
  end,
  is_right = is_list,
})

attack_transfers({
  title = "a read of a client that waits by a function of the user's",
  run = function()
    return with_client({
      attempts = 1,
      wait = function(client, seconds)
        client:step(math.min(seconds, client:timeout() or seconds))
      end,
    }, list)
  end,
  is_right = is_list,
})

attack_transfers({
  title = "a call whose coroutine is abandoned",
  run = function()
    local client, message, err = tagoio.new(emulator.options({ wait = coroutine.yield }))
    if not client then
      return nil, message, err
    end
    local co = coroutine.create(list)
    local ok, result, problem, why = coroutine.resume(co, client)
    if coroutine.status(co) == "suspended" then
      return "suspended"
    elseif not ok then
      error(result, 0)
    end
    return nil, problem, why
  end,
  is_right = function(result)
    return result == "suspended"
  end,
})

-- ---- many at once ----

-- What a map returned; or nil, message, err of its first error.
local function first_error(results, errors, err)
  if results and errors then
    local _, first = next(errors)
    return nil, tostring(first), first
  end
  return results, errors, err
end

local function attack_map(title, options, kinds, step)
  options.max_connections = 2
  attack_transfers({
    title = title,
    kinds = kinds,
    step = step,
    run = function()
      return with_client(options, function(client)
        return first_error(tagoio.map({ 1, 2, 3 }, function()
          return client.profile.list()
        end))
      end)
    end,
    is_right = function(results)
      return is_list(results) and is_list(results[1]) and is_list(results[3])
    end,
  })
end

attack_map("a map over two connections", plain, { "Lua", "C", "jansson" })
attack_map("a map over two connections with TLS", secure)
attack_map("libcurl does not crash after it had no memory for a socket", plain, { "libcurl" }, 1)

-- The first call is on its way until the second one ends it.
for _, name in ipairs({ "cancel", "close" }) do
  attack_transfers({
    title = name .. " while a call is on its way",
    before = function()
      emulator.reset()
      emulator.inject({ match = { path = "/profile" }, hold = true, status = 200 })
    end,
    run = function()
      return with_client(plain, function(client)
        local results, errors = tagoio.map({ list, client[name] }, function(fn)
          return fn(client)
        end)
        local first = errors and errors[1]
        if results and first and first.kind == "canceled" then
          return "canceled"
        end
        return nil, tostring(first), first
      end)
    end,
    is_right = function(result)
      return result == "canceled"
    end,
  })
end

emulator.reset() -- the tests that follow know nothing of the last case's rules
attack.print_what_libcurl_said()
