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
-- are told apart by their tokens, because rows without one may well be the same.
local function first_query(given)
  local query = {}
  for key, value in pairs(given or {}) do
    query[key] = value
  end
  query.page = query.page or 1
  query.amount = query.amount or rows_a_page
  local fields = query.fields
  local extended = type(fields) == "table" and #fields > 0 and not has(fields, "token")
  if extended then
    query.fields = { "token" }
    for i, field in ipairs(fields) do
      query.fields[i + 1] = field
    end
  end
  return query, extended
end

-- A function that gives the next page, an array that is empty at the end; or nil, message, err.
-- The end is a page without rows, or the same page again. One that is shorter than asked for is
-- not: a server may have a maximum of its own. After a failure the page is asked for again.
local function pager(name, caller, profileID, given)
  local query, extended = first_query(given)
  local last
  return function()
    local rows, message, err = caller.call("profile.tokenList", name, profileID, query)
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
      row.token = nil
    end
    return rows
  end
end

function pages.each(caller, profileID, query)
  local name = "profile.tokenListEach"
  check.argument(name, "query", "table or nil", query)
  local next_page = pager(name, caller, profileID, query)
  local rows, at
  return function()
    if not rows or at == #rows and at > 0 then
      local page, _, err = next_page()
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

function pages.all(caller, profileID, query, given)
  local name = "profile.tokenListAll"
  check.argument(name, "query", "table or nil", query)
  local limit = check.options(name, option_rows, given).limit
  local next_page = pager(name, caller, profileID, query)
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
