-- SPDX-License-Identifier: MIT
-- The options of a client, and what the environment says.

local emulator = require("spec.support.emulator")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local function raises(options, ...)
  local ok, message = pcall(function()
    local client = tagoio.new(options)
    return client
  end)
  assert.is_false(ok, "it did not raise")
  assert.matches("options_spec.lua:%d+: tagoio.new: ", message)
  for _, text in ipairs({ ... }) do
    assert.is_truthy(message:find(text, 1, true), ("%q is not in %q"):format(text, message))
  end
end

describe("tagoio.new raises on", function()
  local function with(name, value)
    return { token = "t", [name] = value }
  end

  it("a value that is no table of options", function()
    raises("t", "options must be a table or nil (got a string)")
  end)

  it("an unknown option, and names those there are", function()
    raises(with("timeuot", 1), 'unknown option "timeuot"', "attempt_timeout", "max_connections")
  end)

  it("a token that cannot be one, without showing it", function()
    for _, bad in ipairs({ "", "two words", "line\n", "nul\0", "sch\195\182n" }) do
      raises(with("token", bad), "token must be printable ASCII without blanks")
      local _, message = pcall(tagoio.new, with("token", bad))
      assert.is_nil(bad ~= "" and message:find(bad, 1, true) or nil)
    end
    raises(with("token", 1), "token must be a string, or false for none (got a number)")
  end)

  it("a time that is none", function()
    for _, name in ipairs({ "timeout", "attempt_timeout", "connect_timeout" }) do
      for _, bad in ipairs({ 0, -1, 0 / 0, 1 / 0, 3601 }) do
        raises(with(name, bad), name .. " must be ")
      end
    end
    raises(with("timeout", 5000), "timeout must be at most 3600 seconds (got 5000)")
    raises(with("timeout", "5"), "timeout must be a number (got a string)")
    raises(with("timeout", 0 / 0), "timeout must be a positive number of seconds (got NaN)")
    raises(with("max_retry_after", -1), "max_retry_after must be a number of seconds (got -1)")
  end)

  it("numbers that count nothing", function()
    for _, bad in ipairs({ 0, 1.5, -1, 101, 0 / 0 }) do
      raises(with("attempts", bad), "attempts must be a whole number from 1 to 100")
    end
    raises(with("max_connections", 0), "max_connections must be a whole number from 1 to")
    raises(with("max_response_bytes", 0.5), "max_response_bytes must be a whole number ")
  end)

  it("a region that is none", function()
    raises(with("region", "us-e2"), 'region must be "us-e1", "eu-w1", ', '(got "us-e2")')
    raises(with("region", {}), "region must be ", "(got a table)")
    raises(with("region", { api = 1 }), "region.api must be a string (got a number)")
    local path = { tdeploy = "a/b" }
    raises(with("region", path), 'region.tdeploy must be the id of a project (got "a/b")')
    raises(with("region", { url = "https://x" }), 'region: unknown key "url"')
    local control = { api = "http://localhost\0.x" }
    raises(with("region", control), "region.api must be a string without control characters")
  end)

  it("an address that would show the token, or is not one of an API", function()
    local bad = {
      ["http://api.tago.io"] = "https",
      ["ftp://localhost"] = "https",
      ["https://user@host"] = "region: ",
      ["https://host/?q"] = "region: ",
      ["https://host/#f"] = "region: ",
      ["nonsense"] = "region: ",
      [""] = "region.api must be a string that is not empty",
    }
    for url, text in pairs(bad) do
      raises(with("region", { api = url }), text)
    end
  end)

  it("an address that only looks like one of this machine", function()
    local hosts = {
      "127.evil.example",
      "127.0.0.1.evil.example",
      "127.0.0.1%2eevil.example",
      "127.x",
      "127.0.0.1a",
      "127.0.0.1.1",
      "127.",
      "127..1",
      "127.256.1",
      "127.-1",
      "127.\195\171vil.example",
      "localhost.evil.example",
      "[::2]",
    }
    for _, host in ipairs(hosts) do
      raises(with("region", { api = "http://" .. host }), "region: ")
      raises(with("region", { api = "http://" .. host .. ":8080/x" }), "region: ")
    end
  end)

  it("a proxy that is no URL, without showing it", function()
    local bad = {
      "http://",
      "http://h:99999",
      "ftp://h",
      "a b",
      "http://user:correct-horse@h:port",
    }
    for _, proxy in ipairs(bad) do
      for _, region in ipairs({ "us-e1", { api = "http://127.0.0.1:1" } }) do
        local options = { token = "t", proxy = proxy, region = region }
        raises(options, "proxy: must be a URL like http://host:8080 (")
        local _, message = pcall(tagoio.new, options)
        assert.is_nil(message:find("correct", 1, true))
      end
    end
  end)

  it("a proxy, a file or a user agent that is none", function()
    raises(with("proxy", true), "proxy must be a URL, or false for none")
    raises(with("proxy", ""), "proxy must be a string that is not empty")
    raises(with("ca_file", "a\0b"), "ca_file must be a string without control characters")
    raises(with("user_agent", "a\r\nb"), "user_agent must be a string without control characters")
    local host = 'wait must be a function, or a host as require("tagoio.hosts.luv") '
    raises(with("wait", true), host .. "(got a boolean)")
    raises(with("wait", { mode = print }), host .. "(got a table)")
  end)
end)

describe("tagoio.new", function()
  it("takes each option at its upper bound, and not above it", function()
    local most = {
      token = ("t"):rep(4096),
      timeout = 3600,
      attempt_timeout = 3600,
      connect_timeout = 3600,
      max_retry_after = 3600,
      attempts = 100,
      max_connections = 10000,
      max_response_bytes = 2 ^ 31 - 1,
    }
    tagoio.new(emulator.options(most)):close()
    for name, value in pairs(most) do
      local over = name == "token" and value .. "t" or value + 1
      raises(emulator.options({ [name] = over }), name .. " must be ")
    end
  end)

  it("takes http to this machine", function()
    local urls = {
      "http://localhost",
      "http://LOCALHOST.:1/x",
      "http://127.0.0.1:8080",
      "http://127.255.255.254",
      "http://[::1]:1",
    }
    for _, url in ipairs(urls) do
      assert(tagoio.new({ token = "t", region = { api = url } })):close()
    end
  end)

  it("takes an answer of one byte at most, and blames no region for it", function()
    emulator.reset()
    local client = emulator.client({ max_response_bytes = 1 })
    local _, message, err = client.profile.list()
    assert.equal("protocol", err.kind)
    assert.matches("max_response_bytes", message)
    client:close()
  end)

  it("returns an error that names ca_file when that holds no certificate", function()
    for _, file in ipairs({ "/nowhere.pem", "/dev/null", "/", "Makefile" }) do
      for _, url in ipairs({ emulator.http, emulator.https }) do
        local options = emulator.options({ ca_file = file, region = { api = url } })
        local client, message, err = tagoio.new(options)
        assert.is_nil(client)
        assert.matches("^tagoio.new: ca_file: ", message)
        assert.is_truthy(message:find(file, 1, true))
        assert.equal("invalid", err.kind)
      end
    end
  end)

  it("does not look for certificates when a transport is in place of libcurl", function()
    local transport = function()
      return 200, nil, '{"status":true,"result":[]}'
    end
    local client = tagoio.new({ token = "t", transport = transport, ca_file = "/nowhere" })
    assert.same({}, assert(client).profile.list())
  end)
end)

describe("client:with", function()
  local client = emulator.client()

  it("raises on what belongs to the connections", function()
    for _, name in ipairs({ "region", "ca_file", "proxy", "max_connections" }) do
      local ok, message = pcall(function()
        local derived = client:with({ [name] = 1 })
        return derived
      end)
      assert.is_false(ok)
      assert.matches(
        "options_spec.lua:%d+: client:with: " .. name .. " belongs to the connections.*tagoio.new",
        message
      )
    end
  end)

  it("gives other options on the same connection", function()
    emulator.reset()
    assert(client.profile.list())
    local tenant = client:with({ token = "another-token", user_agent = "tenant" })
    assert.is_nil((tenant.profile.list()))
    local journal = emulator.journal()
    assert.equal("<token>", journal[1].headers.token)
    assert.equal("<unknown token>", journal[2].headers.token)
    assert.equal(journal[1].connection, journal[2].connection)
    assert.matches(" tenant$", journal[2].headers["user-agent"])
  end)

  it("keeps what it does not name", function()
    emulator.reset()
    local patient = client:with({ keep_null = true }):with({ timeout = 5 })
    emulator.answer("/profile", 200, '{"status":true,"result":[{"a":null}]}')
    assert.equal(tagoio.null, assert(patient.profile.list())[1].a)
  end)

  it("closing a derived client closes it alone", function()
    local derived = client:with({})
    derived:close()
    derived:close()
    assert.is_false((pcall(derived.profile.list)))
    assert(client.profile.list())
  end)

  it("a derived client outlives the one it came from", function()
    local first = emulator.client()
    local derived = first:with({ timeout = 5 })
    first:close()
    assert(derived.profile.list())
    derived:close()
  end)
end)

describe("the environment", function()
  local print_result = [[
    local tagoio = require("tagoio")
    local value, message, err = tagoio.profile.info("current")
    print(value and value.info.name or message, err and err.kind)]]

  it("gives the token, the address and the attempts of the default client", function()
    local output = process.run_lua(print_result, {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_TOKEN = "unused",
      TAGOIO_API = emulator.http .. "/",
      TAGOIO_REQUEST_ATTEMPTS = "2",
    })
    assert.equal("Factory\tnil\n", output)
    output = process.run_lua(print_result, {
      TAGOIO_TOKEN = emulator.token,
      TAGOIO_API = emulator.http,
    })
    assert.equal("Factory\tnil\n", output)
  end)

  it("that says nothing of a token is an error that says what to do", function()
    local output = process.run_lua(print_result, { T_ANALYSIS_TOKEN = "" })
    assert.equal(
      "profile.info: no token: set T_ANALYSIS_TOKEN, or use tagoio.new { token = ... }\tinvalid\n",
      output
    )
  end)

  it("that is wrong is an error that names the variable, and shows no token", function()
    local bad = {
      TAGOIO_REQUEST_ATTEMPTS = { "0", "x", "1.5", "-3", "101" },
      TAGOIO_API = { "nonsense", "http://example.com", "https://u@example.com" },
      T_ANALYSIS_TOKEN = { "two secrets" },
      https_proxy = { "http://user:two secrets@h:port" },
      ALL_PROXY = { "http://user:secrets@h:port", "ftp://user:secrets@h" },
    }
    for name, values in pairs(bad) do
      for _, value in ipairs(values) do
        local variables = { T_ANALYSIS_TOKEN = "t", [name] = value }
        local output = process.run_lua(print_result, variables)
        assert.matches("^profile.info: " .. name .. ": .*\tinvalid\n$", output)
        assert.is_nil(output:find("secrets", 1, true))
      end
    end
  end)

  it("that names a wrong file of certificates is an error that names the variable", function()
    for _, name in ipairs({ "SSL_CERT_FILE", "CURL_CA_BUNDLE" }) do
      local variables = { T_ANALYSIS_TOKEN = "t", [name] = "/nowhere.pem" }
      local expected = ("profile.info: %s: cannot read /nowhere.pem: "):format(name)
      local output = process.run_lua(print_result, variables)
      assert.equal(expected, output:sub(1, #expected))
      assert.matches("\tinvalid\n$", output)
      -- Without TLS nobody asks for certificates.
      variables.T_ANALYSIS_TOKEN = emulator.token
      variables.TAGOIO_API = emulator.http
      assert.equal("Factory\tnil\n", process.run_lua(print_result, variables))
    end
  end)

  it("names the address for region = \"env\", and is asked for nothing else then", function()
    local code = [[
      local tagoio = require("tagoio")
      local client, message, err = tagoio.new({ token = "t", region = "env" })
      print(client or message, err and err.kind)]]
    assert.equal(
      'tagoio.new: TAGOIO_API is not set, and the region is "env"\tinvalid\n',
      process.run_lua(code)
    )
    local output = process.run_lua(code, { TAGOIO_API = emulator.http })
    assert.equal(("tagoio client (%s)\tnil\n"):format(emulator.http), output)
  end)

  it("is not to blame for a proxy that the caller chose", function()
    local code = 'print(pcall(require("tagoio").new, { token = "t", proxy = "http://" }))'
    local output = process.run_lua(code, { TAGOIO_API = emulator.http })
    assert.matches("^false\t.*:1: tagoio.new: proxy: must be a URL", output)
  end)

  it("T_ANALYSIS_CONTEXT tells the server where the script runs", function()
    emulator.reset()
    process.run_lua(print_result, {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = emulator.http,
      T_ANALYSIS_CONTEXT = "tago-io",
    })
    local user_agent = emulator.request().headers["user-agent"]
    assert.matches("^TagoIO%-SDK|Lua|[%d.]+ %(Running at TagoIO%)$", user_agent)
  end)
end)

describe("the regions", function()
  -- Nothing is sent: the address is in what tostring says.
  local urls = {
    ["us-e1"] = "https://api.tago.io",
    ["usa-1"] = "https://api.tago.io",
    ["eu-w1"] = "https://api.eu-w1.tago.io",
    [{ tdeploy = " 5bbe3d1d4d3a " }] = "https://api.5bbe3d1d4d3a.tagoio.net",
    [{ api = "https://iot.example.com/tago/" }] = "https://iot.example.com/tago",
    [{ api = "https://iot.example.com", sse = "https://x" }] = "https://iot.example.com",
  }
  for region, url in pairs(urls) do
    it("reach " .. url, function()
      local client = tagoio.new({ token = "t", region = region })
      assert.equal(("tagoio client (%s)"):format(url), tostring(client))
    end)
  end

  it("a prefix of the path is kept", function()
    emulator.reset()
    local client = emulator.client({ region = { api = emulator.http .. "/prefix/" } })
    client.profile.list()
    assert.equal("/prefix/profile", emulator.request().uri)
  end)
end)
