-- SPDX-License-Identifier: MIT
-- The third value of a call that failed: a table that reads as its message. And how a bug in the
-- caller is raised.

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
  elseif value ~= value then
    return "NaN" -- some systems print -nan
  elseif value == nil or type(value) == "number" or type(value) == "boolean" then
    return tostring(value)
  end
  return "a " .. type(value) -- its text may be code of the caller's
end

-- The text of any value; code of the caller's that fails at it does no harm.
function errors.text(value)
  local ok, text = pcall(tostring, value)
  return ok and type(text) == "string" and text or "a " .. type(value) .. " without a text"
end

-- Makes a table of the C core's fields an err table.
function errors.wrap(fields)
  return setmetatable(fields, metatable)
end

-- nil, message, err: of a failure before anything was sent.
function errors.new(kind, operation, message)
  return nil,
    message,
    errors.wrap({
      kind = kind,
      message = message,
      operation = operation,
      attempts = 0,
      elapsed = 0,
      queued = 0,
      maybe_applied = false,
    })
end

-- ---- bugs in the caller ----

local getinfo = debug and debug.getinfo -- hosts may take it away from programs

-- "@/usr/share/lua/5.4/tagoio": the beginning of the names of our own files.
local folder = getinfo and getinfo(1, "S").source:match("^(@.*)[/\\]errors%.lua$")

local function is_ours(source)
  local remainder = folder and source:sub(1, #folder) == folder and source:sub(#folder + 1)
  return remainder and (remainder == ".lua" or remainder:find("^[/\\]"))
end

-- Raises at the line that called one of our functions: the first on the stack that is in no file
-- of ours. Functions in C and tail calls have no line. Levels are not counted by hand, so that it
-- does not matter how deep in our functions the bug is found.
function errors.raise(message)
  local level = 2
  local info = getinfo and getinfo(level, "Sl")
  while info and (info.currentline < 0 or is_ours(info.source)) do
    level = level + 1
    info = getinfo(level, "Sl")
  end
  error(message, info and level or getinfo and 0 or 2)
end

return errors
