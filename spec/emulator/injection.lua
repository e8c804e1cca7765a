-- SPDX-License-Identifier: MIT
-- Answers that a test wants instead of the API's, and requests that are held until released.

local journal = require("journal")
local json = require("json")
local semaphore = require("ngx.semaphore")

local injection = {}

local day_s = 86400

-- The fields of a rule; README.md says what they mean.
local fields = {
  match = "table",
  times = "number",
  skip = "number",
  status = "number",
  headers = "table",
  body = "string",
  json = "table",
  delay_ms = "number",
  hold = "boolean",
  hold_until = "number",
  execute = "boolean",
}

local rules = {}
local held = {} -- in order of arrival: { semaphore, entry }

function injection.reset()
  rules = {}
  injection.release()
end

-- What is wrong with a rule, or nil.
local function check(rule)
  for name, value in pairs(rule) do
    if not fields[name] then
      return ("unknown field %q"):format(tostring(name))
    elseif type(value) ~= fields[name] then
      return ("%s: a %s is needed"):format(name, fields[name])
    end
  end
  for name in pairs(rule.match or {}) do
    if name ~= "method" and name ~= "path" then
      return ("match: unknown field %q"):format(tostring(name))
    end
  end
end

-- Adds rules, all of them or none; returns what is wrong.
function injection.add(added)
  for _, rule in ipairs(added) do
    local problem = type(rule) ~= "table" and "a rule is an object" or check(rule)
    if problem then
      return problem
    end
  end
  for _, rule in ipairs(added) do
    rule.left = (rule.times or 1) > 0 and (rule.times or 1) or math.huge
    rule.skipped = rule.skip or 0
    rules[#rules + 1] = rule
  end
end

local function matches(rule, asked)
  local match = rule.match or {}
  return (not match.method or match.method == asked.method)
    and (not match.path or match.path == asked.path)
end

-- The first rule for this request, used up by one; nil when there is none.
function injection.take(asked)
  for position, rule in ipairs(rules) do
    if matches(rule, asked) then
      if rule.skipped > 0 then
        rule.skipped = rule.skipped - 1
        return nil
      end
      rule.left = rule.left - 1
      if rule.left == 0 then
        table.remove(rules, position)
      end
      return rule
    end
  end
end

-- ---- holding ----

local function let_go(position)
  local place = table.remove(held, position)
  journal.hold(place.entry, -1)
  place.semaphore:post()
end

-- Lets the first `count` go on, or all; returns how many there were.
function injection.release(count)
  local released = 0
  while held[1] and released < (count or math.huge) do
    let_go(1)
    released = released + 1
  end
  return released
end

-- With a number, it goes on once that many are held.
local function hold(entry, until_held)
  local own = { semaphore = semaphore.new(), entry = entry, until_held = until_held }
  held[#held + 1] = own
  journal.hold(entry, 1)
  local count = #held
  for position = count, 1, -1 do
    if held[position].until_held == count then
      let_go(position)
    end
  end
  own.semaphore:wait(day_s)
end

-- The client of a held request has gone.
function injection.abandon(entry)
  for position, place in ipairs(held) do
    if place.entry == entry then
      let_go(position)
      return
    end
  end
end

-- ---- answering ----

-- Waits as the rule says.
function injection.delay(rule)
  if rule.hold or rule.hold_until then
    hold(ngx.ctx.entry, rule.hold_until)
  end
  if rule.delay_ms then
    ngx.sleep(rule.delay_ms / 1000)
  end
end

function injection.answers(rule)
  return rule.status or rule.body or rule.json
end

function injection.answer(rule)
  local body = rule.body or rule.json and json.encode(rule.json) or ""
  return { status = rule.status or 200, headers = rule.headers, body = body }
end

return injection
