-- SPDX-License-Identifier: MIT
-- The third value of a call that failed: a table that reads as its message.

local core = require("tagoio.core")

local errors = {}

local metatable = {
  __tostring = function(err)
    return err.message
  end,
  __concat = function(left, right)
    return tostring(left) .. tostring(right)
  end,
}

-- A value of the caller's as a part of a message: one printable line, cut when it is long.
function errors.quote(value)
  if type(value) == "string" then
    return '"' .. core.printable(value) .. '"'
  elseif value == nil or type(value) == "number" or type(value) == "boolean" then
    return tostring(value)
  end
  return "a " .. type(value) -- its text may be code of the caller's
end

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
