-- SPDX-License-Identifier: MIT
-- Dates, against what `date` of the system says.

local process = require("spec.support.process")
local tagoio = require("tagoio")

local parse, format = tagoio.date.parse, tagoio.date.format

-- The lines that `date` prints for the lines of a file, in a time zone.
local function system_dates(lines, zone, form)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(table.concat(lines, "\n"), "\n")
  file:close()
  -- Without a sanitizer's library: the leaks of `date` are its own.
  local command = ("env -u LD_PRELOAD TZ=%s LC_ALL=C date -f %s %s"):format(
    zone,
    name,
    process.quote(form)
  )
  local output, status = process.run(command)
  os.remove(name)
  assert(status == 0, output)
  local dates = {}
  for line in output:gmatch("[^\n]+") do
    dates[#dates + 1] = line
  end
  assert(#dates == #lines)
  return dates
end

-- Times over the years 1970 to 2100: every eleven days and some, so that hours, months and leap
-- days all come.
local function times()
  local list = {}
  for seconds = 0, 4133980799, 11 * 86400 + 12347 do
    list[#list + 1] = seconds
  end
  return list
end

describe("tagoio.date", function()
  local seconds, inputs

  setup(function()
    seconds, inputs = times(), {}
    for i, time in ipairs(seconds) do
      inputs[i] = ("@%d"):format(time)
    end
  end)

  it("writes 1970 to 2100 as the system does", function()
    local dates = system_dates(inputs, "UTC", "+%Y-%m-%dT%H:%M:%S.000Z")
    for i, time in ipairs(seconds) do
      assert.equal(dates[i], format(time))
    end
  end)

  -- With summer time and without, west and east, in half and quarter hours; as rules, because
  -- the names of zones are a package of its own.
  for place, rule in pairs({
    Greenwich = "GMT0",
    ["Sao Paulo"] = "<-03>3",
    ["St. John's"] = "NST3:30NDT,M3.2.0,M11.1.0",
    London = "GMT0BST,M3.5.0/1,M10.5.0",
    Kathmandu = "<+0545>-5:45",
    ["Lord Howe"] = "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
    Kiritimati = "<+14>-14",
  }) do
    it("reads 1970 to 2100 as the system writes it in " .. place, function()
      local dates = system_dates(inputs, process.quote(rule), "+%Y-%m-%dT%H:%M:%S%:z")
      local elsewhere = 0
      for i, time in ipairs(seconds) do
        assert.equal(time, parse(dates[i]))
        elsewhere = elsewhere + (dates[i]:find("+00:00", 1, true) and 0 or 1)
      end
      assert.equal(place == "Greenwich", elsewhere == 0)
    end)
  end

  it("keeps milliseconds both ways", function()
    for _, text in ipairs({
      "2023-02-21T15:17:35.880Z",
      "1970-01-01T00:00:00.001Z",
      "1969-12-31T23:59:59.999Z",
      "2099-12-31T23:59:59.123Z",
    }) do
      assert.equal(text, format(assert(parse(text))))
    end
    assert.equal(1676992655.88, parse("2023-02-21T15:17:35.880Z"))
  end)

  it("gives whole seconds as whole numbers", function()
    assert.equal("1676992655", tostring(parse("2023-02-21T15:17:35.000Z")))
    assert.equal("2023-02-21", os.date("!%Y-%m-%d", parse("2023-02-21T15:17:35.000Z")))
  end)

  it("says what is no date", function()
    local texts = { "", "never", "3 months", "2023-02-29", "2023-02-21\0", "2023-02-21T25:00Z" }
    for _, text in ipairs(texts) do
      local time, message, err = parse(text)
      assert.is_nil(time)
      assert.matches("^date.parse: text must be a date in ISO%-8601, such as %S+ %(got ", message)
      assert.equal("invalid", err.kind)
      assert.equal("date.parse", err.operation)
    end
    assert.is_truthy(#select(2, parse(("x"):rep(10000))) < 200)
  end)

  it("says what time has no date", function()
    local text, message, err = format(1676992655880)
    assert.is_nil(text)
    assert.matches("^date.format: 1676992655880 is too late .*not milliseconds%)$", message)
    assert.equal("invalid", err.kind)
    assert.is_nil(format(0 / 0))
    assert.is_nil(format(-math.huge))
  end)

  it("raises at the caller's line on a wrong type", function()
    local function raises(call, value, expected)
      local ok, message = pcall(function()
        local _ = call(value)
      end)
      assert.is_false(ok)
      assert.matches("^spec/api/date_spec.lua:%d+: " .. expected, message)
    end
    for _, value in ipairs({ 7, {}, true, tagoio.null }) do
      raises(parse, value, "tagoio.date.%l+: %l+ must be a %l+ %(got ")
    end
    raises(parse, nil, "tagoio.date.%l+: %l+ must be a %l+ %(got nil")
    raises(format, "0", "tagoio.date.format: %l+ must be a %l+ %(got a string")
  end)
end)
