-- SPDX-License-Identifier: MIT
-- A request as it was received: nginx decodes and normalizes paths, so its raw URI is read.

local json = require("json")

local request = {}

local function decode(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function split(text, separator)
  local parts = {}
  for part in (text .. separator):gmatch("([^" .. separator .. "]*)" .. separator) do
    parts[#parts + 1] = part
  end
  return parts
end

local function read_body()
  ngx.req.read_body()
  local path = ngx.req.get_body_file()
  if not path then
    return ngx.req.get_body_data() or ""
  end
  local file = assert(io.open(path, "rb"))
  local body = file:read("*a")
  file:close()
  return body
end

-- "/profile/a%2Fb/" has the segments "profile", "a/b": a slash at the end counts nothing.
local function segments_of(path)
  local segments = {}
  for _, segment in ipairs(split(path:gsub("^/", ""):gsub("/$", ""), "/")) do
    segments[#segments + 1] = decode(segment)
  end
  return segments
end

local function pairs_of(text)
  local list = json.array()
  for _, pair in ipairs(text and split(text, "&") or {}) do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    if name ~= "" then
      list[#list + 1] = { decode((name:gsub("+", " "))), decode((value:gsub("+", " "))) }
    end
  end
  return list
end

-- The tables that names such as filter[tags][0][key] mean; a name that comes again makes a list.
local function nest(list)
  local query = {}
  for _, pair in ipairs(list) do
    local keys = { pair[1]:match("^[^%[]*") }
    for key in pair[1]:gmatch("%[([^%]]*)%]") do
      keys[#keys + 1] = tonumber(key) and tonumber(key) + 1 or key
    end
    local place = query
    for i = 1, #keys - 1 do
      place[keys[i]] = type(place[keys[i]]) == "table" and place[keys[i]] or {}
      place = place[keys[i]]
    end
    local last = keys[#keys]
    local there = place[last]
    if type(there) == "table" then
      there[#there + 1] = pair[2]
    else
      place[last] = there and { there, pair[2] } or pair[2]
    end
  end
  return query
end

function request.read()
  local uri = ngx.var.request_uri
  local path, text = uri:match("^([^?]*)%??(.*)$")
  local list = pairs_of(text ~= "" and text or nil)
  local body = read_body()
  return {
    method = ngx.req.get_method(),
    uri = uri,
    path = decode(path),
    segments = segments_of(path),
    pairs = list,
    query = nest(list),
    headers = ngx.req.get_headers(0),
    body = body,
    json = body ~= "" and json.decode(body) or nil,
  }
end

return request
