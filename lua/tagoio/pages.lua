-- SPDX-License-Identifier: MIT
-- Lists that come in pages, as a whole: one row after the other, or all in an array.

local check = require("tagoio.check")
local core = require("tagoio.core")
local errors = require("tagoio.errors")

local pages = {}

local rows_a_page = 100 -- where the caller names no amount

local function has(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then
      return true
    end
  end
  return false
end

-- The query of the first page, and whether its rows get a field that was not asked for: pages
-- are told apart by the rows' keys, because rows without one may well be the same.
local function first_query(list, given)
  local query = {}
  for name, value in pairs(given or {}) do
    query[name] = value
  end
  query.page = query.page or 1
  query.amount = query.amount or rows_a_page
  local fields = check.plain(query.fields or list.fields)
  local extended = type(fields) == "table" and #fields > 0 and not has(fields, list.key)
  if extended then
    query.fields = { list.key }
    for i, field in ipairs(fields) do
      query.fields[i + 1] = field
    end
  end
  return query, extended
end

local unpack = table.unpack or unpack -- luacheck: ignore

-- A function that gives the next page, an array that is empty at the end; or nil, message, err.
-- The end is a page without rows, or the same page again. One that is shorter than asked for is
-- not: a server may have a maximum of its own. After a failure the page is asked for again.
--
-- `list` is how pages are asked for: `operation`, `count` (of its arguments, the last of which is
-- the query), `key` (the field by which rows differ), `fields` (what is asked for by default).
local function pager(caller, list, name, ...)
  local arguments = { ... }
  local given = arguments[list.count]
  check.argument(name, "query", "table or nil", given)
  local query, extended = first_query(list, given)
  arguments[list.count] = query
  local last
  return function()
    local rows, message, err = caller.call(list.operation, name, unpack(arguments, 1, list.count))
    if err then
      return nil, message, err
    end
    -- It lacks memory at worst: what it encodes was just decoded.
    local text, problem, kind = core.encode(rows, 0)
    if not text then
      return errors.new(kind, name, name .. ": " .. problem)
    elseif text == last then
      return setmetatable({}, getmetatable(rows))
    end
    last = text
    query.page = (tonumber(query.page) or 1) + 1
    for _, row in ipairs(extended and rows or {}) do
      if type(row) == "table" then -- a server may send anything
        row[list.key] = nil
      end
    end
    return rows
  end
end

-- An iterator over the rows of all pages, called by the function with that name. A failure raises
-- its err table.
function pages.each(caller, list, name, ...)
  local next_page = pager(caller, list, name, ...)
  local rows, at, asking
  return function()
    local me = coroutine.running() or true -- in the main program 5.1 says nil
    if asking and asking ~= me then -- both would get the same page: for one that is the end
      errors.raise(name .. ": another coroutine waits for the next page of this iterator")
    elseif not rows or at == #rows and at > 0 then
      asking = me
      local page, _, err = next_page()
      asking = nil
      if err then
        error(err, 0)
      end
      rows, at = page, 0
    end
    at = at + 1
    return rows[at]
  end
end

local option_rows = check.rows({
  path = "options.",
  { name = "limit", types = "number", check = check.whole(1) },
})

-- Adds rows up to the limit; true when it is reached.
local function add_rows(all, rows, limit)
  for _, row in ipairs(rows) do
    all[#all + 1] = row
    if #all == limit then
      return true
    end
  end
  return false
end

-- All rows in an array; or nil, message, err. Its options come after the arguments of the list.
function pages.all(caller, list, name, ...)
  local next_page = pager(caller, list, name, ...)
  local limit = check.options(name, option_rows, (select(list.count + 1, ...))).limit
  local all
  repeat
    local rows, message, err = next_page()
    if err then
      return nil, message, err
    end
    all = all or setmetatable({}, getmetatable(rows))
  until #rows == 0 or add_rows(all, rows, limit)
  return all
end

return pages
