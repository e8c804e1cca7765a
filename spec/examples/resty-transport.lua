-- SPDX-License-Identifier: MIT
-- A transport over lua-resty-http: TagoIO through nginx's own sockets, without libcurl.

local http = require("resty.http")

-- For `tagoio.new { transport = require("resty-transport") }`.
return function(request)
  local client = http.new()
  local milliseconds = math.ceil(1000 * request.timeout)
  client:set_timeouts(math.ceil(1000 * request.connect_timeout), milliseconds, milliseconds)
  local answer, message = client:request_uri(request.url, {
    method = request.method,
    headers = request.headers,
    body = request.body,
    ssl_verify = true,
  })
  if not answer then
    -- What it says does not tell whether the request has left.
    return nil, message, { kind = message:find("timeout", 1, true) and "timeout" or "network" }
  end
  return answer.status, answer.headers, answer.body
end
