-- SPDX-License-Identifier: MIT
-- The third value of a call that failed: a table that reads as its message.

local errors = {}

local metatable = {
  __tostring = function(err)
    return err.message
  end,
  __concat = function(left, right)
    return tostring(left) .. tostring(right)
  end,
}

-- Makes a table of the C core's fields an err table.
function errors.adopt(fields)
  return setmetatable(fields, metatable)
end

-- nil, message, err: of a failure before anything was sent.
function errors.unsent(kind, operation, message)
  return nil,
    message,
    errors.adopt({
      kind = kind,
      message = message,
      operation = operation,
      attempts = 0,
      elapsed = 0,
      queued = 0,
      maybe_applied = false,
    })
end

return errors
