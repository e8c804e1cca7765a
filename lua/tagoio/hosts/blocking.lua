-- SPDX-License-Identifier: MIT
-- An ordinary program: while a call is on its way, it waits for that.

local core = require("tagoio.core")

local blocking = {}

function blocking.mode()
  return "block"
end

-- The pools' descriptors, to wait for all of them at once.
local function descriptors(pools)
  local list = {}
  for i, pool in ipairs(pools) do
    list[i] = pool:pollfd()
  end
  return (table.unpack or unpack)(list) -- luacheck: ignore
end

local function earliest(pools, seconds)
  for _, pool in ipairs(pools) do
    seconds = math.min(seconds, pool:timeout() or seconds)
  end
  return seconds
end

function blocking.wait(waiter, seconds)
  local pools = waiter.pools
  if #pools == 1 then
    pools[1]:step(seconds)
    return
  end
  core.sleep(earliest(pools, seconds), descriptors(pools))
  for _, pool in ipairs(pools) do
    pool:step(0)
  end
end

return blocking
