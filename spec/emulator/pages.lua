-- SPDX-License-Identifier: MIT
-- What lists understand: page, amount, fields, orderBy.

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

return pages
