-- SPDX-License-Identifier: MIT
-- What a guest does with calls, the same in every event loop. A host is a table: `wait` (the
-- option), `spawn(fn)` runs a function where calls wait, `finish()` ends the program. GUEST_WORK
-- names what is to be done; a line is said of each result.

local tagoio = require("tagoio")

local work = {}

function work.say(...)
  io.stdout:write(table.concat({ ... }, " "), "\n")
  io.stdout:flush()
end

local say = work.say

local function new_client(host)
  return assert(tagoio.new({ wait = host.wait }))
end

local function say_info(client)
  say("info", assert(client.profile.info("current")).info.name)
end

local function say_list(client)
  say("list", #assert(client.profile.list()))
end

-- Runs functions at once, and ends the program after the last of them.
local function run_all(host, ...)
  local left = select("#", ...)
  for _, fn in ipairs({ ... }) do
    host.spawn(function()
      fn() -- unprotected: Lua 5.1 does not yield within pcall
      left = left - 1
      if left == 0 then
        host.finish()
      end
    end)
  end
end

local works = {}

function works.two_calls(host)
  local client = new_client(host)
  run_all(host, function()
    say_info(client)
  end, function()
    say_list(client)
  end)
end

function works.one_call(host)
  local client = new_client(host)
  run_all(host, function()
    say_list(client)
  end)
end

function works.map(host)
  local client = new_client(host)
  run_all(host, function()
    local items = {}
    for i = 1, 40 do
      items[i] = i
    end
    local results, failed = tagoio.map(items, function()
      return #assert(client.profile.list())
    end)
    say("map", #results, results[1], results[40], tostring(failed))
  end)
end

function works.pause(host)
  local client = new_client(host)
  run_all(host, function()
    say("events", #assert(client.profile.auditLogEvents("current")))
  end)
end

-- The second function's call ends while the first one's is held.
function works.close(host)
  local client = new_client(host)
  local other = client:with({ attempts = 1 })
  run_all(host, function()
    local _, _, err = client.profile.list()
    say(err.kind)
  end, function()
    say_info(other)
    say("closing")
    client:close()
    say("closed")
  end)
end

-- The new pool's descriptor gets the number that the first one's had.
function works.close_all(host)
  local client = new_client(host)
  run_all(host, function()
    local _, _, err = client.profile.list()
    say(err.kind)
  end, function()
    local before = client:pollfd()
    say_info(client)
    client:close()
    local new = new_client(host)
    say(new:pollfd() == before and "the same number" or "another number")
    say_info(new)
  end)
end

-- The second function's call is due before what the pool has waited for until then.
function works.deadline(host)
  local client = new_client(host)
  run_all(host, function()
    local _, _, err = client.profile.list()
    say(err.kind)
  end, function()
    local hasty = client:with({ timeout = 0.2, attempts = 1 })
    assert(client.profile.auditLogEvents("current"))
    local _, _, err = hasty.profile.list()
    say("hasty", err.kind)
    client:close()
  end)
end

function works.main(host)
  local client = new_client(host)
  run_all(host, function()
    say_info(client)
  end)
  if host.turn then
    host.turn()
  end
  say_list(client)
end

function work.run(host)
  works[os.getenv("GUEST_WORK")](host)
end

return work
