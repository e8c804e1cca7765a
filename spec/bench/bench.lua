-- SPDX-License-Identifier: MIT
-- What a call costs, as a ratio to libcurl and jansson used by hand (plain.c), both measured in
-- turns in one run. Below 1 is faster.
--
-- usage: make bench

local emulator = require("spec.support.emulator")
local socket = require("socket")

local plain = assert(arg[1], "usage: bench.lua PROGRAM")
local rounds = 5

local function run_plain(url, count)
  local pipe = assert(io.popen(("%s %s %d"):format(plain, url, count)))
  local cpu, wall = pipe:read("*n", "*n")
  pipe:close()
  return assert(cpu), wall
end

local function run_ours(call, count)
  assert(call())
  collectgarbage()
  local cpu, wall = os.clock(), socket.gettime()
  for _ = 1, count do
    assert(call())
  end
  return os.clock() - cpu, socket.gettime() - wall
end

-- The least of some rounds: what else the machine does only adds.
local function compare(title, url, count, call)
  local least = { math.huge, math.huge, math.huge, math.huge }
  for _ = 1, rounds do
    local cpu, wall = run_plain(url, count)
    local our_cpu, our_wall = run_ours(call, count)
    for i, value in ipairs({ cpu, wall, our_cpu, our_wall }) do
      least[i] = math.min(least[i], value)
    end
  end
  local text = "%-34s processor %.2f (%.0f us a call, by hand %.0f), elapsed %.2f"
  print(text:format(
    title,
    least[3] / least[1],
    1e6 * least[3] / count,
    1e6 * least[1] / count,
    least[4] / least[2]
  ))
end

-- An answer with that many rows, from now on.
local function serve_rows(rows)
  local row = '{"id":"5bbe3d1d4d3ad10021e1d2a1","name":"Factory","logo_url":null,"n":1234.5}'
  local result = row .. ("," .. row):rep(rows - 1)
  emulator.inject({
    match = { path = "/profile" },
    times = 0,
    status = 200,
    headers = { ["Content-Type"] = "text/plain" }, -- which nginx does not compress
    body = '{"status":true,"result":[' .. result .. "]}",
  })
end

emulator.reset()
local client = emulator.client()
local list = client.profile.list
local url = emulator.http .. "/profile"

for _, case in ipairs({ { 1, 2000 }, { 100, 1000 }, { 10000, 30 } }) do
  emulator.reset()
  serve_rows(case[1])
  compare(("an answer of %d rows"):format(case[1]), url, case[2], list)
end
client:close()
emulator.reset()
