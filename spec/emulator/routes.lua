-- SPDX-License-Identifier: MIT
-- The catalogue of endpoints: which handler answers which method and path. {} is one segment.
-- From what is known about the API, and from nothing of the client's.

local account = require("account")
local audit = require("audit")
local backups = require("backups")
local devices = require("devices")
local journal = require("journal")
local json = require("json")
local limits = require("limits")
local login = require("login")
local profiles = require("profiles")
local refuse = require("refuse")
local state = require("state")
local statistics = require("statistics")
local team = require("team")
local tokens = require("tokens")

local routes = {}

local listed = { "page", "amount", "fields", "filter", "orderBy" }

-- method, path, handler, status of a success; `query` holds the keys that it knows. Words come
-- before {}.
local rows = {
  { "GET", "/status", account.status, open = true },
  { "GET", "/info", account.introspect },
  { "POST", "/account/login", login.enter, open = true },
  { "POST", "/account/login/otp", login.request_pin, open = true },
  { "POST", "/account/profile/token", tokens.create_first, open = true },
  { "GET", "/account/allocation", account.allocation },
  { "POST", "/account/allocation", account.allocate },
  { "GET", "/profile", profiles.list },
  { "POST", "/profile", profiles.create, 201, query = { "allocate_free_resources" } },
  { "GET", "/profile/team/accept/{}", team.accept, open = true, writes = true },
  { "GET", "/profile/team/decline/{}", team.decline, open = true, writes = true },
  { "PUT", "/profile/switch/{}", tokens.transfer },
  { "GET", "/profile/{}", profiles.info },
  { "PUT", "/profile/{}", profiles.edit },
  { "DELETE", "/profile/{}", profiles.delete },
  { "GET", "/profile/{}/summary", profiles.summary, query = { "onlyAmount" } },
  { "POST", "/profile/{}/services", account.edit_services },
  { "PUT", "/profile/{}/service", account.edit_providers },
  { "GET", "/profile/{}/statistics", statistics.list, query = statistics.keys },
  { "GET", "/profile/{}/auditlog", audit.start, query = audit.keys },
  { "GET", "/profile/{}/auditlog/{}", audit.poll },
  { "GET", "/profile/{}/token", tokens.list, query = listed },
  { "POST", "/profile/{}/token", tokens.create, 201 },
  { "DELETE", "/profile/{}/token/{}", tokens.delete },
  { "GET", "/profile/{}/team", team.list },
  { "POST", "/profile/{}/team", team.invite },
  { "DELETE", "/profile/{}/team/{}", team.remove },
  { "GET", "/profile/{}/backup", backups.list, query = { "page", "amount", "orderBy" } },
  { "POST", "/profile/{}/backup", backups.create, bare = true },
  { "POST", "/profile/{}/backup/{}/download", backups.download, bare = true },
  { "DELETE", "/profile/{}/backup/{}", backups.delete },
  { "GET", "/device", devices.list, query = listed },
  { "POST", "/device", devices.create, 201 },
  { "GET", "/device/{}", devices.info },
  { "PUT", "/device/{}", devices.edit },
  { "DELETE", "/device/{}", devices.delete },
  { "GET", "/device/{}/params", devices.params, query = { "sent_status" } },
  { "GET", "/bucket", devices.buckets, query = listed },
  { "GET", "/bucket/{}", devices.bucket },
}

-- The rows by "METHOD /path".
routes.names = {}

for _, row in ipairs(rows) do
  row.name = row[1] .. " " .. row[2]
  row.writes = row.writes or row[1] ~= "GET"
  routes.names[row.name] = row
  row.segments = {}
  for segment in row[2]:gmatch("[^/]+") do
    row.segments[#row.segments + 1] = segment
  end
  row.keys = {}
  for _, key in ipairs(row.query or {}) do
    row.keys[key] = true
  end
end

-- The segments that stand where the row has {}, or nil.
local function match(row, segments)
  if #row.segments ~= #segments then
    return nil
  end
  local arguments = {}
  for i, segment in ipairs(row.segments) do
    if segment == "{}" then
      arguments[#arguments + 1] = segments[i]
    elseif segment ~= segments[i] then
      return nil
    end
  end
  return arguments
end

local function find(asked)
  for _, row in ipairs(rows) do
    local arguments = row[1] == asked.method and match(row, asked.segments)
    if arguments then
      return row, arguments
    end
  end
  refuse(404, "Route not found")
end

-- ---- who may ----

-- Any one of these is accepted.
local function token_of(headers)
  local authorization = headers.authorization
  return headers.token
    or headers["profile-token"]
    or headers["account-token"]
    or type(authorization) == "string" and (authorization:gsub("^Bearer ", ""))
end

-- What a token's permission allows.
local allowed = {
  full = { GET = true, POST = true, PUT = true, DELETE = true },
  write = { GET = true, POST = true, PUT = true },
  read = { GET = true },
  deny = {},
}

local function authorize(asked, row)
  if row.open then
    return nil
  end
  local token = state.find_token(token_of(asked.headers))
  local expiry = token and token.expire_time
  if not token or type(expiry) == "number" and expiry < ngx.time() then
    refuse(401, "Authorization Denied")
  elseif not allowed[token.permission][asked.method] then
    refuse(403, ("The permission of this token (%s) is not enough"):format(token.permission))
  end
  return token
end

-- Stricter than TagoIO, which ignores them as far as is known: a key that is misspelt is seen.
local function check_keys(asked, row)
  for key in pairs(asked.query) do
    if not row.keys[key] then
      refuse(400, "Unknown parameter: " .. key)
    end
  end
end

-- ---- answering ----

local function handle(asked, entry)
  local row, arguments = find(asked)
  asked.token = authorize(asked, row)
  limits.count(row.name, asked.token and asked.token.profile or "", entry)
  check_keys(asked, row)
  local handler = row[3]
  local result = handler(asked, unpack(arguments))
  if row.writes then
    journal.executed(entry, row.name)
  end
  local body = row.bare and result or { status = true, result = result }
  return { status = row[4] or 200, json = body }
end

-- What TagoIO would answer: status and json.
function routes.answer(asked, entry)
  local ok, answer = pcall(handle, asked, entry)
  if ok then
    return answer
  elseif type(answer) == "table" then
    answer.json = { status = false, message = answer.message }
    return answer
  end
  ngx.log(ngx.ERR, answer)
  return { status = 500, json = json.object({ status = false, message = "emulator: " .. answer }) }
end

return routes
