-- SPDX-License-Identifier: MIT
-- The account, its profiles, tokens and teams: in memory, from the seeds on.

local clock = require("clock")
local json = require("json")

local state = {}

local day_s = 86400

state.services = {
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

-- What the account may hand out to its profiles; of TagoIO's plans the numbers change.
local account_limits = {
  input = 4000000,
  output = 12000000,
  analysis = 12000,
  data_records = 3200000,
  sms = 40,
  email = 400,
  run_users = 40,
  push_notification = 400,
  file_storage = 800,
}

local free_allocation = {
  input = 1000000,
  output = 3000000,
  analysis = 3000,
  data_records = 800000,
  sms = 10,
  email = 100,
  run_users = 10,
  push_notification = 100,
  file_storage = 200,
}

-- What POST /_emulator/reset may change.
local defaults = {
  plan = "scale",
  max_profiles = 5,
  max_team = 5,
  max_amount = 10000, -- rows on a page: a larger amount gets as many
  pin_code = "", -- not empty: two-factor authentication is on
  audit_polls = 1, -- answered Running before the end
  audit_status = "Complete", -- the end
  audit_days = 7, -- the longest interval
  max_backups = 1, -- a day
  backup_polls = 1, -- lists that show a backup before its end
  backup_status = "completed", -- the end
  backup_envelope = false, -- true: as TagoIO's CLI reads the answers
  rate_limits = {}, -- { route = "PUT /profile/{}", limit = 60, window_s = 60 }
}

local owner = "5bbe3d1d4d3ad10021e1d0a1"
local neighbour = "5bbe3d1d4d3ad10021e1d0b2"

local now = ngx.time

local function copy(from)
  local to = {}
  for key, value in pairs(from) do
    to[key] = value
  end
  return to
end

-- ---- making things ----

local serial

-- 24 hex digits, never twice.
function state.new_id()
  serial = serial + 1
  return ("6a%08x%014x"):format(now() % 2 ^ 32, serial)
end

local function new_token_text()
  serial = serial + 1
  return ("p-%08x-0000-4000-8000-%012x"):format(now() % 2 ^ 32, serial)
end

function state.add_profile(row)
  local profile = copy(row)
  profile.id = row.id or state.new_id()
  profile.account = row.account or owner
  profile.created_at = row.created_at or now()
  profile.updated_at = profile.created_at
  profile.allocation = copy(row.allocation or free_allocation)
  profile.team = {}
  profile.size = row.size or 0 -- of its use: of a new one there is none
  profile.backups = {}
  profile.backup_times = {}
  profile.events = {}
  profile.queries = {}
  local list = state.profiles
  list[#list + 1] = profile
  return profile
end

function state.add_token(profile, row)
  local token = copy(row)
  token.token = row.token or new_token_text()
  token.profile = profile.id
  token.created_at = row.created_at or now()
  token.ref_id = state.new_id()
  token.type = "profile"
  state.tokens[#state.tokens + 1] = token
  return token
end

function state.add_member(profile, row)
  local member = copy(row)
  member.id = state.new_id()
  member.created_at = row.created_at or now()
  profile.team[#profile.team + 1] = member
  return member
end

-- What the audit log will say.
function state.record(profile, resource, id, message, date)
  local events = profile.events
  events[#events + 1] = {
    resourceName = resource,
    resourceID = id,
    message = message,
    who = owner,
    date = date or now(),
  }
end

-- ---- finding things ----

function state.password()
  return "correct-horse"
end

function state.email()
  return "owner@example.com"
end

function state.is_own(profile)
  return profile.account == owner
end

function state.find_profile(id)
  for position, profile in ipairs(state.profiles) do
    if profile.id == id then
      return profile, position
    end
  end
end

function state.find_token(text)
  for position, token in ipairs(state.tokens) do
    if token.token == text then
      return token, position
    end
  end
end

-- Everything that must not be shown.
function state.secrets()
  local secrets = { state.password() }
  for _, token in ipairs(state.tokens) do
    secrets[#secrets + 1] = token.token
  end
  return secrets
end

-- How much of each service the account can still hand out.
function state.unallocated()
  local left = copy(account_limits)
  for _, profile in ipairs(state.profiles) do
    for service, amount in pairs(state.is_own(profile) and profile.allocation or {}) do
      left[service] = left[service] - amount
    end
  end
  return left
end

-- ---- the seeds ----

local function seed_factory()
  local created = clock.parse("2023-02-21T15:17:35.880Z")
  local factory = state.add_profile({
    id = "5bbe3d1d4d3ad10021e1d2a1",
    name = "Factory",
    size = 1,
    created_at = created,
    logo_url = "https://example.com/factory.png",
  })
  state.add_token(factory, {
    token = "p-1f0d3f6a-6d9c-4b8e-9a3e-7c5b2e4d1a90",
    name = "Automation",
    permission = "full",
    created_at = created + day_s,
    expire_time = "never",
    last_authorization = now(),
  })
  state.add_token(factory, {
    token = "p-83f1c9d2-57aa-4c61-b1f4-2d6e90c7a3b5",
    name = "Generated automatically by Tago (admin)",
    permission = "full",
    created_at = now() - 82 * day_s,
    expire_time = now() + 8 * day_s,
  })
  state.add_token(factory, {
    token = "p-c6b1e0f4-9d27-4e35-8a10-f3b7d2865c41",
    name = "Wall display",
    permission = "read",
    created_at = created + 9 * day_s,
  })
  state.add_member(factory, {
    name = "Grace Hopper",
    email = "grace@example.com",
    active = true,
    created_at = created + 30 * day_s,
  })
  state.record(factory, "profile", factory.id, "Profile updated", now() - 3 * 3600)
  state.record(factory, "device", state.new_id(), "Device created: Press 4", now() - 2 * 3600)
end

local function seed_warehouse()
  local created = clock.parse("2024-05-02T08:00:12.031Z")
  local warehouse = state.add_profile({
    id = "5bbe3d1d4d3ad10021e1d2b2",
    name = "Warehouse",
    size = 0.25,
    created_at = created,
    logo_url = "",
  })
  state.add_token(warehouse, {
    token = "p-2b9d7e58-0c4f-4f92-a6d3-5e81b7f4c026",
    name = "Label printer",
    permission = "write",
    created_at = created + day_s,
    expire_time = now() + 40 * day_s,
  })
end

local function seed_greenhouse()
  state.add_profile({
    id = "5bbe3d1d4d3ad10021e1d2c3",
    account = neighbour,
    name = "Greenhouse",
    size = 0.25,
    created_at = clock.parse("2025-03-14T09:26:53.589Z"),
  })
end

-- Back to the seeds, with some of the defaults changed.
function state.reset(config)
  state.config = copy(defaults)
  for name, value in pairs(config) do
    state.config[name] = value
  end
  serial = 0
  state.profiles = {}
  state.tokens = {}
  state.windows = {}
  seed_factory()
  seed_warehouse()
  seed_greenhouse()
end

-- What is wrong with a configuration, or nil.
function state.check(config)
  for name, value in pairs(config) do
    if defaults[name] == nil then
      return ("unknown setting %q"):format(tostring(name))
    elseif type(value) ~= type(defaults[name]) then
      return ("%s: a %s is needed"):format(name, type(defaults[name]))
    end
  end
  for _, limit in ipairs(config.rate_limits or {}) do
    if not (limit.route and limit.limit and limit.window_s) then
      return "rate_limits: each needs route, limit and window_s"
    end
  end
end

-- JSON's view of a date: a number of seconds, a word such as "never", or nothing.
function state.date(value)
  if value == nil then
    return json.null
  end
  return type(value) == "number" and clock.iso(value) or value
end

state.reset({})

return state
