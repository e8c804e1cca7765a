-- SPDX-License-Identifier: MIT
-- What a call costs inside nginx: ours over libcurl and over lua-resty-http, beside lua-resty-http
-- and a bare socket used by hand. One worker each, both ends on this machine, in turns; of the
-- rounds the best counts, since what else the machine does only slows down.
--
-- usage: make bench-nginx

local nginx = require("spec.support.nginx")
local process = require("spec.support.process")
local resty = require("spec.support.resty")

local rounds, seconds = 3, 2
local connections = { 1, 16, 64 }
local waiting = { 200, 800 }

local titles = {
  curl = "ours over libcurl",
  resty = "ours over lua-resty-http",
  by_hand = "lua-resty-http by hand",
  bare = "a bare socket, lua-cjson",
}
local original = resty.find_original()
local ways = original and { "curl", "resty", "by_hand", "bare" } or { "curl", "bare" }

local function start(api)
  local folders = { nginx.root .. "/lua/?.lua", nginx.root .. "/?.lua", original }
  return nginx.start_as_written("spec/bench/nginx/nginx.conf", {
    LUA_PATH = table.concat(folders, ";") .. ";;",
    LUA_CPATH = nginx.root .. "/build/luajit/?.so;;",
    BENCH_API = api,
  })
end

local unit_ms = { us = 0.001, ms = 1, s = 1000 }

-- Requests a second, and the median of one in ms.
local function load(host, way, count)
  local url = ("http://127.0.0.1:%s/call/%s"):format(host.port, way)
  local output = process.run(
    ("wrk -t1 -c%d -d%ds --latency %s"):format(count, seconds, url)
  )
  assert(not output:find("Non-2xx", 1, true), output)
  local median, unit = output:match("50%%%s+([%d.]+)(%a+)")
  return tonumber(output:match("Requests/sec:%s+([%d.]+)")), tonumber(median) * unit_ms[unit]
end

local best = {}
for _, way in ipairs(ways) do
  best[way] = { median = math.huge }
end

local function measure(host, way)
  local mine = best[way]
  for _, count in ipairs(connections) do
    local rate, median = load(host, way, count)
    mine[count] = math.max(mine[count] or 0, rate)
    if count == 1 then
      mine.median = math.min(mine.median, median)
    end
  end
end

local function measure_waiting(host, way)
  for _, count in ipairs(waiting) do
    local body, status = host:get(("/waiting/%s/%d"):format(way, count))
    assert(status == 200, body)
    best[way]["waiting" .. count] = 100 * tonumber(body)
  end
end

local function print_table()
  print(("%-28s%27s%12s%22s"):format("", "requests/s at", "lone call", "processor, waiting"))
  print(("%-28s%9s%9s%9s%12s%11s%11s"):format("", 1, 16, 64, "median", 200, 800))
  for _, way in ipairs(ways) do
    local it = best[way]
    print(("%-28s%9.0f%9.0f%9.0f%9.2f ms%9.1f %%%9.1f %%"):format(
      titles[way], it[1], it[16], it[64], it.median, it.waiting200, it.waiting800
    ))
  end
end

local function print_target(title, value, least, most)
  local met = (not least or value >= least) and (not most or value <= most)
  local bound = least and ("at least %.2f"):format(least) or ("at most %.2f"):format(most)
  print(("%-64s%6.2f  %-14s%s"):format(title, value, bound, met and "met" or "MISSED"))
end

local function print_targets()
  local curl, bare = best.curl, best.bare
  print_target("over libcurl, 64 connections, to a bare socket", curl[64] / bare[64], 0.4)
  print_target("over libcurl, a lone call, ms above it", curl.median - bare.median, nil, 1.5)
  print_target("over libcurl, % of a processor, 200 waiting", curl.waiting200, nil, 4)
  print_target("over libcurl, % of a processor, 800 waiting", curl.waiting800, nil, 6)
  if original then
    local by_hand = best.by_hand
    print_target("over libcurl, 64 connections, to lua-resty-http by hand",
      curl[64] / by_hand[64], 0.75)
    print_target("over lua-resty-http, 64 connections, to it by hand",
      best.resty[64] / by_hand[64], 0.8)
  end
end

local upstream = start("")
local host = start("http://127.0.0.1:" .. upstream.port)
for _ = 1, rounds do
  for _, way in ipairs(ways) do
    measure(host, way)
  end
end
for _, way in ipairs(ways) do
  measure_waiting(host, way)
end
host:stop()
upstream:stop()
print_table()
print()
print_targets()
if not original then
  print("lua-resty-http was not found: not compared")
end
