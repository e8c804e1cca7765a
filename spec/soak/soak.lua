-- SPDX-License-Identifier: MIT
-- Hours in minutes: programs and nginx make mixed calls to servers with random faults, round after
-- round. After each round the servers' journals say how often each write was executed; memory and
-- descriptors of the guests are looked at, too. It ends with a report of one screen.
--
-- usage: soak.lua MINUTES SEED    under spec/emulator/run

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local nginx = require("spec.support.nginx")
local process = require("spec.support.process")
local resty = require("spec.support.resty")
local socket = require("socket")
local values = require("spec.fuzz.values")

local minutes, seed = tonumber(arg[1]), tonumber(arg[2])

-- What is asked of the guests.
local most_growth_kb = 1024 -- of memory in 10 minutes
local most_new_descriptors = 4
local most_late_s = 1.5 -- behind the deadline; others use this machine as well
local least_judged_s = 600 -- allocators keep more and more for half of that; a leak goes on

-- ---- the servers' faults ----

-- What each connection of the server that misbehaves plays. A request that is forgotten was refused
-- before it was executed. A response carries its request's mark.
local script = [[
  for text in request do
    local mark = "X-Request-Id: " .. text:match("soak%-[%w-]+") .. "\r\n"
    local die = math.random(40)
    if die == 1 then
      forget()
      local body = '{"status":false,"message":"Too many requests"}'
      answer(429, body, mark .. "Retry-After: 0\r\n")
    elseif die == 2 then
      forget()
      answer(503, "", mark .. "Retry-After: 1\r\n")
    elseif die == 3 then
      forget()
      answer(408, "", mark)
    elseif die == 4 then
      return reset()
    elseif die == 5 then
      send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"status\":tr")
      return reset()
    elseif die == 6 then
      send("garbage\r\n\r\n")
      return
    elseif die == 7 then
      send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{\"status\":true,\"result\":[]}")
      return
    elseif die == 8 then
      pause(1.2)
      ok(mark)
    elseif die == 9 then
      answer(500, "<html><title>broken</title>", mark)
    elseif die == 10 then
      answer(200, "no JSON", mark)
    elseif die == 11 then
      send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"sta\r\n")
      return
    elseif die == 12 then
      return
    else
      ok(mark)
    end
  end]]

local rules = {
  { status = 503 },
  { status = 503, headers = { ["Retry-After"] = "1" } },
  { status = 429, headers = { ["Retry-After"] = "0" } },
  { status = 500, execute = true },
  { status = 502, body = "<html>", execute = true },
  { status = 200, body = "no JSON", execute = true },
  { status = 200, body = "", execute = true },
  { delay_ms = 1200 },
  { delay_ms = 50 },
}

local function begin_faults(random)
  local list = {}
  for i = 1, 120 do
    local rule = { skip = random(10) }
    for name, value in pairs(rules[random(#rules)]) do
      rule[name] = value
    end
    list[i] = rule
  end
  emulator.reset({ max_profiles = 100000 })
  emulator.inject((table.unpack or unpack)(list)) -- luacheck: ignore
end

-- ---- the guests ----

local guests = {}

local function add_program(listener, name)
  local port = select(2, listener:getsockname())
  local variables = { LUA_PATH = package.path, LUA_CPATH = package.cpath }
  local words = { process.env(variables), process.lua, "spec/soak/client.lua", name, port }
  local pipe = assert(io.popen("echo $$; exec " .. table.concat(words, " ") .. " 2>&1"))
  local guest = { name = name, pid = pipe:read("*l") }
  local control = assert(listener:accept())
  function guest.begin(config)
    assert(control:send(dkjson.encode(config) .. "\n"))
  end
  function guest.finish()
    local line = control:receive("*l")
    return line and dkjson.decode(line) or error(name .. " ended: " .. pipe:read("*a"))
  end
  function guest.stop()
    control:shutdown("both") -- programs that were started later have it open, too
    control:close()
    pipe:close()
  end
  guests[#guests + 1] = guest
end

local function add_nginx(name, packages, transport)
  local trust = "lua_ssl_trusted_certificate %s; lua_ssl_verify_depth 5;"
  local host = nginx.start({ PACKAGES = packages, HTTP_BLOCK = trust:format(emulator.ca_file) })
  local guest = { name = name }
  function guest.begin(config)
    local code = "return require('spec.soak.work').in_nginx(%q, %s)"
    guest.asked = host:begin_run(code:format(dkjson.encode(config), transport))
  end
  function guest.finish()
    local body, status = nginx.finish(guest.asked)
    local report = nginx.decode(body, status)[1]
    guest.pid = report.pid
    return report
  end
  function guest.stop()
    host:stop()
  end
  guests[#guests + 1] = guest
end

local function start_guests()
  local listener = assert(socket.bind("127.0.0.1", 0))
  listener:settimeout(20)
  add_program(listener, "map")
  if pcall(require, "luv") then
    add_program(listener, "luv")
  end
  add_nginx("nginx", nil, "nil")
  local library = resty.find_original() or nginx.root .. "/spec/support/resty-stand-in/?.lua"
  add_nginx("resty", library, '"tagoio.transports.resty"')
  listener:close()
end

-- ---- what is seen after each round ----

local problems = {}

local function problem(...)
  problems[#problems + 1] = string.format(...)
  print("  PROBLEM: " .. problems[#problems])
end

-- Adds what a server saw of a request that has a mark: how often it was executed, and words.
local function add_seen(seen, text, count, ...)
  local mark = text:match("soak%-[%w-]+")
  if mark then
    local one = seen[mark] or { count = 0 }
    seen[mark], one.count = one, one.count + count
    one[#one + 1] = table.concat({ ... }, " ")
  end
end

-- What the servers saw of each write, by its mark.
local function seen_writes(server)
  local seen = {}
  for i, row in ipairs(emulator.journal()) do
    add_seen(seen, row.body or "", row.executed, "row", i, "connection", row.connection,
      row.http_version, row.status, "executed", row.executed)
  end
  for i, connection in ipairs(server:take()) do
    for j, text in ipairs(connection.requests) do
      add_seen(seen, text, 1, "request", j, "of connection", i)
    end
  end
  return seen
end

local function check_write(mark, write, seen)
  local what
  if write.once and seen.count > 1 then
    what = "was executed more than once"
  elseif write.outcome == "applied" and seen.count == 0 then
    what = "succeeded and was not executed"
  elseif write.outcome == "refused" and seen.count > 0 then
    what = "was executed, and its error does not say so"
  end
  if what then
    problem("%s %s %s: %s; %s", write.name, mark, what, write.told, table.concat(seen, "; "))
  end
end

local function sample(guest, now)
  local file = assert(io.open("/proc/" .. guest.pid .. "/statm"), guest.name .. " has ended")
  local _, pages = file:read("*n", "*n")
  file:close()
  local descriptors = tonumber((process.run("ls /proc/" .. guest.pid .. "/fd | wc -l")))
  table.insert(guest.samples, { now, pages * 4, descriptors })
end

local totals = { writes = 0, twice = 0 }

local not_seen = { count = 0 }

local function add_report(guest, report, seen)
  guest.calls = guest.calls + report.calls
  guest.marked = guest.marked + report.marked
  guest.late = math.max(guest.late, report.late)
  for kind, count in pairs(report.errors) do
    guest.errors[kind] = (guest.errors[kind] or 0) + count
  end
  for mark, write in pairs(report.writes) do
    totals.writes = totals.writes + 1
    local of_it = seen[mark] or not_seen
    totals.twice = totals.twice + (of_it.count > 1 and not write.once and 1 or 0)
    check_write(mark, write, of_it)
  end
  if report.strange then
    problem("%s: %s", guest.name, report.strange)
  end
end

local function run_round(round, server, started)
  begin_faults(values.generator(seed, round))
  for i, guest in ipairs(guests) do
    guest.begin({
      guest = guest.name,
      round = round,
      seed = seed * 10 + i,
      urls = { emulator.http, emulator.https, server.http },
      ca_file = emulator.ca_file,
      token = emulator.token,
      profile = emulator.profile,
      email = emulator.email,
      password = emulator.password,
    })
  end
  local reports = {}
  for i, guest in ipairs(guests) do
    reports[i] = guest.finish()
  end
  local seen = seen_writes(server)
  for i, guest in ipairs(guests) do
    add_report(guest, reports[i], seen)
    sample(guest, socket.gettime() - started)
  end
end

-- ---- the report ----

-- The samples of the second half: the slope of memory in KB in 10 minutes, and how many descriptors
-- their last third has at most over what their first third had.
local function trend(samples)
  local first = math.floor(#samples / 2) + 1
  local n, sum_t, sum_m, sum_tt, sum_tm = 0, 0, 0, 0, 0
  local early, late = 0, 0
  for i = first, #samples do
    local t, memory, descriptors = samples[i][1], samples[i][2], samples[i][3]
    n, sum_t, sum_m = n + 1, sum_t + t, sum_m + memory
    sum_tt, sum_tm = sum_tt + t * t, sum_tm + t * memory
    local part = (i - first) / (#samples - first + 1)
    early = part < 1 / 3 and math.max(early, descriptors) or early
    late = part >= 2 / 3 and math.max(late, descriptors) or late
  end
  local divisor = n * sum_tt - sum_t * sum_t
  local slope = divisor > 0 and (n * sum_tm - sum_t * sum_m) / divisor or 0
  return slope * 600, late - early
end

local function errors_of(guest)
  local list = {}
  for kind, count in pairs(guest.errors) do
    list[#list + 1] = kind .. " " .. count
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local function show(rounds, seconds)
  print(("\nSEED=%d: %d rounds in %.1f minutes\n"):format(seed, rounds, seconds / 60))
  print("guest     calls    late    memory, KB      in 10 min   descriptors   errors")
  for _, guest in ipairs(guests) do
    local samples = guest.samples
    local slope, more = trend(samples)
    print(("%-6s %8d %6.2fs %7d to %-7d %+8.0f %7d to %-4d %s"):format(guest.name, guest.calls,
      math.max(guest.late, 0), samples[1][2], samples[#samples][2], slope, samples[1][3],
      samples[#samples][3], errors_of(guest)))
    if slope > most_growth_kb and seconds >= least_judged_s then
      problem("the memory of %s grows by %.0f KB in 10 minutes", guest.name, slope)
    elseif more > most_new_descriptors then
      problem("%s has %d descriptors more than before", guest.name, more)
    elseif guest.late > most_late_s then
      problem("a call of %s ended %.2f s after its deadline", guest.name, guest.late)
    elseif guest.marked < guest.calls / 2 then
      problem("%s: only %d responses had a mark to look at", guest.name, guest.marked)
    end
  end
  if seconds < least_judged_s then
    print("\nmemory was not judged: that takes 10 minutes, as it grows in the first five")
  end
  local form = "\n%d writes: %d idempotent ones executed more than once; %d problems"
  print(form:format(totals.writes, totals.twice, #problems))
end

-- ---- the run ----

local function run()
  local server = faults.start()
  server:play(script)
  start_guests()
  for _, guest in ipairs(guests) do
    guest.samples, guest.calls, guest.marked = {}, 0, 0
    guest.errors, guest.late = {}, -math.huge
  end
  local started, round = socket.gettime(), 0
  local seconds
  repeat
    round = round + 1
    run_round(round, server, started)
    seconds = socket.gettime() - started
    if round % 10 == 0 then
      print(("%4.1f minutes, round %d, %d writes, %d problems"):format(seconds / 60, round,
        totals.writes, #problems))
      io.stdout:flush()
    end
  until seconds > minutes * 60
  show(round, seconds)
  for _, guest in ipairs(guests) do
    pcall(guest.stop)
  end
  server:stop()
end

run()
os.exit(#problems == 0 and 0 or 1, true)
