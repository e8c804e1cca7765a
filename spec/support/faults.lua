-- SPDX-License-Identifier: MIT
-- The specs' side of the server that misbehaves (spec/faults/server.lua).

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")
local process = require("spec.support.process")
local socket = require("socket")

local faults = {}

-- Calls whose arguments do not matter, by the name of the operation.
faults.calls = {
  list = function(client)
    return client.profile.list()
  end,
  edit = function(client)
    return client.profile.edit(emulator.profile, { name = "x" })
  end,
  tokenDelete = function(client)
    return client.profile.tokenDelete(emulator.profile, "p-to-be-deleted")
  end,
  create = function(client)
    return client.profile.create({ name = "x" })
  end,
  ["request.POST"] = function(client)
    return client:request({ method = "POST", path = { "device" }, body = { name = "x" } })
  end,
  delete = function(client)
    return client.profile.delete(emulator.profile, { password = "correct-horse" })
  end,
  transferTokenToAnotherProfile = function(client)
    return client.profile.transferTokenToAnotherProfile(emulator.profile)
  end,
}

local methods = {}

local function order(self, given)
  assert(self._control:send(dkjson.encode(given) .. "\n"))
  return dkjson.decode(assert(self._control:receive("*l")))
end

-- The scripts of the connections to come; the last one is for all that follow. The journal begins
-- anew.
function methods:play(...)
  order(self, { order = "play", scripts = { ... } })
end

-- Lets scripts that hold go on.
function methods:release()
  order(self, { order = "release" })
end

-- The connections since `play`: `requests` (texts), `received` (all bytes), `problem`.
function methods:journal()
  return order(self, { order = "journal" })
end

-- The same since it was last taken, of connections from before that, too.
function methods:take()
  return order(self, { order = "take" })
end

-- How many requests were read, and so executed, over all connections.
function methods:executed()
  local count = 0
  for _, connection in ipairs(self:journal()) do
    count = count + #connection.requests
  end
  return count
end

-- A client of the server, with some options.
function methods:client(others)
  return emulator.client(faults.options({ region = { api = self.http } }, others))
end

function methods:secure_client(others)
  return emulator.secure_client(faults.options({ region = { api = self.https } }, others))
end

function methods:stop()
  self._control:close()
  self._pipe:close()
end

-- One table of options out of two.
function faults.options(options, others)
  for name, value in pairs(others or {}) do
    options[name] = value
  end
  return options
end

-- Starts a server. It ends with `stop`, at the latest with this process.
function faults.start()
  local command = ("%s spec/faults/server.lua %s"):format(
    process.lua, process.quote(os.getenv("EMULATOR_DIR"))
  )
  local pipe = assert(io.popen(command))
  local port, control_port = pipe:read("*n", "*n")
  local control = assert(socket.connect("127.0.0.1", control_port))
  return setmetatable({
    http = "http://127.0.0.1:" .. port,
    https = "https://localhost:" .. port,
    port = port,
    _pipe = pipe,
    _control = control,
  }, { __index = methods })
end

-- A server for the specs of a block, with busted's setup and teardown: it starts before the first
-- of them and stops after the last, and its fields are there in between.
function faults.server(setup, teardown)
  local server = setmetatable({}, { __index = methods })
  setup(function()
    for name, value in pairs(faults.start()) do
      server[name] = value
    end
  end)
  teardown(function()
    server:stop()
  end)
  return server
end

return faults
