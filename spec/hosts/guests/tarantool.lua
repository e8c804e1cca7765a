-- SPDX-License-Identifier: MIT
-- A program of Tarantool's in which the module is a guest. It answers on a port with the number of
-- its timer's ticks.

local fiber = require("fiber")
local socket = require("socket")
local work = require("spec.hosts.guests.work")

local ticks, over = 0, fiber.cond()

local server = socket.tcp_server("127.0.0.1", 0, function(connection)
  connection:write(ticks .. "\n")
end)
work.say(server:name().port)

fiber.create(function()
  while true do
    fiber.sleep(0.001)
    ticks = ticks + 1
  end
end)

work.run({
  wait = require("tagoio.hosts.tarantool"),
  spawn = fiber.create,
  finish = function()
    over:signal()
  end,
})
over:wait()
os.exit(0)
