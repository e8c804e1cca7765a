-- SPDX-License-Identifier: MIT
-- The emulator's doors around the profile, asked by LuaSocket: what needs no token, invitations,
-- the account's allocation; and its sketch of devices.

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")

local id = emulator.profile
local owner = "5bbe3d1d4d3ad10021e1d0a1"
local own = "/profile/" .. id
local call, result, refusal = emulator.call, emulator.result, emulator.refusal
local column = emulator.column

describe("the emulator's", function()
  before_each(function()
    emulator.reset()
  end)

  describe("account", function()
    local login, first_token = "/account/login", "/account/profile/token"

    local function person(others)
      local body = { email = emulator.email, password = emulator.password }
      for name, value in pairs(others or {}) do
        body[name] = value
      end
      return body
    end

    it("is entered by e-mail and password, without a token", function()
      local answer = result("POST", login, person(), false)
      assert.same({ owner, emulator.email }, { answer.id, answer.email })
      assert.same({ "Factory", "Warehouse" }, column(answer.profiles, "name"))
      local wrong = person({ password = "wrong" })
      assert.equal("401 Invalid password", refusal("POST", login, wrong, false))
      wrong = person({ email = "x@example.com" })
      assert.equal("401 Invalid email", refusal("POST", login, wrong, false))
      assert.equal("400 Email is required", refusal("POST", login, { password = "x" }, false))
    end)

    it("gives a first token, which works", function()
      local body = person({ profile_id = id, name = "First", expire_time = "3 month" })
      local made = result("POST", first_token, body, false)
      assert.same({ owner, "First", "full", id }, {
        made.created_by,
        made.name,
        made.permission,
        made.profile,
      })
      assert.equal(id, result("GET", "/profile/current", nil, made.token).info.id)
      assert.equal("400 Name is required", refusal("POST", first_token, person(), false))
      body.profile_id = "5bbe3d1d4d3ad10021e1d2c3" -- somebody else's
      assert.equal(403, (call("POST", first_token, body, false)))
    end)

    describe("with two-factor authentication", function()
      before_each(function()
        emulator.reset({ pin_code = "918273" })
      end)

      it("answers a login without a pin with JSON in the message, and sends a code", function()
        local status, answer = call("POST", login, person(), false)
        assert.equal(401, status)
        assert.equal("string", type(answer.message))
        assert.same({ otp_enabled = true, otp_autosend = "email" }, dkjson.decode(answer.message))
        local sent = emulator.outbox()[1]
        assert.same({ "pin_code", "email", emulator.email }, { sent.kind, sent.otp_type, sent.to })
        assert.matches("^%d%d%d%d%d%d$", sent.pin_code)
      end)

      it("sends no code where the authenticator has it", function()
        emulator.reset({ pin_code = "918273", otp_autosend = "authenticator" })
        local _, answer = call("POST", login, person(), false)
        assert.equal("authenticator", dkjson.decode(answer.message).otp_autosend)
        assert.same({}, emulator.outbox())
      end)

      it("knows the pin of the authenticator", function()
        local body = person({ pin_code = "918273", otp_type = "authenticator" })
        assert.equal(owner, result("POST", login, body, false).id)
        body.otp_type = "sms"
        assert.equal("401 Invalid PIN code", refusal("POST", login, body, false))
      end)

      it("sends a pin that counts once", function()
        local request = person({ otp_type = "sms" })
        assert.equal("PIN code sent", result("POST", "/account/login/otp", request, false))
        local body = person({ profile_id = id, name = "x", otp_type = "sms" })
        body.pin_code = emulator.outbox()[1].pin_code
        result("POST", first_token, body, false)
        assert.equal("401 Invalid PIN code", refusal("POST", first_token, body, false))
      end)

      it("needs a pin to delete a profile, to fetch a backup, to create a token", function()
        local routes = {
          { "DELETE", own, {} },
          { "POST", own .. "/token", { name = "x", permission = "read" } },
        }
        for _, row in ipairs(routes) do
          local status, answer = call(row[1], row[2], person(row[3]))
          assert.equal(401, status)
          assert.is_true(dkjson.decode(answer.message).otp_enabled)
        end
        result("DELETE", own, { password = emulator.password, pin_code = "918273" })
      end)

      it("sends none by a way that does not exist", function()
        local body = person({ otp_type = "pigeon" })
        assert.equal("400 Invalid otp_type", refusal("POST", "/account/login/otp", body, false))
      end)

      it("keeps every pin out of the journal", function()
        call("POST", login, person({ pin_code = "918273" }), false)
        call("POST", login, person({ pin_code = 918273 }), false)
        assert.is_nil(dkjson.encode(emulator.journal()):find("918273", 1, true))
      end)
    end)

    it("sends no pin when two-factor authentication is off", function()
      local body = person({ otp_type = "sms" })
      local message = "Two-factor authentication is not enabled"
      assert.equal("400 " .. message, refusal("POST", "/account/login/otp", body, false))
    end)
  end)

  describe("invitations", function()
    local function invite()
      result("POST", own .. "/team", { email = "new@example.com" })
      local sent = emulator.outbox()[1]
      assert.same({ "invitation", "new@example.com", id }, { sent.kind, sent.to, sent.profile })
      return sent.token
    end

    it("are accepted without a token of a profile", function()
      local path = "/profile/team/accept/" .. invite()
      assert.is_false(result("GET", own .. "/team")[2].active)
      assert.equal("Invitation accepted", result("GET", path, nil, false))
      assert.is_true(result("GET", own .. "/team")[2].active)
      assert.equal("404 Invitation not found", refusal("GET", path, nil, false)) -- once
      assert.equal(1, emulator.counts().executed["GET /profile/team/accept/{}"])
    end)

    it("are declined, and gone", function()
      local path = "/profile/team/decline/" .. invite()
      assert.equal("Invitation declined", result("GET", path, nil, false))
      assert.equal(1, #result("GET", own .. "/team"))
    end)

    it("are void when the member is removed", function()
      local token = invite()
      local member = result("GET", own .. "/team")[2].id
      result("DELETE", own .. "/team/" .. member)
      local path = "/profile/team/accept/" .. token
      assert.equal("404 Invitation not found", refusal("GET", path, nil, false))
    end)

    it("are not in the journal with their tokens", function()
      local token = invite()
      call("GET", "/profile/team/accept/" .. token, nil, false)
      call("GET", "/profile/team/accept/unknown", nil, false)
      local journal = emulator.journal()
      assert.equal("/profile/team/accept/<token>", journal[#journal - 1].path)
      assert.equal("/profile/team/accept/<unknown token>", journal[#journal].uri)
    end)
  end)

  describe("allocation of the account", function()
    local path = "/account/allocation"
    local warehouse = "5bbe3d1d4d3ad10021e1d2b2"

    local function input_of(profile)
      return result("GET", "/profile/" .. profile).allocation.input
    end

    it("has a row for each profile of one's own", function()
      local rows = result("GET", path)
      assert.same({ id, warehouse }, column(rows, "profile"))
      assert.same({ 1000000, 10 }, { rows[1].input, rows[1].sms })
    end)

    it("may move all of a service from one profile to another at once", function()
      local said = result("POST", path, {
        { profile = warehouse, input = 4000000 },
        { profile = id, input = 0 },
      })
      assert.equal("Profile resource allocation Successfully Updated", said)
      assert.same({ 0, 4000000 }, { input_of(id), input_of(warehouse) })
    end)

    it("is changed as a whole or not at all", function()
      local message = "The allocated sum of input exceeds the limit of the account"
      local rows = { { profile = id, input = 1 }, { profile = warehouse, input = 4000000 } }
      assert.equal("400 " .. message, refusal("POST", path, rows))
      rows[2] = { profile = "5bbe3d1d4d3ad10021e1d2ff", input = 1 }
      assert.equal("404 Profile not found", refusal("POST", path, rows))
      rows[2] = { profile = warehouse, inputs = 1 }
      assert.equal("400 Invalid service: inputs", refusal("POST", path, rows))
      message = "400 An array of allocations is required"
      assert.equal(message, refusal("POST", path, { profile = id }))
      assert.equal(1000000, input_of(id))
    end)

    it("needs two profiles", function()
      result("DELETE", "/profile/" .. warehouse, { password = emulator.password })
      local rows = { { profile = id, input = 1 } }
      local message = "400 Account only has one profile"
      assert.equal(message, refusal("POST", path, rows))
      assert.equal(message, refusal("POST", own .. "/services", { input = 1 }))
    end)
  end)

  describe("devices", function()
    it("come in pages, with fields, filtered and in order", function()
      assert.equal(12, #result("GET", "/device"))
      local query = "/device?page=2&amount=2&fields[0]=name&orderBy=created_at,desc"
        .. "&filter[name]=press*"
      assert.same({ { name = "Press 10" }, { name = "Press 9" } }, result("GET", query))
      local tagged = "/device?filter[tags][0][key]=line&filter[tags][0][value]=B&fields[0]=name"
      assert.equal(4, #result("GET", tagged))
      assert.equal("400 Invalid fields parameter", refusal("GET", "/device?fields[0]=secret"))
      assert.equal("400 Invalid page parameter", refusal("GET", "/device?page=0"))
    end)

    it("are those of the token's profile", function()
      assert.equal(2, #result("GET", "/device", nil, "p-2b9d7e58-0c4f-4f92-a6d3-5e81b7f4c026"))
      assert.equal(12, result("GET", own .. "/summary").amount.device)
    end)

    it("are made, read, changed and deleted", function()
      local tags = { { key = "a", value = "b" } }
      local made = result("POST", "/device", { name = "New", tags = tags })
      local device = "/device/" .. made.device_id
      assert.same({ "New", made.bucket_id, "b" }, {
        result("GET", device).name,
        result("GET", device).bucket,
        result("GET", device).tags[1].value,
      })
      assert.equal("Successfully Updated", result("PUT", device, { active = false }))
      assert.is_false(result("GET", device).active)
      assert.equal("New", result("GET", device).name)
      assert.equal("400 Unknown member: nmae", refusal("PUT", device, { nmae = "x" }))
      assert.equal("400 Name is required", refusal("POST", "/device", { tags = {} }))
      assert.equal("Successfully Removed", result("DELETE", device))
      assert.equal("404 Device not found", refusal("GET", device))
    end)

    it("have parameters, sent or not", function()
      local device = result("GET", "/device?amount=1")[1].id
      local path = "/device/" .. device .. "/params"
      assert.equal(2, #result("GET", path))
      assert.is_true(result("GET", path .. "?sent_status=true")[1].sent)
      assert.is_false(result("GET", path .. "?sent_status=false")[1].sent)
      assert.equal("400 Invalid sent_status parameter", refusal("GET", path .. "?sent_status=1"))
    end)

    it("have buckets", function()
      local buckets = result("GET", "/bucket?amount=100")
      assert.equal(12, #buckets)
      local bucket = result("GET", "/bucket/" .. buckets[1].id)
      assert.equal(buckets[1].name, bucket.name)
      assert.equal("404 Bucket not found", refusal("GET", "/bucket/x"))
    end)
  end)
end)
