-- SPDX-License-Identifier: MIT
-- Tokens of profiles: list, create, delete, transfer.

local account = require("account")
local clock = require("clock")
local json = require("json")
local login = require("login")
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

local orders = {
  name = true,
  permission = true,
  serie_number = true,
  verification_code = true,
  created_at = true,
}

function tokens.list(asked, id)
  local profile = account.find(asked, id)
  local own = {}
  for _, token in ipairs(state.tokens) do
    own[#own + 1] = token.profile == profile.id and token or nil
  end
  local found = pages.filter(own, asked.query, fields, dates)
  local wanted = pages.fields(asked.query, fields, { "name", "token", "permission" })
  local rows = json.array()
  for _, token in ipairs(pages.cut(found, asked.query, orders, "created_at,asc")) do
    rows[#rows + 1] = pages.row(token, wanted, dates)
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

local function add(profile, body, permission, expire_time)
  if type(body) ~= "table" or type(body.name) ~= "string" or body.name == "" then
    refuse(400, "Name is required")
  elseif not permissions[permission] then
    refuse(400, "Invalid permission")
  end
  local expiry = expiry_of(expire_time)
  login.check_person(body)
  local token = state.add_token(profile, {
    name = body.name,
    permission = permission,
    expire_time = expiry,
    created_by = profile.account,
  })
  state.record(profile, "profile", profile.id, "Token created: " .. token.name)
  return token
end

function tokens.create(asked, id)
  local body = asked.json or {}
  local token = add(account.own(asked, id), body, body.permission, body.expire_time)
  return {
    token = token.token,
    expire_date = state.date(token.expire_time),
    permission = token.permission,
    name = token.name,
  }
end

-- Without a token: the first one of a profile, which login tells of.
function tokens.create_first(asked)
  local body = type(asked.json) == "table" and asked.json or {}
  local profile = body.profile_id and account.own(asked, body.profile_id)
  local token = add(profile, body, "full", body.expire_time or "3 months")
  return {
    token = token.token,
    name = token.name,
    profile = token.profile,
    permission = token.permission,
    created_by = token.created_by,
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
