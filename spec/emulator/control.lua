-- SPDX-License-Identifier: MIT
-- The routes under /_emulator/, with which tests look at the emulator and change it.

local injection = require("injection")
local journal = require("journal")
local json = require("json")
local limits = require("limits")
local routes = require("routes")
local state = require("state")

local control = {}

local function refuse(message)
  return { status = 400, json = { message = "emulator: " .. message } }
end

local function ok(value)
  return { status = 200, json = value }
end

-- POST: state, journal, rules and counts as at the start.
local function reset(asked)
  local rates = type(asked.json.rate_limits) == "table" and asked.json.rate_limits or {}
  local problem = state.check(asked.json) or limits.check(rates, routes.names)
  if problem then
    return refuse("reset: " .. problem)
  end
  injection.reset()
  state.reset(asked.json)
  journal.reset()
  limits.reset(rates)
  return ok(json.object())
end

-- The body is one thing, or an array of them.
local function list_of(body)
  return #body > 0 and body or { body }
end

-- POST: rules.
local function inject(asked)
  local problem = injection.add(list_of(asked.json))
  return problem and refuse("inject: " .. problem) or ok(json.object())
end

-- POST: limits of the rate, besides those there are.
local function limit(asked)
  local added = list_of(asked.json)
  local problem = limits.check(added, routes.names)
  if problem then
    return refuse("limit: " .. problem)
  end
  limits.add(added)
  return ok(json.object())
end

-- POST { count }: how many were released.
local function release(asked)
  local count = asked.json.count
  if count ~= nil and type(count) ~= "number" then
    return refuse("release: count: a number is needed")
  end
  return ok({ released = injection.release(count) })
end

-- GET ?NAME=least&timeout=seconds: waits until the count has that size.
local function counts(asked)
  local deadline = ngx.now() + (tonumber(asked.query.timeout) or 0)
  for name, text in pairs(asked.query) do
    local least = tonumber(text)
    if name ~= "timeout" and not (least and type(journal.counts()[name]) == "number") then
      return refuse(("counts: no number or no count: %s"):format(name))
    end
    while name ~= "timeout" and journal.counts()[name] < least do
      if not journal.wait(deadline - ngx.now()) and ngx.now() >= deadline then
        return { status = 504, json = journal.counts() }
      end
      ngx.update_time()
    end
  end
  return ok(journal.counts())
end

local function read_journal()
  return ok(journal.entries())
end

local function read_outbox()
  return ok(state.outbox)
end

local rows = {
  ["POST reset"] = reset,
  ["POST inject"] = inject,
  ["POST limit"] = limit,
  ["POST release"] = release,
  ["GET journal"] = read_journal,
  ["GET counts"] = counts,
  ["GET outbox"] = read_outbox,
}

function control.answer(asked)
  local name = ("%s %s"):format(asked.method, asked.segments[2] or "")
  local handler = rows[name]
  if not handler then
    return { status = 404, json = { message = "emulator: no such control route: " .. name } }
  elseif asked.method == "POST" and asked.body ~= "" and type(asked.json) ~= "table" then
    return refuse("the body is not JSON")
  end
  asked.json = asked.json or {}
  return handler(asked)
end

return control
