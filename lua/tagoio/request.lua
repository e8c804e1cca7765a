-- SPDX-License-Identifier: MIT
-- What client:request takes and tells, beside what the core checks itself.

local errors = require("tagoio.errors")

local request = {}

local types = {
  method = "string",
  path = "table",
  query = "table",
  body = "table",
  idempotent = "boolean",
}

local methods = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true }

-- What is wrong with the fields, or nil.
function request.check(given)
  if type(given) ~= "table" then
    return "a table is needed, got a " .. type(given)
  end
  for name, value in pairs(given) do
    if not types[name] then
      local known = "method, path, query, body, idempotent"
      return ("unknown field %s; there are %s"):format(errors.quote(name), known)
    elseif type(value) ~= types[name] then
      return ("%s: a %s is needed, got a %s"):format(name, types[name], type(value))
    end
  end
  if not methods[given.method] then
    local form = "method: %s is none of GET, POST, PUT, PATCH, DELETE"
    return form:format(errors.quote(given.method))
  elseif not given.path then
    return "path: a list of segments is needed, as { \"profile\", id, \"backup\" }"
  elseif given.method == "GET" and given.body then
    return "body: GET has none"
  end
end

-- What is known of a call that succeeded.
function request.info(call)
  local info = call:facts()
  info.headers = info.headers or {}
  return info
end

return request
