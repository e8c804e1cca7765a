-- SPDX-License-Identifier: MIT
-- A program of cqueues in which the module is a guest. It answers on a port with the number of its
-- timer's ticks.

local cqueues = require("cqueues")
local socket = require("cqueues.socket")
local work = require("spec.hosts.guests.work")

local loop = cqueues.new()
local ticks, is_over = 0, false

local server = socket.listen("127.0.0.1", 0)
assert(server:listen())
work.say((select(3, server:localname())))

local function serve()
  while not is_over do
    local connection = server:accept(0.05)
    if connection then
      connection:write(ticks .. "\n")
      connection:close()
    end
  end
end

local function tick()
  while not is_over do
    cqueues.sleep(0.001)
    ticks = ticks + 1
  end
end

if not os.getenv("GUEST_QUIET") then
  loop:wrap(serve)
  loop:wrap(tick)
end

work.run({
  wait = require("tagoio.hosts.cqueues"),
  spawn = function(fn)
    loop:wrap(fn)
  end,
  turn = function()
    assert(loop:step(0))
  end,
  finish = function()
    is_over = true
  end,
})
assert(loop:loop()) -- until it is empty
work.say("the loop is empty")
