-- SPDX-License-Identifier: MIT
-- Connections that are used again, and die: what the server read, it read once if it matters.

local faults = require("spec.support.faults")

local once = { "create", "delete", "transferTokenToAnotherProfile" }
local again = { "list", "edit", "tokenDelete" }

for _, scheme in ipairs({ "http", "https" }) do
  describe("on a reused connection over " .. scheme, function()
    local server, client
    local begin = scheme == "https" and "tls() " or ""

    setup(function()
      server = faults.start()
    end)

    teardown(function()
      server:stop()
    end)

    before_each(function()
      client = scheme == "https" and server:secure_client() or server:client()
    end)

    after_each(function()
      client:close()
    end)

    -- A connection that answers a read, reads the next request and dies; all others work.
    local function warm_up(death)
      server:play(begin .. "request() ok() request() " .. death, begin .. "serve()")
      assert(client.profile.list())
    end

    for _, death in ipairs({ "reset()", "cut()" }) do
      for _, name in ipairs(once) do
        it(("%s that dies with %s is executed once"):format(name, death), function()
          warm_up(death)
          local result, message, err = faults.calls[name](client)
          assert.is_nil(result)
          assert.equal("network", err.kind)
          assert.is_true(err.maybe_applied)
          assert.equal(1, err.attempts)
          assert.matches("; it may have been applied$", message)
          assert.equal(2, server:executed())
          assert(client.profile.list())
        end)
      end

      for _, name in ipairs(again) do
        it(("%s that dies with %s is repeated"):format(name, death), function()
          warm_up(death)
          assert(faults.calls[name](client))
          local connections = server:journal()
          assert.equal(2, #connections)
          assert.equal(2, #connections[1].requests)
          assert.equal(connections[1].requests[2], connections[2].requests[1])
        end)
      end
    end

    it("a write is repeated when the server closed without reading it", function()
      server:play(begin .. "request() ok() hold() reset()", begin .. "serve()")
      assert(client.profile.list())
      server:release()
      assert(client.profile.create({ name = "x" }))
      local connections = server:journal()
      assert.equal(1, #connections[1].requests)
      assert.equal(1, #connections[2].requests)
    end)

    it("a write that meets the 408 of an idle connection is repeated, and executed once", function()
      local late = [[send("HTTP/1.1 408 Late\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")]]
      server:play(begin .. "request() ok() hold() " .. late, begin .. "serve()")
      assert(client.profile.list())
      server:release()
      assert(client.profile.create({ name = "x" }))
      local connections = server:journal()
      assert.equal(1, #connections[1].requests)
      assert.equal(1, #connections[2].requests)
    end)

    it("a connection is used again", function()
      server:play(begin .. "serve()")
      for _ = 1, 5 do
        assert(client.profile.list())
      end
      assert.equal(1, #server:journal())
    end)
  end)
end
