-- SPDX-License-Identifier: MIT
-- The READMEs are true: their Lua blocks run, as programs or as specs, their C blocks compile and,
-- if they are programs, run; each prints what the text block after it shows.

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

-- ---- C ----

-- The Makefile's commands to compile and to link: one line, and both begin with the compiler.
local function commands()
  local flags = markdown.read(os.getenv("BUILD") .. "/flags"):gsub("%s+$", "")
  local compiler = flags:match("^%S+"):gsub("%p", "%%%0")
  return flags:match("^(.*) (" .. compiler .. " .*)$")
end

-- What the Makefile made of the files that a pattern of the shell names.
local function objects_of(patterns)
  local objects = {}
  for source in process.run("ls " .. patterns):gmatch("[^\n]+%.c") do
    objects[#objects + 1] = ("%s/obj/%s.o"):format(os.getenv("BUILD"), source:gsub("%.c$", ""))
  end
  return table.concat(objects, " ")
end

local function run_or_fail(command)
  local output, status = process.run("env -u LD_PRELOAD " .. command)
  assert.equal(0, status, command .. "\n" .. output)
  return output
end

-- What <tagoio/pool.h> and the like are found by; a make of its own changes nothing that is built.
local function installed_headers()
  local folder = os.getenv("EMULATOR_DIR") .. "/c"
  local made = ("make install-headers DESTDIR= PREFIX=%s"):format(process.quote(folder))
  run_or_fail(made)
  return "-I" .. process.quote(folder .. "/include")
end

-- Compiles a block as the project's own files are and, if it is a program, runs it.
local function run_c(code)
  local name = os.getenv("EMULATOR_DIR") .. "/manual"
  os.remove(name .. ".gcda") -- counts of the block before, when coverage is measured
  local file = assert(io.open(name .. ".c", "w"))
  file:write(code)
  file:close()
  local compile, link = commands()
  local program, object = process.quote(name), process.quote(name .. ".o")
  local include = code:find("<tagoio/", 1, true) and installed_headers() or ""
  local source = process.quote(name .. ".c")
  run_or_fail(("%s %s -c -o %s %s"):format(compile, include, object, source))
  if not code:find("int main(", 1, true) then
    return ""
  end
  local objects = objects_of("csrc/core/*.c csrc/curl/*.c csrc/host/*.c 2>/dev/null")
  if code:find("support/", 1, true) then
    objects = objects .. " " .. objects_of("spec/support/check.c spec/support/play.c")
  end
  run_or_fail(("%s -o %s %s %s %s"):format(link, program, object, objects, os.getenv("LIBS")))
  return process.run(("%s %s"):format(process.env({
    T_ANALYSIS_TOKEN = emulator.token,
    TAGOIO_API = emulator.http,
  }), program))
end

-- ---- all of them ----

-- How a block is run, by its language.
local runners = { lua = run, c = run_c }
local ran = { lua = 0, c = 0 }

-- Runs a block and compares what it prints with the block after it, if that shows it.
local function check(block, following)
  emulator.reset()
  local output, status = runners[block.language](block.text)
  assert.equal(0, status or 0, output)
  if following and following.language == "text" then
    output = output:gsub(host:gsub("%p", "%%%0"), "api.tago.io")
    output = output:gsub("%(command line%):", "script.lua:")
    assert.equal(following.text, output)
  end
end

for _, path in ipairs(markdown.manuals) do
  describe(path, function()
    local blocks = markdown.blocks(markdown.read(path))

    for i, block in ipairs(blocks) do
      -- Those of other programs are run in them, by the specs of hosts.
      if runners[block.language] and not block.text:find("tagoio.hosts.", 1, true) then
        ran[block.language] = ran[block.language] + 1
        it("line " .. block.line .. " prints what it says", function()
          check(block, blocks[i + 1])
        end)
      end
    end
  end)
end

-- The block of the manual in this language that has a text in it.
local function find_block(language, part)
  for _, block in ipairs(markdown.blocks(markdown.read("lua/tagoio/README.md"))) do
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
    assert.is_true(ran.lua >= 20)
    assert.is_true(ran.c >= 3)
  end)

  it("begin with one that has the words by which it is looked for", function()
    local text = markdown.read("README.md"):lower():gsub("%s+", " ")
    local words = { "retries", "backoff", "jitter", "rate limit", "pagination", "connection pool" }
    for _, word in ipairs(words) do
      assert(text:find(word, 1, true), word)
    end
  end)

  it("begin with a short one", function()
    local _, lines = markdown.read("README.md"):gsub("\n", "")
    assert.is_true(lines <= 250, lines .. " lines")
  end)
end)
