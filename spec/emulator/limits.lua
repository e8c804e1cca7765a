-- SPDX-License-Identifier: MIT
-- Rate limits: so many requests of a profile to a route in a window, which is a part of the clock,
-- as TagoIO's minutes are.

local journal = require("journal")
local refuse = require("refuse")

local limits = {}

local fields = {
  route = "string",
  limit = "number",
  window_s = "number",
  profile = "string",
  header = "boolean",
}
local needed = { "route", "limit", "window_s" }

local rules = {}

-- What is wrong with a list of limits, or nil. `routes` has the names that there are.
function limits.check(list, routes)
  for _, rule in ipairs(list) do
    for name, value in pairs(type(rule) == "table" and rule or {}) do
      if type(value) ~= fields[name] then
        return ("%s: %s"):format(name, fields[name] or "no such field")
      end
    end
    for _, name in ipairs(needed) do
      if type(rule) ~= "table" or rule[name] == nil then
        return ("%s is missing"):format(name)
      end
    end
    if not routes[rule.route] then
      return ("no such route: %s"):format(rule.route)
    elseif rule.window_s <= 0 then
      return "window_s: a positive number is needed"
    end
  end
end

function limits.reset(list)
  rules = {}
  limits.add(list)
end

function limits.add(list)
  for _, rule in ipairs(list) do
    rules[#rules + 1] = rule
  end
end

local function apply(rule, profile, entry)
  local from = math.floor(ngx.now() / rule.window_s) * rule.window_s
  local window = journal.window(entry, rule.route, profile, from)
  if window.passed < rule.limit then
    window.passed = window.passed + 1
    return
  end
  window.refused = window.refused + 1
  local left = math.max(1, math.ceil(from + rule.window_s - ngx.now()))
  local message = ("Too many requests (Retry-After: %d)"):format(left)
  refuse(429, message, rule.header and { ["Retry-After"] = left } or nil)
end

-- Counts a request, and refuses it when there were too many: the last limit that fits decides.
-- `profile` is empty without a token.
function limits.count(route, profile, entry)
  ngx.update_time()
  for i = #rules, 1, -1 do
    if rules[i].route == route and (rules[i].profile or profile) == profile then
      return apply(rules[i], profile, entry)
    end
  end
end

return limits
