-- SPDX-License-Identifier: MIT
-- The account: whose profile and password it is, and how its services are shared out.

local json = require("json")
local refuse = require("refuse")
local state = require("state")

local account = {}

-- ---- for the other handlers ----

-- A profile that the token's owner can see; "current" is the token's own.
function account.find(asked, id)
  local current = id == "current" and asked.token
  local profile = state.find_profile(current and current.profile or id)
  return profile or refuse(404, "Profile not found")
end

-- One that is the owner's own.
function account.own(asked, id)
  local profile = account.find(asked, id)
  if not state.is_own(profile) then
    refuse(403, "You do not have permission to change this profile")
  end
  return profile
end

-- All of these, in the order in which they were made.
function account.own_profiles()
  local list = {}
  for _, profile in ipairs(state.profiles) do
    list[#list + 1] = state.is_own(profile) and profile or nil
  end
  return list
end

-- ---- handlers ----

function account.status()
  return { version = "0.0.0-emulator" }
end

function account.introspect(asked)
  local profile = state.find_profile(asked.token.profile)
  return { id = profile.id, name = profile.name, type = "profile" }
end

function account.allocation()
  local rows = json.array()
  for i, profile in ipairs(account.own_profiles()) do
    local row = { profile = profile.id }
    for service, amount in pairs(profile.allocation) do
      row[service] = amount
    end
    rows[i] = row
  end
  return rows
end

local function check_amounts(amounts)
  local known = {}
  for _, service in ipairs(state.services) do
    known[service] = true
  end
  for service, amount in pairs(amounts) do
    if not known[service] then
      refuse(400, ("Invalid service: %s"):format(service))
    elseif type(amount) ~= "number" or amount < 0 then
      refuse(400, ("Invalid value for %s"):format(service))
    end
  end
end

-- shares: an array of { profile, amounts by service }; what is left out stays. All of it, or
-- nothing.
function account.share_out(shares)
  if #account.own_profiles() < 2 then
    refuse(400, "Account only has one profile")
  end
  local left, planned = state.unallocated(), {}
  for _, share in ipairs(shares) do
    local profile, amounts = share[1], share[2]
    check_amounts(amounts)
    planned[profile] = planned[profile] or setmetatable({}, { __index = profile.allocation })
    for service, amount in pairs(amounts) do
      left[service] = left[service] + planned[profile][service] - amount
      planned[profile][service] = amount
    end
  end
  for service, amount in pairs(left) do
    if amount < 0 then
      refuse(400, ("The allocated sum of %s exceeds the limit of the account"):format(service))
    end
  end
  for profile, amounts in pairs(planned) do
    for service, amount in pairs(amounts) do
      profile.allocation[service] = amount
    end
    state.record(profile, "profile", profile.id, "Profile resource allocation updated")
  end
end

local allocated = "Profile resource allocation Successfully Updated"

function account.edit_services(asked, id)
  local profile = account.own(asked, id)
  if type(asked.json) ~= "table" or next(asked.json) == nil then
    refuse(400, "Services are required")
  end
  account.share_out({ { profile, asked.json } })
  return allocated
end

function account.allocate(asked)
  if type(asked.json) ~= "table" or #asked.json == 0 then
    refuse(400, "An array of allocations is required")
  end
  local shares = {}
  for i, row in ipairs(asked.json) do
    if type(row) ~= "table" or type(row.profile) ~= "string" then
      refuse(400, "Each allocation needs a profile")
    end
    shares[i] = { account.own(asked, row.profile), row }
    row.profile = nil
  end
  account.share_out(shares)
  return allocated
end

function account.edit_providers(asked, id)
  account.own(asked, id)
  if type(asked.json) ~= "table" or not (asked.json.email or asked.json.sms) then
    refuse(400, "Invalid credentials format for the selected provider")
  end
  return "Service provider configured successfully"
end

return account
