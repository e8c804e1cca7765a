-- SPDX-License-Identifier: MIT
-- What lists understand: page, amount, fields, filter, orderBy. `dates` says which fields of a row
-- are numbers of seconds.

local clock = require("clock")
local json = require("json")
local refuse = require("refuse")
local state = require("state")

local pages = {}

local function count(query, name, default, most)
  local text = query[name] or tostring(default)
  local number = type(text) == "string" and text:find("^%d+$") and tonumber(text)
  if not number or number < 1 or number > most then
    refuse(400, ("Invalid %s parameter"):format(name))
  end
  return number
end

-- "name,desc", "name, desc", "name", or both as a list; a field and a direction.
local function order_of(query, allowed, default)
  local text = query.orderBy or default
  if type(text) == "table" then
    text = table.concat(text, ",")
  end
  local field, direction = text:match("^([%w_]+),? ?(%a*)$")
  direction = direction == "" and "desc" or direction
  if not field or not allowed[field] or direction ~= "asc" and direction ~= "desc" then
    refuse(400, "Invalid orderBy parameter")
  end
  return field, direction
end

-- Sorted by a field; rows that are equal in it are in the order in which they were made.
local function sorted(rows, field, direction)
  local keyed = {}
  for i, row in ipairs(rows) do
    keyed[i] = { row = row, key = row[field] or "", position = i }
  end
  table.sort(keyed, function(a, b)
    if direction == "desc" then
      a, b = b, a
    end
    if a.key == b.key then
      return a.position < b.position
    end
    return a.key < b.key
  end)
  return keyed
end

-- The page of the rows that the query asks for. `orders` holds the fields to order by.
function pages.cut(rows, query, orders, default_order)
  local page = count(query, "page", 1, 1e9)
  local amount = count(query, "amount", 20, 10000)
  amount = math.min(amount, state.config.max_amount)
  local order = sorted(rows, order_of(query, orders, default_order))
  local cut = {}
  for i = (page - 1) * amount + 1, math.min(page * amount, #rows) do
    cut[#cut + 1] = order[i].row
  end
  return cut
end

-- The fields that a query asks for, indexed or repeated.
function pages.fields(query, known, otherwise)
  local given = query.fields
  if given == nil then
    return otherwise
  end
  local wanted = {}
  for _, field in pairs(type(given) == "table" and given or { given }) do
    for _, name in ipairs(known) do
      if name == field then
        wanted[#wanted + 1] = name
      end
    end
  end
  return #wanted > 0 and wanted or refuse(400, "Invalid fields parameter")
end

-- A row as it is shown.
function pages.row(row, wanted, dates)
  local shown = {}
  for _, field in ipairs(wanted) do
    local value = row[field]
    if dates[field] then
      value = state.date(value)
    elseif value == nil then
      value = json.null
    end
    shown[field] = value
  end
  return shown
end

-- ---- filters ----

-- "a*c" as a Lua pattern of the whole text, in any case.
local function wildcard(text)
  local pattern = text:lower():gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*")
  return "^" .. pattern .. "$"
end

-- A date is what a row shows, or that time in another notation.
local function matches_text(value, wanted, is_date)
  local date = is_date and type(value) == "number" and clock.parse(wanted)
  if date then
    return math.abs(date - value) < 0.0005
  end
  value = is_date and state.date(value) or value
  value = type(value) == "boolean" and tostring(value) or value
  return type(value) == "string" and value:lower():find(wildcard(wanted)) ~= nil
end

-- Whether one of the tags has the key and the value that are wanted, as far as they are.
local function matches_tag(tags, wanted)
  for _, tag in ipairs(tags) do
    if (wanted.key or tag.key) == tag.key and (wanted.value or tag.value) == tag.value then
      return true
    end
  end
  return false
end

-- A list is fulfilled by one of its values; an empty text, which is null, by any.
local function matches(row, filter, dates)
  for field, values in pairs(filter) do
    local found = false
    for _, wanted in ipairs(values) do
      found = found
        or wanted == ""
        or type(wanted) == "table" and matches_tag(row[field], wanted)
        or type(wanted) == "string" and matches_text(row[field], wanted, dates[field])
    end
    if not found then
      return false
    end
  end
  return true
end

-- The values that are wanted, by fields: each an array of texts, or of tags.
local function filter_of(query, known)
  local filter = {}
  local given = query.filter or {}
  for field, values in pairs(type(given) == "table" and given or { given }) do
    filter[field] = type(values) == "table" and values or { values }
    local right = known[field] ~= nil
    for key, value in pairs(filter[field]) do
      local kind = field == "tags" and "table" or "string"
      right = right and type(key) == "number" and type(value) == kind
    end
    if not right then
      refuse(400, "Invalid filter parameter")
    end
  end
  return filter
end

-- The rows that the query's filter lets through.
function pages.filter(rows, query, fields, dates)
  local known = {}
  for _, field in ipairs(fields) do
    known[field] = true
  end
  local filter = filter_of(query, known)
  local found = {}
  for _, row in ipairs(rows) do
    found[#found + 1] = matches(row, filter, dates) and row or nil
  end
  return found
end

return pages
