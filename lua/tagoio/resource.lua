-- SPDX-License-Identifier: MIT
-- Tables of functions like tagoio.profile, made from rows that describe operations. The rows are
-- the core's to check: what it says of them is raised where they are defined.

local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")
local names = require("tagoio.names")
local pages = require("tagoio.pages")

local resource = {}

local function is_name(value)
  return type(value) == "string" and value:find("^[%a_][%w_]*$") ~= nil
end

-- Raises what is wrong with a row, or with all.
local function refuse(format, ...)
  errors.raise("client:resource: " .. format:format(...))
end

local positions = { "method", "path" }

-- A row as the core reads it, and what it says about pages.
local function describe(name, row)
  if type(row) ~= "table" then
    refuse("%s must be a table (got %s)", name, errors.quote(row))
  end
  local description = {}
  for key, value in pairs(row) do
    local word = positions[key] or key
    if type(word) ~= "string" then
      local form = "%s: unknown key %s; a method and a path come before the names"
      refuse(form, name, errors.quote(word))
    end
    description[word] = value
  end
  description.pages = nil
  return description, row.pages
end

-- The type of a key of the query, and what is sent by default.
local function parameter(description, key)
  local given = type(description.query) == "table" and description.query[key]
  if type(given) == "table" then
    return given[1], given[2]
  end
  return given
end

-- How the pages of a list are asked for, as pages.lua wants it; raises when they cannot be.
local function paging(name, description, given)
  local key = given == true and "id" or given
  if not is_name(key) then
    local needed = "true, or the field by which rows differ"
    refuse("%s: pages must be %s (got %s)", name, needed, errors.quote(given))
  end
  local has_pages = parameter(description, "page") == "count"
    and parameter(description, "amount") == "count"
  if description.method ~= "GET" or not has_pages then
    refuse("%s: pages needs GET, and page and amount as counts in its query", name)
  elseif (description.result or "array") ~= "array" then
    refuse("%s: pages needs a result that is an array", name)
  end
  description.result = "array"
  local _, fields = parameter(description, "fields")
  return { key = key, fields = fields }
end

local function new_operation(name, description)
  local operation, problem, kind = core.operation(name, description)
  if not operation then
    refuse("%s", kind == "memory" and name .. ": " .. problem or problem)
  end
  return operation
end

-- Adds a function that takes so many arguments.
local function add(functions, name, count, call)
  local short = name:match("[^.]+$")
  if functions[short] then
    refuse("%s: there are two of this name", name)
  end
  functions[short] = function(...)
    check.call(functions, name, count, (...), (select(count + 1, ...)))
    return call(...)
  end
end

local function add_row(functions, caller, name, row)
  local description, paged = describe(name, row)
  local list = paged and paging(name, description, paged)
  local operation = new_operation(name, description)
  local count = #operation:arguments()
  add(functions, name, count, function(...)
    return caller.call(operation, name, ...)
  end)
  if list then
    list.operation, list.count = operation, count
    add(functions, name .. "Each", count, function(...)
      return pages.each(caller, list, name .. "Each", ...)
    end)
    add(functions, name .. "All", count + 1, function(...)
      return pages.all(caller, list, name .. "All", ...)
    end)
  end
end

-- The functions of the rows, in a table. `caller` makes their calls, as client.lua says.
function resource.new(caller, name, rows)
  if not is_name(name) then
    refuse("name must be a name of letters, digits and underscores (got %s)", errors.quote(name))
  elseif type(rows) ~= "table" then
    refuse("rows must be a table (got %s)", errors.quote(rows))
  end
  local row_names, functions = {}, {}
  for row_name in pairs(rows) do
    if not is_name(row_name) then
      refuse("%s: %s is not a name of a function", name, errors.quote(row_name))
    end
    row_names[#row_names + 1] = row_name
  end
  table.sort(row_names) -- the first bad row is always the same
  for _, row_name in ipairs(row_names) do
    add_row(functions, caller, name .. "." .. row_name, rows[row_name])
  end
  return names.guard(functions, name)
end

return resource
