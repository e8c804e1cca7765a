-- SPDX-License-Identifier: MIT
-- The benchmark's server, nginx.conf, started when this is loaded. spec/emulator/run stops it.

local http = require("socket.http")

local server = {}

-- What a command prints, on both outputs.
function server.shell(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local ports = server.shell(
  "mkdir $EMULATOR_DIR/bench && spec/hosts/nginx/host spec/bench/nginx.conf $EMULATOR_DIR/bench"
)
local http_port, https_port = ports:match("^(%d+) (%d+)\n$")
assert(http_port, ports)
server.http = "http://127.0.0.1:" .. http_port
server.https = "https://localhost:" .. https_port

-- Writes an answer with that many rows to a file.
function server.write_rows(count, path)
  local body, status = http.request(("%s/profile/%drows/team"):format(server.http, count))
  assert(status == 200, body)
  local file = assert(io.open(path, "w"))
  file:write(body)
  file:close()
  return path
end

return server
