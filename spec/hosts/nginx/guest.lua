-- SPDX-License-Identifier: MIT
-- What runs inside the nginx of host.conf: code that specs send, and a call in each phase.

local dkjson = require("dkjson")
local tagoio = require("tagoio")

local guest = {}

-- The worker's client of the emulator.
guest.client = assert(tagoio.new({
  token = os.getenv("EMULATOR_TOKEN"),
  region = { api = os.getenv("EMULATOR_HTTP") },
  proxy = false,
  max_connections = 2000,
}))

guest.secure_client = assert(tagoio.new({
  token = os.getenv("EMULATOR_TOKEN"),
  region = { api = os.getenv("EMULATOR_HTTPS") },
  ca_file = os.getenv("EMULATOR_CA"),
  proxy = false,
  max_connections = 2000,
}))

-- A client over libcurl; its calls go to the emulator by default.
function guest.over_libcurl(options)
  options.token = os.getenv("EMULATOR_TOKEN")
  options.region = { api = options.api or os.getenv("EMULATOR_HTTP") }
  options.api = nil
  return assert(tagoio.new(options))
end

-- One over nginx's own sockets.
function guest.over_resty(options)
  options.transport = require("tagoio.transports.resty")
  return guest.over_libcurl(options)
end

-- Runs the request's body; what it returns goes back as an array of JSON.
function guest.run()
  ngx.req.read_body()
  local code = assert(loadstring(ngx.req.get_body_data(), "=run"))
  local values = { code(guest.client, tagoio, guest) }
  for i = 1, #values do
    values[i] = values[i] == nil and dkjson.null or values[i]
  end
  ngx.print(dkjson.encode(values))
end

local notes = {}

-- Makes a call and a map without calls, and keeps what became of them.
function guest.note(phase, client)
  local result, message, err = (client or guest.client).profile.info("current")
  local results, map_message, map_err = tagoio.map({ "item" }, function(item)
    return item
  end)
  notes[phase] = notes[phase] or {
    name = result and result.info.name,
    message = message,
    kind = err and err.kind,
    mapped = results and results[1],
    map_message = map_message,
    map_kind = map_err and map_err.kind,
  }
end

function guest.note_in_timer()
  assert(ngx.timer.at(0, function()
    guest.note("timer")
  end))
end

function guest.tell_notes()
  ngx.print(dkjson.encode(notes))
end

return guest
