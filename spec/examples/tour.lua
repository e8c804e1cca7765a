-- SPDX-License-Identifier: MIT
-- A tour of TagoIO's profile API. Against the emulator it also writes; with a token of yours it
-- only reads, and reports every answer that differs from what is documented.
--
-- usage: make demo, or T_ANALYSIS_TOKEN=... lua spec/examples/tour.lua

local tagoio = require("tagoio")

local profile = tagoio.profile
local emulated = os.getenv("EMULATOR_PASSWORD") ~= nil
local differences = 0

local function step(format, ...)
  print("\n-- " .. format:format(...))
end

-- ---- what is documented of the answers: "type", or "type?" where it may be missing ----

local documented = {
  info = { info = "table", allocation = "table", addons = "table", account_plan = "string" },
  list = { id = "string", name = "string", logo_url = "string?" },
  summary = { limit = "table", amount = "table", limit_used = "table" },
  tokenList = { name = "string", token = "string", permission = "string" },
  teamList = {
    id = "string",
    name = "string",
    email = "string",
    active = "boolean",
    created_at = "string",
  },
  usageStatisticList = { time = "string" },
  auditLog = { queryId = "string", status = "string?", events = "table?", statistics = "table?" },
}

local function check(operation, answer)
  for field, expected in pairs(documented[operation]) do
    local found = type(answer[field])
    local may_miss = expected:sub(-1) == "?"
    if found ~= expected:gsub("%?$", "") and not (may_miss and found == "nil") then
      differences = differences + 1
      local text = "   differs: %s: %s is documented as %s, it is %s"
      print(text:format(operation, field, expected, found))
    end
  end
end

local function check_rows(operation, rows)
  for _, row in ipairs(rows) do
    check(operation, row)
  end
end

-- ---- printing ----

-- The last four characters are enough to tell tokens apart.
local function masked(token)
  return ("..%s"):format(token:sub(-4))
end

local function number(value)
  return value and ("%.12g"):format(value) or "-"
end

local function print_services(limits, used)
  local names = {}
  for name in pairs(limits) do
    names[#names + 1] = name
  end
  table.sort(names)
  print(("   %-18s %10s %10s"):format("service", "used", "limit"))
  for _, name in ipairs(names) do
    local limit, use = limits[name], used[name] or 0
    local share = limit > 0 and (" %5.1f%%"):format(100 * use / limit) or ""
    print(("   %-18s %10s %10s%s"):format(name, number(use), number(limit), share))
  end
end

local function print_tokens(id)
  local fields = { "name", "token", "permission", "expire_time" }
  local tokens = assert(profile.tokenList(id, { fields = fields }))
  check_rows("tokenList", tokens)
  for _, token in ipairs(tokens) do
    local expiry = token.expire_time or "never"
    local text = "   %-40s %-6s %-6s expires %s"
    print(text:format(token.name, masked(token.token), token.permission, expiry))
  end
end

local function print_team(id)
  local team = assert(profile.teamList(id))
  check_rows("teamList", team)
  for _, member in ipairs(team) do
    local state = member.active and "active" or "invited"
    print(("   %-20s %-28s %s"):format(member.name, member.email, state))
  end
end

-- ---- reading ----

local function read_profiles()
  local current = assert(profile.info("current"))
  check("info", current)
  step("the profiles that this token can see (plan: %s)", current.account_plan)
  local profiles = assert(profile.list())
  check_rows("list", profiles)
  for _, row in ipairs(profiles) do
    local mark = row.id == current.info.id and "*" or " "
    local share = row.from_share and " (shared with me)" or ""
    print((" %s %s  %s%s"):format(mark, row.id, row.name, share))
  end

  step("limits and use of %s", current.info.name)
  local summary = assert(profile.summary(current.info.id))
  check("summary", summary)
  print_services(summary.limit, summary.limit_used)
  return current.info.id
end

local function read_statistics(id)
  step("statistics of yesterday")
  local rows = assert(profile.usageStatisticList(id, { date = os.time() - 86400 }))
  check_rows("usageStatisticList", rows)
  local last = rows[#rows]
  print(("   %d rows%s"):format(#rows, last and ", the last: " .. tagoio.encode(last) or ""))
end

local function read_audit_log(id)
  step("the audit log of a day")
  local day = { start_date = os.time() - 86400, end_date = os.time() }
  local events, log = assert(profile.auditLogEvents(id, day))
  check("auditLog", log)
  for _, event in ipairs(events) do
    print(("   %s  %-8s %s"):format(event.date, event.resourceName, event.message))
  end
  print(("   %s, %d events"):format(log.status, #events))
end

-- ---- writing ----

local function write_profile()
  step("a new profile")
  local id = assert(profile.create({ name = "Tour" })).id
  print("   " .. assert(profile.edit(id, { name = "Tour of Lua" })))
  print("   " .. assert(profile.info(id)).info.name .. ", " .. id)
  return id
end

local function write_token(id, email, password)
  step("a token for it, and away again")
  local made = assert(profile.tokenCreate(id, {
    name = "cron",
    permission = "read",
    expire_time = "1 month",
    email = email,
    password = password,
  }))
  print_tokens(id)
  print("   " .. assert(profile.tokenDelete(id, made.token)))
end

local function write_team(id)
  step("a guest in the team, and away again")
  print("   " .. assert(profile.addTeamMember(id, "ada@example.com")))
  print_team(id)
  local team = assert(profile.teamList(id))
  print("   " .. assert(profile.deleteTeamMember(id, team[#team].id)))
end

local function show_error()
  step("an error, as a script meets it")
  local found, message, err = profile.info("000000000000000000000000")
  print("   " .. tostring(found) .. "  " .. message)
  local text = "   err.kind = %q, err.status = %d, err.attempts = %d"
  print(text:format(err.kind, err.status, err.attempts))
end

local current = read_profiles()
if emulated then
  local password = os.getenv("EMULATOR_PASSWORD")
  local id = write_profile()
  write_token(id, assert(os.getenv("EMULATOR_EMAIL")), password)
  write_team(current)
  read_statistics(current)
  read_audit_log(current)
  step("the new profile is deleted")
  print("   " .. assert(profile.delete(id, { password = password })))
else
  print("\n   (your own profile: from here on it is only read, never written)")
  step("tokens")
  print_tokens(current)
  step("the team")
  print_team(current)
  read_statistics(current)
  read_audit_log(current)
end
show_error()
if not emulated then
  print(("\n%d differences from what is documented"):format(differences))
end
