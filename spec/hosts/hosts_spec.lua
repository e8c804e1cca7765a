-- SPDX-License-Identifier: MIT
-- Where calls wait: a program that stands still, a function of the user's. What hosts take away.

local blocking = require("tagoio.hosts.blocking")
local core = require("tagoio.core")
local emulator = require("spec.support.emulator")
local hosts = require("tagoio.hosts")
local process = require("spec.support.process")

-- A pool that notes how long each of its steps may take.
local function new_pool(descriptor, timeout)
  local pool = { steps = {} }
  function pool.pollfd()
    return descriptor
  end
  function pool.timeout()
    return timeout
  end
  function pool:step(seconds)
    self.steps[#self.steps + 1] = seconds
  end
  return pool
end

describe("a program that stands still", function()
  local sleep, slept = core.sleep, nil

  before_each(function()
    slept = {}
    core.sleep = function(...)
      slept[#slept + 1] = { ... }
    end
  end)

  after_each(function()
    core.sleep = sleep
  end)

  it("waits in its connections' step, where they are all of one client", function()
    local pool = new_pool(5, 0.1)
    blocking.wait({ pools = { pool } }, 1)
    assert.same({ 1 }, pool.steps)
    assert.same({}, slept)
  end)

  it("waits for those of several clients at once, until the first has something to do", function()
    local first, second, third = new_pool(5), new_pool(6, 0.25), new_pool(7, 0.5)
    blocking.wait({ pools = { first, second, third } }, 1)
    blocking.wait({ pools = { first, third } }, 0.125)
    assert.same({ { 0.25, 5, 6, 7 }, { 0.125, 5, 7 } }, slept)
    assert.same({ { 0, 0 }, { 0 }, { 0, 0 } }, { first.steps, second.steps, third.steps })
  end)

  it("lets time pass where there are none", function()
    blocking.wait({ pools = {} }, 1)
    assert.same({ { 1 } }, slept)
  end)
end)

describe("a function as the option wait", function()
  local own, other, told, host

  before_each(function()
    own, other, told = new_pool(), new_pool(), {}
    host = hosts.of(function(...)
      told[#told + 1] = { ... }
    end, "client", own)
  end)

  it("is called with its client and the seconds, and steps the connections itself", function()
    assert.equal("block", host.mode())
    host.wait({ pools = { own } }, 5)
    assert.same({ { "client", 5 } }, told)
    assert.same({}, own.steps)
  end)

  it("is told less, while others wait as well that it does not know, which are stepped", function()
    host.wait({ pools = { own, other } }, 5)
    host.wait({ pools = { other } }, 0.005)
    assert.same({ { "client", 0.01 }, { "client", 0.005 } }, told)
    assert.same({ 0, 0 }, other.steps)
    assert.same({}, own.steps)
  end)

  it("is not called when a step of the others has ended the wait", function()
    local waiter = { pools = { own, other } }
    function other.step()
      waiter.awake = true
    end
    host.wait(waiter, 5)
    assert.same({}, told)
  end)

  it("takes the place of a host, which stands for itself", function()
    assert.equal(blocking, hosts.of(blocking, "client", own))
    assert.is_nil(hosts.of(nil, "client", own))
    assert.is_true(hosts.is_host(blocking))
    for _, name in ipairs({ "mode", "wait" }) do
      local half = { mode = blocking.mode, wait = blocking.wait }
      half[name] = true
      assert.is_false(hosts.is_host(half))
    end
  end)
end)

describe("a host that takes libraries away from programs", function()
  it("after the module was loaded breaks no call", function()
    emulator.reset()
    local code = [[
      local tagoio = require("tagoio")
      local print, pcall = print, pcall
      for _, name in ipairs({ "debug", "io", "os", "package", "require", "load", "dofile" }) do
        _G[name] = nil
      end
      local client = assert(tagoio.new())
      local derived = client:with({ user_agent = "x", on_attempt = function() error("!", 0) end })
      print((select(2, derived.profile.auditLog("x", { start_date = 0 }))))
      print(tagoio.map({ {} }, function(item) return tagoio.encode(item) end)[1])
      print(pcall(tagoio.map, { {} }, function() error("oops", 0) end))
      print((select(2, tagoio.account.acceptTeamInvitation("x"))))]]
    local variables = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
    local output = process.run_lua(code, variables)
    assert.matches("tagoio: on_attempt: !\n", output, 1, true)
    assert.matches("profile.auditLog: [^\n]* spans more than 7 days", output)
    assert.matches("\n{}\nfalse\toops %(in", output)
    assert.matches("\naccount.acceptTeamInvitation: [^\n]* %(HTTP 404, [^\n]*\n$", output)
  end)
end)
