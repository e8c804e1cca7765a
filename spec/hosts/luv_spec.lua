-- SPDX-License-Identifier: MIT
-- The module in programs of luv.

local emulator = require("spec.support.emulator")
local loops = require("spec.support.loops")

describe("in luv", function()
  local start = loops.program("spec/hosts/guests/luv.lua")

  before_each(function()
    emulator.reset()
  end)

  loops.check(it, start, "the loop is empty\n")
  loops.check_program(it, start, pending)
end)
