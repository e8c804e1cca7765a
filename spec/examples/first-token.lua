-- SPDX-License-Identifier: MIT
-- Makes a token of a profile from e-mail and password, and prints it; all else goes to stderr:
--
--   export T_ANALYSIS_TOKEN=$(lua first-token.lua Factory)
--
-- usage: lua first-token.lua [PROFILE [NAME]]     the profile's id or name; a name for the token
--
-- E-mail and password are TAGOIO_EMAIL and TAGOIO_PASSWORD, or are asked for, the password without
-- echo. So is, with two-factor authentication, TAGOIO_PIN_CODE, the authenticator's.

local tagoio = require("tagoio")

local function fail(message)
  io.stderr:write("first-token: ", message, "\n")
  os.exit(1)
end

-- ---- asking ----

io.stdin:setvbuf("no") -- the shell below reads from it, too

local function ask(what)
  io.stderr:write(what, ": ")
  local line = io.read()
  return line and line ~= "" and line or fail("nothing was typed")
end

-- Lua cannot switch the echo of a terminal off. What is typed comes through a pipe.
local read_hidden = [[
saved=$(stty -g 2>/dev/null)
trap 'stty "$saved" 2>/dev/null; exit 130' INT TERM
stty -echo 2>/dev/null
printf 'Password: ' >&2
IFS= read -r line
stty "$saved" 2>/dev/null
echo >&2
printf '%s' "$line"
]]

local function ask_password()
  local pipe = assert(io.popen(read_hidden))
  local password = pipe:read("*a")
  pipe:close()
  return password ~= "" and password or fail("nothing was typed")
end

local function ask_pin(otp_type)
  local known = otp_type == "authenticator" and os.getenv("TAGOIO_PIN_CODE")
  return known or ask(("Pin (%s)"):format(otp_type))
end

-- The one that was named, or the only one, or the one that is chosen.
local function choose(profiles, wanted)
  for i, row in ipairs(profiles) do
    if wanted == row.id or wanted == row.name then
      return row
    elseif not wanted and #profiles > 1 then
      io.stderr:write(("%d  %s  %s\n"):format(i, row.id, row.name))
    end
  end
  if wanted or #profiles == 1 then
    return not wanted and profiles[1] or fail("there is no profile " .. wanted)
  end
  return profiles[tonumber(ask("Profile, by its number"))] or fail("there is no such number")
end

-- ---- signing in ----

local client = assert(tagoio.new({ token = false }))
local account = client.account

-- By what way a pin is needed that was not given: an otp_type, or nil.
local function pin_needed(err)
  local message = err and type(err.details) == "table" and err.details.message
  return type(message) == "table" and message.otp_enabled and message.otp_autosend
end

-- The account; with two-factor authentication the person then has pin_code and otp_type.
local function sign_in(person)
  local login, message, err = account.login(person)
  person.otp_type = pin_needed(err) or nil
  if person.otp_type then
    person.pin_code = ask_pin(person.otp_type)
    login, message = account.login(person)
  end
  return login or fail(message)
end

-- A pin that was sent counts once: signing in took it.
local function renew_pin(person)
  if person.otp_type and person.otp_type ~= "authenticator" then
    local sent, message = account.requestLoginPINCode({
      email = person.email,
      password = person.password,
      otp_type = person.otp_type,
    })
    person.pin_code = sent and ask_pin(person.otp_type) or fail(message)
  end
end

local person = {
  email = os.getenv("TAGOIO_EMAIL") or ask("E-mail"),
  password = os.getenv("TAGOIO_PASSWORD") or ask_password(),
}
local chosen = choose(sign_in(person).profiles, arg[1])
renew_pin(person)
person.profile_id, person.name = chosen.id, arg[2] or "tagoio for Lua"
local made, message = account.tokenCreate(person)
if not made then
  fail(message)
end

-- Does it work?
local ready = assert(client:with({ token = made.token }))
local current, problem = ready.profile.info("current")
if not current then
  fail(problem)
end
io.stderr:write(("a token of %s, named %s:\n"):format(current.info.name, made.name))
print(made.token)
