-- SPDX-License-Identifier: MIT
-- A function of the user's as the place where calls wait.

local blocking = require("tagoio.hosts.blocking")
local hosts = require("tagoio.hosts")

-- A pool that notes how long each of its steps may take.
local function new_pool()
  local pool = { steps = {} }
  function pool:step(seconds)
    self.steps[#self.steps + 1] = seconds
  end
  return pool
end

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
