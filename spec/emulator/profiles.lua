-- SPDX-License-Identifier: MIT
-- Profiles: list, info, summary, create, edit, delete.

local account = require("account")
local json = require("json")
local login = require("login")
local refuse = require("refuse")
local state = require("state")
local statistics = require("statistics")

local profiles = {}

function profiles.list()
  local rows = json.array()
  for _, profile in ipairs(state.profiles) do
    local row = { id = profile.id, name = profile.name, logo_url = profile.logo_url or json.null }
    if not state.is_own(profile) then
      row.account = profile.account
      row.profile = profile.id
      row.from_share = true
    end
    rows[#rows + 1] = row
  end
  return rows
end

local function addons_of(profile)
  return {
    custom_dns = false,
    mobile = false,
    control_tower = false,
    profile = profile.id,
    updated_at = state.date(profile.updated_at),
  }
end

function profiles.info(asked, id)
  local profile = account.find(asked, id)
  return {
    info = {
      id = profile.id,
      account = profile.account,
      name = profile.name,
      logo_url = profile.logo_url or json.null,
      banner_url = profile.banner_url or json.null,
      created_at = state.date(profile.created_at),
      updated_at = state.date(profile.updated_at),
      region = "us-1",
      rpm = { data_input = 300, data_output = 300 },
    },
    allocation = profile.allocation,
    addons = addons_of(profile),
    account_plan = state.config.plan,
  }
end

-- How many things there are of kinds that are not kept, for every profile.
local amounts = {
  dashboard = 3,
  dashboard_shared = 1,
  analysis = 4,
  action = 2,
  am = 1,
  run_users = 2,
  dictionary = 1,
  connectors = 0,
  networks = 0,
  tcore = 0,
  tcore_cluster = 0,
}

function profiles.summary(asked, id)
  local profile = account.find(asked, id)
  local amount = { device = #profile.devices, bucket = #profile.buckets }
  for name, number in pairs(amounts) do
    amount[name] = number
  end
  if asked.query.onlyAmount == "true" then
    return { amount = amount }
  end
  local limit = { tcore = 0 }
  for service, number in pairs(profile.allocation) do
    limit[service] = number
  end
  local used = statistics.at(profile, ngx.time())
  for _, service in ipairs(state.services) do
    used[service] = used[service] or 0
  end
  used.tcore, used.tcore_cluster, used.dashboard_output = 0, 0, 0
  return {
    limit = limit,
    amount = amount,
    limit_used = used,
    addons = addons_of(profile),
    tago_run = profile.id .. ".tago.run",
  }
end

local function check_name(body)
  if type(body) ~= "table" or type(body.name) ~= "string" or body.name == "" then
    refuse(400, "Name is required")
  end
end

function profiles.create(asked)
  check_name(asked.json)
  if #account.own_profiles() >= state.config.max_profiles then
    refuse(403, ("You have reached the limit of profiles of your plan (%d)"):format(
      state.config.max_profiles
    ))
  end
  local allocation
  local free = asked.query.allocate_free_resources
  if free == "true" or free == "True" then
    allocation = state.unallocated()
  else
    allocation = {}
    for _, service in ipairs(state.services) do
      allocation[service] = 0
    end
  end
  local profile = state.add_profile({ name = asked.json.name, allocation = allocation })
  state.record(profile, "profile", profile.id, "Profile created: " .. profile.name)
  return { id = profile.id }
end

local editable = { name = true, logo_url = true, banner_url = true }
local parts = { info = true, allocation = true }
-- TagoIO's CLI sends them back as it got them.
local read_only = { id = true, account = true, created_at = true, updated_at = true }

-- Takes what may be changed out of a body, or out of its member info.
local function read_changes(changes, members, others, place)
  for name, value in pairs(members) do
    if editable[name] then
      if type(value) ~= "string" and (value ~= json.null or name == "name") then
        refuse(400, "Invalid " .. name)
      end
      changes[name] = value
    elseif not others[name] then
      refuse(400, ("Unknown member: %s%s"):format(place, name))
    end
  end
end

-- The body is flat, or nested as the result of info.
local function changes_of(body)
  if type(body) ~= "table" or next(body) == nil then
    refuse(400, "Nothing to update")
  end
  local changes = {}
  read_changes(changes, body, parts, "")
  for part in pairs(parts) do
    if body[part] ~= nil and type(body[part]) ~= "table" then
      refuse(400, "Invalid " .. part)
    end
  end
  read_changes(changes, body.info or {}, read_only, "info.")
  if changes.name ~= nil then
    check_name(changes)
  end
  return changes
end

function profiles.edit(asked, id)
  local profile = account.own(asked, id)
  local changes = changes_of(asked.json)
  if asked.json.allocation then
    account.share_out({ { profile, asked.json.allocation } })
  end
  for field, value in pairs(changes) do
    profile[field] = value ~= json.null and value or nil
  end
  profile.updated_at = ngx.now()
  state.record(profile, "profile", profile.id, "Profile updated")
  return "Successfully Updated"
end

function profiles.delete(asked, id)
  local profile = account.own(asked, id)
  login.check_password(asked.json)
  local _, position = state.find_profile(profile.id)
  table.remove(state.profiles, position)
  for i = #state.tokens, 1, -1 do
    if state.tokens[i].profile == profile.id then
      table.remove(state.tokens, i)
    end
  end
  return "Successfully Removed"
end

return profiles
