-- SPDX-License-Identifier: MIT
-- Names that do not exist: what was meant by them.

local core = require("tagoio.core")
local errors = require("tagoio.errors")

local names = {}

local other_words = { remove = "delete", update = "edit", get = "", fetch = "", profile = "" }

-- The words of a name in an order of their own: deleteTokens and token_delete are the same.
local function words_of(name)
  local list = {}
  for word in name:gsub("%u", " %0"):lower():gmatch("[%w]+") do
    local singular = word:gsub("s$", "")
    list[#list + 1] = other_words[singular] or singular
  end
  table.sort(list)
  return table.concat(list)
end

-- How many letters are added, left out or changed between two names.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local least = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
      diagonal, row[j] = row[j], least
    end
  end
  return row[#b]
end

-- The one of some names that another is most like, nil: it is like none.
local function nearest(name, known)
  local best, best_distance
  for _, candidate in ipairs(known) do
    local short = candidate:match("[^.]*$")
    local far = distance(name:lower(), short:lower())
    far = words_of(name) == words_of(short) and 0 or far
    if far <= #short / 3 and far < (best_distance or 99) then
      best, best_distance = candidate, far
    end
  end
  return best
end

-- A name of 40 letters is none of ours, and to compare it takes time.
local longest_name = 40

-- Raises for a name that a table of ours does not have. What is no name of a function's is left
-- alone: other programs look for members that begin with an underscore, and for numbers.
function names.unknown(title, name, known)
  if type(name) ~= "string" or name:find("^_") then
    return nil
  end
  table.sort(known)
  local meant = #name <= longest_name and nearest(name, known)
  local help = meant and ("did you mean %s?"):format(meant)
    or "there are " .. table.concat(known, ", ")
  errors.raise(("%s.%s: there is no such function; %s"):format(title, core.printable(name), help))
end

-- The names of a table's functions, with a word in front.
function names.of(functions, prefix, known)
  known = known or {}
  for name in pairs(functions) do
    known[#known + 1] = type(name) == "string" and not name:find("^_") and prefix .. name or nil
  end
  return known
end

-- Makes a table raise for names that it does not have. pairs and rawget see what they saw before.
function names.guard(functions, title, others)
  return setmetatable(functions, {
    __index = function(self, name)
      local known = names.of(self, "")
      for prefix, more in pairs(others or {}) do
        names.of(more, prefix, known)
      end
      return names.unknown(title, name, known)
    end,
  })
end

return names
