-- SPDX-License-Identifier: MIT
-- How the peers that are written in Lua measure themselves: each function returns a line with
-- seconds of processor time, seconds that passed, and the most memory so far in kB.

local socket = require("socket")

local measure = {}

local function peak_kb()
  local file = io.open("/proc/self/status")
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return text:match("VmHWM:%s*(%d+)") or "0"
end

function measure.once(fn, ...)
  collectgarbage()
  local cpu, wall = os.clock(), socket.gettime()
  fn(...)
  cpu, wall = os.clock() - cpu, socket.gettime() - wall
  return ("%.9f %.9f %s"):format(cpu, wall, peak_kb())
end

function measure.repeated(fn, count)
  fn() -- connections, caches
  return measure.once(function()
    for _ = 1, count do
      fn()
    end
  end)
end

-- Of one step, once all requests have left.
function measure.steps(step, in_flight)
  local ready = socket.gettime() + 1 + in_flight / 1000
  while socket.gettime() < ready do
    step(0.01)
  end
  local steps = 0
  local cpu, wall = os.clock(), socket.gettime()
  repeat
    for _ = 1, 100 do
      step(0)
    end
    steps = steps + 100
    local passed = socket.gettime() - wall
  until passed > 0.5
  cpu, wall = os.clock() - cpu, socket.gettime() - wall
  return ("%.9f %.9f %s"):format(cpu / steps, wall / steps, peak_kb())
end

return measure
