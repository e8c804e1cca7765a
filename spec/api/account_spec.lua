-- SPDX-License-Identifier: MIT
-- What needs no token, over real sockets: signing in with and without a second factor, the first
-- token of a profile, invitations. And clients without a token.

local emulator = require("spec.support.emulator")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local id = emulator.profile

-- E-mail and password, and more.
local function person(others)
  local body = { email = emulator.email, password = emulator.password }
  for name, value in pairs(others or {}) do
    body[name] = value
  end
  return body
end

local function first_token(others)
  local body = person({ profile_id = id, name = "First" })
  for name, value in pairs(others or {}) do
    body[name] = value
  end
  return body
end

describe("the account", function()
  local client, account

  before_each(function()
    emulator.reset()
    client = emulator.client({ token = false })
    account = client.account
  end)

  after_each(function()
    client:close()
  end)

  it("is entered without a token: there is no header for one", function()
    local login = assert(account.login(person()))
    assert.equal("Factory", login.profiles[1].name)
    local request = emulator.request()
    assert.same({ "POST", "/account/login" }, { request.method, request.uri })
    assert.equal("application/json", request.headers["content-type"])
    for _, name in ipairs({ "token", "authorization", "profile-token", "account-token" }) do
      assert.is_nil(request.headers[name])
    end
  end)

  it("gets no token from a client that has one either", function()
    local other = emulator.client()
    assert(other.account.login(person()))
    assert(other.account.tokenCreate(first_token()))
    assert(other.profile.list())
    local journal = emulator.journal()
    assert.is_nil(journal[1].headers.token)
    assert.is_nil(journal[2].headers.token)
    assert.equal("<token>", journal[3].headers.token)
    other:close()
  end)

  it("gives a token with which a derived client works, on the same connection", function()
    local made = assert(account.tokenCreate(first_token()))
    local ready = assert(client:with({ token = made.token }))
    assert.equal("Factory", assert(ready.profile.info("current")).info.name)
    local journal = emulator.journal()
    assert.equal(journal[1].connection, journal[2].connection)
    assert.matches('"profile_id":"' .. id .. '"', journal[1].body)
  end)

  it("is asked for in the region of the environment, whatever token is there", function()
    local output = process.run_lua(
      [[
        local tagoio = require("tagoio")
        local body = { email = os.getenv("EMAIL"), password = os.getenv("PASSWORD") }
        print(assert(tagoio.account.login(body)).email)
      ]],
      {
        TAGOIO_API = emulator.http,
        T_ANALYSIS_TOKEN = "not a token",
        EMAIL = emulator.email,
        PASSWORD = emulator.password,
      }
    )
    assert.equal(emulator.email .. "\n", output)
    assert.is_nil(emulator.request().headers.token)
  end)

  it("is never entered twice by one call: a pin counts once", function()
    emulator.inject({ match = { path = "/account/login" }, status = 502, body = "" })
    local _, _, err = account.login(person())
    assert.same({ "api", 502, 1, true }, { err.kind, err.status, err.attempts, err.maybe_applied })
    emulator.inject({ match = { path = "/account/profile/token" }, status = 502, body = "" })
    _, _, err = account.tokenCreate(first_token())
    assert.equal(1, err.attempts)
  end)

  it("raises for what is no body", function()
    assert.has_error(function()
      account.login()
    end, "account.login: body must be a table with keys (got nothing)")
    local called = "account.login: call it with a dot, account.login(...), not with a colon"
    assert.has_error(function()
      account:login(person())
    end, called)
    assert.has_error(function()
      account.tokenCreate({}, {})
    end, "account.tokenCreate: argument 2 is one too many (there are 1)")
  end)

  describe("with two-factor authentication", function()
    local pin = "918273"

    before_each(function()
      emulator.reset({ pin_code = pin })
    end)

    it("says readably that a pin is needed, and has the details decoded", function()
      local login, message, err = account.login(person())
      assert.is_nil(login)
      local readable = "account.login: two-factor authentication is on: pin_code and otp_type are "
        .. "needed (otp_autosend: email) (HTTP 401, "
      assert.equal(readable, message:sub(1, #readable))
      assert.same({ otp_enabled = true, otp_autosend = "email" }, err.details.message)
      assert.same({ "api", 401 }, { err.kind, err.status })
    end)

    it("is entered with the code that the refused login had sent", function()
      account.login(person())
      local code = emulator.outbox()[1].pin_code
      assert(account.login(person({ pin_code = code, otp_type = "email" })))
    end)

    it("sends another code where it is asked to, for the token", function()
      local sentence = assert(account.requestLoginPINCode(person({ otp_type = "sms" })))
      assert.equal("PIN code sent", sentence)
      local code = emulator.outbox()[1].pin_code
      local made = assert(account.tokenCreate(first_token({ pin_code = code, otp_type = "sms" })))
      assert.equal("First", made.name)
    end)

    it("says the same where a token or the end of a profile needs a pin", function()
      local _, message, err = account.tokenCreate(first_token())
      assert.matches("two%-factor authentication is on", message)
      assert.is_true(err.details.message.otp_enabled)
      local other = emulator.client()
      _, message = other.profile.delete(id, { password = emulator.password })
      assert.matches("^profile.delete: two%-factor authentication is on", message)
      other:close()
    end)
  end)

  describe("answers an invitation", function()
    local function invite(email)
      local owner = emulator.client()
      assert(owner.profile.addTeamMember(id, email))
      owner:close()
      local outbox = emulator.outbox()
      return outbox[#outbox].token
    end

    it("with the token of its mail: accepts it, declines it", function()
      local accepted, declined = invite("ada@example.com"), invite("bob@example.com")
      assert.equal("Invitation accepted", assert(account.acceptTeamInvitation(accepted)))
      assert.equal("Invitation declined", assert(account.declineTeamInvitation(declined)))
      local owner, active = emulator.client(), {}
      for _, member in ipairs(assert(owner.profile.teamList(id))) do
        active[member.email] = member.active
      end
      assert.same({ ["ada@example.com"] = true, ["grace@example.com"] = true }, active)
      owner:close()
    end)

    it("again when the answer was lost, and says that it may have worked", function()
      local token = invite("ada@example.com")
      emulator.inject({ execute = true, status = 502, body = "" })
      local _, message, err = account.acceptTeamInvitation(token)
      assert.same({ 404, 2, true }, { err.status, err.attempts, err.maybe_applied })
      assert.matches("Invitation not found", message)
    end)

    it("and shows its token nowhere", function()
      local token, events = "p-of-an-invitation", {}
      local loud = assert(client:with({
        on_attempt = function(event)
          events[#events + 1] = tagoio.encode(event)
        end,
      }))
      emulator.answer("/profile/team/accept/" .. token, 404, '{"message":"no ' .. token .. '"}')
      local _, message = loud.account.acceptTeamInvitation(token)
      assert.matches("account.acceptTeamInvitation: no %*%*%* ", message)
      assert.equal(1, #events)
      assert.is_truthy(events[1]:find("/profile/team/accept/{}", 1, true), events[1])
      assert.is_nil(events[1]:find(token, 1, true))
    end)
  end)

  it("shows no password, pin or token in messages and events", function()
    local events = {}
    local loud = assert(client:with({
      on_attempt = function(event)
        events[#events + 1] = assert(tagoio.encode(event))
      end,
    }))
    local given = person({ pin_code = "123456", otp_type = "sms" })
    local echo = tagoio.encode({ message = "got " .. tagoio.encode(given) })
    emulator.inject({ status = 400, body = echo })
    local _, message, err = loud.account.login(given)
    local secret = "p-83f1c9d2-0000"
    emulator.inject({
      json = { status = true, message = "new: " .. secret, result = { token = secret } },
    })
    local made = assert(loud.account.tokenCreate(first_token()))
    assert.equal(secret, made.token)
    assert.equal(2, #events)
    assert.matches('"message":"new: %*%*%*"', events[2])
    local shown = table.concat({ message, tagoio.encode(err.details), table.concat(events) })
    for _, text in ipairs({ emulator.password, "123456", secret }) do
      assert.is_nil(shown:find(text, 1, true), shown)
    end
  end)
end)

describe("a client without a token", function()
  local client

  before_each(function()
    emulator.reset()
    client = emulator.client({ token = false })
  end)

  after_each(function()
    client:close()
  end)

  it("sends nothing for what needs one", function()
    local rows, message, err = client.profile.list()
    assert.is_nil(rows)
    assert.equal("profile.list: no token: this client has none", message)
    assert.same({ "invalid", 0 }, { err.kind, err.attempts })
    assert.same({}, emulator.journal())
  end)

  it("asks any other endpoint without one", function()
    local status = assert(client:request({ method = "GET", path = { "status" } }))
    assert.equal("0.0.0-emulator", status.version)
    assert.is_nil(emulator.request().headers.token)
  end)

  it("is made by with, too, and gets one by with", function()
    local open = assert(emulator.client():with({ token = false }))
    assert.equal("invalid", select(3, open.profile.list()).kind)
    assert(assert(open:with({ token = emulator.token })).profile.list())
  end)

  it("is not made by true", function()
    assert.has_error(function()
      tagoio.new({ token = true })
    end, "tagoio.new: token must be a string, or false for none")
  end)
end)
