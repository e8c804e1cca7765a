-- SPDX-License-Identifier: MIT

--- What comes before a token, and beside it: signing in, a first token of a profile, invitations to
-- a team. None of these functions needs a token or sends the client's. They use a client of their
-- own, to the region of the environment (`TAGOIO_API`, else us-e1). Every client has the same
-- functions as `client.account`; `tagoio.new { token = false, region = ... }` makes one that has
-- no token.
--
-- Names are those of TagoIO's SDK for JavaScript (tago-io/sdk-js 12.3.1, Account.ts). Passwords,
-- pins and tokens are in no message and no event. Results belong to the caller: keep the tokens in
-- them out of logs.
--
-- With two-factor authentication, `login`, `tokenCreate` and `profile.delete` need a `pin_code` (a
-- string) and its `otp_type`. Without them the error is of the kind `api`, and
-- `err.details.message` is a table: `otp_enabled` (true) and `otp_autosend` (`email` or `sms`: a
-- code was sent; else `authenticator`).
-- @module tagoio.account

local check = require("tagoio.check")
local client = require("tagoio.client")
local names = require("tagoio.names")

-- The functions for one client, in a table. `caller` makes its calls, as client.lua says.
local function new_account(caller)
  local account = {}

  local function call(operation, extra, ...)
    check.call(account, operation, select("#", ...), (...), extra)
    return caller.call(operation, operation, ...)
  end

  --- Signs in. It tells of the account's profiles, for `tokenCreate`. Never retried once it may
  -- have reached TagoIO: a pin counts once, and a code may be sent.
  -- @tparam table body `email`, `password`; with two-factor authentication `pin_code` and
  --   `otp_type` (`authenticator`, `sms`, `email`)
  -- @treturn table `id`, `name`, `email`, `company`, `type`, `profiles` (an array of `{ id, name,
  --   account, logo_url }`), and maybe a `token` of the account with its `expire_date`, which is
  --   a secret
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function account.login(body, ...)
    return call("account.login", (...), body)
  end

  --- Has a pin sent, which counts once: for `login`, `tokenCreate` or `profile.delete`. Never
  -- retried once it may have reached TagoIO.
  -- @tparam table body `email`, `password`, `otp_type` (`sms` or `email`)
  -- @treturn string a sentence, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function account.requestLoginPINCode(body, ...)
    return call("account.requestLoginPINCode", (...), body)
  end

  --- Makes a token of a profile by e-mail and password: the first one, say. Never retried once it
  -- may have reached TagoIO.
  -- @tparam table body `profile_id`, `email`, `password`, `name` of the token; with two-factor
  --   authentication `pin_code` and `otp_type`
  -- @treturn table `token`, a secret, and `name`, `profile`, `permission` and more
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err with `maybe_applied` when it may exist all the same
  function account.tokenCreate(body, ...)
    return call("account.tokenCreate", (...), body)
  end

  --- Accepts the invitation to a team.
  -- @tparam string token of the invitation, as its mail has it
  -- @treturn string a sentence, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err 404 with `maybe_applied` after a retry: it was likely the first attempt
  --   that accepted it
  function account.acceptTeamInvitation(token, ...)
    return call("account.acceptTeamInvitation", (...), token)
  end

  --- Declines the invitation to a team.
  -- @tparam string token of the invitation, as its mail has it
  -- @treturn string a sentence, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err as of `acceptTeamInvitation`
  function account.declineTeamInvitation(token, ...)
    return call("account.declineTeamInvitation", (...), token)
  end

  return names.guard(account, "account")
end

client.tables.account = new_account

return new_account(client.caller(client.lazy(false))) --[[@as tagoio.account]]
