-- SPDX-License-Identifier: MIT
-- A guest of the soak: a program that runs a round for each line of JSON that it reads, and answers
-- with one. It ends when its connection closes.
--
-- usage: client.lua map|luv PORT

local socket = require("socket")
local tagoio = require("tagoio")
local work = require("spec.soak.work")

local is_luv = arg[1] == "luv"
local control = assert(socket.connect("127.0.0.1", tonumber(arg[2])))

local function in_luv(count, task)
  for i = 1, count do
    coroutine.wrap(task)(i)
  end
  require("luv").run()
end

local clients
for line in function() return control:receive("*l") end do
  local config = assert(tagoio.decode(line))
  clients = clients or work.clients(config, is_luv and require("tagoio.hosts.luv") or nil)
  local report = work.round(clients, config, is_luv and in_luv or work.in_map)
  assert(control:send(assert(tagoio.encode(report)) .. "\n"))
end
