-- SPDX-License-Identifier: MIT
-- Writes the audit log of a profile, a line of JSON an event, the oldest first. What it is doing
-- goes to standard error. Ends with status 1 when a part could not be had.
--
-- usage: lua audit-export.lua [--days N] [--find TEXT] [--file FILE] [PROFILE]
--
-- With --file it goes on where the last run stopped, as from cron: events that are in the file are
-- not written again. Without it they go to standard output. --days (7) says how far to look back
-- where nothing was written yet.
--
-- TagoIO answers for seven days at most, so a longer time is asked for week by week, and an
-- interval with more events than an answer holds in halves.

local tagoio = require("tagoio")

local profile = tagoio.profile
local day_s = 86400
local week_s = 7 * day_s
local late_s = 600 -- an event may be seen some minutes after its date

local function fail(message)
  io.stderr:write("audit-export: ", message, "\n")
  os.exit(1)
end

local function read_arguments(words)
  local options = { days = 7 }
  local i = 1
  while words[i] do
    local name = words[i]:match("^%-%-(%a+)$")
    if not name then
      options.id = words[i]
    elseif name == "days" then
      options.days = tonumber(words[i + 1]) or fail("--days: a number is needed")
    elseif name == "find" or name == "file" then
      options[name] = words[i + 1] or fail(("--%s: a text is needed"):format(name))
    else
      fail("unknown option " .. words[i])
    end
    i = i + (name and 2 or 1)
  end
  return options
end

-- ---- what the last run wrote ----

local function each_line(name, fn)
  local file = io.open(name, "rb")
  for line in file and file:lines() or function() end do
    fn(line)
  end
  if file then
    file:close()
  end
end

-- Whether the last run was killed while it wrote a line.
local function is_torn(name)
  local file = io.open(name, "rb")
  local torn = file and file:seek("end", -1) and file:read(1) ~= "\n"
  if file then
    file:close()
  end
  return torn
end

-- The date of a line; nil: the line is cut off.
local function date_of(line)
  local event = tagoio.decode(line)
  return event and tagoio.date.parse(event.date)
end

-- Leaves out a line that is cut off.
local function mend(name)
  local copy = assert(io.open(name .. ".new", "wb"))
  each_line(name, function(line)
    if date_of(line) then
      assert(copy:write(line, "\n"))
    end
  end)
  assert(copy:close())
  assert(os.rename(name .. ".new", name))
end

-- The newest date in the file, nil: there is none; and how often each line is there that may come
-- again.
local function read_written(name)
  if is_torn(name) then
    mend(name)
  end
  local newest
  each_line(name, function(line)
    newest = math.max(date_of(line), newest or 0)
  end)
  local written = {}
  each_line(name, function(line)
    if date_of(line) >= newest - late_s then
      written[line] = (written[line] or 0) + 1
    end
  end)
  return newest, written
end

-- ---- the export ----

local function progress(from, to)
  local name = tagoio.date.format(from):sub(1, 10) .. " to " .. tagoio.date.format(to):sub(1, 10)
  return function(response)
    io.stderr:write(("%s: %s\n"):format(name, response.status or "Running"))
  end
end

-- Calls a function with the events of an interval.
local function each_part(id, from, to, find, fn)
  local query = { start_date = from, end_date = to, find = find }
  local events, last = profile.auditLogEvents(id, query, {
    timeout = 300,
    on_progress = progress(from, to),
  })
  if not events then
    fail(last)
  elseif last.truncated and to - from > 1 then
    local middle = math.floor((from + to) / 2)
    each_part(id, from, middle, find, fn)
    return each_part(id, middle + 0.001, to, find, fn)
  elseif last.truncated then
    io.stderr:write("audit-export: some events of ", tagoio.date.format(from), " are missing\n")
  end
  fn(events)
end

local options = read_arguments(arg)
local id = options.id
if not id then
  local current, message = profile.info("current")
  id = (current or fail(message)).info.id
end

local now = os.time()
local from = now - math.floor(options.days * day_s)
local output, written = io.stdout, {}
if options.file then
  local newest
  newest, written = read_written(options.file)
  from = newest and newest - late_s or from
  output = assert(io.open(options.file, "ab"))
end

-- Writes events, but those that are there: written says how often each line is. It holds the date
-- in milliseconds, and the parts do not overlap, so that one that comes again is the same event.
local count, days = 0, (now - from) / day_s
local function write(events)
  local part = {}
  for _, event in ipairs(events) do
    local line = assert(tagoio.encode(event))
    part[line] = (part[line] or 0) + 1
    if part[line] > (written[line] or 0) then
      written[line] = part[line]
      assert(output:write(line, "\n"))
      count = count + 1
    end
  end
end

while from < now do
  local to = math.min(from + week_s, now)
  each_part(id, from, to, options.find, write)
  assert(output:flush())
  from = to + 0.001 -- both ends belong to a part, and TagoIO counts in milliseconds
end
io.stderr:write(("%d events of %.4g days\n"):format(count, days))
