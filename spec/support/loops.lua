-- SPDX-License-Identifier: MIT
-- What must be true in every event loop. start(work) starts a guest of spec/hosts/guests that does
-- this work; `last` is what it prints at its end. it(title, function) is busted's.

local assert = require("luassert")
local emulator = require("spec.support.emulator")
local guest = require("spec.support.guest")
local markdown = require("spec.support.markdown")
local process = require("spec.support.process")

local loops = {}

-- The option `wait` of a host that waits as a blocking one does, and counts as one that yields: in
-- such a host a read may share a connection from the first one on.
loops.yielding = {
  mode = function()
    return "yield"
  end,
  wait = function(waiter, seconds)
    waiter.pools[1]:step(seconds)
  end,
}

-- Writes the manual's block that has this text in it to a file, whose path it gives.
function loops.manual_file(text)
  for _, block in ipairs(markdown.blocks(markdown.read("lua/tagoio/README.md"))) do
    if block.language == "lua" and block.text:find(text, 1, true) then
      local path = os.getenv("EMULATOR_DIR") .. "/manual.lua"
      local file = assert(io.open(path, "w"))
      file:write(block.text)
      file:close()
      return path
    end
  end
  error("the manual has no block with " .. text)
end

-- How a program is started, on the Lua that the specs run on.
function loops.program(path)
  return function(work, others)
    local variables = { GUEST_WORK = work, LUA_PATH = package.path, LUA_CPATH = package.cpath }
    for name, value in pairs(others or {}) do
      variables[name] = value
    end
    return guest.start(process.lua .. " " .. path, variables)
  end
end

-- How a command is started that has LuaJIT built in; or nil and what is missing.
function loops.on_luajit(command, arguments)
  if not guest.has_command(command) then
    return nil, command .. " is not installed"
  elseif not guest.has_module("luajit") then
    return nil, "there is no module for LuaJIT"
  end
  return function(work)
    local variables = guest.paths("luajit", "5.1")
    variables.GUEST_WORK = work
    return guest.start(command .. " " .. arguments, variables)
  end
end

-- The list stays without response. The first call of info has its own once the list is there, too:
-- loops start functions in whatever order they like.
function loops.hold_list()
  emulator.inject(
    { match = { path = "/profile" }, hold = true },
    { match = { path = "/profile/current" }, hold_until = 2, times = 1 }
  )
end

function loops.check(it, start, last)
  local function run(work)
    return start(work):finish()
  end

  it("two calls overlap while its timer ticks and another client is answered", function()
    emulator.inject({ hold = true, times = 2 })
    local running = start("two_calls")
    emulator.wait_for(2)
    running:see_it_tick()
    assert.equal(2, emulator.counts().holding)
    emulator.release(1)
    emulator.release(1)
    local output = running:finish()
    assert.matches("info Factory\n", output)
    assert.matches("list 3\n", output)
    assert.equal(#"info Factory\nlist 3\n" + #last, #output)
  end)

  it("a call that is retried goes on after its pause", function()
    emulator.inject({ status = 503, times = 2 })
    assert.equal("list 3\n" .. last, run("one_call"))
    assert.equal(3, #emulator.journal())
  end)

  it("the functions of a map overlap", function()
    emulator.inject({ hold_until = 16, times = 16 })
    assert.equal("map 40 3 3 nil\n" .. last, run("map"))
    assert.equal(16, emulator.counts().most_at_once)
  end)

  it("what lets time pass lets the loop go on", function()
    assert.equal("events 2\n" .. last, run("pause"))
  end)

  it("who is canceled goes on after close has returned", function()
    loops.hold_list()
    assert.equal("info Factory\nclosing\nclosed\ncanceled\n" .. last, run("close"))
  end)

  it("a call whose time is over ends before others that wait longer", function()
    emulator.inject({ match = { path = "/profile" }, hold = true, times = 2 })
    assert.equal("hasty timeout\ncanceled\n" .. last, run("deadline"))
  end)

  it("a new client is not mistaken for a closed one with the same descriptor", function()
    loops.hold_list()
    local rest = run("close_all"):match("^info Factory\nthe same number\n(.*)" .. last .. "$")
    if rest ~= "info Factory\ncanceled\n" then -- a call may end before its loop goes on
      assert.equal("canceled\ninfo Factory\n", rest)
    end
  end)
end

-- The same for a program that can be waited in outside its coroutines, and that has nothing else to
-- do if it is told so.
function loops.check_program(it, start, pending)
  it("a call outside coroutines moves those inside", function()
    emulator.inject({ hold_until = 2, times = 2 })
    local output = start("main"):finish()
    assert.matches("list 3\n", output)
    assert.matches("info Factory\n", output)
  end)

  it("a program that waits for a response makes nearly no system calls", function()
    emulator.inject({ hold = true })
    local running = start("one_call", { GUEST_QUIET = "yes" })
    emulator.wait_for(1)
    local count = running:count_system_calls()
    emulator.release()
    assert.matches("^list 3\n", running:finish())
    if not count then
      return pending("strace cannot run")
    end
    -- libcurl looks after a young connection once or twice; a look each 2 ms would be hundreds.
    assert.is_true(count < 20, count .. " system calls in half a second")
  end)
end

return loops
