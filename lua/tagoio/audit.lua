-- SPDX-License-Identifier: MIT
-- Queries of the audit log, followed to their end.

local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local options = require("tagoio.options")

local audit = {}

local name = "profile.auditLogEvents"
local first_pause_s, longest_pause_s = 0.5, 5

-- The ends that are no success; those of CloudWatch Logs Insights, which the API seems to pass on.
local failures = { Failed = true, Timeout = true, Unknown = true, Cancelled = true }

local option_rows = check.rows({
  path = "options.",
  { name = "timeout", types = "number", check = options.check_time, default = 60 },
  { name = "on_progress", types = "function" },
  { name = "queryId", types = "string" },
})

-- A member of a response that is not absent: with keep_null it may be tagoio.null.
local function member(response, key)
  local value = response[key]
  return value ~= core.null and value or nil
end

-- The status, and what it is where there is none: a response of the first years had events alone.
local function status_of(response)
  return member(response, "status") or member(response, "events") and "Complete" or "Running"
end

-- nil, message, err: of a query that did not end well, or not in time.
local function failed(query, kind, format, ...)
  local _, message, err = errors.new(kind, name, name .. ": " .. format:format(...))
  err.queryId, err.attempts, err.elapsed = query.id, query.asked, core.now() - query.started
  return nil, message, err
end

-- Why a response ends the wait without success, as nil, message, err; or nothing.
local function check_response(query, status, timeout)
  if failures[status] then
    return failed(query, "api", "the query ended as %s", errors.quote(status))
  elseif core.now() - query.started >= timeout then
    local form = "timeout after %g s, the query is %s (go on with options.queryId = err.queryId)"
    return failed(query, "timeout", form, timeout, errors.quote(status))
  elseif type(query.id) ~= "string" then
    return failed(query, "protocol", "the response names no query (queryId)")
  end
end

-- Asks again and again, with growing pauses, until the query is over: the last response; or nil,
-- message, err.
local function follow(caller, profileID, response, given)
  local query = { id = given.queryId or response.queryId, started = core.now(), asked = 1 }
  local timeout = given.timeout
  local pause_s = first_pause_s
  while status_of(response) ~= "Complete" do
    if given.on_progress then
      given.on_progress(response)
    end
    local _, message, err = check_response(query, status_of(response), timeout)
    if not err and not caller.pause(math.min(pause_s, query.started + timeout - core.now())) then
      _, message, err = failed(query, "canceled", "canceled")
    end
    if not err then
      pause_s = math.min(pause_s * 2, longest_pause_s)
      query.asked = query.asked + 1
      response, message, err = caller.call("profile.auditLogQuery", name, profileID, query.id)
    end
    if err then
      err.queryId = query.id
      return nil, message, err
    end
  end
  local events = member(response, "events")
  if events ~= nil and type(events) ~= "table" then
    return failed(query, "protocol", "events must be an array (got a %s)", type(events))
  end
  return response
end

-- The first response: of a new query, or of one that was started before.
local function begin(caller, profileID, query, query_id)
  if query_id then
    return caller.call("profile.auditLogQuery", name, profileID, query_id)
  end
  return caller.call("profile.auditLog", name, profileID, query)
end

-- Whether events are missing in a response: more matched than came, or as many came as were asked
-- for and nobody says how many matched.
local function is_truncated(response, query)
  local count = #(member(response, "events") or {})
  local statistics = response.statistics
  local matched = type(statistics) == "table" and statistics.recordsMatched
  if type(matched) == "number" then
    return matched > count
  end
  local limit = query ~= nil and rawget(query, "limit")
  return type(limit) == "number" and count >= limit
end

function audit.events(caller, profileID, query, given)
  given = check.options(name, option_rows, given)
  local response, message, err = begin(caller, profileID, query, given.queryId)
  if not err then
    response, message, err = follow(caller, profileID, response, given)
  end
  if err then
    return nil, message, err
  end
  response.truncated = is_truncated(response, query)
  return member(response, "events") or setmetatable({}, core.array_mt), response
end

return audit
