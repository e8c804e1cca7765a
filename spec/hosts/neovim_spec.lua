-- SPDX-License-Identifier: MIT
-- The module in Neovim, which has luv as vim.loop.

local emulator = require("spec.support.emulator")
local loops = require("spec.support.loops")

describe("in Neovim", function()
  local script = "--headless -u NONE -i NONE -c 'luafile spec/hosts/guests/luv.lua'"
  local start, missing = loops.on_luajit("nvim", script)
  if not start then
    return pending(missing)
  end

  before_each(function()
    emulator.reset()
  end)

  loops.check(it, start, "")
end)
