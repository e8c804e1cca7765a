-- SPDX-License-Identifier: MIT
-- Limits and use of all profiles in the text format of Prometheus: to standard output, or to a file
-- for the node exporter's textfile collector, which never sees half of it.
--
-- usage: lua metrics.lua [FILE.prom]        from cron, every few minutes
--
-- A profile that could not be asked has tagoio_up 0. Status 1: not even the list could be had; the
-- file then stays as it was, and its age tells.

local tagoio = require("tagoio")

local function fail(message)
  io.stderr:write("metrics: ", message, "\n")
  os.exit(1)
end

-- Counted over all clients of this script.
local attempts, seconds = {}, 0
local client, problem = tagoio.new({
  on_attempt = function(event)
    local outcome = tostring(event.status or event.kind)
    attempts[outcome] = (attempts[outcome] or 0) + 1
    seconds = seconds + event.elapsed
  end,
})
local profile = (client or fail(problem)).profile

-- ---- the format ----

local families = {} -- in the order in which they are shown
local by_name = {}

local function family(name, kind, help)
  by_name[name] = { name = name, kind = kind, help = help, samples = {} }
  families[#families + 1] = by_name[name]
end

-- Label values have three escapes: the backslash, the quote and the line end.
local function escape(text)
  return (text:gsub('[\\"\n]', { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }))
end

local function add(name, value, labels)
  local list = {}
  for label, text in pairs(labels or {}) do
    list[#list + 1] = ('%s="%s"'):format(label, escape(text))
  end
  table.sort(list)
  local samples = by_name[name].samples
  local shown = #list > 0 and "{" .. table.concat(list, ",") .. "}" or ""
  samples[#samples + 1] = ("%s%s %.14g"):format(name, shown, value)
end

local function text_of()
  local lines = {}
  for _, row in ipairs(families) do
    lines[#lines + 1] = ("# HELP %s %s"):format(row.name, row.help)
    lines[#lines + 1] = ("# TYPE %s %s"):format(row.name, row.kind)
    table.sort(row.samples)
    for _, sample in ipairs(row.samples) do
      lines[#lines + 1] = sample
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

-- ---- the numbers ----

family("tagoio_up", "gauge", "Whether the profile could be asked.")
family("tagoio_limit", "gauge", "What a service may use; file_storage in MB.")
family("tagoio_used", "gauge", "What a service has used; file_storage in MB.")
family("tagoio_amount", "gauge", "How many things there are of a kind.")
family("tagoio_request_attempts", "gauge", "Requests of this run by status or kind of error.")
family("tagoio_request_seconds", "gauge", "What the requests of this run took together.")

local function add_all(name, label, values, row)
  for key, value in pairs(values or {}) do
    if type(value) == "number" then
      add(name, value, { profile = row.id, name = row.name, [label] = key })
    end
  end
end

local profiles, message = profile.list()
local summaries, errors = tagoio.map(profiles or fail(message), function(row)
  return profile.summary(row.id)
end)
for i, row in ipairs(profiles) do
  local summary = summaries[i]
  add("tagoio_up", summary and 1 or 0, { profile = row.id, name = row.name })
  if summary then
    add_all("tagoio_limit", "service", summary.limit, row)
    add_all("tagoio_used", "service", summary.limit_used, row)
    add_all("tagoio_amount", "kind", summary.amount, row)
  else
    io.stderr:write(("metrics: %s: %s\n"):format(row.name, errors[i].message))
  end
end
for outcome, count in pairs(attempts) do
  add("tagoio_request_attempts", count, { outcome = outcome })
end
add("tagoio_request_seconds", seconds)

if arg[1] then
  local file = assert(io.open(arg[1] .. ".new", "wb"))
  assert(file:write(text_of()))
  assert(file:close())
  assert(os.rename(arg[1] .. ".new", arg[1]))
else
  io.write(text_of())
end
