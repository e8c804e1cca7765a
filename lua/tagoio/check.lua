-- SPDX-License-Identifier: MIT
-- Tables that callers give, held against rows. A row has
--
-- * `name`
-- * `types`: of Lua, as "string or table"
-- * `must_be`: what it must be, in words; else "a " and the types
-- * `check`: function(value) -> what it must be, in words, or true for `must_be`, when it is not;
--   else nil or false
-- * `rows`: those of a table in it
-- * `needed`, when it must not be left out; `secret`, when no message shows its value
-- * `default`
-- * `refused`: why it may not be given
--
-- What is wrong raises at the caller's line, as "tagoio.new: timeout must be a positive number of
-- seconds (got NaN)".

local errors = require("tagoio.errors")

local check = {}

-- ---- one value ----

local function has_type(types, value)
  local name = type(value)
  return types == name or (" or " .. types .. " or "):find(" or " .. name .. " or ", 1, true) ~= nil
end

-- "must be a Y (got Z)" when the type is wrong, or nil. The value may be a secret in the wrong
-- place: only its type is shown.
local function type_problem(row, value)
  if not has_type(row.types, value) then
    local got = value == nil and "nil" or "a " .. type(value)
    return ("must be %s (got %s)"):format(row.must_be or "a " .. row.types, got)
  end
end

-- The same when it does not pass the row's own check.
local function check_problem(row, value)
  local needed = row.check and row.check(value)
  needed = needed == true and row.must_be or needed
  if needed and not row.secret then
    needed = ("%s (got %s)"):format(needed, errors.quote(value))
  end
  return needed and "must be " .. needed
end

-- Raises when an argument is not of these types.
function check.argument(operation, name, types, value)
  local problem = type_problem({ types = types }, value)
  if problem then
    errors.raise(("%s: %s %s"):format(operation, name, problem))
  end
end

-- Raises when a function of a table of operations was called with a colon, or with an argument
-- after the `count` that it has. A nil there is as good as none.
function check.call(operations, name, count, first, extra)
  if rawequal(first, operations) or rawequal(extra, operations) then
    errors.raise(("%s: call it with a dot, %s(...), not with a colon"):format(name, name))
  elseif extra ~= nil then
    local form = "%s: argument %d is one too many (there are %d)"
    errors.raise(form:format(name, count + 1, count))
  end
end

-- A check of a row: a whole number of that size.
function check.whole(least, most)
  local range = most and ("from %d to %d"):format(least, most) or ("of %d or more"):format(least)
  return function(value)
    local fits = value == math.floor(value) and value >= least and value <= (most or math.huge)
    return not fits and "a whole number " .. range
  end
end

-- ---- tables ----

-- Rows for check.options: findable by name. `noun` is what they are in messages, "option" as a
-- rule; `path` stands before their names.
function check.rows(rows)
  local names = {}
  rows.by_name, rows.needed, rows.defaults = {}, {}, {}
  rows.noun = rows.noun or "option"
  rows.path = rows.path or ""
  for i, row in ipairs(rows) do
    rows.by_name[row.name] = row
    names[i] = row.name
    rows.defaults[row.name] = row.default
    rows.needed[#rows.needed + 1] = row.needed and row.name or nil
  end
  rows.names = table.concat(names, ", ")
  return rows
end

local table_problem

-- What is wrong with one member of a table, or nil.
local function member_problem(rows, name, value)
  local row = rows.by_name[name]
  if not row then
    local place = rows.path:gsub("%.$", ": ")
    local form = "%sunknown %s %s; there are %s"
    return form:format(place, rows.noun, errors.quote(name), rows.names)
  end
  local problem = row.refused or type_problem(row, value)
  if not problem and row.rows and type(value) == "table" then
    local inner = table_problem(row.rows, value)
    if inner then
      return inner
    end
  end
  problem = problem or check_problem(row, value)
  return problem and ("%s%s %s"):format(rows.path, name, problem)
end

function table_problem(rows, given)
  for name, value in pairs(given) do
    local problem = member_problem(rows, name, value)
    if problem then
      return problem
    end
  end
  for _, name in ipairs(rows.needed) do
    if given[name] == nil then
      return member_problem(rows, name, nil)
    end
  end
end

-- What a table has or inherits, and the tables in it that have rows. It is read once: a metatable
-- of the caller's may give other values the next time, which nobody has checked.
local function read(rows, given)
  local members = {}
  for name, value in pairs(given) do
    members[name] = value
  end
  for _, row in ipairs(rows) do
    local value = members[row.name]
    if value == nil then
      value = given[row.name]
    end
    members[row.name] = row.rows and type(value) == "table" and read(row.rows, value) or value
  end
  return members
end

-- A copy of a table of options, or nil for none, with the defaults of what is not in it. Raises
-- when it does not fit its rows.
function check.options(operation, rows, given)
  check.argument(operation, rows.noun .. "s", "table or nil", given)
  local options = read(rows, given or {})
  local problem = table_problem(rows, options)
  if problem then
    errors.raise(("%s: %s"):format(operation, problem))
  end
  for name, default in pairs(rows.defaults) do
    if options[name] == nil then
      options[name] = default
    end
  end
  return options
end

-- A table without its metatable, as the core reads it; any other value as it is.
function check.plain(value)
  if type(value) ~= "table" then
    return value
  end
  local members = {}
  for key, member in next, value do
    members[key] = member
  end
  return members
end

return check
