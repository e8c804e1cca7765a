-- SPDX-License-Identifier: MIT
-- The fields of client:request, beside what the core checks itself, and its second result.

local check = require("tagoio.check")
local errors = require("tagoio.errors")

local request = {}

local methods = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true }

local function check_method(value)
  return not methods[value] and "GET, POST, PUT, PATCH or DELETE" or nil
end

local rows = check.rows({
  noun = "field",
  {
    name = "method",
    types = "string",
    must_be = "GET, POST, PUT, PATCH or DELETE",
    check = check_method,
    needed = true,
  },
  {
    name = "path",
    types = "table",
    must_be = "a list of segments, as { \"profile\", id, \"backup\" }",
    needed = true,
  },
  { name = "query", types = "table" },
  { name = "body", types = "table" },
  { name = "idempotent", types = "boolean" },
})

-- Raises when the fields are not those of a request.
function request.check(given)
  check.argument("client:request", "request", "table", given)
  check.options("client:request", rows, given)
  if given.method == "GET" and given.body then
    errors.raise("client:request: body cannot be sent with GET")
  end
end

-- What is known of a call that succeeded.
function request.info(call)
  local info = call:facts()
  info.headers = info.headers or {}
  return info
end

return request
