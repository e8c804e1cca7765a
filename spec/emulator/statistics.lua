-- SPDX-License-Identifier: MIT
-- Use of the services: a pure function of the time. Counters grow from the first of the month;
-- data_records and file_storage say what is there; what is never used is absent.

local account = require("account")
local clock = require("clock")
local json = require("json")
local refuse = require("refuse")

local statistics = {}

local hour_s = 3600
local day_s = 86400
local most_rows = 10000

-- Use an hour.
local rates = { input = 417, output = 903, analysis = 0.51, email = 0.04 }

local function month_start(seconds)
  local date = os.date("!*t", seconds)
  return clock.days(date.year, date.month, 1) * day_s
end

-- What was used at a time, by the services.
function statistics.at(profile, seconds)
  local scale = profile.name == "Factory" and 1 or 0.25
  local hours = (seconds - month_start(seconds)) / hour_s
  local day = seconds / day_s
  local used = {}
  for service, rate in pairs(rates) do
    used[service] = math.floor(rate * scale * hours * 100) / 100
  end
  used.input, used.output = math.floor(used.input), math.floor(used.output)
  used.email = math.floor(used.email)
  used.data_records = math.floor(scale * (151000 + 3000 * math.sin(day)))
  used.file_storage = math.floor(scale * (4989 + 100 * math.sin(day / 7))) / 100
  used.run_users = 2
  return used
end

local function next_time(seconds, periodicity)
  if periodicity == "hour" then
    return seconds + hour_s
  elseif periodicity == "day" then
    return seconds + day_s
  end
  return month_start(month_start(seconds) + 32 * day_s)
end

local function date_of(query, name, offset)
  local text = query[name]
  local seconds = type(text) == "string" and clock.parse(text)
  if not seconds then
    refuse(400, ("Invalid %s"):format(name))
  end
  -- A day alone begins at midnight of the zone.
  return #text == 10 and seconds - offset or seconds
end

-- From when, until when, in which steps.
local function interval(query, offset)
  if query.date then
    local day = math.floor((date_of(query, "date", offset) + offset) / day_s) * day_s - offset
    return day, day + day_s, "hour"
  elseif query.start_date or query.end_date then
    local from, to = date_of(query, "start_date", offset), date_of(query, "end_date", offset)
    return from, to, query.periodicity or "hour"
  end
  local today = math.floor((ngx.time() + offset) / day_s) * day_s - offset
  return today, today + day_s, "hour"
end

function statistics.list(asked, id)
  local profile = account.find(asked, id)
  local offset = clock.offset(asked.query.timezone or "UTC")
  if not offset then
    refuse(400, "Invalid timezone")
  end
  local from, to, periodicity = interval(asked.query, offset)
  if periodicity ~= "hour" and periodicity ~= "day" and periodicity ~= "month" then
    refuse(400, "Invalid periodicity")
  end
  local rows = json.array()
  local time = from
  while time < math.min(to, ngx.time()) and #rows < most_rows do
    -- A little past each hour, as the real ones are.
    local row = statistics.at(profile, time + 96)
    row.run_users = nil
    row.time = clock.iso(time + 96)
    rows[#rows + 1] = row
    time = next_time(time, periodicity)
  end
  return rows
end

return statistics
