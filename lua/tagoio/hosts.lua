-- SPDX-License-Identifier: MIT
-- Where calls wait. A host is a table, given to a client as the option `wait`:
--
-- * `mode()`: "yield", where a coroutine can be suspended, or "block", where the program stands
--   still; or nil and why a call can do neither here. Asked for each call
-- * `wait(waiter, seconds)`: returns when `waiter.awake` is true, after so many seconds at the
--   latest; it may return early. It steps `waiter.pools` (an array, maybe empty), or has somebody
--   do so: `pool:step(seconds)`, `pool:pollfd()`, `pool:timeout()`. A coroutine that it suspends is
--   resumed by `waiter.notify`, a function(waiter) that it sets and clears
-- * `longest_s`: no wait is longer. By default 1: an interrupt of the interpreter is noticed then
-- * `run(job)`, where its coroutines are not ours to make: runs a map, or returns false. It calls
--   `job:work(task)` in as many coroutines as `job.concurrency` says
--
-- A function(client, seconds) of the user's is one, too: it is called while a call is on its way.

local blocking = require("tagoio.hosts.blocking")

local package = package -- hosts may take it away from programs

local hosts = {}

-- The host of a call whose client has none of its own.
function hosts.default()
  return package.loaded.ngx and require("tagoio.hosts.nginx") or blocking
end

-- Whether a table can be a host.
function hosts.is_host(value)
  return type(value.mode) == "function" and type(value.wait) == "function"
end

-- While others wait as well, a function of the user's may not take longer.
local longest_among_others_s = 0.01

-- Steps the pools beside that of the function's client, of which it knows nothing: those of other
-- clients in the same map. Whether there are any.
local function step_others(waiter, own_pool)
  local are_there = false
  for _, pool in ipairs(waiter.pools) do
    if pool ~= own_pool then
      are_there = true
      pool:step(0)
    end
  end
  return are_there
end

-- The host that an option of a client on this pool stands for; nil: the default one.
function hosts.of(option, client, own_pool)
  if type(option) ~= "function" then
    return option
  end
  return {
    mode = function()
      return "block"
    end,
    wait = function(waiter, seconds)
      local others = step_others(waiter, own_pool)
      if not waiter.awake then
        option(client, others and math.min(seconds, longest_among_others_s) or seconds)
      end
    end,
  }
end

return hosts
