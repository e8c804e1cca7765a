-- SPDX-License-Identifier: MIT
-- Who a person is: e-mail, password and the pin of two-factor authentication, and the routes that
-- need no token.

local account = require("account")
local json = require("json")
local refuse = require("refuse")
local state = require("state")

local login = {}

local sent_by = { sms = "+1 555 0100", email = state.email() }

local function send_pin(otp_type)
  state.pins[otp_type] = state.new_pin()
  state.send({
    kind = "pin_code",
    otp_type = otp_type,
    to = sent_by[otp_type],
    pin_code = state.pins[otp_type],
  })
end

-- The pin of the authenticator is a setting; one that was sent counts once. Without otp_type any
-- of them fits.
local function take_pin(pin, otp_type)
  if pin == state.config.pin_code and (otp_type or "authenticator") == "authenticator" then
    return true
  end
  for by, sent in pairs(state.pins) do
    if pin == sent and (otp_type or by) == by then
      state.pins[by] = nil
      return true
    end
  end
  return false
end

local function check_pin(given)
  if state.config.pin_code == "" then
    return
  elseif given.pin_code == nil then
    local by = state.config.otp_autosend
    if sent_by[by] then
      send_pin(by)
    end
    refuse(401, json.encode({ otp_enabled = true, otp_autosend = by }))
  elseif not take_pin(given.pin_code, given.otp_type) then
    refuse(401, "Invalid PIN code")
  end
end

local function check_text(given, name, right)
  if type(given[name]) ~= "string" then
    refuse(400, ("%s is required"):format(name:gsub("^%l", string.upper)))
  elseif given[name] ~= right then
    refuse(401, "Invalid " .. name)
  end
end

-- password, and pin_code where two-factor authentication is on.
function login.check_password(body)
  local given = type(body) == "table" and body or {}
  check_text(given, "password", state.password())
  check_pin(given)
end

-- These and the e-mail address.
function login.check_person(body)
  check_text(type(body) == "table" and body or {}, "email", state.email())
  login.check_password(body)
end

-- ---- handlers ----

function login.enter(asked)
  login.check_person(asked.json)
  local profiles = json.array()
  for _, profile in ipairs(account.own_profiles()) do
    profiles[#profiles + 1] = {
      id = profile.id,
      account = profile.account,
      name = profile.name,
      logo_url = profile.logo_url or json.null,
    }
  end
  return {
    id = state.owner,
    type = "user",
    name = "Owner",
    company = "Example",
    email = state.email(),
    profiles = profiles,
  }
end

function login.request_pin(asked)
  local given = type(asked.json) == "table" and asked.json or {}
  check_text(given, "email", state.email())
  check_text(given, "password", state.password())
  if state.config.pin_code == "" then
    refuse(400, "Two-factor authentication is not enabled")
  elseif not sent_by[given.otp_type] then
    refuse(400, "Invalid otp_type")
  end
  send_pin(given.otp_type)
  return "PIN code sent"
end

return login
