-- SPDX-License-Identifier: MIT
-- The module in fibers of Tarantool.

local emulator = require("spec.support.emulator")
local guest = require("spec.support.guest")
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

  it("the manual's lines work", function()
    local path = loops.manual_file("tagoio.hosts.tarantool")
    local output = guest.run("tarantool " .. path, guest.paths("luajit", "5.1"))
    assert.matches("Factory\n$", output)
  end)
end)
