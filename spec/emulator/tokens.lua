-- SPDX-License-Identifier: MIT
-- Tokens of profiles: list, create, delete, transfer.

local account = require("account")
local clock = require("clock")
local json = require("json")
local pages = require("pages")
local refuse = require("refuse")
local state = require("state")

local tokens = {}

local fields = {
  "token",
  "name",
  "type",
  "permission",
  "serie_number",
  "last_authorization",
  "verification_code",
  "expire_time",
  "ref_id",
  "created_at",
  "created_by",
}

local dates = { last_authorization = true, expire_time = true, created_at = true }

local function row_of(token, wanted)
  local row = {}
  for _, field in ipairs(wanted) do
    local value = token[field]
    row[field] = dates[field] and state.date(value) or value == nil and json.null or value
  end
  return row
end

-- "a*c" as a Lua pattern of the whole text, in any case.
local function wildcard(text)
  local pattern = text:lower():gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*")
  return "^" .. pattern .. "$"
end

-- A date is what a row shows, or that time in another notation.
local function matches_one(field, value, wanted)
  local date = dates[field] and type(value) == "number" and clock.parse(wanted)
  if date then
    return math.abs(date - value) < 0.0005
  end
  value = dates[field] and state.date(value) or value
  return type(value) == "string" and value:lower():find(wildcard(wanted)) ~= nil
end

-- A list is fulfilled by one of its values; an empty text, which is null, by any.
local function matches(token, filter)
  for field, values in pairs(filter) do
    local found = false
    for _, wanted in ipairs(values) do
      found = found or wanted == "" or matches_one(field, token[field], wanted)
    end
    if not found then
      return false
    end
  end
  return true
end

local known = {}
for _, field in ipairs(fields) do
  known[field] = true
end

-- The values that are wanted, by fields: each an array of texts.
local function filter_of(query)
  local filter = {}
  local given = query.filter or {}
  for field, values in pairs(type(given) == "table" and given or { given }) do
    filter[field] = type(values) == "table" and values or { values }
    if not known[field] then
      refuse(400, "Invalid filter parameter")
    end
    for key, value in pairs(filter[field]) do
      if type(key) ~= "number" or type(value) ~= "string" then
        refuse(400, "Invalid filter parameter")
      end
    end
  end
  return filter
end

local orders = {
  name = true,
  permission = true,
  serie_number = true,
  verification_code = true,
  created_at = true,
}

function tokens.list(asked, id)
  local profile = account.find(asked, id)
  local filter = filter_of(asked.query)
  local found = {}
  for _, token in ipairs(state.tokens) do
    if token.profile == profile.id and matches(token, filter) then
      found[#found + 1] = token
    end
  end
  local wanted = pages.fields(asked.query, fields, { "name", "token", "permission" })
  local rows = json.array()
  for _, token in ipairs(pages.cut(found, asked.query, orders, "created_at,asc")) do
    rows[#rows + 1] = row_of(token, wanted)
  end
  return rows
end

local units = {
  minute = 60,
  hour = 3600,
  day = 86400,
  d = 86400,
  week = 7 * 86400,
  month = 30 * 86400,
  year = 365 * 86400,
}

-- "never", "3 months", "1d", a date; a month when nothing is said.
local function expiry_of(text)
  if text == nil then
    return ngx.time() + units.month
  elseif type(text) ~= "string" then
    refuse(400, "Invalid expire_time")
  elseif text:lower() == "never" then
    return "never"
  end
  local amount, unit = text:match("^(%d+) ?(%a+)$")
  local seconds = unit and (units[unit] or units[unit:gsub("s$", "")])
  local date = seconds and ngx.time() + amount * seconds or clock.parse(text)
  if not date or date <= ngx.time() then
    refuse(400, "Invalid expire_time")
  end
  return date
end

local permissions = { full = true, write = true, read = true, deny = true }

function tokens.create(asked, id)
  local profile = account.own(asked, id)
  local body = asked.json
  if type(body) ~= "table" or type(body.name) ~= "string" or body.name == "" then
    refuse(400, "Name is required")
  elseif not permissions[body.permission] then
    refuse(400, "Invalid permission")
  elseif body.email ~= state.email() then
    refuse(401, "Invalid email")
  end
  account.check_password(body)
  local token = state.add_token(profile, {
    name = body.name,
    permission = body.permission,
    expire_time = expiry_of(body.expire_time),
    created_by = profile.account,
  })
  state.record(profile, "profile", profile.id, "Token created: " .. token.name)
  return {
    token = token.token,
    expire_date = state.date(token.expire_time),
    permission = token.permission,
    name = token.name,
  }
end

function tokens.delete(asked, id, text)
  local profile = account.own(asked, id)
  local token, position = state.find_token(text)
  if not token or token.profile ~= profile.id then
    refuse(404, "Token not found")
  end
  table.remove(state.tokens, position)
  state.record(profile, "profile", profile.id, "Token removed: " .. token.name)
  return "Token Successfully Removed"
end

-- The caller's own token moves.
function tokens.transfer(asked, id)
  local profile = account.own(asked, id)
  asked.token.profile = profile.id
  return "Token Successfully Transferred"
end

return tokens
