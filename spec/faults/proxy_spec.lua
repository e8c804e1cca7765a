-- SPDX-License-Identifier: MIT
-- Proxies: which one is used, and that it never sees the token of an https call.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")

-- A tunnel whose other end is TagoIO, to begin with.
local tunnel = [[request() send("HTTP/1.1 200 Connected\r\n\r\n") tls() serve()]]

describe("a proxy", function()
  local server

  setup(function()
    server = faults.start()
  end)

  teardown(function()
    server:stop()
  end)

  -- A script's output when it lists profiles over https, with these variables and options.
  local function list(variables, options)
    local code = ([[
      local tagoio = require("tagoio")
      local client = assert(tagoio.new({ ca_file = os.getenv("CA"), attempts = 1%s }))
      local list, message = client.profile.list()
      print(list and "listed" or message)]]):format(options or "")
    local environment = {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = server.https,
      CA = emulator.ca_file,
    }
    for name, value in pairs(variables) do
      environment[name] = value
    end
    return (process.run_lua(code, environment))
  end

  -- The tunnel was asked for first, without the token, which came through it later.
  local function assert_tunneled()
    local connections = server:journal()
    assert.equal(1, #connections)
    local asked, request = connections[1].requests[1], connections[1].requests[2]
    assert.matches("^CONNECT localhost:%d+ HTTP/1.1\r\n", asked)
    assert.is_nil(asked:lower():find("token", 1, true))
    assert.is_nil(asked:find(emulator.token, 1, true))
    assert.is_nil(asked:find("TagoIO-SDK", 1, true))
    assert.is_truthy(request:find("\r\ntoken: " .. emulator.token .. "\r\n", 1, true))
  end

  it("that is an option is used, and does not see the token", function()
    server:play(tunnel)
    local client = server:secure_client({ proxy = server.http })
    assert(client.profile.list())
    client:close()
    assert_tunneled()
  end)

  it("of the environment is used", function()
    for _, name in ipairs({ "https_proxy", "HTTPS_PROXY", "ALL_PROXY" }) do
      server:play(tunnel)
      assert.equal("listed\n", list({ [name] = server.http }))
      assert_tunneled()
    end
  end)

  it("of the environment is not used for hosts that NO_PROXY names", function()
    server:play("tls() serve()")
    assert.equal("listed\n", list({ https_proxy = server.http, NO_PROXY = "localhost" }))
  end)

  it("of the environment is not used with proxy = false", function()
    server:play("tls() serve()")
    assert.equal("listed\n", list({ https_proxy = server.http }, ", proxy = false"))
  end)

  it("that is an option is used although NO_PROXY names the host", function()
    server:play(tunnel)
    local options = (", proxy = %q"):format(server.http)
    assert.equal("listed\n", list({ NO_PROXY = "*" }, options))
    assert_tunneled()
  end)

  it("that refuses is told as such, and the call was not sent", function()
    server:play('request() answer(407, "who are you?")', tunnel)
    local client = server:secure_client({ proxy = server.http, attempts = 1 })
    local made, message, err = client.profile.create({ name = "x" })
    assert.is_nil(made)
    assert.equal("connect", err.kind)
    assert.is_false(err.maybe_applied)
    assert.matches("407", message)
    client:close()
  end)

  it("that cannot be reached is an error of the kind connect", function()
    local client = server:secure_client({ proxy = "http://127.0.0.1:1", attempts = 1 })
    local _, message, err = client.profile.list()
    assert.equal("connect", err.kind)
    assert.matches("^profile.list: no connection: ", message)
    client:close()
  end)
end)
