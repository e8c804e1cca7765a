-- SPDX-License-Identifier: MIT
-- The module in fibers of Tarantool.

local emulator = require("spec.support.emulator")
local loops = require("spec.support.loops")

describe("in Tarantool", function()
  local start, missing = loops.on_luajit("tarantool", "spec/hosts/guests/tarantool.lua")
  if not start then
    return pending(missing)
  end

  before_each(function()
    emulator.reset()
  end)

  loops.check(it, start, "")
end)
