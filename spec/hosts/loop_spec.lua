-- SPDX-License-Identifier: MIT
-- In a loop of one's own: when a step is due, by client:timeout and client:pollfd.

local core = require("tagoio.core")
local emulator = require("spec.support.emulator")
local loops = require("spec.support.loops")

describe("in a loop that is the program's", function()
  local client, waiting, results

  -- Makes a call in a coroutine of its own, which waits in `waiting`.
  local function start(call)
    coroutine.wrap(function()
      results[#results + 1] = assert(call())
    end)()
  end

  local function step()
    client:step(0)
    local woken = waiting
    waiting = {}
    for _, routine in ipairs(woken) do
      assert(coroutine.resume(routine))
    end
  end

  before_each(function()
    emulator.reset()
    waiting, results = {}, {}
    client = emulator.client({
      timeout = 200,
      wait = function()
        waiting[#waiting + 1] = coroutine.running()
        coroutine.yield()
      end,
    })
  end)

  after_each(function()
    client:close()
  end)

  it("a step is due at once when a call has begun, and never when none is on its way", function()
    assert.is_nil(client:timeout())
    start(client.profile.list)
    assert.equal(0, client:timeout())
    while #waiting > 0 do
      step()
    end
    assert.equal(3, #results[1])
    assert.is_nil(client:timeout())
  end)

  it("the descriptor says when there is a response, the timeout when a retry is due", function()
    local answer = { status = 503, headers = { ["Retry-After"] = "30" } }
    answer.match = { path = "/profile" }
    emulator.inject(answer)
    start(client.profile.list)
    local seconds
    repeat -- libcurl itself has 10 s for connections, and 200 for the call
      step()
      assert.equal("r", client:events())
      core.sleep(math.min(client:timeout(), 0.1), client:pollfd())
      seconds = client:timeout()
    until seconds > 10 and seconds <= 30
    assert.equal(1, #emulator.journal())
  end)

  it("the first read of all is over HTTP/2, so that those that begin meanwhile share it", function()
    local secure = emulator.secure_client({ wait = loops.yielding })
    assert(secure.profile.list())
    assert.equal("HTTP/2.0", emulator.request().http_version)
    secure:close()
  end)
end)
