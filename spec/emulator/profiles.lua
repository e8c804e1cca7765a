-- SPDX-License-Identifier: MIT
-- Profiles: list, info, summary, create, edit, delete.

local account = require("account")
local json = require("json")
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

local function amounts_of(profile)
  return {
    device = 12,
    bucket = 12,
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
    backup = #profile.backups,
  }
end

function profiles.summary(asked, id)
  local profile = account.find(asked, id)
  local amount = amounts_of(profile)
  if asked.query.onlyAmount == "true" then
    return { amount = amount }
  end
  local limit = { tcore = 0 }
  for service, number in pairs(profile.allocation) do
    limit[service] = number
  end
  local used = statistics.at(profile, ngx.time())
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

local function own_profiles()
  local count = 0
  for _, profile in ipairs(state.profiles) do
    count = count + (state.is_own(profile) and 1 or 0)
  end
  return count
end

function profiles.create(asked)
  check_name(asked.json)
  if own_profiles() >= state.config.max_profiles then
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

local editable = { "name", "logo_url", "banner_url" }

function profiles.edit(asked, id)
  local profile = account.own(asked, id)
  local body = asked.json
  if type(body) ~= "table" or next(body) == nil then
    refuse(400, "Nothing to update")
  elseif body.name ~= nil then
    check_name(body)
  end
  for _, field in ipairs(editable) do
    local value = body[field]
    if value == json.null then
      profile[field] = nil
    elseif value ~= nil then
      profile[field] = value
    end
  end
  profile.updated_at = ngx.now()
  state.record(profile, "profile", id, "Profile updated")
  return "Successfully Updated"
end

function profiles.delete(asked, id)
  local profile = account.own(asked, id)
  account.check_password(asked.json)
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
