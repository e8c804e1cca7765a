-- SPDX-License-Identifier: MIT
-- HAProxy's Lua in which the module is a guest: calls while it starts, in a task, a service and an
-- action.

package.path = os.getenv("LUA_PATH")
package.cpath = os.getenv("LUA_CPATH")

local core = rawget(_G, "core") -- HAProxy's
local tagoio = require("tagoio")

local client = assert(tagoio.new({ wait = require("tagoio.hosts.haproxy") }))
local names = {} -- what calls found in the phases without a request
local ticks = 0

local function find_name()
  return assert(client.profile.info("current")).info.name
end

names[1] = "body " .. find_name()

core.register_init(function()
  names[2] = "init " .. find_name()
end)

core.register_task(function()
  names[3] = "task " .. find_name()
end)

core.register_task(function()
  while true do
    core.msleep(1)
    ticks = ticks + 1
  end
end)

local function register(name, make_body)
  core.register_service(name, "http", function(applet)
    local ok, body = pcall(make_body)
    applet:set_status(ok and 200 or 500)
    applet:add_header("content-length", #tostring(body))
    applet:start_response()
    applet:send(tostring(body))
  end)
end

register("info", find_name)
register("ticks", function()
  return ticks
end)
register("names", function()
  return table.concat(names, ", ")
end)
register("map", function()
  local items = {}
  for i = 1, 40 do
    items[i] = i
  end
  local results, failed = tagoio.map(items, function()
    return #assert(client.profile.list())
  end)
  return ("%d %d %s"):format(#results, results[40], tostring(failed))
end)
register("events", function()
  return #assert(client.profile.auditLogEvents("current"))
end)
register("close", function()
  local other = client:with({ attempts = 1 })
  core.register_task(function()
    find_name()
    other:close()
  end)
  return (select(3, other.profile.list())).kind
end)

core.register_action("name", { "http-req" }, function(transaction)
  transaction:set_var("req.name", find_name())
end)
