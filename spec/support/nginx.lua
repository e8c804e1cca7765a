-- SPDX-License-Identifier: MIT
-- An nginx in which the module is a guest: started for a spec, asked over sockets, stopped.

local dkjson = require("dkjson")
local process = require("spec.support.process")
local socket = require("socket")

local nginx = {}
nginx.__index = nginx

local unpack = table.unpack or unpack -- luacheck: ignore
local root = process.run("pwd"):gsub("\n", "")
nginx.root = root

local defaults = {
  WORKERS = "1",
  MAIN = "",
  CODE_CACHE = "on",
  INIT = "",
  INIT_WORKER = "",
  CHECK_ABORT = "off",
  PACKAGES = root .. "/lua/?.lua",
  HTTP_BLOCK = "",
}

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- Starts one with a template of spec/emulator/nginx.sh, and variables in its environment.
local function start(text, variables)
  local name = "mktemp -d " .. os.getenv("EMULATOR_DIR") .. "/host.XXXXXX"
  local folder = process.run(name):gsub("\n", "")
  write(folder .. "/template.conf", text)
  local command = ("spec/hosts/nginx/host %s/template.conf %s"):format(folder, folder)
  if variables then
    command = process.env(variables) .. " " .. command
  end
  local output = process.run(command)
  local http_port, https_port = output:match("^(%d+) (%d+)\n$")
  assert(http_port, output)
  return setmetatable({ folder = folder, port = http_port, https_port = https_port }, nginx)
end

-- Starts one with spec/hosts/nginx/host.conf; settings fill in what it names.
function nginx.start(settings)
  return start((read("spec/hosts/nginx/host.conf"):gsub("%%([A-Z_]+)%%", function(name)
    return name == "ROOT" and root or (settings or {})[name] or defaults[name]
  end)))
end

-- Starts one with a configuration as users write it; only its port, and where modules are, are
-- others. change(text), if any, changes more.
function nginx.start_as_written(path, variables, change)
  local text = "@USER@\ndaemon off;\n" .. read(path)
  text = text:gsub("load_module [^\n]*ndk[^\n]*", "@MODULES@"):gsub("load_module [^\n]*", "")
  text = text:gsub("listen 127.0.0.1:8080;", "listen 127.0.0.1:@HTTP@;")
  text = text:gsub("/usr/local/share/lua/5%.1/", root .. "/lua/")
  text = text:gsub("/usr/local/lib/lua/5%.1/", root .. "/build/luajit/")
  return start(change and change(text) or text, variables)
end

-- Sends a request and does not wait: `finish` reads the answer.
function nginx:begin(path, body)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(60)
  local head = "%s %s HTTP/1.0\r\nHost: host\r\nContent-Length: %d\r\n\r\n%s"
  body = body or ""
  assert(connection:send(head:format(body == "" and "GET" or "POST", path, #body, body)))
  return connection
end

-- The body and the status of the answer to what was begun.
function nginx.finish(connection)
  local answer = assert(connection:receive("*a"))
  connection:close()
  return answer:match("\r\n\r\n(.*)$"), tonumber(answer:match("^HTTP/1.1 (%d+)"))
end

function nginx:get(path)
  return nginx.finish(self:begin(path))
end

-- The JSON of an answer.
function nginx.decode(body, status)
  assert(status == 200, ("status %s: %s"):format(tostring(status), tostring(body)))
  return (dkjson.decode(body))
end

-- Runs Lua code in a content handler, with the arguments client, tagoio, guest; gives its values.
function nginx:run(code)
  local body, status = nginx.finish(self:begin_run(code))
  if status ~= 200 then
    error(("status %s: %s\n%s"):format(tostring(status), tostring(body), self:error_log()))
  end
  return unpack(nginx.decode(body, status))
end

function nginx:begin_run(code)
  return self:begin("/run", "local client, tagoio, guest = ...\n" .. code)
end

function nginx:signal(name)
  local text = process.run(("kill -%s $(cat %s/nginx.pid)"):format(name, self.folder))
  assert(text == "", text)
end

function nginx:error_log()
  return read(self.folder .. "/error.log")
end

-- Ends it and waits until it has.
function nginx:stop()
  self:signal("TERM")
  self:wait_for_end()
end

-- nginx removes its pid file last.
function nginx:wait_for_end()
  local deadline = socket.gettime() + 20
  local file = io.open(self.folder .. "/nginx.pid")
  while file do
    file:close()
    assert(socket.gettime() < deadline, "nginx does not end")
    socket.sleep(0.02)
    file = io.open(self.folder .. "/nginx.pid")
  end
end

return nginx
