-- SPDX-License-Identifier: MIT
-- Limits and use of all profiles, as bars. What is at 80 % of its limit or more is marked.
--
-- usage: lua usage-report.lua

local tagoio = require("tagoio")

local profile = tagoio.profile
local width = 30
local worrying = 0.8

-- In the order of TagoIO's own pages; a service that is not here comes after them.
local usual = {
  "input",
  "output",
  "analysis",
  "data_records",
  "sms",
  "email",
  "run_users",
  "push_notification",
  "file_storage",
}

local function fail(message)
  io.stderr:write("usage-report: ", message, "\n")
  os.exit(1)
end

local function services_of(limit)
  local names, listed = {}, {}
  for _, name in ipairs(usual) do
    names[#names + 1] = limit[name] and name or nil
    listed[name] = true
  end
  local others = {}
  for name in pairs(limit) do
    others[#others + 1] = not listed[name] and name or nil
  end
  table.sort(others)
  for _, name in ipairs(others) do
    names[#names + 1] = name
  end
  return names
end

local function number(value)
  local text = ("%.10g"):format(value)
  local whole, fraction = text:match("^(%d+)(.*)$")
  return whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "") .. fraction
end

local function bar(share)
  local full = math.min(width, math.floor(share * width + 0.5))
  return ("#"):rep(full) .. ("."):rep(width - full)
end

local function print_service(name, limit, used)
  if limit == 0 and used == 0 then
    return
  end
  local share = limit > 0 and used / limit or 1
  local mark = share >= worrying and "!" or " "
  print(("%s %-18s %s %5.1f %%  %s of %s"):format(
    mark, name, bar(share), 100 * share, number(used), number(limit)
  ))
end

local function print_profile(row, summary)
  print(("\n%s%s"):format(row.name, row.from_share and " (shared with me)" or ""))
  for _, name in ipairs(services_of(summary.limit)) do
    print_service(name, summary.limit[name], summary.limit_used[name] or 0)
  end
end

local profiles, message = profile.list()
local summaries, errors = tagoio.map(profiles or fail(message), function(row)
  return profile.summary(row.id)
end, { concurrency = 16 })

print("Limits and use on " .. os.date("!%Y-%m-%d %H:%M UTC"))
for i, row in ipairs(profiles) do
  if summaries[i] then
    print_profile(row, summaries[i])
  else
    print(("\n%s\n  %s"):format(row.name, errors[i].message))
  end
end
os.exit(errors and 1 or 0)
