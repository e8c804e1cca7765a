-- SPDX-License-Identifier: MIT
-- Shares the services of the account out among its profiles, as a file says:
--
--   { "Factory": { "input": 600000 }, "Warehouse": { "input": 400000, "sms": 10 } }
--
-- A profile is named by its name or its id; services that are not named stay as they are.
--
-- usage: lua allocate.lua plan FILE         shows the difference; status 0: none, 2: there is one
--        lua allocate.lua apply FILE        makes it
--
-- It may be run again at any time: what is as it should be is left alone. What is taken away is
-- taken away first, so that the sum never exceeds what the account has.

local tagoio = require("tagoio")

local profile = tagoio.profile

local function fail(message)
  io.stderr:write("allocate: ", message, "\n")
  os.exit(1)
end

local function need(result, message)
  return result or fail(message)
end

local function read_wishes(name)
  local file = need(io.open(name, "rb"))
  local text = file:read("*a")
  file:close()
  local wishes, message = tagoio.decode(text)
  if type(wishes) ~= "table" then
    fail(("%s: %s"):format(name, message or "an object of profiles is needed"))
  end
  return wishes
end

-- The rows of the list that a key of the file means.
local function find(profiles, key)
  local found = {}
  for _, row in ipairs(profiles) do
    if row.id == key or row.name == key then
      found[#found + 1] = row
    end
  end
  if #found ~= 1 then
    fail(("%s: %d profiles have this name or id"):format(key, #found))
  end
  return found[1]
end

local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- What differs between a profile and the wishes for it: an array of { service, from, to }.
local function differences(row, wish)
  local result, message, err = profile.info(row.id)
  if not result then
    return nil, message, err
  end
  local list = {}
  for _, service in ipairs(sorted_keys(wish)) do
    local from, to = result.allocation[service] or 0, wish[service]
    if type(to) ~= "number" then
      fail(("%s: %s: a number is needed"):format(row.name, service))
    elseif from ~= to then
      list[#list + 1] = { service = service, from = from, to = to }
    end
  end
  return list
end

-- An array of { row, differences }, sorted by the keys of the file.
local function make_plan(wishes)
  local profiles = need(profile.list())
  local keys = sorted_keys(wishes)
  local lists, errors = tagoio.map(keys, function(key)
    return differences(find(profiles, key), wishes[key])
  end)
  local plan = {}
  for i, key in ipairs(keys) do
    plan[i] = { row = find(profiles, key), differences = lists[i] or fail(errors[i].message) }
  end
  return plan
end

local function print_plan(plan)
  local count = 0
  for _, part in ipairs(plan) do
    for _, change in ipairs(part.differences) do
      count = count + 1
      local form = "%-20s %-18s %12.10g -> %.10g"
      print(form:format(part.row.name, change.service, change.from, change.to))
    end
  end
  print(count == 1 and "1 difference" or count .. " differences")
  return count
end

-- Makes those changes of a plan that take away, or those that give.
local function apply(plan, gives)
  for _, part in ipairs(plan) do
    local services
    for _, change in ipairs(part.differences) do
      if (change.to > change.from) == gives then
        services = services or {}
        services[change.service] = change.to
      end
    end
    if services then
      need(profile.serviceEdit(part.row.id, services))
    end
  end
end

local command, name = arg[1], arg[2]
if not (name and (command == "plan" or command == "apply")) then
  fail("usage: allocate.lua plan FILE, or apply FILE")
end
local plan = make_plan(read_wishes(name))
local count = print_plan(plan)
if command == "plan" then
  os.exit(count > 0 and 2 or 0)
end
apply(plan, false)
apply(plan, true)
