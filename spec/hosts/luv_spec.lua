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
end)
