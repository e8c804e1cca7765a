-- SPDX-License-Identifier: MIT
-- The line that tagoio.progress draws, under a clock of our own, as if stderr were a terminal.

local process = require("spec.support.process")

-- What is written when the shell's answer about the terminal is this: os.execute returns a boolean
-- or, in Lua 5.1, a number.
local function drawn(answer, code)
  local output, status = process.run_lua(([[
    local core = require("tagoio.core")
    local seconds = 100
    core.now = function() return seconds end
    os.execute = function(command) return command == "test -t 2" and %s end
    local progress = require("tagoio.progress")
    io, os = nil, nil -- as a host may
    local told = progress("counting")
    local function tell(passed, ...)
      seconds = 100 + passed
      told(...)
    end
    %s]]):format(answer, code))
  assert.equal(0, status, output)
  return output
end

describe("progress", function()
  it("draws how much is done, how fast, what is left and how many failed", function()
    for _, answer in ipairs({ "true", "0" }) do
      assert.equal(
        "\r\27[Kcounting ........................ 0 of 12, 0.0/s"
          .. "\r\27[Kcounting ##...................... 1 of 12, 2.5/s, 4 s left"
          .. "\r\27[Kcounting ######.................. 3 of 12, 1.5/s, 6 s left, 1 failed"
          .. "\r\27[Kcounting ######################## 12 of 12, 3.0/s, 2 failed\n",
        drawn(answer, [[
          tell(0, 0, 12, 1, false)
          tell(0.4, 1, 12, 1, "result")
          tell(2, 3, 12, 3, false, {})
          tell(4, 12, 12, 2, false, {})]])
      )
    end
  end)

  it("draws nothing where stderr is not a terminal", function()
    for _, answer in ipairs({ "false", "nil", "1", "256" }) do
      assert.equal("", drawn(answer, "tell(1, 1, 2, 1, true)"))
    end
  end)

  it("given to a map without what is being done raises, where it drew nothing", function()
    local told = require("tagoio.progress")
    local ok, problem = pcall(require("tagoio").map, { 1 }, tostring, { on_progress = told })
    assert.is_false(ok)
    assert.matches("tagoio.progress: what must be a string (got a number)", problem, 1, true)
  end)
end)
