-- SPDX-License-Identifier: MIT
-- How a handler says no: it raises what routes.lua answers.

return function(status, message)
  error({ status = status, message = message }, 0)
end
