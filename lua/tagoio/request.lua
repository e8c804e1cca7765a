-- SPDX-License-Identifier: MIT
-- The fields of client:request, beside what the core checks itself, and its second result.

local check = require("tagoio.check")
local errors = require("tagoio.errors")

local request = {}

local methods = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true }

local function is_unknown(method)
  return not methods[method]
end

local rows = check.rows({
  noun = "field",
  {
    name = "method",
    types = "string",
    must_be = "GET, POST, PUT, PATCH or DELETE",
    check = is_unknown,
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

-- The fields of a request. Raises when they are not those of one.
function request.check(given)
  check.argument("client:request", "request", "table", given)
  local fields = check.options("client:request", rows, given)
  if fields.method == "GET" and fields.body then
    errors.raise("client:request: body cannot be sent with GET")
  end
  return fields
end

-- What is known of a call that succeeded.
function request.info(call)
  local info = call:facts()
  info.headers = info.headers or {}
  return info
end

return request
