-- SPDX-License-Identifier: MIT
-- Dates as TagoIO writes them: ISO-8601, UTC, milliseconds.

local clock = {}

local day_s = 86400

function clock.iso(seconds)
  local whole = math.floor(seconds)
  local milliseconds = math.floor((seconds - whole) * 1000 + 0.5)
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. (".%03dZ"):format(milliseconds)
end

-- Days since 1970 of a day of the Gregorian calendar.
local function days(year, month, day)
  local y = month > 2 and year or year - 1
  local day_of_year = math.floor((153 * (month > 2 and month - 3 or month + 9) + 2) / 5) + day - 1
  local leap_days = math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
  return y * 365 + leap_days + day_of_year - 719468
end

clock.days = days

-- Whether a calendar has this day.
local function is_day(year, month, day)
  if month < 1 or month > 12 or day < 1 then
    return false
  end
  local after = month == 12 and days(year + 1, 1, 1) or days(year, month + 1, 1)
  return day <= after - days(year, month, 1)
end

-- Seconds since 1970 of "2024-09-01", "2024-09-01T10:00:00.000Z", "2024-09-01 10:00:00+02:00";
-- nil for anything else.
function clock.parse(text)
  local year, month, day, rest = text:match("^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$")
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or not is_day(year, month, day) then
    return nil
  end
  local seconds = days(year, month, day) * day_s
  if rest == "" then
    return seconds
  end
  local hour, minute, second, zone = rest:match("^[T ](%d%d):(%d%d):?([%d.]*)(.*)$")
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second) or 0
  local offset = hour and clock.offset(zone)
  if not offset or hour > 23 or minute > 59 or second >= 60 then
    return nil
  end
  return seconds + hour * 3600 + minute * 60 + second - offset
end

-- Zones without summer time: more would need the system's data base.
local zones = {
  UTC = 0,
  ["Etc/UTC"] = 0,
  ["America/Sao_Paulo"] = -3 * 3600,
  ["America/Bogota"] = -5 * 3600,
  ["Asia/Kolkata"] = 5.5 * 3600,
  ["Asia/Tokyo"] = 9 * 3600,
}

-- Seconds east of UTC of "", "Z", "+02:00" or a zone's name; nil for an unknown one.
function clock.offset(zone)
  if zone == "" or zone == "Z" then
    return 0
  end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
  if not sign then
    return zones[zone]
  end
  return (sign == "-" and -1 or 1) * (tonumber(hours) * 3600 + tonumber(minutes) * 60)
end

return clock
