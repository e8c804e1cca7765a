-- SPDX-License-Identifier: MIT

--- Dates: the texts that TagoIO sends, and seconds since 1970 as of `os.time`. Wherever a date
-- goes out, either will do.
-- @module tagoio.date

local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")

local date = {}

--- The time that a date means.
-- @tparam string text in ISO-8601: a day, or a day and a time with or without a fraction, in UTC
--   or with an offset; UTC too where neither is said. Not `"never"`, nor a span as `"3 months"`.
-- @treturn number seconds since 1970-01-01T00:00:00Z, with a fraction if the text has one
--   (`os.date` wants it whole: `math.floor`)
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err of the kind `invalid`
-- @usage local left = tagoio.date.parse("2031-05-01T09:30:00.000Z") - os.time()
function date.parse(text)
  check.argument("tagoio.date.parse", "text", "string", text)
  local seconds = core.parse_date(text)
  if not seconds then
    local needed = 'a date in ISO-8601, such as "2023-02-21T15:17:35.880Z"'
    local message = ("date.parse: text must be %s (got %s)"):format(needed, errors.quote(text))
    return errors.new("invalid", "date.parse", message)
  end
  return seconds
end

--- The date as TagoIO writes it: ISO-8601, UTC, milliseconds.
-- @tparam number seconds since 1970, from year 0 to the 16th of November 5138: what is later
--   must be milliseconds
-- @treturn string text as `"2023-02-21T15:17:35.880Z"`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err of the kind `invalid`
-- @usage print(tagoio.date.format(os.time() - 7 * 86400))
function date.format(seconds)
  check.argument("tagoio.date.format", "seconds", "number", seconds)
  local text, problem = core.format_date(seconds)
  if not text then
    return errors.new("invalid", "date.format", "date.format: " .. problem)
  end
  return text
end

return date --[[@as tagoio.date]]
