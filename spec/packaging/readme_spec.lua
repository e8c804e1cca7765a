-- SPDX-License-Identifier: MIT
-- The READMEs are true: their Lua blocks run, as programs or as specs, and print what the text
-- block after them shows.

local emulator = require("spec.support.emulator")
local markdown = require("spec.support.markdown")
local process = require("spec.support.process")

local host = emulator.http:match("//(.*)$")

local run_as_spec = [[
arg = { [0] = "busted", "--output=plainTerminal", os.getenv("SPEC") }
require("busted.runner")({ standalone = false })
]]

-- Variables of the specs' environment, with which a block is run as a spec.
local function inherited(others)
  local names = { "EMULATOR_HTTP", "EMULATOR_HTTPS", "EMULATOR_CA", "EMULATOR_TOKEN" }
  for _, name in ipairs({ "PROFILE", "EMAIL", "PASSWORD", "DIR" }) do
    names[#names + 1] = "EMULATOR_" .. name
  end
  others.LUA_BIN = process.lua
  for _, name in ipairs(names) do
    others[name] = os.getenv(name)
  end
  return others
end

local function run_spec(code)
  local path = os.getenv("EMULATOR_DIR") .. "/manual_spec.lua"
  local file = assert(io.open(path, "w"))
  file:write(code)
  file:close()
  local output, status = process.run_lua(run_as_spec, inherited({ SPEC = path }))
  os.remove(path)
  assert.matches("\n1 success[^\n]* / 0 failures / 0 errors", "\n" .. output)
  return output, status
end

local function run(code)
  if code:find("describe(", 1, true) then
    return run_spec(code)
  end
  return process.run_lua(code, {
    T_ANALYSIS_TOKEN = emulator.token,
    TAGOIO_API = emulator.http,
    TAGOIO_EMAIL = emulator.email,
    TAGOIO_PASSWORD = emulator.password,
    TAGOIO_PROFILE = emulator.profile,
  })
end

-- Runs a block and compares what it prints with the block after it, if that shows it.
local function check(block, following)
  emulator.reset()
  local output, status = run(block.text)
  assert.equal(0, status, output)
  if following and following.language == "text" then
    output = output:gsub(host:gsub("%p", "%%%0"), "api.tago.io")
    output = output:gsub("%(command line%):", "script.lua:")
    assert.equal(following.text, output)
  end
end

local ran = 0

for _, path in ipairs(markdown.manuals) do
  describe(path, function()
    local blocks = markdown.blocks(markdown.read(path))

    for i, block in ipairs(blocks) do
      if block.language == "lua" then
        ran = ran + 1
        it("line " .. block.line .. " prints what it says", function()
          check(block, blocks[i + 1])
        end)
      end
    end
  end)
end

-- The block of the manual in this language that has a text in it.
local function find_block(language, part)
  for _, block in ipairs(markdown.blocks(markdown.read("lua/README.md"))) do
    if block.language == language and block.text:find(part, 1, true) then
      return block.text
    end
  end
  error("no block has " .. part)
end

describe("the manual", function()
  it("looks before it retries a write that may have been applied", function()
    emulator.reset()
    emulator.inject({
      match = { method = "POST", path = "/profile/" },
      execute = true,
      status = 502,
      body = "",
    })
    assert.equal("24\n", (run(find_block("lua", "create_once"))))
    assert.equal(1, emulator.counts().executed["POST /profile"])
    assert.equal(2, #emulator.journal())
  end)

  it("shows the nginx.conf that the specs of the examples run", function()
    assert.equal(markdown.read("spec/examples/nginx.conf"), find_block("nginx", "http {"))
  end)
end)

describe("the READMEs", function()
  it("have examples", function()
    assert.is_true(ran >= 20)
  end)

  it("begin with a short one", function()
    local _, lines = markdown.read("README.md"):gsub("\n", "")
    assert.is_true(lines <= 250, lines .. " lines")
  end)
end)
