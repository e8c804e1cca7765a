-- SPDX-License-Identifier: MIT
-- Requests that are large, and servers that stop listening in the middle.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")

describe("a large request", function()
  local server
  local large = { name = ("x"):rep(4000000) }

  server = faults.server(setup, teardown)

  it("is sent at once, without waiting for 100 Continue", function()
    server:play("serve()")
    local client = server:client()
    assert(client.profile.create(large))
    local text = server:journal()[1].requests[1]
    assert.is_nil(text:lower():find("\nexpect:", 1, true))
    assert.is_truthy(text:find(large.name, 1, true))
    client:close()
  end)

  it("whose id is a million bytes is not sent, and the next one works", function()
    server:play("serve()")
    local client = server:client()
    local id = ("x"):rep(1000000)
    for _, call in ipairs({
      function() return client.profile.info(id) end,
      function() return client.profile.tokenDelete(emulator.profile, id) end,
    }) do
      local result, message, err = call()
      assert.is_nil(result)
      assert.equal("invalid", err.kind)
      assert.is_true(#message < 200)
      assert.equal(0, #server:journal())
    end
    assert(client.profile.list())
    client:close()
  end)

  it("that is refused early is an api error", function()
    server:play("head() answer(413, '{\"status\":false,\"message\":\"Too large\"}') silence()")
    local client = server:client()
    local _, message, err = client.profile.create(large)
    assert.equal(413, err.status)
    assert.matches("Too large", message)
    assert.equal(1, #server:journal())
    client:close()
  end)

  for _, scheme in ipairs({ "http", "https" }) do
    it("that is cut off over " .. scheme .. " does not end the program", function()
      -- SIGPIPE would, where it is not ignored: LuaSocket does that here.
      local code = [[
        local tagoio = require("tagoio")
        local client = assert(tagoio.new({ ca_file = os.getenv("CA"), proxy = false }))
        local _, message, err = client.profile.create({ name = ("x"):rep(4000000) })
        print(err.kind, err.attempts, err.maybe_applied)]]
      server:play((scheme == "https" and "tls() " or "") .. "head() reset()")
      local variables = {
        T_ANALYSIS_TOKEN = emulator.token,
        TAGOIO_API = server[scheme],
        CA = emulator.ca_file,
      }
      local command = process.lua_command(code, variables)
      local output, status = process.run("env --default-signal=PIPE " .. command)
      assert.equal("network\t1\ttrue\n", output)
      assert.equal(0, status)
    end)
  end
end)
