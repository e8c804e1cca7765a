-- SPDX-License-Identifier: MIT
-- Lists the tokens of all profiles that have expired or will soon: those made by signing in end
-- after three months, and what uses them then stops. For cron, which sends what is printed.
--
-- usage: lua expiring-tokens.lua [DAYS]        30 when it is not said
--
-- status: 0 no such token, 1 there are some, 2 a profile could not be asked

local tagoio = require("tagoio")

local profile = tagoio.profile
local day_s = 86400
local days = tonumber(arg[1] or 30)

local function fail(message)
  io.stderr:write("expiring-tokens: ", message, "\n")
  os.exit(2)
end

-- Others' profiles, which they share, are theirs to care for.
local function own_profiles()
  local own = {}
  local all, message = profile.list()
  for _, row in ipairs(all or fail(message)) do
    if not row.from_share then
      own[#own + 1] = row
    end
  end
  return own
end

-- The tokens of a profile that end before the limit, with what is left of their time.
local function expiring(owner, now)
  local query = { fields = { "name", "permission", "expire_time" } }
  local tokens, message, err = profile.tokenListAll(owner.id, query)
  if not tokens then
    return nil, message, err
  end
  local found = {}
  for _, token in ipairs(tokens) do
    local ends = token.expire_time and tagoio.date.parse(token.expire_time) -- or "never"
    if ends and ends - now < days * day_s then
      token.profile, token.left = owner.name, ends - now
      found[#found + 1] = token
    end
  end
  return found
end

local function left_text(seconds)
  if seconds < 0 then
    return "expired"
  end
  local whole = math.floor(seconds / day_s)
  return whole == 1 and "1 day" or ("%d days"):format(whole)
end

local function print_table(tokens)
  table.sort(tokens, function(a, b)
    return a.left < b.left
  end)
  local form = "%-8s  %-10s  %-20s  %-10s  %s"
  print(form:format("left", "expires", "profile", "permission", "token"))
  for _, token in ipairs(tokens) do
    local date = token.expire_time:sub(1, 10)
    local left = left_text(token.left)
    print(form:format(left, date, token.profile, token.permission, token.name))
  end
end

if not days then
  fail("DAYS: a number is needed")
end
local now = os.time()
local owners = own_profiles()
local lists, errors = tagoio.map(owners, function(owner)
  return expiring(owner, now)
end, { concurrency = 16 })

local found = {}
for i, list in ipairs(lists) do
  for _, token in ipairs(list or {}) do
    found[#found + 1] = token
  end
  if errors and errors[i] then
    io.stderr:write(("expiring-tokens: %s: %s\n"):format(owners[i].name, errors[i].message))
  end
end
if #found > 0 then
  print_table(found)
end
os.exit(errors and 2 or #found > 0 and 1 or 0)
