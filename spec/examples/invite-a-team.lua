-- SPDX-License-Identifier: MIT
-- Invites everybody in a CSV file to the team of a profile. It may be run again: who is in the team
-- or invited already is left alone. Ends with status 1 when somebody could not be invited.
--
-- usage: lua invite-a-team.lua [PROFILE] <team.csv
--
-- The first line names the columns: one is "email", the others count for nothing.

local tagoio = require("tagoio")

local profile = tagoio.profile

local function fail(message)
  io.stderr:write("invite-a-team: ", message, "\n")
  os.exit(2)
end

local function need(result, message)
  return result or fail(message)
end

-- The fields of a line; in quotes a comma is part of the field.
local function fields_of(line)
  local fields = {}
  line = line:gsub('"([^"]*)"', function(text)
    return (text:gsub(",", "\1"))
  end)
  for field in (line .. ","):gmatch("%s*(.-)%s*,") do
    fields[#fields + 1] = field:gsub("\1", ",")
  end
  return fields
end

local function column_of(header)
  for i, name in ipairs(fields_of(header:gsub("^\239\187\191", ""))) do
    if name:lower() == "email" then
      return i
    end
  end
  fail('the first line has no column "email"')
end

local function read_addresses(input)
  local column = column_of(need(input:read("*l"), "nothing on standard input"))
  local addresses = {}
  for line in input:lines() do
    local address = fields_of(line)[column]
    if address and address ~= "" then
      addresses[#addresses + 1] = address
    end
  end
  return addresses
end

-- The addresses in the team, in lower case.
local function team_of(id)
  local present = {}
  for _, member in ipairs(need(profile.teamList(id))) do
    present[member.email:lower()] = true
  end
  return present
end

-- An invitation is sent once: when its answer was lost, the team says whether it was made.
local function invite(id, address)
  local done, message, err = profile.addTeamMember(id, address)
  if not done and err.maybe_applied and team_of(id)[address:lower()] then
    return true
  end
  return done, message
end

local counts = { invited = 0, present = 0, failed = 0 }

local function tell(outcome, address, message)
  counts[outcome] = counts[outcome] + 1
  print(("%-8s %-30s %s"):format(outcome, address, message or ""):match("^(.-)%s*$"))
end

local addresses = read_addresses(io.stdin)
local id = arg[1] or need(profile.info("current")).info.id
local present = team_of(id)
for _, address in ipairs(addresses) do
  if present[address:lower()] then
    tell("present", address)
  else
    local done, message = invite(id, address)
    tell(done and "invited" or "failed", address, message)
    present[address:lower()] = done and true
  end
end
print(("%d invited, %d in the team already, %d failed"):format(
  counts.invited, counts.present, counts.failed
))
os.exit(counts.failed == 0 and 0 or 1)
