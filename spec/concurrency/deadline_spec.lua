-- SPDX-License-Identifier: MIT
-- One time for many calls: `deadline` of a client, `timeout` of tagoio.map and tagoio.gather.
-- Responses that end a time are held for ever; no spec asserts that something was quick, and where
-- a machine was too slow for what comes before the end, there is more time in the next try.

local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local id = emulator.profile
local passed = ": not sent: the deadline has passed %("

-- The next request is refused, with a wait of 44 s.
local function refuse_once()
  emulator.inject({ status = 429, headers = { ["Retry-After"] = "44" }, body = "{}" })
end

-- Fails as a call does that was not sent because it was too late.
local function assert_unsent(result, message, err)
  assert.is_nil(result)
  assert.matches(passed, message)
  assert.equal("timeout", err.kind)
  assert.equal(0, err.attempts)
  assert.is_false(err.maybe_applied)
end

-- Tries with more and more seconds, until so many requests have arrived when the time is over. What
-- `try` returns checks the rest.
local function with_time(requests, try)
  local seconds, check = 0.5
  repeat
    seconds = 2 * seconds
    emulator.reset()
    check = try(seconds)
  until #emulator.journal() >= requests or seconds > 30
  assert.equal(requests, #emulator.journal())
  check()
end

local client

before_each(function()
  emulator.reset()
  client = emulator.client()
end)

after_each(function()
  client:close()
end)

describe("the deadline of a client", function()
  it("ends the call that is on its way then, and those after it are not sent", function()
    with_time(1, function(seconds)
      emulator.inject({ hold = true, times = 0 })
      local job = client:with({ deadline = seconds })
      local result, message, err = job.profile.create({ name = "x" })
      assert_unsent(job.profile.list())
      return function()
        assert.is_nil(result)
        assert.equal("timeout", err.kind)
        assert.matches("timeout after .* a complete response %(the deadline has passed", message)
        assert.is_true(err.maybe_applied)
      end
    end)
  end)

  it("holds for operations, requests, resources, pages and accounts", function()
    local late = client:with({ deadline = 0 })
    local device = late:resource("device", {
      list = { "GET", "/device", query = { page = "count", amount = "count" }, pages = true },
    })
    assert_unsent(late.profile.create({ name = "x" }))
    assert_unsent(late:request({ method = "GET", path = { "profile" } }))
    assert_unsent(device.list())
    assert_unsent(device.listAll())
    assert_unsent(late.profile.tokenListAll(id))
    assert_unsent(late.profile.auditLogEvents(id))
    assert_unsent(late.account.login({ email = "a@example.com", password = "x" }))
    assert.same({}, emulator.journal())
  end)

  it("holds over a transport, which is told what is left", function()
    local told
    local own = emulator.client({
      deadline = 12,
      transport = function(request)
        told = request.timeout
        return 200, nil, '{"status":true,"result":[]}'
      end,
    })
    assert(own.profile.list())
    assert.is_true(told > 0 and told <= 12)
    told = nil
    assert_unsent(own:with({ deadline = 0 }).profile.list())
    assert.is_nil(told)
  end)

  it("of which a transport was told was a millisecond too late, by a rounding", function()
    local told
    local own = emulator.client({
      timeout = 3600,
      attempt_timeout = 3600,
      transport = function(request)
        told = request.timeout
        return 200, nil, '{"status":true,"result":[]}'
      end,
    })
    for seconds = 1, 300 do
      assert(own:with({ deadline = seconds }).profile.list())
      assert.is_true(told <= seconds, told)
    end
  end)

  it("of a derived client is not later than its parent's, which it leaves alone", function()
    assert_unsent(client:with({ deadline = 0 }):with({ deadline = 3600 }).profile.list())
    assert_unsent(client:with({ deadline = 3600 }):with({ deadline = 0 }).profile.list())
    assert_unsent(client:with({ deadline = 0 }):with({}).profile.list())
    assert(client.profile.list())
  end)

  it("that a wait does not fit fails the call at once, with both numbers", function()
    refuse_once()
    local job = client:with({ deadline = 12 })
    local _, message, err = job.profile.list()
    assert.matches("HTTP 429, asked to wait 44 s; deadline leaves %d+ s", message)
    assert.equal(44, err.retry_after)
    _, message, err = job.profile.list()
    assert.matches(": not sent %(asked to wait 44 s; deadline leaves %d+ s", message)
    assert.equal(0, err.attempts)
    assert.equal(1, #emulator.journal())
  end)

  it("before a start that per_minute gives fails the call at once, and takes no start", function()
    local slow = client:with({ per_minute = 1 })
    assert(slow.profile.list())
    local job = slow:with({ deadline = 12 })
    for _ = 1, 3 do
      local _, message, err = job.profile.list()
      assert.matches("per_minute asks to wait [56]%d s; deadline leaves %d+ s", message)
      assert.equal("timeout", err.kind)
    end
    assert.equal(1, #emulator.journal())
  end)

  it("that has passed took starts of per_minute for calls that were not sent", function()
    local slow = client:with({ per_minute = 1 })
    local job = slow:with({ deadline = 0 })
    for _ = 1, 3 do
      assert_unsent(job.profile.list())
    end
    assert(slow:with({ deadline = 30 }).profile.list())
    assert.equal(1, #emulator.journal())
  end)

  it("raised where the wait that per_minute asks for was larger than any integer", function()
    local slow = client:with({ per_minute = 1e-30, deadline = 30 })
    assert(slow.profile.list())
    local _, message, err = slow.profile.list()
    assert.matches("per_minute asks to wait %d+ s; deadline leaves %d+ s", message)
    assert.equal("timeout", err.kind)
  end)

  it("is refused when it is not a number of seconds", function()
    local refused = "client:with: deadline must be a number of seconds %(got %-1%)"
    assert.has_error.matches(function()
      return (client:with({ deadline = -1 }))
    end, refused)
  end)
end)

describe("the timeout of tagoio.map", function()
  it("leaves results as they are; what is on its way or not started is `timeout`", function()
    with_time(2, function(seconds)
      emulator.inject({ hold = true, times = 0 })
      local items = { "result", "create", "create", "not started" }
      local results, failed = tagoio.map(items, function(item)
        if item == "result" then
          return item
        end
        return client.profile.create({ name = item })
      end, { timeout = seconds, concurrency = 2 })
      return function()
        assert.same({ "result", false, false, false }, results)
        for i = 2, 3 do
          assert.equal("timeout", failed[i].kind)
          assert.is_true(failed[i].maybe_applied)
        end
        assert.equal("map: not started: the timeout has passed", failed[4].message)
        assert.equal("timeout", failed[4].kind)
      end
    end)
  end)

  it("holds for the retries of its calls and for maps within it, not for calls after it", function()
    refuse_once()
    local other = client:with({ token = "p-another-token" })
    local _, failed = tagoio.map({ 1 }, function()
      local _, inner = tagoio.map({ 1 }, function()
        return client.profile.list()
      end, { timeout = 3600 })
      return nil, inner[1].message, inner[1]
    end, { timeout = 12 })
    assert.matches("asked to wait 44 s; deadline leaves %d+ s", failed[1].message)
    local _, _, err = other.profile.list()
    assert.equal(401, err.status)
  end)

  it("ends a sleep, and a wait for the start of a request", function()
    with_time(1, function(seconds)
      local _, failed = tagoio.map({ "sleep", "start", "start" }, function(item)
        if item == "sleep" then
          tagoio.sleep(3600)
        end
        return client.profile.list()
      end, { timeout = seconds, per_minute = 1, concurrency = 3 })
      return function()
        assert.matches(passed, failed[1].message)
        assert.is_nil(failed[2] and failed[2].message)
        assert.matches("per_minute asks to wait [56]%d s; deadline leaves ", failed[3].message)
      end
    end)
  end)

  it("is what a transport is told, which nothing else may end", function()
    local told
    local own = emulator.client({
      transport = function(request)
        told = request.timeout
        return 200, nil, '{"status":true,"result":[]}'
      end,
    })
    tagoio.gather(own.profile.list, { timeout = 12 })
    assert.is_true(told > 0 and told <= 12)
  end)
end)

describe("the timeout of tagoio.gather", function()
  it("comes after the functions, and ends them", function()
    local first, second = tagoio.gather(function()
      return "one"
    end, function()
      return "two"
    end, { timeout = 12 })
    assert.same({ "one", "two" }, { first, second })
    with_time(1, function(seconds)
      emulator.inject({ match = { path = "/profile" }, hold = true, times = 0 })
      local result, message, err = tagoio.gather(function()
        return "one"
      end, client.profile.list, { timeout = seconds })
      return function()
        assert.is_nil(result)
        assert.matches("^profile.list: timeout after ", message)
        assert.equal("timeout", err.kind)
      end
    end)
  end)
end)
