-- SPDX-License-Identifier: MIT
-- The README is true: its Lua blocks run, and print what the text block after them shows.

local emulator = require("spec.support.emulator")
local process = require("spec.support.process")

local host = emulator.http:match("//(.*)$")

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

-- The fenced blocks in order: { language, text, line }.
local function blocks_of(text)
  local blocks, number, open = {}, 0, nil
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local fence = line:match("^```([%w -]*)$")
    if fence and not open then
      open = { language = fence, line = number, lines = {} }
    elseif fence then
      open.text = table.concat(open.lines, "\n") .. "\n"
      blocks[#blocks + 1] = open
      open = nil
    elseif open then
      open.lines[#open.lines + 1] = line
    end
  end
  return blocks
end

local function run(code)
  return process.run_lua(code, {
    T_ANALYSIS_TOKEN = emulator.token,
    TAGOIO_API = emulator.http,
    TAGOIO_EMAIL = emulator.email,
    TAGOIO_PASSWORD = emulator.password,
  })
end

describe("README.md", function()
  local blocks = blocks_of(read("README.md"))
  local ran = 0

  for i, block in ipairs(blocks) do
    if block.language == "lua" then
      ran = ran + 1
      it("line " .. block.line .. " prints what it says", function()
        emulator.reset()
        local output, status = run(block.text)
        assert.equal(0, status, output)
        local following = blocks[i + 1]
        if following and following.language == "text" then
          output = output:gsub(host:gsub("%p", "%%%0"), "api.tago.io")
          assert.equal(following.text, output)
        end
      end)
    end
  end

  it("looks before it repeats a write that may have been applied", function()
    emulator.reset()
    emulator.inject({
      match = { method = "POST", path = "/profile/" },
      execute = true,
      status = 502,
      body = "",
    })
    for _, block in ipairs(blocks) do
      if block.language == "lua" and block.text:find("create_once", 1, true) then
        assert.equal("24\n", (run(block.text)))
      end
    end
    assert.equal(1, emulator.counts().executed["POST /profile"])
    assert.equal(2, #emulator.journal())
  end)

  it("has examples", function()
    assert.is_true(ran >= 10)
  end)

  it("shows the nginx.conf that the specs of the examples run", function()
    local shown
    for _, block in ipairs(blocks) do
      shown = block.language == "nginx" and block.text or shown
    end
    assert.equal(read("spec/examples/nginx.conf"), shown)
  end)
end)
