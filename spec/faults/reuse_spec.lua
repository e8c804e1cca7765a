-- SPDX-License-Identifier: MIT
-- Connections that are used again, and die: what the server read, it read once if it matters.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")

local id = emulator.profile

-- What cannot be repeated, and what can: its name, how it is called.
local once = {
  create = function(profile)
    return profile.create({ name = "x" })
  end,
  delete = function(profile)
    return profile.delete(id, { password = "correct-horse", pin_code = "123456" })
  end,
  transferTokenToAnotherProfile = function(profile)
    return profile.transferTokenToAnotherProfile(id)
  end,
}

local again = {
  list = function(profile)
    return profile.list()
  end,
  edit = function(profile)
    return profile.edit(id, { name = "x" })
  end,
  tokenDelete = function(profile)
    return profile.tokenDelete(id, "p-to-be-deleted")
  end,
}

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
      for name, call in pairs(once) do
        it(("%s that dies with %s is executed once"):format(name, death), function()
          warm_up(death)
          local result, message, err = call(client.profile)
          assert.is_nil(result)
          assert.equal("network", err.kind)
          assert.is_true(err.maybe_applied)
          assert.equal(1, err.attempts)
          assert.matches("; it may have been applied$", message)
          assert.equal(2, server:executed())
          assert(client.profile.list())
        end)
      end

      for name, call in pairs(again) do
        it(("%s that dies with %s is repeated"):format(name, death), function()
          warm_up(death)
          assert(call(client.profile))
          local connections = server:journal()
          assert.equal(2, #connections)
          assert.equal(2, #connections[1].requests)
          assert.equal(connections[1].requests[2], connections[2].requests[1])
        end)
      end
    end

    it("a write is repeated when the server closed before reading it", function()
      server:play(begin .. "request() ok() hold() reset()", begin .. "serve()")
      assert(client.profile.list())
      server:release()
      assert(client.profile.create({ name = "x" }))
      local connections = server:journal()
      assert.equal(1, #connections[1].requests)
      assert.equal(1, #connections[2].requests)
    end)
  end)
end
