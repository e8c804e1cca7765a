-- SPDX-License-Identifier: MIT
-- Connections that do not come about, and servers that are not to be trusted.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")

describe("a server", function()
  local server = faults.server(setup, teardown)

  -- What a read, and a write that must not be repeated, get from connections that play a script;
  -- the server reads no request, and the token does not get there.
  local function try(script, others, check)
    for _, name in ipairs({ "list", "create" }) do
      server:play(script)
      local client = server:secure_client(others)
      local result, message, err = faults.calls[name](client)
      assert.is_nil(result)
      assert.is_false(err.maybe_applied)
      check(err, message)
      for _, connection in ipairs(server:journal()) do
        assert.is_nil(connection.received:find(emulator.token, 1, true))
        assert.equal(0, #connection.requests)
      end
      server:play("tls() serve()")
      if not (others and others.ca_file) then
        assert(client:with({ attempt_timeout = 30 }).profile.list()) -- the next call works
      end
      client:close()
    end
  end

  local distrusted = {
    { "whose certificate has expired", "expired" },
    { "whose certificate is another's", "wronghost" },
    { "whose certificate nobody signed", "selfsigned" },
  }
  for _, row in ipairs(distrusted) do
    it(row[1] .. " gets no request, and no second attempt", function()
      try(("tls(%q) serve()"):format(row[2]), nil, function(err, message)
        assert.equal("tls", err.kind)
        assert.equal(1, err.attempts)
        assert.matches("the certificate is not trusted: ", message)
      end)
    end)
  end

  it("is not trusted without its authority", function()
    local ca_file = os.getenv("EMULATOR_DIR") .. "/selfsigned.pem"
    try("tls() serve()", { ca_file = ca_file }, function(err, message)
      assert.equal("tls", err.kind)
      assert.equal(1, err.attempts, message)
    end)
  end)

  -- What a script prints that lists profiles over https with these variables.
  local function list(variables, options)
    local code = ([[
      local client = assert(require("tagoio").new({ attempts = 1%s }))
      local list, message, err = client.profile.list()
      print(list and "listed" or err.kind)]]):format(options or "")
    variables.T_ANALYSIS_TOKEN = emulator.token
    variables.TAGOIO_API = server.https
    return (process.run_lua(code, variables))
  end

  it("is trusted for ca_file, else SSL_CERT_FILE, else CURL_CA_BUNDLE", function()
    local good, other = emulator.ca_file, os.getenv("EMULATOR_DIR") .. "/selfsigned.pem"
    local option = (", ca_file = %q"):format(good)
    server:play("tls() serve()")
    assert.equal("tls\n", list({}))
    assert.equal("listed\n", list({ SSL_CERT_FILE = good, CURL_CA_BUNDLE = other }))
    assert.equal("listed\n", list({ SSL_CERT_FILE = "", CURL_CA_BUNDLE = good }))
    assert.equal("tls\n", list({ SSL_CERT_FILE = other, CURL_CA_BUNDLE = good }))
    assert.equal("listed\n", list({ SSL_CERT_FILE = other, CURL_CA_BUNDLE = other }, option))
  end)

  local broken = {
    { "that does not speak TLS", "answer(400) silence()" },
    { "whose TLS is too old", "tls('localhost', 'tlsv1_1')" },
    { "that resets in the handshake", "some() reset()" },
    { "that closes in the handshake", "some()" },
  }
  for _, row in ipairs(broken) do
    it(row[1] .. " gets one more attempt", function()
      try(row[2], nil, function(err, message)
        assert.equal("tls", err.kind)
        assert.equal(2, err.attempts, message)
        assert.matches("no TLS connection: ", message)
      end)
    end)
  end

  it("that stalls in the handshake gets all attempts", function()
    try("silence()", { attempt_timeout = 0.1 }, function(err, message)
      assert.equal("timeout", err.kind)
      assert.equal(3, err.attempts)
      assert.matches("without a connection", message)
    end)
  end)

  it("that is not there gets all attempts", function()
    for _, url in ipairs({ "http://127.0.0.1:1", "https://tagoio.invalid" }) do
      local region = { api = url }
      try("serve()", { region = region, ca_file = emulator.ca_file }, function(err)
        assert.equal("connect", err.kind)
        assert.equal(3, err.attempts)
      end)
      assert.equal(0, #server:journal())
    end
  end)

  -- Whether something was sent before the end came is the system's affair; what matters is that
  -- nothing was executed, and that a write is only repeated if nothing was sent.
  for _, script in ipairs({ "", "reset()" }) do
    it(("that accepts and plays %q at once executes nothing"):format(script), function()
      for _, name in ipairs({ "list", "create" }) do
        server:play(script)
        local client = server:client()
        local result, message, err = faults.calls[name](client)
        assert.is_nil(result)
        assert.equal(0, server:executed())
        assert.is_true(err.kind == "network" or not err.maybe_applied and err.kind == "connect")
        assert.is_true(err.attempts == 3 or err.maybe_applied, message)
        assert.is_true(name == "create" or not err.maybe_applied)
        server:play("serve()")
        assert(client.profile.list())
        client:close()
      end
    end)
  end

  it("is found behind the second address of its name", function()
    server:play("serve()")
    local client = server:client({ region = { api = "http://localhost:" .. server.port } })
    assert(client.profile.list()) -- ::1 is refused where localhost has it
    client:close()
  end)
end)

describe("a program without file descriptors", function()
  -- What a script prints that may open 40 files.
  local function run(code)
    emulator.reset()
    local variables = {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = emulator.http,
      EMULATOR_HTTP = emulator.http,
      EMULATOR_TOKEN = emulator.token,
      LUA_PATH = package.path,
      LUA_CPATH = package.cpath,
    }
    local command = ("ulimit -n 40; exec %s %s -e %s"):format(
      process.env(variables), process.lua, process.quote(code)
    )
    local output, status = process.run(("sh -c %s"):format(process.quote(command)))
    assert.equal(0, status, output)
    return output
  end

  it("gets an error, and its next call works", function()
    local output = run([[
      local client = assert(require("tagoio").new({ attempts = 1 }))
      local other = assert(require("tagoio").new())
      local files = {}
      repeat
        local file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      local result, message, err = client.profile.list()
      print(result, err.kind, err.maybe_applied)
      print(other:pollfd())
      for _, file in ipairs(files) do
        file:close()
      end
      print(#assert(client.profile.list()))]])
    -- libcurl 8.x needs some before it connects, and calls that a want of memory.
    local kind = output:match("^nil\tmemory\t") and "memory" or "connect"
    local refused = "nil\tout of descriptors\n"
    assert.equal(("nil\t%s\tfalse\n%s3\n"):format(kind, refused), output)
  end)

  it("goes on with the connection that it has", function()
    local output = run([[
      local emulator = require("spec.support.emulator")
      local client = emulator.client({ attempts = 1 })
      assert(client.profile.list())
      emulator.inject({ match = { path = "/profile" }, hold = true })
      local files = {}
      repeat
        local file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      local results, failed = require("tagoio").map({ 1, 2 }, function(item)
        local rows, message, err = client.profile.list()
        if item == 2 then -- it needs a connection of its own
          for _, file in ipairs(files) do
            file:close()
          end
          emulator.wait_for(1)
          emulator.release(1)
        end
        return rows, message, err
      end)
      print(#results[1], failed[2].kind, failed[2].maybe_applied)]])
    assert.matches("^3\t%a+\tfalse\n$", output)
  end)
end)
