-- SPDX-License-Identifier: MIT
-- Proxies: which one is used, and that it never sees the token of an https call.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")

-- The host is not of this machine, for which no proxy is used: its name is in a certificate, and
-- the proxy plays it.
local elsewhere = "https://elsewhere.example"
local tunnel = [[request() send("HTTP/1.1 200 Connected\r\n\r\n") tls("wronghost") serve()]]

local server = faults.server(setup, teardown)

local function client_of(url, others)
  return server:secure_client(faults.options({ region = { api = url }, attempts = 1 }, others))
end

-- A script's output when it lists profiles, with these variables and options.
local function list(url, variables, options)
  local code = ([[
    local tagoio = require("tagoio")
    local client = assert(tagoio.new({ ca_file = os.getenv("CA"), attempts = 1%s }))
    local list, message = client.profile.list()
    print(list and "listed" or message)]]):format(options or "")
  local environment = {
    T_ANALYSIS_TOKEN = emulator.token,
    TAGOIO_API = url,
    CA = emulator.ca_file,
  }
  for name, value in pairs(variables) do
    environment[name] = value
  end
  return (process.run_lua(code, environment))
end

describe("a proxy", function()
  -- The tunnel was asked for first, without the token, which came through it later.
  local function assert_tunneled()
    local connections = server:journal()
    assert.equal(1, #connections)
    local asked, request = connections[1].requests[1], connections[1].requests[2]
    assert.matches("^CONNECT elsewhere%.example:443 HTTP/1.1\r\n", asked)
    assert.is_nil(asked:lower():find("token", 1, true))
    assert.is_nil(asked:find(emulator.token, 1, true))
    assert.is_nil(asked:find("TagoIO-SDK", 1, true))
    assert.is_truthy(request:find("\r\ntoken: " .. emulator.token .. "\r\n", 1, true))
  end

  it("that is an option is used, and does not see the token", function()
    server:play(tunnel)
    local client = client_of(elsewhere, { proxy = server.http })
    assert(client.profile.list())
    client:close()
    assert_tunneled()
  end)

  it("whose scheme is left out is used", function()
    server:play(tunnel)
    local client = client_of(elsewhere, { proxy = "127.0.0.1:" .. server.port })
    assert(client.profile.list())
    client:close()
    assert_tunneled()
  end)

  it("of the environment is used", function()
    for _, name in ipairs({ "https_proxy", "HTTPS_PROXY", "ALL_PROXY" }) do
      server:play(tunnel)
      assert.equal("listed\n", list(elsewhere, { [name] = server.http }))
      assert_tunneled()
    end
  end)

  local direct = {
    { "for hosts that NO_PROXY names", { NO_PROXY = "tagoio.invalid" } },
    { "with proxy = false", {}, ", proxy = false" },
  }
  for _, row in ipairs(direct) do
    it("of the environment is not used " .. row[1], function()
      server:play(tunnel)
      row[2].https_proxy = server.http
      local output = list("https://tagoio.invalid", row[2], row[3])
      assert.matches("resolve host", output)
      assert.equal(0, #server:journal())
    end)
  end

  it("that is an option is used although NO_PROXY names the host", function()
    server:play(tunnel)
    local options = (", proxy = %q"):format(server.http)
    assert.equal("listed\n", list(elsewhere, { NO_PROXY = "*" }, options))
    assert_tunneled()
  end)

  it("behind which a certificate is not trusted is named, as it may be the proxy's", function()
    server:play((tunnel:gsub("wronghost", "selfsigned")))
    local client = client_of(elsewhere, { proxy = server.http })
    local _, message = client.profile.list()
    client:close()
    assert.matches("the certificate is not trusted: ", message, 1, true)
    assert.matches("; it goes through a proxy, which the option proxy names$", message)
  end)

  it("that refuses is told as such, and the call was not sent", function()
    server:play('request() answer(407, "who are you?")', tunnel)
    local client = client_of(elsewhere, { proxy = server.http })
    local made, message, err = client.profile.create({ name = "x" })
    assert.is_nil(made)
    assert.equal("connect", err.kind)
    assert.is_false(err.maybe_applied)
    assert.matches("407", message)
    client:close()
  end)

  it("that refuses a retry is told as such, for its first attempt had another end", function()
    local busy = 'request() answer(503, "", "Connection: close\\r\\n")'
    server:play((tunnel:gsub("serve%(%)", function()
      return busy
    end)), 'request() answer(407, "who are you?")')
    local kinds = {}
    local client = client_of(elsewhere, {
      proxy = server.http,
      attempts = 2,
      on_attempt = function(event)
        table.insert(kinds, event.kind)
      end,
    })
    assert.is_nil((client.profile.list()))
    assert.same({ "api", "connect" }, kinds)
    client:close()
  end)

  local connected = [[request() send("HTTP/1.1 200 Connected\r\n\r\n") ]]
  local inside = connected .. 'tls("wronghost") request() '
  -- Where it dies, its script, the kind, how often a list and a create are tried, whether the
  -- create may have been applied.
  local deaths = {
    { "before it connects", "request() reset()", "connect", 3, 3, false },
    { "before TLS", connected .. "some() reset()", "tls", 2, 2, false },
    { "before the response", inside .. "reset()", "network", 3, 1, true },
    {
      "within the response",
      inside .. [[send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{") cut()]],
      "network", 3, 1, true,
    },
  }
  for _, row in ipairs(deaths) do
    it(("that dies %s makes no write run twice"):format(row[1]), function()
      for i, name in ipairs({ "list", "create" }) do
        server:play(row[2])
        local client = client_of(elsewhere, { proxy = server.http, attempts = 3 })
        local result, message, err = faults.calls[name](client)
        assert.is_nil(result)
        assert.equal(row[3], err.kind, message)
        assert.equal(row[3 + i], err.attempts, message)
        assert.equal(name == "create" and row[6], err.maybe_applied)
        -- Each attempt is a CONNECT, and the request where it came through.
        assert.equal(err.attempts * (row[6] and 2 or 1), server:executed())
        server:play(tunnel)
        assert(client.profile.list())
        client:close()
      end
    end)
  end

  it("that cannot be reached is an error of the kind connect", function()
    local client = client_of(elsewhere, { proxy = "http://127.0.0.1:1" })
    local _, message, err = client.profile.list()
    assert.equal("connect", err.kind)
    assert.matches("^profile.list: no connection: ", message)
    client:close()
  end)
end)

describe("a call to this machine goes through no proxy", function()
  -- A request that a proxy sees begins with CONNECT, or names the host in its first line.
  local function assert_direct()
    local connections = server:journal()
    assert.equal(1, #connections)
    assert.equal(1, #connections[1].requests)
    assert.matches("^GET /profile HTTP/1.1\r\n", connections[1].requests[1])
  end

  local hosts = {
    ["http://127.0.0.1:"] = "serve()",
    ["http://localhost:"] = "serve()",
    ["http://LocalHost.:"] = "serve()",
    ["https://localhost:"] = "tls() serve()",
    ["https://127.0.0.1:"] = "tls() serve()",
  }
  for host, script in pairs(hosts) do
    it("of the environment: " .. host, function()
      local url = host .. server.port
      for _, name in ipairs({ "http_proxy", "https_proxy", "all_proxy", "ALL_PROXY" }) do
        server:play(script)
        assert.equal("listed\n", list(url, { [name] = server.http }))
        assert_direct()
      end
    end)

    it("that is an option: " .. host, function()
      server:play(script)
      local client = client_of(host .. server.port, { proxy = server.http })
      assert(client.profile.list())
      client:close()
      assert_direct()
    end)
  end
end)
