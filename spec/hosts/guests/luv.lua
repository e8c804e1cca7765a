-- SPDX-License-Identifier: MIT
-- A program of luv, or a script of Neovim's, in which the module is a guest. It answers on a port
-- with the number of its timer's ticks.

local vim = rawget(_G, "vim")
local uv = vim and vim.loop or require("luv")
local work = require("spec.hosts.guests.work")

local ticks, timer, server = 0, uv.new_timer(), uv.new_tcp()

assert(server:bind("127.0.0.1", 0))
assert(server:listen(16, function()
  local connection = uv.new_tcp()
  server:accept(connection)
  connection:write(ticks .. "\n", function()
    connection:close()
  end)
end))
work.say(server:getsockname().port)

if not os.getenv("GUEST_QUIET") then
  timer:start(1, 1, function()
    ticks = ticks + 1
  end)
end

work.run({
  wait = require("tagoio.hosts.luv"),
  spawn = function(fn)
    coroutine.wrap(fn)()
  end,
  finish = function()
    if vim then
      return vim.api.nvim_command("qall!")
    end
    timer:close()
    server:close()
  end,
})
if not vim then
  uv.run() -- until there is nothing to wait for
  work.say("the loop is empty")
end
