-- SPDX-License-Identifier: MIT
-- Use of the services: a pure function of the profile's size and the time. Counters grow from the
-- first of the month; data_records and file_storage say what is there.

local account = require("account")
local clock = require("clock")
local json = require("json")
local refuse = require("refuse")

local statistics = {}

local hour_s = 3600
local day_s = 86400
local late_s = 96 -- a little past each hour, as the real ones are
local most_rows = 10000

statistics.keys = { "date", "start_date", "end_date", "periodicity", "timezone" }

-- Use an hour.
local rates = { input = 417, output = 903, analysis = 0.51, email = 0.04 }

local function month_start(seconds)
  local date = os.date("!*t", seconds)
  return clock.days(date.year, date.month, 1) * day_s
end

-- Parts of one that are counted.
local fractions = { analysis = 100, file_storage = 100 }

-- What was used at a time, by the services; what was not used is absent.
function statistics.at(profile, seconds)
  local hours = (seconds - math.max(month_start(seconds), profile.created_at)) / hour_s
  local day = seconds / day_s
  local used = {
    data_records = 151000 + 3000 * math.sin(day),
    file_storage = 49.89 + math.sin(day / 7),
  }
  for service, rate in pairs(rates) do
    used[service] = rate * hours
  end
  for service, amount in pairs(used) do
    local parts = fractions[service] or 1
    local rounded = math.floor(amount * profile.size * parts) / parts
    used[service] = rounded > 0 and rounded or nil
  end
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
  while time < to and time + late_s <= ngx.time() and #rows < most_rows do
    local row = time + late_s >= profile.created_at and statistics.at(profile, time + late_s)
    if row and next(row) then
      row.time = clock.iso(time + late_s)
      rows[#rows + 1] = row
    end
    time = next_time(time, periodicity)
  end
  return rows
end

return statistics
