-- SPDX-License-Identifier: MIT
-- The audit log: a query is started, then asked for until it is complete.

local account = require("account")
local clock = require("clock")
local json = require("json")
local refuse = require("refuse")
local state = require("state")

local audit = {}

local day_s = 86400

audit.keys = { "resourceID", "resourceName", "find", "start_date", "end_date", "limit" }

local resources = {
  action = true,
  am = true,
  analysis = true,
  connector = true,
  dashboard = true,
  device = true,
  dictionary = true,
  network = true,
  profile = true,
  run = true,
  runuser = true,
}

local function date_of(query, name, otherwise)
  local seconds = otherwise
  if query[name] then
    seconds = clock.parse(query[name]) or refuse(400, ("Invalid %s"):format(name))
  end
  return seconds
end

local function filter_of(query)
  local filter = {
    id = query.resourceID,
    resource = query.resourceName,
    find = query.find ~= "*" and query.find or nil,
    limit = tonumber(query.limit or state.config.audit_limit),
    to = date_of(query, "end_date", ngx.time() + 1),
  }
  filter.from = date_of(query, "start_date", filter.to - state.config.audit_days * day_s)
  if filter.resource and not resources[filter.resource] then
    refuse(400, "Invalid resourceName")
  elseif not filter.limit or filter.limit < 1 or filter.limit % 1 ~= 0 then
    refuse(400, "Invalid limit")
  elseif filter.from > filter.to then
    refuse(400, "start_date is after end_date")
  elseif filter.to - filter.from > state.config.audit_days * day_s + 60 then
    -- A minute more: a request takes its time, and clocks differ.
    refuse(400, ("The interval between start_date and end_date is over %d days"):format(
      state.config.audit_days
    ))
  end
  return filter
end

local function matches(event, filter)
  return event.date >= math.floor(filter.from)
    and event.date <= filter.to
    and (not filter.id or event.resourceID == filter.id)
    and (not filter.resource or event.resourceName == filter.resource)
    and (not filter.find or event.message:lower():find(filter.find:lower(), 1, true))
end

-- As many as the limit allows, the oldest first, and how many matched.
local function events_of(profile, filter)
  local events, matched = json.array(), 0
  local most = math.min(filter.limit, state.config.audit_limit)
  for _, event in ipairs(profile.events) do
    local fits = matches(event, filter)
    matched = matched + (fits and 1 or 0)
    if fits and #events < most then
      events[#events + 1] = {
        resourceName = event.resourceName,
        resourceID = event.resourceID,
        message = event.message,
        who = event.who,
        date = state.date(event.date),
      }
    end
  end
  return events, matched
end

local function answer(profile, query)
  if query.polls_left > 0 then
    return { queryId = query.id, status = "Running" }
  elseif state.config.audit_status ~= "Complete" then
    return { queryId = query.id, status = state.config.audit_status }
  end
  local events, matched = events_of(profile, query.filter)
  return {
    queryId = query.id,
    status = "Complete",
    events = events,
    statistics = {
      recordsMatched = matched,
      recordsScanned = #profile.events,
      bytesScanned = #profile.events * 312,
    },
  }
end

function audit.start(asked, id)
  local profile = account.own(asked, id)
  local query = {
    id = state.new_id(),
    filter = filter_of(asked.query),
    polls_left = state.config.audit_polls,
  }
  profile.queries[query.id] = query
  return answer(profile, query)
end

function audit.poll(asked, id, query_id)
  local profile = account.own(asked, id)
  local query = profile.queries[query_id]
  if not query then
    refuse(404, "Query not found")
  end
  query.polls_left = query.polls_left - 1
  return answer(profile, query)
end

return audit
