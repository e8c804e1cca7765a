-- SPDX-License-Identifier: MIT
-- The options of a client: what each may be, what it is by default, and what the environment says.

local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local hosts = require("tagoio.hosts")

local os, package = os, package -- hosts may take them away from programs

local options = {}

-- ---- checks, as check.lua says ----

local function check_text(value)
  if value == "" then
    return "a string that is not empty"
  elseif value:find("[%z\1-\31\127]") then
    return "a string without control characters"
  end
end

local function check_token(value)
  if type(value) == "boolean" then
    return value
  elseif value == "" or value:find("[^\33-\126]") then
    return "printable ASCII without blanks"
  elseif value:find("^[\"'`]") or value:find("[\"'`]$") then
    return "without quotes around it"
  elseif #value > core.max_token_bytes then
    return ("at most %d bytes long"):format(core.max_token_bytes)
  end
end

local check_attempts = check.whole(1, 100)

local function check_seconds(value)
  if value ~= value or value < 0 then
    return "a number of seconds"
  elseif value > 3600 then
    return "at most 3600 seconds"
  end
end

function options.check_time(value)
  if value ~= value or value <= 0 then
    return "a positive number of seconds"
  end
  return check_seconds(value)
end

local region_urls = {
  ["us-e1"] = "https://api.tago.io",
  ["usa-1"] = "https://api.tago.io",
  ["eu-w1"] = "https://api.eu-w1.tago.io",
}

local region_forms =
  [["us-e1", "eu-w1", "env", { tdeploy = "project id" } or { api = "https://..." }]]

local function check_project(value)
  return not value:match("^%s*[%w-]+%s*$") and "the id of a project"
end

local region_rows = check.rows({
  noun = "key",
  path = "region.",
  { name = "tdeploy", types = "string", check = check_project },
  { name = "api", types = "string", check = check_text, secret = true },
  { name = "sse", types = "string" },
})

local function check_region(region)
  local is_known = region == "env" or region_urls[region]
  if type(region) == "table" then
    is_known = (region.tdeploy == nil) ~= (region.api == nil)
  end
  return not is_known and region_forms
end

local function check_proxy(value)
  return value == true or value and check_text(value)
end

-- Lists are made with the metatable of a page, which must be had for that.
local function check_metatable(value)
  return rawget(value, "__metatable") ~= nil and "a metatable without __metatable"
end

function options.check_rate(value)
  return not (value > 0 and value < math.huge) and "a number over 0"
end

-- Of an option that may be false.
local function is_true(value)
  return value == true
end

local function is_no_host(value)
  return type(value) == "table" and not hosts.is_host(value)
end

-- ---- the rows ----

-- A scope of "pool" is that of the connections, which derived clients share.
local rows = {
  {
    name = "token",
    types = "string or boolean",
    must_be = "a string, or false for none",
    check = check_token,
    secret = true,
  },
  {
    name = "region",
    scope = "pool",
    types = "string or table",
    check = check_region,
    rows = region_rows,
  },
  { name = "timeout", types = "number", check = options.check_time },
  { name = "deadline", types = "number", check = check_seconds },
  { name = "attempt_timeout", types = "number", check = options.check_time },
  { name = "connect_timeout", types = "number", check = options.check_time },
  { name = "attempts", types = "number", check = check_attempts },
  { name = "max_retry_after", types = "number", check = check_seconds },
  { name = "max_response_bytes", types = "number", check = check.whole(1, 2 ^ 31 - 1) },
  { name = "max_connections", scope = "pool", types = "number", check = check.whole(1, 10000) },
  { name = "ca_file", scope = "pool", types = "string", check = check_text },
  {
    name = "proxy",
    scope = "pool",
    types = "string or boolean",
    must_be = "a URL, or false for none",
    check = check_proxy,
    secret = true,
  },
  { name = "user_agent", types = "string", check = check_text },
  {
    name = "headers",
    types = "table or function or boolean",
    must_be = "a table, a function, or false for none",
    check = is_true,
  },
  { name = "keep_null", types = "boolean" },
  { name = "array_mt", types = "table", check = check_metatable },
  { name = "response_info", types = "boolean" },
  { name = "per_minute", types = "number", check = options.check_rate },
  {
    name = "on_attempt",
    types = "function or boolean",
    must_be = "a function, or false for none",
    check = is_true,
  },
  { name = "transport", scope = "pool", types = "function" },
  {
    name = "wait",
    types = "function or table",
    must_be = "a function, or a host as require(\"tagoio.hosts.luv\")",
    check = is_no_host,
  },
}

-- Those of tagoio.new; and of client:with, which may not change the connections.
local derived_rows = {}
for i, row in ipairs(rows) do
  local refused = "belongs to the connections, which are shared: use tagoio.new"
  derived_rows[i] = row.scope == "pool" and { name = row.name, refused = refused } or row
end
options.rows = check.rows(rows)
check.rows(derived_rows)

local function copy(operation, rows_of_it, given)
  local checked = check.options(operation, rows_of_it, given)
  if checked.proxy == false then
    checked.proxy = "" -- for libcurl: not even the environment's
  end
  return checked
end

-- A copy of the options that were given to tagoio.new. A bug in them raises.
function options.check(given)
  return copy("tagoio.new", rows, given)
end

-- The same for client:with.
function options.check_derived(given)
  check.argument("client:with", "options", "table", given)
  return copy("client:with", derived_rows, given)
end

-- The headers of a client: a table is copied, and adds to a parent's table; false in it removes a
-- name. All else takes the place of the parent's.
function options.join_headers(parents, given)
  if given == nil then
    return parents
  elseif type(given) ~= "table" then
    return given
  end
  local joined, mine = {}, {}
  for name, value in pairs(given) do
    joined[name] = value or nil
    mine[type(name) == "string" and name:lower() or name] = true
  end
  for name, value in pairs(type(parents) == "table" and parents or {}) do
    if not mine[name:lower()] then
      joined[name] = value
    end
  end
  return joined
end

-- ---- the environment ----

-- An empty variable is as good as none.
local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function token_from_environment()
  for _, name in ipairs({ "T_ANALYSIS_TOKEN", "TAGOIO_TOKEN" }) do
    local token = variable(name)
    if token then
      local needed = check_token(token)
      if needed then
        return nil, ("%s: the token must be %s"):format(name, needed)
      end
      return token
    end
  end
  local how = "no token: set T_ANALYSIS_TOKEN, or use tagoio.new { token = ... }"
  if package.loaded.ngx then
    how = how .. "; workers of nginx see it where nginx.conf says: env T_ANALYSIS_TOKEN;"
  end
  return nil, how
end

local function attempts_from_environment()
  local name = "TAGOIO_REQUEST_ATTEMPTS"
  local text = variable(name)
  if not text then
    return nil
  end
  local attempts = text:match("^%d+$") and tonumber(text)
  local needed = check_attempts(attempts or 0)
  if needed then
    return nil, ("%s: must be %s (got %s)"):format(name, needed, errors.quote(text))
  end
  return attempts
end

-- The URL of an API; and the variable that it comes from, if it does.
local function base_url(region)
  local from_environment = variable("TAGOIO_API")
  if type(region) == "table" then
    return region.api or ("https://api.%s.tagoio.net"):format(region.tdeploy:match("[%w-]+"))
  elseif region and region ~= "env" then
    return region_urls[region]
  elseif from_environment then
    return from_environment, "TAGOIO_API"
  elseif region == "env" then
    return nil, "TAGOIO_API", "TAGOIO_API is not set, and the region is \"env\""
  end
  return region_urls["us-e1"]
end

-- Fills in what the environment says. The variable that the URL came from if it did, else
-- false; or nil and what is wrong with the environment.
function options.complete(checked)
  local problem
  if checked.token == nil then
    checked.token, problem = token_from_environment()
  end
  if not problem and not checked.attempts then
    checked.attempts, problem = attempts_from_environment()
  end
  if problem then
    return nil, problem
  end
  local url, source, missing = base_url(checked.region)
  checked.base_url = url
  if not url then
    return nil, missing
  end
  return source or false
end

-- ---- who we are ----

local function lua_name()
  local jit = package.loaded.jit
  if jit then
    return "LuaJIT/" .. jit.version:match("%d+%.%d+")
  end
  return (_VERSION:gsub(" ", "/"))
end

-- The value of User-Agent, in the form of the official SDKs (JavaScript SDK,
-- infrastructure/apiRequest.ts).
function options.user_agent(addition)
  local place = ("External; %s %s"):format(lua_name(), core.platform())
  if os.getenv("T_ANALYSIS_CONTEXT") == "tago-io" then
    place = "Running at TagoIO"
  end
  local name = ("TagoIO-SDK|Lua|%s (%s)"):format(core.version, place)
  return addition and name .. " " .. addition or name
end

return options
