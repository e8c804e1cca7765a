-- SPDX-License-Identifier: MIT
-- The options of a client: what each may be, what it is when nobody says, and what the
-- environment says. A problem is returned as text; who raises it knows whose line is to blame.

local core = require("tagoio.core")
local errors = require("tagoio.errors")

local options = {}

-- ---- checks: nil, or what is wrong with the value ----

local function check_text(value)
  if value == "" then
    return "is empty"
  elseif value:find("[%z\1-\31\127]") then
    return "has control characters"
  end
end

-- Never says the value: it is a secret.
local function check_token(value)
  if value:find("[^\33-\126]") then
    return "has characters that no token has (spaces, control characters or not ASCII)"
  end
  return check_text(value)
end

local function check_whole(least, most)
  return function(value)
    if value ~= math.floor(value) or value < least or value > most then
      return ("%.14g is not a whole number from %d to %d"):format(value, least, most)
    end
  end
end

local function check_seconds(value)
  if value ~= value then
    return "NaN is no time"
  elseif value < 0 then
    return ("%.14g is negative"):format(value)
  elseif value > 3600 then
    return ("%.14g is over an hour (seconds, not milliseconds)"):format(value)
  end
end

function options.check_time(value)
  return value == 0 and "0 is no time" or check_seconds(value)
end

local region_urls = {
  ["us-e1"] = "https://api.tago.io",
  ["usa-1"] = "https://api.tago.io",
  ["eu-w1"] = "https://api.eu-w1.tago.io",
}

local region_forms =
  [["us-e1", "eu-w1", "env", { tdeploy = "project id" } or { api = "https://..." }]]

local function check_region_table(region)
  for key in pairs(region) do
    if key ~= "tdeploy" and key ~= "api" and key ~= "sse" then
      return ("unknown key %s: use %s"):format(errors.quote(key), region_forms)
    end
  end
  if (region.tdeploy == nil) == (region.api == nil) then
    return "either tdeploy or api is needed: use " .. region_forms
  elseif region.tdeploy ~= nil and type(region.tdeploy) ~= "string" then
    return "tdeploy: a string is needed, got a " .. type(region.tdeploy)
  elseif region.tdeploy and not region.tdeploy:match("^%s*[%w-]+%s*$") then
    return "tdeploy: not the id of a project"
  elseif region.api ~= nil and type(region.api) ~= "string" then
    return "api: a string is needed, got a " .. type(region.api)
  end
  local problem = region.api and check_text(region.api)
  return problem and "api: " .. problem
end

local function check_region(region)
  if type(region) == "table" then
    return check_region_table(region)
  elseif region ~= "env" and not region_urls[region] then
    return ("unknown region %s: use %s"):format(errors.quote(region), region_forms)
  end
end

local function check_proxy(value)
  if value == true then
    return "true is no proxy: use a URL, or false for none"
  elseif value ~= false then
    return check_text(value)
  end
end

local function check_hook(value)
  return value == true and "true is no hook: use a function, or false for none" or nil
end

-- Those with `connection` belong to the connections, which derived clients share. Times are
-- seconds.
local rows = {
  { name = "token", types = "string", check = check_token },
  { name = "region", types = "string or table", check = check_region, connection = true },
  { name = "timeout", types = "number", check = options.check_time },
  { name = "attempt_timeout", types = "number", check = options.check_time },
  { name = "connect_timeout", types = "number", check = options.check_time },
  { name = "attempts", types = "number", check = check_whole(1, 100) },
  { name = "max_retry_after", types = "number", check = check_seconds },
  { name = "max_response_bytes", types = "number", check = check_whole(1, 2 ^ 31 - 1) },
  { name = "max_connections", types = "number", check = check_whole(1, 10000), connection = true },
  { name = "ca_file", types = "string", check = check_text, connection = true },
  { name = "proxy", types = "string or boolean", check = check_proxy, connection = true },
  { name = "user_agent", types = "string", check = check_text },
  { name = "keep_null", types = "boolean" },
  { name = "array_mt", types = "table" },
  { name = "on_attempt", types = "function or boolean", check = check_hook },
  { name = "transport", types = "function", connection = true },
  { name = "wait", types = "function" },
}

local by_name = {}
local names = {}
options.names = names
for _, row in ipairs(rows) do
  by_name[row.name] = row
  names[#names + 1] = row.name
end

local function check_one(name, value, derived)
  local row = by_name[name]
  if not row then
    return ("unknown option %s; there are %s"):format(errors.quote(name), table.concat(names, ", "))
  elseif derived and row.connection then
    return name .. ": belongs to the connections, which are shared: use tagoio.new"
  elseif not (" or " .. row.types .. " or "):find(" or " .. type(value) .. " or ", 1, true) then
    return ("%s: a %s is needed, got a %s"):format(name, row.types, type(value))
  end
  local problem = row.check and row.check(value)
  return problem and name .. ": " .. problem
end

-- A copy of the given options; or nil and what is wrong with them. Derived ones are those of
-- client:with.
function options.check(given, derived)
  if type(given) ~= "table" then
    return nil, "a table of options is needed, got a " .. type(given)
  end
  local checked = {}
  for name, value in pairs(given) do
    local problem = check_one(name, value, derived)
    if problem then
      return nil, problem
    end
    checked[name] = value
  end
  if checked.proxy == false then
    checked.proxy = "" -- for libcurl: not even the environment's
  end
  return checked
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
      local problem = check_token(token)
      if problem then
        return nil, ("%s: the token %s"):format(name, problem)
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
  if not attempts or check_whole(1, 100)(attempts) then
    return nil, ("%s: %s is not a whole number from 1 to 100"):format(name, errors.quote(text))
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
  if not checked.token then
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
