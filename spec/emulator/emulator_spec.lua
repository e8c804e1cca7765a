-- SPDX-License-Identifier: MIT
-- The emulator itself, asked by LuaSocket: what it answers is what is known about the API.

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")

local id = emulator.profile
local owner = "5bbe3d1d4d3ad10021e1d0a1"
local own = "/profile/" .. id
local call, result, refusal = emulator.call, emulator.result, emulator.refusal
local column = emulator.column

local function date(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S.000Z", seconds)
end

describe("the emulator's", function()
  before_each(function()
    emulator.reset()
  end)

  describe("statistics", function()
    local path = own .. "/statistics?start_date=2025-03-01&end_date=2025-03-04&periodicity=day"

    it("stay as they were when the profile is renamed", function()
      local before = result("GET", path)
      assert.equal(3, #before)
      result("PUT", own, { name = "Another" })
      assert.same(before, result("GET", path))
    end)

    it("have no member for a service that was not used", function()
      local first = result("GET", path)[1] -- a minute and a half after the counters began
      assert.is_nil(first.email)
      assert.is_nil(first.sms)
      assert.is_true(first.data_records > 0)
      for _, row in ipairs(result("GET", path)) do
        for _, amount in pairs(row) do
          assert.are_not.equal(0, amount)
        end
      end
    end)

    it("begin with the profile", function()
      local created = "/profile/" .. result("POST", "/profile", { name = "New" }).id
      assert.same({}, result("GET", created .. "/statistics?date=2025-03-01"))
      local before = "/statistics?start_date=2023-02-20&end_date=2023-02-24&periodicity=day"
      assert.equal(2, #result("GET", own .. before))
    end)

    it("end now, not a little later", function()
      local rows = result("GET", own .. "/statistics")
      assert.is_true(#rows == 0 or rows[#rows].time <= date(os.time()))
    end)
  end)

  describe("summary", function()
    it("has all nine services in limit_used, used or not", function()
      local used = result("GET", own .. "/summary").limit_used
      assert.equal(0, used.sms)
      assert.equal(0, used.push_notification)
    end)

    it("knows no amount of backups", function()
      assert.is_nil(result("GET", own .. "/summary").amount.backup)
    end)
  end)

  describe("audit log", function()
    it("names who did it by the id of the account", function()
      emulator.reset({ audit_polls = 0 })
      local events = result("GET", own .. "/auditlog").events
      assert.same({ owner, owner }, column(events, "who"))
    end)

    it("answers for seven days at most", function()
      local from = "?start_date=" .. date(os.time() - 8 * 86400)
      local message = "The interval between start_date and end_date is over 7 days"
      assert.equal("400 " .. message, refusal("GET", own .. "/auditlog" .. from))
      emulator.reset({ audit_days = 365 })
      assert.equal("Running", result("GET", own .. "/auditlog" .. from).status)
    end)
  end)

  describe("backups", function()
    local path = own .. "/backup"

    it("take a while, and cannot be had before they are there", function()
      emulator.reset({ backup_polls = 2 })
      local _, made = call("POST", path)
      local download = path .. "/" .. made.backup_id .. "/download"
      local password = { password = emulator.password }
      assert.equal("queued", result("GET", path)[1].status)
      assert.equal("processing", result("GET", path)[1].status)
      local early = "Backup is not ready for download. Current status: completed"
      assert.equal("completed", result("GET", path)[1].status)
      local status, link = call("POST", download, password)
      assert.same({ 200, "string", "bytes" }, { status, type(link.file_size_mb), link.size_unit })
      assert.equal(link.size / 2 ^ 20, tonumber(link.file_size_mb))
      emulator.reset({ backup_polls = 1 })
      _, made = call("POST", path)
      download = path .. "/" .. made.backup_id .. "/download"
      assert.equal("400 " .. early:gsub("completed", "queued"), refusal("POST", download, password))
    end)

    it("may end otherwise", function()
      emulator.reset({ backup_polls = 0, backup_status = "failed" })
      call("POST", path)
      local row = result("GET", path)[1]
      assert.same({ "failed", "string" }, { row.status, type(row.error_message) })
    end)

    it("are one a day", function()
      call("POST", path)
      local status, answer = call("POST", path)
      assert.equal(403, status)
      assert.matches("^Daily backup limit reached %(1 backups per day%)", answer.message)
    end)

    it("are answered without an envelope, or in one", function()
      local _, bare = call("POST", path)
      assert.same({ nil, id }, { bare.result, bare.profile })
      emulator.reset({ backup_envelope = true })
      assert.equal("string", type(result("POST", path)))
      local backup = result("GET", path)[1].id
      local password = { password = emulator.password }
      local link = result("POST", path .. "/" .. backup .. "/download", password)
      assert.matches("^https://", link.url)
    end)

    it("come with the newest first", function()
      emulator.reset({ max_backups = 2 })
      local _, first = call("POST", path)
      local _, second = call("POST", path)
      assert.same({ second.backup_id, first.backup_id }, column(result("GET", path), "id"))
      local oldest_first = path .. "?orderBy=created_at,asc"
      assert.same({ first.backup_id, second.backup_id }, column(result("GET", oldest_first), "id"))
      assert.equal("string", type(result("GET", path)[1].version_id))
    end)
  end)

  describe("token list", function()
    local function names(filter)
      return column(result("GET", own .. "/token?" .. filter), "name")
    end

    it("is filtered by a list", function()
      assert.same(
        { "Automation", "Wall display" },
        names("filter[name][0]=automation&filter[name][1]=wall*")
      )
      assert.same({ "Wall display" }, names("filter[permission][0]=read"))
      assert.same({}, names("filter[name][0]=none&filter[name][1]=nobody"))
    end)

    it("is filtered by created_at, in any way to write a date", function()
      assert.same({ "Automation" }, names("filter[created_at]=2023-02-22T15:17:35.880Z"))
      assert.same({ "Automation" }, names("filter[created_at]=2023-02-22T16:17:35.880%2B01:00"))
      assert.same({ "Automation" }, names("filter[created_at]=2023-02-22*"))
      assert.same({}, names("filter[created_at]=2023-02-21T15:17:35.880Z"))
    end)

    it("is filtered by the token", function()
      assert.same({ "Automation" }, names("filter[token]=" .. emulator.token))
    end)

    it("knows no filter by what a token has not", function()
      for _, filter in ipairs({ "filter[tags][0][key]=k", "filter[name][x]=k", "filter=x" }) do
        local message = "400 Invalid filter parameter"
        assert.equal(message, refusal("GET", own .. "/token?" .. filter))
      end
    end)
  end)

  it("pages begin at 1 and are whole numbers", function()
    for _, name in ipairs({ "page", "amount" }) do
      for _, value in ipairs({ "0", "-1", "1.5", "", "x", "0x1", "inf", "1e1" }) do
        local path = ("%s/token?%s=%s"):format(own, name, value)
        assert.equal("400 " .. ("Invalid %s parameter"):format(name), refusal("GET", path))
      end
    end
  end)

  it("routes refuse keys of a query that they do not know", function()
    assert.equal("400 Unknown parameter: pages", refusal("GET", own .. "/token?pages=1"))
    assert.equal("400 Unknown parameter: page", refusal("GET", "/profile?page=1"))
    assert.equal("400 Unknown parameter: token", refusal("GET", own .. "/token?token=x"))
    local path = own .. "/summary?only_amount=true"
    assert.equal("400 Unknown parameter: only_amount", refusal("GET", path))
    assert.is_nil(next(emulator.counts().executed))
  end)

  describe("edit", function()
    it("refuses members that a profile does not have, and changes nothing", function()
      assert.equal("400 Unknown member: nmae", refusal("PUT", own, { name = "A", nmae = "B" }))
      assert.equal("400 Unknown member: info.nmae", refusal("PUT", own, { info = { nmae = "B" } }))
      assert.equal("400 Invalid logo_url", refusal("PUT", own, { logo_url = 5 }))
      assert.equal("Factory", result("GET", own).info.name)
    end)

    it("knows the nested form as well", function()
      local body = {
        info = { id = id, account = owner, name = "Nested", logo_url = dkjson.null },
        allocation = { input = 5, sms = 0 },
      }
      assert.equal("Successfully Updated", result("PUT", own, body))
      local now = result("GET", own)
      assert.equal("Nested", now.info.name)
      assert.is_nil(now.info.logo_url)
      assert.same({ 5, 0, 3000000 }, {
        now.allocation.input,
        now.allocation.sms,
        now.allocation.output,
      })
    end)
  end)

  describe("new token", function()
    local function body(expiry)
      return {
        name = "x",
        permission = "read",
        email = emulator.email,
        password = emulator.password,
        expire_time = expiry,
      }
    end

    it("cannot be over before it begins", function()
      local past = date(os.time() - 60)
      assert.equal("400 Invalid expire_time", refusal("POST", own .. "/token", body(past)))
    end)

    it("may do what its permission says, and no more", function()
      local rows = {
        full = { 200, 200, 200 },
        write = { 200, 200, 403 },
        read = { 200, 403, 403 },
        deny = { 403, 403, 403 },
      }
      for permission, statuses in pairs(rows) do
        emulator.reset()
        local wanted = body("1 day")
        wanted.permission = permission
        local token = result("POST", own .. "/token", wanted).token
        assert.same(statuses, {
          (call("GET", own, nil, token)),
          (call("PUT", own, { name = "x" }, token)),
          (call("DELETE", own, { password = emulator.password }, token)),
        }, permission)
      end
    end)

    it("refuses dates that no calendar has", function()
      for _, text in ipairs({ "2100-13-01", "2100-00-10", "2100-02-30", "2100-01-01T25:00:00Z" }) do
        assert.equal("400 Invalid expire_time", refusal("POST", own .. "/token", body(text)))
      end
      assert.equal("2096-02-29T00:00:00.000Z", result(
        "POST",
        own .. "/token",
        body("2096-02-29")
      ).expire_date)
    end)
  end)

  describe("audit log", function()
    before_each(function()
      emulator.reset({ audit_polls = 0 })
    end)

    it("says how many events matched when a limit leaves some out", function()
      local answer = result("GET", own .. "/auditlog?limit=1")
      assert.same({ 1, 2 }, { #answer.events, answer.statistics.recordsMatched })
      assert.equal("Profile updated", answer.events[1].message) -- the oldest comes first
      answer = result("GET", own .. "/auditlog?limit=2")
      assert.same({ 2, 2 }, { #answer.events, answer.statistics.recordsMatched })
      assert.equal("400 Invalid limit", refusal("GET", own .. "/auditlog?limit=0"))
      assert.equal("400 Invalid limit", refusal("GET", own .. "/auditlog?limit=1.5"))
    end)

    it("has a limit of its own where none is asked for, and above which none can be", function()
      emulator.reset({ audit_polls = 0, audit_limit = 1 })
      for _, query in ipairs({ "", "?limit=2" }) do
        local answer = result("GET", own .. "/auditlog" .. query)
        assert.same({ 1, 2 }, { #answer.events, answer.statistics.recordsMatched })
      end
    end)
  end)

  describe("rate limits", function()
    -- Two windows at most are seen: a spec may run while one ends.
    local function numbers(name)
      local windows, sum = emulator.counts().windows, 0
      assert.is_true(#windows <= 2)
      for _, window in ipairs(windows) do
        assert.same({ "GET /profile/{}", id }, { window.route, window.profile })
        sum = sum + window[name]
      end
      return sum
    end

    it("count what passed and what was refused, by the window", function()
      emulator.limit({ route = "GET /profile/{}", limit = 2, window_s = 3600 })
      local refusals = 0
      for _ = 1, 6 do
        local status, answer, headers = call("GET", own)
        if status == 429 then
          refusals = refusals + 1
          local seconds = answer.message:match("^Too many requests %(Retry%-After: (%d+)%)$")
          seconds = tonumber(seconds)
          assert.is_true(seconds >= 1 and seconds <= 3600)
          assert.is_nil(headers["retry-after"])
        end
      end
      assert.same({ 6 - refusals, refusals }, { numbers("passed"), numbers("refused") })
      assert.is_true(refusals >= 2)
      result("GET", "/profile") -- another route
    end)

    it("say it in a header as well where that is asked for", function()
      emulator.limit({ route = "GET /profile/{}", limit = 0, window_s = 2, header = true })
      local status, answer, headers = call("GET", own)
      assert.equal(429, status)
      local said = ("Too many requests (Retry-After: %s)"):format(headers["retry-after"])
      assert.equal(said, answer.message)
    end)

    it("are of one profile where one is named", function()
      local created = result("POST", "/profile", { name = "Another" }).id
      emulator.limit({ route = "GET /profile/{}", limit = 0, window_s = 2, profile = created })
      result("GET", own)
      assert.same({}, emulator.counts().windows)
    end)

    it("of which several fit are the last one's", function()
      emulator.limit({ route = "GET /profile/{}", limit = 0, window_s = 3600 })
      emulator.limit({ route = "GET /profile/{}", limit = 100, window_s = 3600 })
      result("GET", own)
      assert.same({ 1, 0 }, { numbers("passed"), numbers("refused") })
    end)

    it("let nothing run that they refuse", function()
      emulator.limit({ route = "POST /profile/{}/team", limit = 0, window_s = 2 })
      assert.equal(429, (call("POST", own .. "/team", { email = "a@example.com" })))
      assert.equal(1, #result("GET", own .. "/team"))
      assert.is_nil(next(emulator.counts().executed))
    end)

    it("that are no limits are refused", function()
      assert.has_error(function()
        emulator.limit({ route = "GET /profile/{}", limit = 1 })
      end)
      assert.has_error(function()
        emulator.limit({ route = "GET /profile/x", limit = 1, window_s = 1 })
      end)
    end)
  end)
end)
