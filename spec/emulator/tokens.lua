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

local function matches(token, filter)
  for field, wanted in pairs(filter) do
    local value = token[field]
    if type(wanted) == "string" and wanted ~= "" then
      if type(value) ~= "string" or not value:lower():find(wildcard(wanted)) then
        return false
      end
    end
  end
  return true
end

function tokens.list(asked, id)
  local profile = account.find(asked, id)
  local filter = type(asked.query.filter) == "table" and asked.query.filter or {}
  local found = {}
  for _, token in ipairs(state.tokens) do
    if token.profile == profile.id and matches(token, filter) then
      found[#found + 1] = token
    end
  end
  local orders = { name = true, permission = true, serie_number = true, created_at = true }
  orders.verification_code = true
  local wanted = pages.fields(asked.query, fields, { "name", "token", "permission" })
  local rows = json.array()
  for _, token in ipairs(pages.cut(found, asked.query, orders)) do
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
  return date or refuse(400, "Invalid expire_time")
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
