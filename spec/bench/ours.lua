-- SPDX-License-Identifier: MIT
-- This module, as a program that uses its public functions. bench.lua tells what is printed.
--
-- usage: ours.lua info|teamList|idle|decode URL|FILE ID COUNT IN_FLIGHT

local measure = require("spec.bench.measure")
local tagoio = require("tagoio")

local work, place, id, count, in_flight = arg[1], arg[2], arg[3], tonumber(arg[4]), tonumber(arg[5])

local function new_client(options)
  options.token = os.getenv("EMULATOR_TOKEN")
  options.region = { api = place }
  options.ca_file = os.getenv("EMULATOR_CA")
  options.proxy = false
  options.max_connections = in_flight
  return assert(tagoio.new(options))
end

-- One call after another, or as many at once as are wanted.
local function calls()
  local call = new_client({}).profile[work]
  if in_flight == 1 then
    return measure.repeated(function()
      assert(call(id))
    end, count)
  end
  local function run(total)
    local items = {}
    for i = 1, total do
      items[i] = id
    end
    local _, failed = tagoio.map(items, function(item)
      return call(item)
    end, { concurrency = in_flight })
    assert(not failed, failed and tostring(failed[next(failed)]))
  end
  run(in_flight)
  return measure.once(run, count)
end

-- A step when nothing is ready: each call waits in a coroutine of its own, as in an event loop.
local function idle()
  local client = new_client({ wait = coroutine.yield })
  local waiting = {} -- a call that nobody holds is canceled
  for i = 1, in_flight do
    waiting[i] = coroutine.create(client.profile.info)
    assert(coroutine.resume(waiting[i], id))
  end
  local line = measure.steps(function(seconds)
    client:step(seconds)
  end, in_flight)
  assert(coroutine.status(waiting[in_flight]) == "suspended")
  return line
end

local function decode()
  local file = assert(io.open(place))
  local text = file:read("*a")
  file:close()
  return measure.repeated(function()
    assert(tagoio.decode(text))
  end, count)
end

local works = { idle = idle, decode = decode }
print((works[work] or calls)())
os.exit(true, false) -- calls may be left behind
