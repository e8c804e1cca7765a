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
