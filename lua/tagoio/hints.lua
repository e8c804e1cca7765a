-- SPDX-License-Identifier: MIT
-- What is added to the message of a failure when the arguments or the settings of the call may
-- explain it.
--
-- The tables here hold what is documented. TagoIO may learn new values at any time, so nothing is
-- refused because of them: they only explain what TagoIO itself refused. No hint shows a value of
-- the caller's: it might be a secret in the wrong place.

local check = require("tagoio.check")
local core = require("tagoio.core")

local os = os -- hosts may take it away from programs

local hints = {}

-- ---- doubts: function(value) -> what is said of a value that may be wrong; else nil ----

local function one_of(list)
  local known, text = {}, "is documented as one of " .. table.concat(list, ", ")
  for _, name in ipairs(list) do
    known[name] = true
  end
  return function(value)
    return value ~= nil and not known[value] and text or nil
  end
end

local function each_of(list)
  local doubt = one_of(list)
  return function(values)
    for i, value in ipairs(type(values) == "table" and values or {}) do
      if doubt(value) then
        return doubt(value), "[" .. i .. "]"
      end
    end
  end
end

local function keys_of(list)
  local doubt = one_of(list)
  return function(object)
    for key in pairs(type(object) == "table" and object or {}) do
      if doubt(key) then
        return (doubt(key):gsub("as one of", "with the keys"))
      end
    end
  end
end

local function order_by(list)
  local field, direction = one_of(list), one_of({ "asc", "desc" })
  return function(value)
    if type(value) == "string" then
      value = { value:match("^([^,]*),?%s*(.*)$") }
    end
    value = type(value) == "table" and value or {}
    if field(value[1]) then
      return field(value[1]), ": the field"
    end
    return value[2] ~= "" and direction(value[2]) or nil, ": the direction"
  end
end

local function needed(value)
  return (value == nil or value == "") and "is needed" or nil
end

local function at_least_1(value)
  return type(value) == "number" and value < 1 and "must be 1 or more" or nil
end

local function text_only(value)
  return type(value) == "number" and "must be a string" or nil
end

local function email(value)
  local is_one = type(value) == "string" and value:find("^[^@%s]+@[^@%s]+$")
  return not is_one and "must be an e-mail address" or nil
end

local function time_zone(value)
  local is_one = value == nil or value == "UTC" or tostring(value):find("^%u%a+/[%w_/+-]+$")
  return not is_one and "is documented as an IANA name such as America/Sao_Paulo, or UTC" or nil
end

local function expiry(value)
  local is_one = type(value) ~= "string"
    or value == "never"
    or value:find("^%d+ ?%a+$")
    or core.parse_date(value)
  return not is_one and 'is documented as "never", a span such as "3 months", or a date' or nil
end

local function is_id(value)
  return type(value) == "string" and #value == 24 and not value:find("%X")
end

local function id_of(where)
  return function(value)
    if not is_id(value) then
      return "must be 24 hex digits, " .. where
    end
  end
end

local profile_id = id_of("the id of a row of profile.list")

local function own_profile_id(value)
  if value == "current" then
    return 'may be "current" for info alone, as far as is documented: use its info.id'
  end
  return profile_id(value)
end

local function account_id(value)
  local where = "must be the id of an account, as teamList shows it"
  if type(value) == "string" and value:find("@", 1, true) then
    return where .. ", not an e-mail address"
  end
  return not is_id(value) and where or nil
end

local function seconds_of(date)
  if type(date) == "number" then
    return date
  end
  return type(date) == "string" and core.parse_date(date) or nil
end

local function interval(most_days)
  return function(query)
    query = type(query) == "table" and query or {}
    local from, to = seconds_of(query.start_date), seconds_of(query.end_date)
    if from and to and from > to then
      return "has a start_date after its end_date"
    elseif most_days and from and (to or os.time()) - from > most_days * 86400 then
      return ("spans more than %d days, the longest interval that is documented"):format(most_days)
    elseif query.date and (query.start_date or query.end_date) then
      return "has a date, of one day, beside start_date and end_date"
    end
  end
end

-- A slash within a segment is sent as %2F.
local function segments(path)
  for i, segment in ipairs(type(path) == "table" and path or {}) do
    if type(segment) == "string" and segment:find("/", 1, true) then
      return "has a slash, which is sent as %2F: a segment is an item of its own", "[" .. i .. "]"
    end
  end
end

-- ---- the arguments ----

local token_fields = {
  "name", "token", "permission", "type", "serie_number", "last_authorization",
  "verification_code", "expire_time", "ref_id", "created_at", "created_by",
}

local resources = {
  "action", "am", "analysis", "connector", "dashboard", "device", "dictionary", "network",
  "profile", "run", "runuser",
}

local services = {
  "input", "output", "analysis", "data_records", "sms", "email", "run_users",
  "push_notification", "file_storage", "auto_scale",
}

local otp_type = one_of({ "authenticator", "sms", "email" })

-- By operation: where a value is, and what may be wrong with it.
local arguments = {
  ["profile.info"] = {
    { "profileID", function(value) return value ~= "current" and profile_id(value) or nil end },
  },
  ["profile.tokenList"] = {
    { "query.page", at_least_1 },
    { "query.amount", at_least_1 },
    { "query.fields", each_of(token_fields) },
    { "query.filter", keys_of(token_fields) },
    { "query.orderBy", order_by(token_fields) },
  },
  ["profile.create"] = { { "body.name", needed } },
  ["profile.edit"] = {
    { "body", keys_of({ "name", "logo_url", "banner_url", "info", "allocation" }) },
  },
  ["profile.delete"] = {
    { "body.password", needed },
    { "body.pin_code", text_only },
    { "body.otp_type", otp_type },
  },
  ["profile.usageStatisticList"] = {
    { "query.periodicity", one_of({ "hour", "day", "month" }) },
    { "query.timezone", time_zone },
    { "query", interval() },
  },
  ["profile.auditLog"] = {
    { "query.resourceName", one_of(resources) },
    { "query.limit", at_least_1 },
    { "query", interval(7) },
  },
  ["profile.serviceEdit"] = { { "body", keys_of(services) } },
  ["profile.transferTokenToAnotherProfile"] = { { "targetProfileID", own_profile_id } },
  ["profile.tokenCreate"] = {
    { "body.name", needed },
    { "body.permission", one_of({ "full", "write", "read", "deny" }) },
    { "body.email", needed },
    { "body.password", needed },
    { "body.expire_time", expiry },
    { "body.pin_code", text_only },
    { "body.otp_type", otp_type },
  },
  ["profile.addTeamMember"] = { { "email", email } },
  ["profile.deleteTeamMember"] = { { "accountId", account_id } },
  request = { { "path", segments } },
}

-- By operation: the names of what a call is started with. Most take the id of a profile, which is
-- not "current".
local names = { request = { "method", "idempotent", "path", "query", "body" } }
for _, row in ipairs(core.operations()) do
  names[row.name] = { "operation", (table.unpack or unpack)(row.arguments) } -- luacheck: ignore
  arguments[row.name] = arguments[row.name] or {}
  if row.arguments[1] == "profileID" and row.name ~= "profile.info" then
    table.insert(arguments[row.name], 1, { "profileID", own_profile_id })
  end
end

local function argument_at(place, operation, ...)
  local name, key = place:match("^(%w+)%.?(.*)$")
  for i, argument in ipairs(names[operation]) do
    if argument == name then
      local value = check.plain((select(i, ...))) -- no code of the caller's runs after a call
      if key == "" then
        return value
      end
      return type(value) == "table" and check.plain(value[key]) or nil
    end
  end
end

-- "query.periodicity is documented as one of hour, day, month"
local function add_doubts(found, operation, ...)
  operation = operation:match("^request") or operation
  for _, row in ipairs(arguments[operation] or {}) do
    local doubt, index = row[2](argument_at(row[1], operation, ...))
    if doubt then
      found[#found + 1] = ("%s%s %s"):format(row[1], index or "", doubt)
    end
  end
end

-- ---- the token, the owner, TLS ----

local owner_only = {
  ["profile.addTeamMember"] = "only the owner of the account may invite",
  ["profile.auditLog"] = "only the owner of the account may read the audit log",
  ["profile.serviceEdit"] = "members of a team may not change allocations",
}

local token_refused = "the token is unknown, has expired, belongs to another region, or is that"
  .. " of an analysis without a policy for this"

local no_tls = "the port may be one of plain http"

-- What the TLS libraries say, and what to do. The first that is found counts.
local tls_rows = {
  { "wrong version number", no_tls },
  { "packet length too long", no_tls },
  { "unexpected TLS packet", no_tls },
  { "expired", "is the clock of this machine right?" },
  { "not yet valid", "is the clock of this machine right?" },
  { "subject name", "the certificate is another host's: check the region" },
  { "does not match", "the certificate is another host's: check the region" },
  { "certificate", "name the file with its authority in the option ca_file, or in SSL_CERT_FILE" },
}

local function tls_hint(message)
  for _, row in ipairs(tls_rows) do
    if message:find(row[1], 1, true) then
      return row[2]
    end
  end
end

-- ---- the proxy ----

local variables = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } -- libcurl's order

local function is_loopback(host)
  return host == "localhost" or host == "[::1]" or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function is_excepted(host)
  local list = os.getenv("no_proxy") or os.getenv("NO_PROXY") or ""
  for name in list:gmatch("[^%s,]+") do
    local tail = "." .. name:gsub("^%.", ""):lower()
    if name == "*" or ("." .. host:lower()):sub(-#tail) == tail then
      return true
    end
  end
  return false
end

-- Who named the proxy that libcurl uses for these calls; nil: it uses none.
local function proxy_source(own)
  local host = own.url:match("^https://(%[[^%]]*%])") or own.url:match("^https://([^:/]*)")
  if not host or is_loopback(host) or own.transport or own.proxy == "" then
    return nil
  elseif own.proxy then
    return "the option proxy"
  end
  for _, name in ipairs(variables) do
    local value = os.getenv(name)
    if value and value ~= "" then
      return not is_excepted(host) and "the variable " .. name or nil
    end
  end
end

local function proxy_hint(own, err)
  local on_the_way = err.kind == "connect"
    or err.kind == "tls"
    or err.message:find("without a connection", 1, true)
  local source = on_the_way and proxy_source(own)
  return source and "it goes through a proxy, which " .. source .. " names" or nil
end

-- ---- all of them ----

-- Whether a password was sent, which may be what was refused.
local function has_password(...)
  for i = 1, select("#", ...) do
    local argument = (select(i, ...))
    if type(argument) == "table" and rawget(argument, "password") ~= nil then
      return true
    end
  end
  return false
end

local function add_api_hints(found, operation, err, ...)
  if err.status == 401 then
    local is_token = err.message:lower():find("authorization", 1, true) or not has_password(...)
    found[#found + 1] = is_token and token_refused or nil
  elseif err.status ~= 429 and err.status <= 500 then
    found[#found + 1] = err.status == 403 and owner_only[operation] or nil
    add_doubts(found, operation, ...)
  end
end

-- Adds what may explain a failure to the message of err. `own` is a client's, as call.lua says; the
-- rest are the arguments of the call.
function hints.explain(own, operation, err, ...)
  local found = {}
  if err.kind == "api" then
    add_api_hints(found, operation, err, ...)
  elseif err.kind == "tls" then
    found[1] = tls_hint(err.message)
  end
  found[#found + 1] = proxy_hint(own, err)
  if #found > 0 then
    err.message = err.message .. "; " .. table.concat(found, "; ")
  end
end

return hints
