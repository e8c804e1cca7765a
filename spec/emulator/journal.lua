-- SPDX-License-Identifier: MIT
-- What was asked since the last reset, without its secrets, and how many at once.

local json = require("json")
local state = require("state")

local journal = {}

local token_headers = {
  "token",
  "profile-token",
  "account-token",
  "device-token",
  "authorization",
}

local entries, counts, connections
local watchers = {}

function journal.reset()
  entries = json.array()
  -- Requests that are still answered belong to no count any more.
  counts = {
    requests = 0,
    executed = json.object(),
    holding = 0,
    at_once = 0,
    most_at_once = 0,
    connections = 0,
    windows = json.array(), -- of routes with a limit
  }
  connections = {}
end

-- ---- redaction ----

local function token_label(token)
  token = token:gsub("^Bearer ", "")
  local known = state.find_token(token) or state.find_invitation(token)
  return known and "<token>" or "<unknown token>"
end

local labels = {
  password = function(value)
    return value == state.password() and "<password>" or "<wrong password>"
  end,
  pin_code = function()
    return "<pin_code>"
  end,
  token = token_label,
}

-- Secrets that are known are taken out wherever they are.
local function hide_known(text)
  for _, secret in ipairs(state.secrets()) do
    local label = secret == state.password() and "<password>" or "<token>"
    local from, to = text:find(secret, 1, true)
    while from do
      text = text:sub(1, from - 1) .. label .. text:sub(to + 1)
      from, to = text:find(secret, from + #label, true)
    end
  end
  return text
end

local function hide_in_body(body)
  local members = [["(password|pin_code|token)"(\s*:\s*)("(?:[^"\\]|\\.)*"|[-+.\w]+)]]
  return ngx.re.gsub(body, members, function(match)
    local value = tostring(json.decode(match[3]) or match[3])
    return ('"%s"%s"%s"'):format(match[1], match[2], labels[match[1]](value))
  end, "jo")
end

-- /profile/{id}/token/{token} and /profile/team/accept/{token} end with one.
local function ends_with_token(segments)
  return segments[1] == "profile"
    and segments[4]
    and (segments[3] == "token" or segments[2] == "team")
end

-- The last segment of such a path, and the value of filter[token].
local function hide_in_uri(asked)
  local segments = asked.segments
  local uri = asked.uri
  if ends_with_token(segments) then
    uri = uri:gsub("^(/[^/]*/[^/]*/[^/]*/)[^/?]*", "%1" .. token_label(segments[4]))
  end
  local filter = type(asked.query.filter) == "table" and asked.query.filter.token
  if type(filter) == "string" then
    uri = uri:gsub("(filter%%5Btoken%%5D=)[^&]*", "%1" .. token_label(filter))
    uri = uri:gsub("(filter%[token%]=)[^&]*", "%1" .. token_label(filter))
  end
  return hide_known(uri)
end

local function hide_in_headers(headers)
  local hidden = {}
  for name, value in pairs(headers) do
    hidden[name] = type(value) == "string" and hide_known(value) or value
  end
  for _, name in ipairs(token_headers) do
    local value = headers[name]
    if type(value) == "string" then
      hidden[name] = token_label(value)
    end
  end
  return hidden
end

local function hide_in_query(list)
  local hidden = json.array()
  for i, pair in ipairs(list) do
    local value = pair[1] == "filter[token]" and token_label(pair[2]) or hide_known(pair[2])
    hidden[i] = { pair[1], value }
  end
  return hidden
end

local function hide_in_path(asked)
  local segments = asked.segments
  if ends_with_token(segments) then
    return "/" .. table.concat(segments, "/", 1, 3) .. "/" .. token_label(segments[4])
  end
  return hide_known(asked.path)
end

-- ---- counting ----

-- Wakes those who wait for a number to be reached.
local function changed()
  for _, semaphore in ipairs(watchers) do
    semaphore:post()
  end
  watchers = {}
end

function journal.begin(asked)
  local connection = tonumber(ngx.var.connection)
  local entry = {
    method = asked.method,
    uri = hide_in_uri(asked),
    path = hide_in_path(asked),
    query = hide_in_query(asked.pairs),
    headers = hide_in_headers(asked.headers),
    body = hide_known(hide_in_body(asked.body)),
    scheme = ngx.var.scheme,
    http_version = ngx.var.server_protocol,
    connection = connection,
    executed = 0,
  }
  entries[#entries + 1] = entry
  entry.counts = counts
  counts.requests = counts.requests + 1
  counts.at_once = counts.at_once + 1
  counts.most_at_once = math.max(counts.most_at_once, counts.at_once)
  if not connections[connection] then
    connections[connection] = true
    counts.connections = counts.connections + 1
  end
  changed()
  return entry
end

-- Once for each request, with the status of its answer.
function journal.finish(entry, status)
  if not entry.status then
    entry.status = status
    entry.counts.at_once = entry.counts.at_once - 1
    changed()
  end
end

-- A side effect took place.
function journal.executed(entry, route)
  entry.executed = entry.executed + 1
  entry.counts.executed[route] = (entry.counts.executed[route] or 0) + 1
end

-- The counts of a window of a route with a limit: passed and refused.
function journal.window(entry, route, profile, from)
  local windows = entry.counts.windows
  for _, window in ipairs(windows) do
    if window.route == route and window.profile == profile and window.from == from then
      return window
    end
  end
  local window = { route = route, profile = profile, from = from, passed = 0, refused = 0 }
  windows[#windows + 1] = window
  return window
end

function journal.hold(entry, change)
  entry.counts.holding = entry.counts.holding + change
  changed()
end

function journal.entries()
  local copies = json.array()
  for i, entry in ipairs(entries) do
    local copy = {}
    for name, value in pairs(entry) do
      copy[name] = value
    end
    copy.counts = nil
    copies[i] = copy
  end
  return copies
end

function journal.counts()
  return counts
end

-- Waits until something was counted; false when that took longer.
function journal.wait(seconds)
  local semaphore = require("ngx.semaphore").new()
  watchers[#watchers + 1] = semaphore
  return seconds > 0 and semaphore:wait(seconds)
end

journal.reset()

return journal
