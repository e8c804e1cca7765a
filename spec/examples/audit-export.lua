-- SPDX-License-Identifier: MIT
-- Writes the audit log of a profile to standard output, a line of JSON an event, the oldest first.
-- What it is doing goes to standard error. Ends with status 1 when a part could not be had.
--
-- usage: lua audit-export.lua [--days N] [--find TEXT] [PROFILE] >audit.jsonl
--
-- TagoIO answers for seven days at most, so a longer time is asked for week by week.

local tagoio = require("tagoio")

local profile = tagoio.profile
local day_s = 86400
local week_s = 7 * day_s

local function fail(message)
  io.stderr:write("audit-export: ", message, "\n")
  os.exit(1)
end

local function read_arguments(words)
  local options = { days = 7 }
  local i = 1
  while words[i] do
    if words[i] == "--days" then
      options.days = tonumber(words[i + 1]) or fail("--days: a number is needed")
      i = i + 2
    elseif words[i] == "--find" then
      options.find = words[i + 1] or fail("--find: a text is needed")
      i = i + 2
    else
      options.id = words[i]
      i = i + 1
    end
  end
  return options
end

local function progress(from, to)
  local name = tagoio.date.format(from):sub(1, 10) .. " to " .. tagoio.date.format(to):sub(1, 10)
  return function(answer)
    io.stderr:write(("%s: %s\n"):format(name, answer.status or "Running"))
  end
end

local function export(id, from, to, find)
  local query = { start_date = from, end_date = to, find = find }
  local events, message = profile.auditLogEvents(id, query, {
    timeout = 300,
    on_progress = progress(from, to),
  })
  for _, event in ipairs(events or fail(message)) do
    print(assert(tagoio.encode(event)))
  end
  return #events
end

local options = read_arguments(arg)
local id = options.id
if not id then
  local current, message = profile.info("current")
  id = (current or fail(message)).info.id
end

local now = os.time()
local from = now - math.floor(options.days * day_s)
local count = 0
while from < now do
  local to = math.min(from + week_s, now)
  count = count + export(id, from, to, options.find)
  from = to + 0.001 -- both ends belong to a part, and TagoIO counts in milliseconds
end
io.stderr:write(("%d events of %g days\n"):format(count, options.days))
