-- SPDX-License-Identifier: MIT
-- The account, its profiles, tokens and teams: in memory, from the seeds on.

local clock = require("clock")
local json = require("json")
local plant_seeds = require("seeds")

local state = {}

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
  pin_code = "", -- of the authenticator; not empty: two-factor authentication is on
  otp_autosend = "email", -- how a login without a pin has one sent
  audit_polls = 1, -- answered Running before the end
  audit_status = "Complete", -- the end
  audit_days = 7, -- the longest interval
  audit_limit = 10000, -- the most events, and as many where no limit is asked for
  max_backups = 1, -- a day
  backup_polls = 1, -- lists that show a backup before its end
  backup_status = "completed", -- the end
  backup_envelope = false, -- true: as TagoIO's CLI reads the answers
  rate_limits = {}, -- { route = "PUT /profile/{}", limit = 60, window_s = 60 }
}

state.owner = "5bbe3d1d4d3ad10021e1d0a1"

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

-- Six digits, never those before.
function state.new_pin()
  serial = serial + 1
  return ("%06d"):format((serial * 7919 + 104729) % 1e6)
end

function state.add_profile(row)
  local profile = copy(row)
  profile.id = row.id or state.new_id()
  profile.account = row.account or state.owner
  profile.created_at = row.created_at or now()
  profile.updated_at = profile.created_at
  profile.allocation = copy(row.allocation or free_allocation)
  profile.team = {}
  profile.size = row.size or 0 -- of its use: of a new one there is none
  profile.backups = {}
  profile.backup_times = {}
  profile.devices = {}
  profile.buckets = {}
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

-- Invites somebody: the token in the mail is what accepts.
function state.invite(profile, email)
  local token = new_token_text()
  local name = email:match("^[^@]+")
  state.add_member(profile, { name = name, email = email, active = false, invitation = token })
  state.send({ kind = "invitation", to = email, profile = profile.id, token = token })
end

-- Puts a mail or an sms into the outbox.
function state.send(message)
  state.outbox[#state.outbox + 1] = message
end

local device_params = {
  { key = "interval", value = "60", sent = true },
  { key = "unit", value = "C", sent = false },
}

-- With a bucket of its own.
function state.add_device(profile, row)
  local bucket = { id = state.new_id(), name = row.name }
  local device = copy(row)
  device.id, device.bucket = state.new_id(), bucket.id
  device.active, device.visible = row.active ~= false, row.visible ~= false
  device.type = row.type or "mutable"
  device.tags = row.tags or json.array()
  device.params = {}
  for i, param in ipairs(device_params) do
    device.params[i] = copy(param)
    device.params[i].id = state.new_id()
  end
  for _, thing in ipairs({ device, bucket }) do
    thing.profile = profile.id
    thing.created_at = row.created_at or now()
    thing.updated_at = thing.created_at
  end
  profile.devices[#profile.devices + 1] = device
  profile.buckets[#profile.buckets + 1] = bucket
  return device
end

-- What the audit log will say.
function state.record(profile, resource, id, message, date)
  local events = profile.events
  events[#events + 1] = {
    resourceName = resource,
    resourceID = id,
    message = message,
    who = state.owner,
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
  return profile.account == state.owner
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

-- Whom an invitation that is still open invites: profile, member, position in the team.
function state.find_invitation(token)
  for _, profile in ipairs(state.profiles) do
    for position, member in ipairs(profile.team) do
      if member.invitation == token then
        return profile, member, position
      end
    end
  end
end

-- Everything that must not be shown.
function state.secrets()
  local secrets = { state.password() }
  for _, token in ipairs(state.tokens) do
    secrets[#secrets + 1] = token.token
  end
  for _, message in ipairs(state.outbox) do
    secrets[#secrets + 1] = message.token
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

-- ---- from the start ----

-- Back to the seeds, with some of the defaults changed.
function state.reset(config)
  state.config = copy(defaults)
  for name, value in pairs(config) do
    state.config[name] = value
  end
  serial = 0
  state.profiles = {}
  state.tokens = {}
  state.outbox = json.array()
  state.pins = {} -- that were sent and not used, by otp_type
  plant_seeds(state)
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
