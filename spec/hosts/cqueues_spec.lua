-- SPDX-License-Identifier: MIT
-- The module in programs of cqueues.

local emulator = require("spec.support.emulator")
local loops = require("spec.support.loops")

describe("in cqueues", function()
  if not pcall(require, "cqueues") then
    return pending("cqueues is not installed for this Lua")
  end
  local start = loops.program("spec/hosts/guests/cqueues.lua")

  before_each(function()
    emulator.reset()
  end)

  loops.check(it, start, "the loop is empty\n")
  loops.check_program(it, start, pending)
end)
