-- SPDX-License-Identifier: MIT
-- What calls cost, beside the same calls made by others. Every figure comes from a process of its
-- own; the peers take turns in each round, and a ratio is the median of the rounds' ratios.
--
-- usage: make bench (ROUNDS=5)
--
-- A peer is run as PROGRAM WORK URL ID COUNT IN_FLIGHT. It makes as many calls as are in flight,
-- for connections and caches, then COUNT more, and prints what those took: seconds of processor
-- time, seconds that passed; and the most memory of the process in kB. The work `idle` measures a
-- step when nothing is ready, `decode` reads a file as JSON.

local figures = require("spec.bench.figures")
local server = require("spec.bench.server")
local socket = require("socket")

local folder, plain, lua = arg[1], arg[2], arg[3]
local rounds = tonumber(os.getenv("ROUNDS") or "") or 5
local node = "NODE_EXTRA_CA_CERTS=$EMULATOR_CA NODE_PATH=" .. folder .. "/node_modules node "

local peers = {
  { name = "ours", command = lua .. " spec/bench/ours.lua" },
  { name = "C floor", command = plain },
  { name = "LuaSocket", command = lua .. " spec/bench/luasocket.lua" },
  { name = "requests", command = "/usr/bin/python3 spec/bench/session.py" },
  { name = "SDK (JS)", command = node .. "spec/bench/sdk.cjs" },
}
local ours_and_floor = { peers[1], peers[2] }
local problems = {}
local in_flight = { 1, 16, 100, 1000, 4000 }

-- ---- running ----

-- What one run says, by call; nil and the reason when the peer cannot do it.
local function measure(peer, work)
  local command = ("%s %s %s %s %d %d"):format(
    peer.command, work.what, work.url, work.id, work.count, work.in_flight
  )
  local began = socket.gettime()
  local text = server.shell(command)
  local passed = socket.gettime() - began
  local cpu, wall, peak_kb = text:match("^(%S+)%s+(%S+)%s+(%d+)\n$")
  if not cpu then
    return nil, text:match("(%w*Error: [^\n]*)") or text:match("[^\n]+") or "no output"
  end
  local calls = math.max(work.count, 1)
  local sample = { cpu = cpu / calls, wall = wall / calls, peak = peak_kb / 1000 }
  if work.count == 0 and work.what == "info" then
    sample.wall = passed -- start-up is measured from outside
  end
  return sample
end

-- A peer that cannot do its first work is skipped, later it has no figure where it failed.
local function note_failure(peer, work, reason)
  if peer.works then
    local text = "failed: %s, %s %s with %d in flight (%s)"
    problems[#problems + 1] = text:format(peer.name, work.what, work.id, work.in_flight, reason)
  else
    peer.skipped = true
    problems[#problems + 1] = ("skipped: %s (%s)"):format(peer.name, reason)
  end
end

-- All rounds of one work, by name of peer.
local function run(work, who)
  local samples, failed = {}, {}
  for round = 1, rounds do
    for _, peer in ipairs(who) do
      local name = peer.name
      if not peer.skipped and not failed[name] then
        local sample, reason = measure(peer, work)
        if sample then
          peer.works = true
          samples[name] = samples[name] or {}
          samples[name][round] = sample
        else
          samples[name] = nil
          failed[name] = true
          note_failure(peer, work, reason)
        end
      end
    end
  end
  io.stderr:write(".")
  return samples
end

-- ---- the works ----

local http = server.http

local function work(title, what, url, id, count, at_once)
  return {
    title = title,
    what = what,
    url = url,
    id = id,
    count = count,
    in_flight = at_once or 1,
  }
end

local calls = {
  work("one call after another, http", "info", http, "0ms", 2000),
  work("one call after another, https", "info", server.https, "0ms", 1000),
  work("1 000 calls of 50 ms, 100 at once", "info", http, "50ms", 1000, 100),
  work("an answer of 100 rows", "teamList", http, "100rows", 500),
  work("an answer of 100 000 rows", "teamList", http, "100000rows", 3),
  work("start-up to the first answer", "info", http, "0ms", 0),
}

-- Enough calls for a few seconds.
local function sweep_count(pause_s, at_once)
  local count = math.ceil((pause_s < 1 and 1 or 3) * at_once / pause_s)
  return math.min(count, math.max(4000, 2 * at_once))
end

local function run_sweep(id, pause_s)
  local results = {}
  for i, at_once in ipairs(in_flight) do
    local count = sweep_count(pause_s, at_once)
    results[i] = run(work(nil, "info", http, id, count, at_once), ours_and_floor)
  end
  return results
end

local function run_idle()
  local results = {}
  for i, at_once in ipairs(in_flight) do
    results[i] = run(work(nil, "idle", http, "30000ms", 0, at_once), ours_and_floor)
  end
  return results
end

local function run_decode()
  local path = server.write_rows(100000, folder .. "/rows.json")
  return run(work(nil, "decode", path, "-", 3), ours_and_floor)
end

-- ---- what is told ----

local function run_calls()
  for _, each in ipairs(calls) do
    each.samples = run(each, peers)
  end
end

local function tell_calls()
  local us = 1e6
  figures.print_works("Processor time per call in us (ours / theirs)", calls, peers, "cpu", us)
  figures.print_works("Time that passed per call in us (ours / theirs)", calls, peers, "wall", us)
  figures.print_works("Most memory of the process in MB (ours / theirs)", calls, peers, "peak", 1)
end

-- How many times its size an answer of 20 MB takes, without what the process has anyway.
local function peak_multiple(name, large, small)
  local megabytes = 260000 * 78 / 1e6 -- a row has 78 bytes
  local most, usual = figures.median(large[name], "peak"), figures.median(small[name], "peak")
  return most and usual and (most - usual) / megabytes
end

local function growth(sweep, name, from, to)
  local more = figures.median(sweep[to][name], "cpu")
  local less = figures.median(sweep[from][name], "cpu")
  return more and less and more / less
end

-- The C floor's own figure stands below ours where it says what is out of our reach.
local function tell_targets(sweeps, decode, large)
  local by_title = figures.by_title(calls)
  local one = by_title["one call after another, http"].samples
  local many = by_title["1 000 calls of 50 ms, 100 at once"].samples
  local small = by_title["start-up to the first answer"].samples
  local rows = {}
  local function both(title, target, fn)
    rows[#rows + 1] = { title, target, fn("ours") }
    rows[#rows + 1] = { "  the C floor's", nil, fn("C floor") }
  end
  both("idle step, 4 000 in flight / 1", 2, function(name)
    return growth(sweeps.idle, name, 1, 5)
  end)
  both("processor, 50 ms, 1 000 in flight / 16", 1.3, function(name)
    return growth(sweeps.short, name, 2, 4)
  end)
  both("processor, 1 s, 1 000 in flight / 16", 1.3, function(name)
    return growth(sweeps.long, name, 2, 4)
  end)
  both("peak memory, 20 MB answer / its size", 9, function(name)
    return peak_multiple(name, large, small)
  end)
  both("1 000 calls of 50 ms, 100 at once / 0.5 s", 1.1, function(name)
    local wall = figures.median(many[name], "wall")
    return wall and wall * 1000 / 0.5
  end)
  local function add(title, target, figure)
    rows[#rows + 1] = { title, target, figure }
  end
  add("decode / json_loadb + json_decref", 1.4, figures.ratio(decode, "ours", "C floor", "cpu"))
  add("calls a second / the C floor's", -0.95, figures.ratio(one, "C floor", "ours", "wall"))
  add("calls a second / the JavaScript SDK's", -8, figures.ratio(one, "SDK (JS)", "ours", "wall"))
  figures.print_targets(rows)
end

run_calls()
local sweeps = {
  short = run_sweep("50ms", 0.05),
  long = run_sweep("1000ms", 1),
  idle = run_idle(),
}
local decode = run_decode()
local large_work = work(nil, "teamList", http, "260000rows", 0)
local large = run(large_work, ours_and_floor)
io.stderr:write("\n")

tell_calls()
figures.print_sweeps(in_flight, sweeps)
tell_targets(sweeps, decode, large)
if #problems > 0 then
  print("\n" .. table.concat(problems, "\n"))
end
figures.plot(folder, in_flight, sweeps, calls[1], peers)
