-- SPDX-License-Identifier: MIT
-- The module in Neovim, which has luv as vim.loop.

local emulator = require("spec.support.emulator")
local guest = require("spec.support.guest")
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

  it("the manual's lines work", function()
    local path = loops.manual_file("vim.api")
    local seen = [[function() return vim.fn.execute("messages"):find("F") end]]
    local command = "nvim --headless -u NONE -i NONE -c 'luafile %s' -c 'lua vim.wait(9999, %s)'"
    command = command:format(path, seen) .. " -c 'qall!'"
    local output = guest.run(command, guest.paths("luajit", "5.1"))
    assert.equal("Factory", output)
  end)
end)
