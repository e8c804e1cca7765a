-- SPDX-License-Identifier: MIT
-- The manual's line for crontab, with a home of its own, a shell and an empty environment.

local emulator = require("spec.support.emulator")
local process = require("spec.support.process")

local quote = process.quote
local abi = _VERSION:match("%d%.%d")

-- Whatever Lua the specs run on stands in for the lua5.4 of the manual.
local function crontab_command()
  local file = assert(io.open("lua/tagoio/README.md"))
  local line = file:read("*a"):match("\n17 6 %* %* %* ([^\n]*)\n")
  file:close()
  return (line:gsub("5%.4/", abi .. "/"):gsub("lua5%.4", process.lua))
end

-- A home in which `luarocks --local` has installed the module.
local function make_home()
  local home = process.run("mktemp -d"):gsub("\n", "")
  local share = ("%s/.luarocks/share/lua/%s"):format(home, abi)
  local lib = ("%s/.luarocks/lib/lua/%s/tagoio"):format(home, abi)
  local core = assert(os.getenv("BUILD"), "BUILD is the folder of the module") .. "/tagoio/core.so"
  local output, status = process.run(
    ("mkdir -p %s %s && cp -R lua/. %s && cp %s %s/core.so"):format(share, lib, share, core, lib)
  )
  assert(status == 0, output)
  return home
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

describe("a script that cron starts", function()
  it("finds the module and the token", function()
    local home = make_home()
    write(
      home .. "/tagoio.env",
      ("export T_ANALYSIS_TOKEN=%s TAGOIO_API=%s\n"):format(emulator.token, emulator.http)
    )
    write(home .. "/report.lua", 'print(assert(require("tagoio").profile.list())[2].name)\n')
    local env = process.env({ HOME = home, SHELL = "/bin/sh" })
    local command = ("cd / && %s /bin/sh -c %s"):format(env, quote(crontab_command()))
    local output, status = process.run(command)
    process.run("rm -rf " .. quote(home))
    assert.equal("Warehouse\n", output)
    assert.equal(0, status)
  end)
end)
