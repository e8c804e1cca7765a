-- SPDX-License-Identifier: MIT
-- The module in programs of luv.

local emulator = require("spec.support.emulator")
local guest = require("spec.support.guest")
local loops = require("spec.support.loops")
local process = require("spec.support.process")

describe("in luv", function()
  local start = loops.program("spec/hosts/guests/luv.lua")

  before_each(function()
    emulator.reset()
  end)

  loops.check(it, start, "the loop is empty\n")
  loops.check_program(it, start, pending)

  it("the manual's lines work", function()
    local path = loops.manual_file('require("luv")')
    local paths = { LUA_PATH = package.path, LUA_CPATH = package.cpath }
    assert.equal("Factory\n", guest.run(process.lua .. " " .. path, paths))
  end)

  it("a coroutine that is closed while it waits leaves nothing in the loop", function()
    if not coroutine.close then -- luacheck: ignore
      return pending("this Lua closes no coroutines")
    end
    local code = [[
      local uv = require("luv")
      local tagoio = require("tagoio")
      local client = tagoio.new({ wait = require("tagoio.hosts.luv") })
      collectgarbage("stop")
      local routine = coroutine.create(client.profile.list)
      coroutine.resume(routine)
      print(coroutine.status(routine), coroutine.close(routine))
      %s
      uv.run()
      uv.walk(print)
      print("the loop is empty")]]
    local variables = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
    for _, what_ends_the_call in ipairs({
      "collectgarbage()",
      [[
      local handles
      repeat -- until nobody waits for it
        handles = 0
        uv.run("once")
        uv.walk(function() handles = handles + 1 end)
      until handles == 2
      client:cancel()]],
    }) do
      emulator.reset()
      emulator.inject({ hold = true, times = 0 })
      local command = process.lua_command(code:format(what_ends_the_call), variables)
      local output = process.run("timeout 60 " .. command)
      assert.equal("suspended\ttrue\nthe loop is empty\n", output)
    end
  end)

  it("after a fork a child makes calls of its own, and the parent's go on, each once", function()
    local start_fork, missing = loops.on_luajit("luajit", "spec/hosts/guests/fork.lua")
    if not start_fork then
      return pending(missing)
    end
    loops.hold_list()
    local running = start_fork()
    for _, line in ipairs({
      "parent before Factory",
      "child list canceled",
      "child inside Factory",
      "child outside Factory",
      "parent inside Factory",
    }) do
      assert.equal(line, running.pipe:read("*l"))
    end
    emulator.release()
    assert.equal("parent list 3\nparent outside Factory\n", running:finish())
    assert.equal(6, #emulator.journal())
  end)
end)
