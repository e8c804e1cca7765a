-- SPDX-License-Identifier: MIT
-- The transport over lua-resty-http, inside nginx: what crosses its sockets, what it tells of
-- failures, and that nothing is written twice.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local nginx = require("spec.support.nginx")
local process = require("spec.support.process")
local resty = require("spec.support.resty")
local socket = require("socket")

local stand_in = nginx.root .. "/spec/support/resty-stand-in/?.lua"

local function start(library, settings)
  settings = settings or {}
  settings.PACKAGES = library
  return nginx.start(settings)
end

-- What a call inside nginx came to: a table with kind, message and so on.
local function outcome(host, options, call)
  local name, argument = call:match("^(%S+) ?(.*)$")
  return (host:run(([[
    local own = guest.over_resty(%s)
    local result, message, err = own.profile.%s(%s)
    own:close()
    return err and {
      kind = err.kind,
      status = err.status,
      attempts = err.attempts,
      maybe_applied = err.maybe_applied,
      message = message,
    } or { result = result }]]):format(options, name, argument)))
end

local writes = {
  create = 'create { name = "x" }',
  edit = ('edit %q, { name = "x" }'):format(emulator.profile),
}

local function quick(api, others)
  return ("{ api = %q, %s }"):format(api, others or "")
end

local function describe_failures(library)
  local host, server

  setup(function()
    host = start(library)
  end)

  teardown(function()
    host:stop()
  end)

  -- Another port for each, as nginx keeps connections.
  before_each(function()
    server = faults.start()
  end)

  after_each(function()
    server:stop()
  end)

  local function over_faults(call, others)
    return outcome(host, quick(server.http, others), call)
  end

  it("a port that refuses is a failure to connect, of which nothing was sent", function()
    local it = outcome(host, quick("http://127.0.0.1:1"), writes.create)
    assert.equal("connect", it.kind)
    assert.equal(3, it.attempts)
    assert.is_false(it.maybe_applied)
    assert.matches("cannot connect to 127.0.0.1:1: connection refused", it.message, 1, true)
  end)

  it("a name without a resolver says what nginx.conf needs", function()
    local it = outcome(host, quick("https://api.tago.example", "attempts = 1"), writes.create)
    assert.equal("connect", it.kind)
    assert.is_false(it.maybe_applied)
    assert.matches("no resolver defined to resolve", it.message, 1, true)
    assert.matches("nginx.conf needs `resolver ADDRESS;`", it.message, 1, true)
  end)

  it("an authority that nginx does not know says what nginx.conf needs", function()
    server:play("tls() serve()")
    local api = "https://127.0.0.1:" .. server.port
    local it = outcome(host, quick(api, "attempts = 1"), writes.create)
    assert.equal("tls", it.kind)
    assert.is_false(it.maybe_applied)
    assert.matches("lua_ssl_trusted_certificate /", it.message, 1, true)
    assert.equal(0, server:executed())
  end)

  it("a server that is silent during the handshake ends with connect_timeout", function()
    server:play("silence()")
    local api = "https://127.0.0.1:" .. server.port
    local it = outcome(host, quick(api, "attempts = 2, connect_timeout = 0.1"), writes.create)
    assert.equal("timeout", it.kind)
    assert.equal(2, it.attempts)
    assert.is_false(it.maybe_applied)
  end)

  it("a server that breaks the handshake is a failure of TLS", function()
    server:play("some() send('no TLS') ")
    local api = "https://127.0.0.1:" .. server.port
    local it = outcome(host, quick(api, "attempts = 1"), writes.create)
    assert.equal("tls", it.kind)
    assert.is_false(it.maybe_applied)
  end)

  it("nobody accepts: connect_timeout, and nothing was sent", function()
    local listener = assert(socket.bind("127.0.0.1", 0, 0))
    local _, port = listener:getsockname()
    local waiting, connected = {}, true
    while connected do -- until the system keeps no more of them
      local one = socket.tcp()
      one:settimeout(0.2)
      connected = one:connect("127.0.0.1", port)
      waiting[#waiting + 1] = one
    end
    local options = quick("http://127.0.0.1:" .. port, "connect_timeout = 0.1, attempts = 2")
    local it = outcome(host, options, writes.create)
    assert.equal("timeout", it.kind)
    assert.equal(2, it.attempts)
    assert.is_false(it.maybe_applied)
    for _, one in ipairs(waiting) do
      one:close()
    end
    listener:close()
  end)

  for _, row in ipairs({
    { "status line", "" },
    { "header", "HTTP/1.1 200 OK\\r\\nX: " },
    { "body", "HTTP/1.1 200 OK\\r\\nContent-Length: 9999\\r\\n\\r\\n" },
    { "body in chunks", "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nfff\\r\\n" },
  }) do
    it("a " .. row[1] .. " that drips is ended by the attempt's timeout", function()
      server:play(('request() send("%s") while send("x") do pause(0.05) end'):format(row[2]))
      local it = over_faults(writes.create, "attempt_timeout = 0.3")
      assert.equal("timeout", it.kind)
      assert.is_true(it.maybe_applied)
      assert.equal(1, it.attempts)
    end)
  end

  it("what is no HTTP, or ahead of the response, is a failure", function()
    for text, message in pairs({
      ["HTTP/1.1 103 Early Hints\\r\\nLink: x\\r\\n\\r\\n"] = "unexpected interim response 103",
      ["HTTP/1.1 200 OK\\r\\nContent-Length: -5\\r\\n\\r\\n"] = "invalid Content-Length",
      ["HTTP/1.1 200 OK\\r\\nContent-Length: 0x2\\r\\n\\r\\n{}"] = "invalid Content-Length",
      ["220 mail.example ESMTP\\r\\n"] = "", -- the library's own words
    }) do
      server:play(('request() send("%s") silence()'):format(text))
      local it = over_faults(writes.create, "attempt_timeout = 5")
      assert.equal("network", it.kind, text)
      assert.matches(message, it.message, 1, true)
      assert.is_true(it.maybe_applied)
      assert.equal(1, server:executed())
    end
  end)

  it("a body without end is read up to max_response_bytes", function()
    server:play([[
      request()
      send("HTTP/1.1 200 OK\r\n\r\n")
      while send(("x"):rep(65536)) do end]])
    local it = over_faults("list", "max_response_bytes = 1000000")
    assert.equal("protocol", it.kind)
    assert.equal(1, it.attempts)
    assert.matches("max_response_bytes", it.message, 1, true)
  end)

  it("bodies of every form arrive whole", function()
    local body = ('{"status":true,"result":["%s"]}'):format(("x"):rep(200000))
    for _, form in ipairs({
      'answer(200, text)',
      'send("HTTP/1.1 200 OK\\r\\n\\r\\n" .. text)',
      [[send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        send(("%x\r\n"):format(#text) .. text .. "\r\n")
        send("0\r\n\r\n")]],
    }) do
      server:play(("local text = %q request() %s"):format(body, form))
      local it = over_faults("list", "attempt_timeout = 5")
      assert.same({ ("x"):rep(200000) }, it.result)
    end
  end)

  it("a redirect is not followed", function()
    server:play('request() answer(302, "", "Location: /elsewhere\\r\\n") serve()')
    local it = over_faults("list")
    assert.equal("protocol", it.kind)
    assert.equal(302, it.status)
    assert.equal(1, server:executed())
  end)

  it("a connection is used again", function()
    server:play("serve()")
    for _ = 1, 5 do
      assert.same({}, over_faults("list").result)
    end
    assert.equal(1, #server:journal())
    assert.equal(5, server:executed())
  end)

  local early = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

  it("a response that came with another one answers nothing", function()
    local both = "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" .. '{"status":true,"result":[]}'
    server:play(("request() send(%q) hold()"):format(both .. early), "serve()")
    assert.same({}, over_faults("list").result)
    assert.same({}, over_faults("list").result)
    assert.equal(2, #server:journal())
  end)

  it("a response that came while its connection was idle answers nothing", function()
    server:play(("request() ok() hold() send(%q) hold()"):format(early), "serve()")
    assert.same({}, over_faults("list").result)
    server:release()
    assert.same({}, over_faults("list").result)
    assert.equal(2, #server:journal())
  end)

  for name, form in pairs({
    ["has trailers"] = [[
      send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n")
      send("1e\r\n" .. '{"status": true, "result": []}' .. "\r\n0\r\nX: 1\r\n\r\n")]],
    ["says that it is the last"] = [[
      answer(200, '{"status":true,"result":[]}', "Connection: close\r\n")]],
  }) do
    it("a connection whose response " .. name .. " is not used again", function()
      server:play("request() " .. form .. " hold()", "serve()")
      assert.same({}, over_faults("list").result)
      assert.same({}, over_faults("list").result)
      assert.equal(2, #server:journal())
    end)
  end

  for _, death in ipairs({ "reset()", "" }) do
    it("a used connection that dies under a read is replaced; after " .. death, function()
      server:play("request() ok() request() " .. death, "serve()")
      assert.same({}, over_faults("list").result)
      assert.same({}, over_faults("list").result)
      assert.equal(3, server:executed())
    end)
  end

  it("a connection that died while it was idle costs nothing", function()
    server:play("request() ok() hold() reset()", "request() ok() hold()", "serve()")
    for _ = 1, 3 do
      assert.equal("1", over_faults(writes.create).result.id)
      server:release()
    end
    assert.equal(3, server:executed())
  end)
end

local function describe_names(library)
  local host, server

  before_each(function()
    server = faults.start()
  end)

  after_each(function()
    host:stop()
    server:stop()
  end)

  it("a look-up that stays without answer ends with connect_timeout", function()
    local deaf = assert(socket.udp())
    assert(deaf:setsockname("127.0.0.1", 0))
    local _, port = deaf:getsockname()
    host = start(library, { HTTP_BLOCK = ("resolver 127.0.0.1:%d ipv6=off;"):format(port) })
    local it = outcome(
      host,
      quick("https://api.tago.example", "connect_timeout = 0.2, attempts = 2"),
      writes.create
    )
    assert.equal("timeout", it.kind)
    assert.equal(2, it.attempts)
    assert.is_false(it.maybe_applied)
    assert.is_truthy(deaf:receive())
    deaf:close()
  end)

  it("an attempt has its own timeouts, whatever nginx.conf says of sockets", function()
    host = start(library, { HTTP_BLOCK = "lua_socket_read_timeout 20ms;" })
    server:play("request() pause(0.2) ok()")
    assert.same({}, outcome(host, quick(server.http, "attempts = 1"), "list").result)
  end)

  local trusted = ("lua_ssl_trusted_certificate %s/ca.pem;"):format(os.getenv("EMULATOR_DIR"))

  it("nginx's authorities are trusted, and a connection with TLS is used again", function()
    host = start(library, { HTTP_BLOCK = trusted })
    server:play("tls() serve()")
    for _ = 1, 3 do
      assert.same({}, outcome(host, quick(server.https), "list").result)
    end
    assert.equal(1, #server:journal())
  end)

  it("news of a connection that came just as connect_timeout ended lost a write", function()
    host = start(library, { HTTP_BLOCK = trusted })
    server:play("tls() serve()")
    local body = ([[
      local semaphore = require("ngx.semaphore")
      local late = { late = true }
      function late.new()
        local real = semaphore.new()
        local self = {}
        function self.post() real:post() end
        function self.wait(_, seconds)
          local ok, message = real:wait(seconds)
          if late.late then
            late.late = false
            real:post() -- the waiter has given up before it was told
            return nil, "timeout"
          end
          return ok, message
        end
        return self
      end
      package.loaded["tagoio.transports.resty"] = nil
      package.loaded["ngx.semaphore"] = late
      local own = guest.over_resty(%s)
      local _, message = own.profile.create { name = "x" }
      package.loaded["tagoio.transports.resty"] = nil
      package.loaded["ngx.semaphore"] = semaphore
      return late.late, message]]):format(quick(server.https, "attempts = 1"))
    assert.same({ false }, { host:run(body) })
    assert.equal(1, server:executed())
  end)

  for _, name in ipairs({ "wronghost", "expired", "selfsigned" }) do
    it("a certificate of " .. name .. " is not trusted: nothing is sent", function()
      host = start(library, { HTTP_BLOCK = trusted })
      server:play(("tls(%q) serve()"):format(name))
      local it = outcome(host, quick(server.https), writes.create)
      assert.equal("tls", it.kind)
      assert.is_false(it.maybe_applied)
      assert.equal(0, server:executed())
    end)
  end

  it("a certificate refused in a handshake that lua-resty-core asserts on is an error", function()
    host = start(library, { HTTP_BLOCK = trusted })
    server:play("tls() serve()")
    local kind, message = host:run(([[
      local methods = getmetatable(ngx.socket.tcp()).__index
      local original = methods.sslhandshake
      methods.sslhandshake = function() assert(false) end
      local own = guest.over_resty(%s)
      local _, message, err = own.profile.list()
      methods.sslhandshake = original
      return err.kind, message]]):format(quick(server.https)))
    assert.equal("tls", kind)
    assert.is_truthy(message:find("the TLS handshake failed", 1, true))
    assert.equal(0, server:executed())
  end)
end

local function describe_nginx(library)
  local host

  before_each(function()
    emulator.reset()
  end)

  after_each(function()
    if host then
      host:stop()
    end
    host = nil
  end)

  local compared = {
    "token", "accept", "user-agent", "content-type", "content-length", "host", "x-farm",
  }

  it("reads and writes arrive as they are over libcurl", function()
    host = start(library)
    host:run([[
      for _, plain in ipairs({ client, guest.over_resty({}) }) do
        local own = plain:with({ headers = { ["X-Farm"] = "north 7" } })
        assert(own.profile.info("current"))
        assert(own.profile.edit(os.getenv("EMULATOR_PROFILE"), { name = "\195\164" }))
        own.profile.transferTokenToAnotherProfile(os.getenv("EMULATOR_PROFILE"))
        own.profile.tokenDelete(os.getenv("EMULATOR_PROFILE"), "no such token")
        own:request({ method = "PATCH", path = { "a b" } })
      end
      return true]])
    local journal = emulator.journal()
    assert.equal(10, #journal)
    assert.equal("north 7", journal[6].headers["x-farm"])
    for i = 1, 5 do
      local one, other = journal[i], journal[i + 5]
      for _, field in ipairs({ "method", "path", "query", "body" }) do
        assert.same(one[field], other[field])
      end
      for _, name in ipairs(compared) do
        assert.equal(one.headers[name], other.headers[name], name)
      end
    end
  end)

  it("others are answered while 200 calls are held", function()
    host = start(library)
    emulator.inject({ hold = true, times = 200 })
    local calls = host:begin_run([[
      local own, items = guest.over_resty({}), {}
      for i = 1, 200 do items[i] = i end
      local results = tagoio.map(items, function()
        return #assert(own.profile.list())
      end, { concurrency = 200 })
      local sum = 0
      for _, result in ipairs(results) do sum = sum + result end
      return sum]])
    emulator.wait_for(200)
    for _ = 1, 200 do
      assert.equal("pong", (host:get("/ping")))
    end
    assert.equal(200, emulator.counts().holding)
    emulator.release()
    assert.same({ 600 }, nginx.decode(nginx.finish(calls)))
  end)

  it("works in every phase that has sockets, and says so in the others", function()
    local note = 'local guest = require("spec.hosts.nginx.guest") '
      .. "guest.note(%q, guest.over_resty({}))"
    host = start(library, {
      INIT = note:format("init"),
      INIT_WORKER = note:format("init_worker") .. [[
        ngx.timer.at(0, function() guest.note("timer of init_worker", guest.over_resty({})) end)]],
    })
    host:run(note:format("content over resty") .. " return true")
    local notes = nginx.decode(host:get("/notes"))
    for _, phase in ipairs({ "timer of init_worker", "content over resty" }) do
      assert.equal("Factory", notes[phase].name, phase)
    end
    for _, phase in ipairs({ "init", "init_worker" }) do
      assert.equal("connect", notes[phase].kind)
      assert.matches('nginx has no sockets in the phase "' .. phase .. '"', notes[phase].message)
    end
  end)
end

local function describe_all(name, library)
  for part, describe_part in pairs({
    ["a server"] = describe_failures,
    ["a name"] = describe_names,
    ["nginx"] = describe_nginx,
  }) do
    describe(("the transport over %s: %s:"):format(name, part), function()
      describe_part(library)
    end)
  end
end

describe_all("a stand-in of lua-resty-http", stand_in)

local original = resty.find_original()
if original then
  describe_all("lua-resty-http itself", original)
else
  pending("the transport over lua-resty-http itself (it was not found)")
end

describe("without lua-resty-http", function()
  it("the module says what it needs", function()
    local output, status = process.run_lua('require("tagoio.transports.resty")')
    assert.not_equal(0, status)
    assert.matches("runs inside nginx", output, 1, true)
    local host = nginx.start({ PACKAGES = nginx.root .. "/nowhere/?.lua" })
    local ok, message = host:run('return pcall(require, "tagoio.transports.resty")')
    assert.is_false(ok)
    assert.matches("needs lua%-resty%-http", message)
    host:stop()
  end)
end)
