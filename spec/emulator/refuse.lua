-- SPDX-License-Identifier: MIT
-- How a handler says no: it raises what routes.lua answers.

return function(status, message, headers)
  error({ status = status, message = message, headers = headers }, 0)
end
