-- SPDX-License-Identifier: MIT
-- Audit logs that are followed to their end, over real sockets.

local audit = require("tagoio.audit")
local core = require("tagoio.core")
local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local id = emulator.profile

-- How often the query was started, and how often it was asked for.
local function requests()
  local started, polled = 0, 0
  for _, request in ipairs(emulator.journal()) do
    local rest = request.path:match("^/profile/%x+/auditlog(.*)$")
    started = started + (rest == "" and 1 or 0)
    polled = polled + (rest ~= "" and 1 or 0)
  end
  return started, polled
end

describe("auditLogEvents", function()
  local client, profile

  before_each(function()
    emulator.reset()
    client = emulator.client()
    profile = client.profile
  end)

  after_each(function()
    client:close()
  end)

  it("gives the events and the last answer", function()
    local events, answer = assert(profile.auditLogEvents(id, { resourceName = "device" }))
    assert.equal(1, #events)
    assert.equal("Device created: Press 4", events[1].message)
    assert.equal("Complete", answer.status)
    assert.equal(events, answer.events)
    assert.equal(1, answer.statistics.recordsMatched)
    assert.same({ 1, 1 }, { requests() })
  end)

  it("says whether a limit left events out", function()
    local function truncated(query)
      return (select(2, assert(profile.auditLogEvents(id, query)))).truncated
    end
    assert.is_false(truncated())
    assert.is_true(truncated({ limit = 1 }))
    assert.is_false(truncated({ limit = 2 })) -- both that matched
    emulator.reset({ audit_limit = 1 }) -- nobody asked for a limit
    assert.is_true(truncated())
    -- Where nobody says how many matched, as many as were asked for may not be all.
    local answer = { queryId = "q", status = "Complete", events = { { message = "m" } } }
    emulator.inject({ times = 3, json = { status = true, result = answer } })
    assert.is_true(truncated({ limit = 1 }))
    assert.is_false(truncated({ limit = 2 }))
    assert.is_false(truncated())
  end)

  it("hands the filter on", function()
    emulator.reset({ audit_polls = 0, audit_days = 36500 })
    assert(profile.auditLogEvents(id, { find = "x y", limit = 5, start_date = 0 }))
    local expected = "/auditlog?find=x%20y&start_date=1970-01-01T00%3A00%3A00.000Z&limit=5"
    assert.equal("/profile/" .. id .. expected, emulator.request().uri)
  end)

  it("gives an empty array when nothing matched, and when nothing came", function()
    assert.equal("[]", tagoio.encode((profile.auditLogEvents(id, { find = "nothing" }))))
    local answer = { queryId = "q", status = "Complete" }
    emulator.inject({ json = { status = true, result = answer } })
    assert.equal("[]", tagoio.encode((profile.auditLogEvents(id))))
  end)

  it("takes events without a status for the end", function()
    local events = { { message = "m" } }
    emulator.inject({ json = { status = true, result = { queryId = "q", events = events } } })
    assert.equal("m", assert(profile.auditLogEvents(id))[1].message)
    assert.equal(1, #emulator.journal())
  end)

  it("goes on with a query that was started before", function()
    local started = assert(profile.auditLog(id))
    assert.equal("Running", started.status)
    local events, answer = assert(profile.auditLogEvents(id, nil, { queryId = started.queryId }))
    assert.equal(2, #events)
    assert.equal(started.queryId, answer.queryId)
    assert.same({ 1, 1 }, { requests() })
  end)

  it("returns why a query could not be started", function()
    local events, message, err = profile.auditLogEvents("5bbe3d1d4d3ad10021e1d2c3")
    assert.is_nil(events)
    assert.matches("^profile.auditLog: .*%(HTTP 403, ", message)
    assert.equal(message, err.message)
    assert.equal(403, err.status)
    assert.is_nil(err.queryId)
  end)

  it("returns why it could not be asked for, and the query with it", function()
    local refusal = { status = false, message = "No" }
    emulator.inject({ skip = 1, status = 403, json = refusal })
    local events, message, err = profile.auditLogEvents(id)
    assert.is_nil(events)
    assert.matches("^profile.auditLogQuery: No %(HTTP 403, ", message)
    assert.equal("string", type(err.queryId))
    assert.equal(2, #assert(profile.auditLogEvents(id, nil, { queryId = err.queryId })))
  end)

  it("is an error of the kind api when the query ends otherwise", function()
    for _, status in ipairs({ "Failed", "Timeout", "Unknown", "Cancelled" }) do
      emulator.reset({ audit_status = status, audit_polls = 0 })
      local events, message, err = profile.auditLogEvents(id)
      assert.is_nil(events)
      assert.equal(('profile.auditLogEvents: the query ended as "%s"'):format(status), message)
      assert.equal("api", err.kind)
      assert.equal("profile.auditLogEvents", err.operation)
      assert.equal(1, err.attempts)
      assert.equal("string", type(err.queryId))
    end
  end)

  it("raises on bad input at the caller's line", function()
    local rows = {
      { { id, { from = 1 } }, "query.from: unknown key; allowed: resourceID" },
      { {}, "profileID must be a string (got nothing)" },
      { { id, nil, 60 }, "options must be a table or nil (got a number)" },
      { { id, nil, { time = 60 } }, 'options: unknown option "time"; there are timeout, ' },
      { { id, nil, { timeout = "60" } }, "options.timeout must be a number (got a string)" },
      { { id, nil, { timeout = 60000 } }, "options.timeout must be at most 3600 seconds" },
      { { id, nil, { timeout = 0 } }, "options.timeout must be a positive number" },
      { { id, nil, { on_progress = true } }, "options.on_progress must be a function" },
      { { profile, id }, "call it with a dot" },
    }
    for _, row in ipairs(rows) do
      local ok, message = pcall(function()
        local _ = profile.auditLogEvents(row[1][1], row[1][2], row[1][3])
      end)
      assert.is_false(ok)
      assert.matches("^spec/api/audit_spec.lua:%d+: profile.auditLogEvents: ", message)
      assert.is_truthy(message:find(row[2], 1, true), message)
    end
    assert.same({}, emulator.journal())
  end)

  describe("under an invented clock", function()
    local real_now = core.now
    local now, pauses, caller

    before_each(function()
      now, pauses = 1000, {}
      core.now = function()
        return now
      end
      caller = {
        call = function(operation, _, ...)
          return profile[operation:match("[^.]+$")](...)
        end,
        pause = function(seconds)
          pauses[#pauses + 1] = seconds
          now = now + seconds
          return true
        end,
      }
    end)

    after_each(function()
      core.now = real_now
    end)

    it("pauses longer and longer, up to 5 s", function()
      emulator.reset({ audit_polls = 7 })
      assert.equal(2, #assert(audit.events(caller, id)))
      assert.same({ 0.5, 1, 2, 4, 5, 5, 5 }, pauses)
      assert.same({ 1, 7 }, { requests() })
    end)

    it("does not pause when the query is complete", function()
      emulator.reset({ audit_polls = 0 })
      assert.equal(2, #assert(audit.events(caller, id)))
      assert.same({}, pauses)
    end)

    it("tells of every answer before the end", function()
      emulator.reset({ audit_polls = 2 })
      local seen = {}
      local options = {
        on_progress = function(answer)
          seen[#seen + 1] = answer.status
        end,
      }
      assert(audit.events(caller, id, nil, options))
      assert.same({ "Running", "Running" }, seen)
    end)

    it("ends in time, asks a last time then, and can be gone on with", function()
      emulator.reset({ audit_polls = 5 })
      local events, message, err = audit.events(caller, id, nil, { timeout = 3 })
      assert.is_nil(events)
      assert.same({ 0.5, 1, 1.5 }, pauses)
      assert.equal(
        "profile.auditLogEvents: timeout after 3 s, the query is \"Running\" "
          .. "(go on with options.queryId = err.queryId)",
        message
      )
      assert.equal("timeout", err.kind)
      assert.equal(4, err.attempts)
      assert.equal(3, err.elapsed)
      assert.equal(2, #assert(audit.events(caller, id, nil, { queryId = err.queryId })))
    end)

    it("waits for 60 s when nothing is said, also for a query that is only scheduled", function()
      emulator.reset({ audit_status = "Scheduled" })
      local _, message, err = audit.events(caller, id)
      assert.matches('timeout after 60 s, the query is "Scheduled"', message)
      assert.equal(60, err.elapsed)
      assert.equal(1060, now)
    end)
  end)
end)

describe("auditLogEvents in a map", function()
  it("pauses while the others go on, and not beyond a stop", function()
    emulator.reset({ audit_polls = 1 })
    local client = emulator.client()
    local order = {}
    local results, failed = tagoio.map({ "audit", "list" }, function(item)
      local result, message, err
      if item == "audit" then
        result, message, err = client.profile.auditLogEvents(id)
      else
        result, message, err = client.profile.list()
      end
      order[#order + 1] = item
      return result, message, err
    end)
    assert.is_nil(failed)
    assert.equal(2, #results[1])
    assert.same({ "list", "audit" }, order)

    emulator.reset({ audit_polls = 1000 })
    emulator.inject({ match = { path = "/profile" }, status = 403, body = "{}" })
    local running = false
    local function on_progress()
      running = true
    end
    local _, stopped = tagoio.map({ "audit", "list" }, function(item)
      if item == "audit" then
        local options = { timeout = 3600, on_progress = on_progress }
        return client.profile.auditLogEvents(id, nil, options)
      end
      while not running do
        assert(client.profile.info(id))
      end
      return client.profile.list()
    end, { stop_on_error = true })
    assert.equal("canceled", stopped[1].kind)
    assert.equal("string", type(stopped[1].queryId))
    assert.equal(403, stopped[2].status)
    client:close()
  end)

  it("went on asking when the calls of its client were canceled in a pause", function()
    emulator.reset({ audit_polls = 1000 })
    local client = emulator.client()
    local scope, pausing = client:with({}), false
    local function on_progress()
      assert.is_false(pausing)
      pausing = true
    end
    local _, failed = tagoio.map({ "audit", "cancel" }, function(item)
      if item == "audit" then
        return scope.profile.auditLogEvents(id, nil, { on_progress = on_progress })
      end
      while not pausing do
        assert(client.profile.info(id))
      end
      scope:cancel()
      return true
    end)
    assert.equal("profile.auditLogEvents: canceled", failed[1].message)
    assert.equal("canceled", failed[1].kind)
    assert.equal("string", type(failed[1].queryId))
    client:close()
  end)
end)
