-- SPDX-License-Identifier: MIT

--- The 17 operations on profiles, and three functions made of several calls, called with a dot.
-- They use a client that is made at the first call from the environment: `T_ANALYSIS_TOKEN` (then
-- `TAGOIO_TOKEN`), `TAGOIO_API`, `TAGOIO_REQUEST_ATTEMPTS`. `tagoio.new{...}.profile` has the
-- same functions.
--
-- Each returns its result, which is never nil or false; or nil, a message, and an err table with
-- `kind`, `status`, `attempts`, `details` and more. A wrong type, a missing or an extra argument,
-- an unknown key of a query raises.
--
-- What is said of the API is from TagoIO's official SDKs (tago-io/sdk-js 12.3.1 Profile.ts,
-- tago-io/sdk-python 5.1.2 Profile.py), its OpenAPI file and its documentation; what no document
-- says is marked "inferred". Fields may be added by TagoIO at any time, and may be missing.
--
-- A call is refused with `Authorization Denied` (401) when the token is unknown, has expired
-- (those made by signing in do after three months) or belongs to another region. The token of
-- an analysis also needs a policy in Access Management, which can grant `info`, `list`, `summary`
-- and `usageStatisticList` only (inferred); the other operations need the token of a profile.
-- @module tagoio.profile

local audit = require("tagoio.audit")
local check = require("tagoio.check")
local client = require("tagoio.client")
local names = require("tagoio.names")
local pages = require("tagoio.pages")

local tokens = { operation = "profile.tokenList", count = 2, key = "token" }

-- The functions for one client, in a table. `caller` makes its calls, as client.lua says.
local function new_profile(caller)
  local profile = {}

  local function call(operation, extra, ...)
    check.call(profile, operation, select("#", ...), (...), extra)
    return caller.call(operation, operation, ...)
  end

  --- A profile with its allocation, add-ons and plan.
  -- @tparam string profileID 24 hex digits, or `"current"`: the token's own profile
  -- @treturn table `info` (`id`, `account`, `name`, `logo_url`, `banner_url`, `created_at`,
  --   `updated_at`, `region`), `allocation` (a number for each service; `file_storage` in MB),
  --   `addons`, `account_plan` (`free`, `starter`, `scale`)
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  -- @usage local current = assert(tagoio.profile.info("current"))
  function profile.info(profileID, ...)
    return call("profile.info", (...), profileID)
  end

  --- All profiles of the account, and those that others share with it.
  -- @function list
  -- @treturn table an array of `{ id, name, logo_url }`; a shared one also has `account`, `profile`
  --   and `from_share = true`
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.list(...)
    return call("profile.list", (...))
  end

  --- Limits and use of a profile.
  -- @tparam string profileID
  -- @tparam[opt] table query `onlyAmount = true`: only `amount` (inferred; in the JavaScript SDK)
  -- @treturn table `limit` and `limit_used` (a number for each service, which may have a fraction),
  --   `amount` (how many devices, buckets, dashboards ...), `addons`, `tago_run`
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.summary(profileID, query, ...)
    return call("profile.summary", (...), profileID, query)
  end

  --- One page of a profile's tokens. The tokens themselves are in it: keep it out of logs.
  -- @tparam string profileID
  -- @tparam[opt] table query
  --
  -- * `page` (1), `amount` (20): rows on a page
  -- * `fields` (name, token, permission): also `type`, `serie_number`, `last_authorization`,
  --   `verification_code`, `expire_time`, `ref_id`, `created_at`, `created_by`
  -- * `filter`: as `{ name = "sensor*" }`, `{ token = ... }`, `{ permission = "full" }`
  -- * `orderBy` (`{ "created_at", "asc" }`): or `"name,desc"`
  -- @treturn table an array; `expire_time` is `"never"`, a date, or null for never
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.tokenList(profileID, query, ...)
    return call("profile.tokenList", (...), profileID, query)
  end

  --- An iterator over all tokens of a profile, page after page, each asked for when it is needed.
  -- A failure raises its err table; the iterator then goes on with the same page when it is called
  -- again. To delete tokens collect them first, with `tokenListAll`: what is deleted while paging
  -- makes the later rows move up, and rows are skipped. Inside `tagoio.map` use `tokenListAll` as
  -- well if it is to run on Lua 5.1 (not LuaJIT), where a `for` cannot give way to others.
  -- @tparam string profileID
  -- @tparam[opt] table query of `tokenList`; `page` is the first one, `amount` (100) their size
  -- @treturn function iterator that gives a row, nil after the last
  -- @usage for token in tagoio.profile.tokenListEach(id, { fields = { "name" } }) do
  --   print(token.name)
  -- end
  function profile.tokenListEach(profileID, query, ...)
    check.call(profile, "profile.tokenListEach", 2, profileID, (...))
    return pages.each(caller, tokens, "profile.tokenListEach", profileID, query)
  end

  --- All tokens of a profile in an array.
  -- @tparam string profileID
  -- @tparam[opt] table query of `tokenList`; `page` is the first one, `amount` (100) their size
  -- @tparam[opt] table options `limit`: rows at most
  -- @treturn table an array of rows
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.tokenListAll(profileID, query, options, ...)
    check.call(profile, "profile.tokenListAll", 3, profileID, (...))
    return pages.all(caller, tokens, "profile.tokenListAll", profileID, query, options)
  end

  --- Makes a profile. Two may have the same name; the plan limits their number. Never retried
  -- once it may have reached TagoIO.
  -- @tparam table body `name`
  -- @tparam[opt] table query `allocate_free_resources = true`: gives it all that is not allocated
  -- @treturn table `{ id = ... }`
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err with `maybe_applied` when it may exist all the same
  function profile.create(body, query, ...)
    return call("profile.create", (...), body, query)
  end

  --- Changes a profile.
  -- @tparam string profileID
  -- @tparam table body `name`, `logo_url`, `banner_url` (inferred); `tagoio.null` clears one
  -- @treturn string a sentence such as `Successfully Updated`, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.edit(profileID, body, ...)
    return call("profile.edit", (...), profileID, body)
  end

  --- Removes a profile and all that is in it, for good. Never retried once it may have reached
  -- TagoIO.
  -- @tparam string profileID
  -- @tparam table body `password` of the account; with two-factor authentication also `pin_code`
  --   and `otp_type` (`authenticator`, `sms`, `email`; inferred)
  -- @treturn string a sentence such as `Successfully Removed`, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.delete(profileID, body, ...)
    return call("profile.delete", (...), profileID, body)
  end

  --- Use of the services over time. Counters add up within the period; `data_records` and
  -- `file_storage` say what is there. A service that was not used is absent.
  -- @tparam string profileID
  -- @tparam[opt] table query `date` (the hours of one day), or `start_date`, `end_date` and
  --   `periodicity` (`hour`, `day`, `month`); `timezone` (an IANA name, else UTC). A date is a
  --   string, sent as it is, or a number of seconds since 1970.
  -- @treturn table an array of `{ time, input, output, analysis, ... }`
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.usageStatisticList(profileID, query, ...)
    return call("profile.usageStatisticList", (...), profileID, query)
  end

  --- Starts a query of the audit log, which keeps six months. Only the owner of the account may
  -- read it, and a query spans seven days at most (the user interface says so; of the API it is
  -- inferred).
  -- @tparam string profileID
  -- @tparam[opt] table query `resourceID`; `resourceName` (`action`, `am`, `analysis`, `connector`,
  --   `dashboard`, `device`, `dictionary`, `network`, `profile`, `run`, `runuser`); `find` (a text,
  --   or `"*"`); `start_date`, `end_date`; `limit`
  -- @treturn table `queryId`, always; `status`, `events` and `statistics` as far as they are there
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.auditLog(profileID, query, ...)
    return call("profile.auditLog", (...), profileID, query)
  end

  --- How far a query of the audit log is.
  -- @tparam string profileID
  -- @tparam string queryId of `auditLog`
  -- @treturn table `status` (`Running`, `Complete`, `Failed`, `Timeout`, `Unknown`), `queryId`,
  --   `events` (an array of `{ resourceName, message, resourceID, who, date }`), `statistics`
  --   (`recordsMatched`, `recordsScanned`, `bytesScanned`)
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.auditLogQuery(profileID, queryId, ...)
    return call("profile.auditLogQuery", (...), profileID, queryId)
  end

  --- Queries the audit log to the end: starts a query and asks for it until it is complete, after
  -- pauses that grow from half a second to five. There is no pause when it is complete at once.
  -- @tparam string profileID
  -- @tparam[opt] table query of `auditLog`
  -- @tparam[opt] table options
  --
  -- * `timeout` (60): seconds until it is given up; each call in it also keeps to the client's own
  -- * `on_progress`: `function(response)`, called with each response before the last
  -- * `queryId`: goes on with a query that was started before
  -- @treturn table the events: an array of `{ resourceName, message, resourceID, who, date }`
  -- @treturn table the last response, as of `auditLogQuery`, with `truncated`: true when a limit
  --   left events out: ask for shorter intervals
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err of the kind `api` when the query ended as `Failed`, `Timeout`, `Unknown`
  --   or `Cancelled`, `timeout` when there was no time left; `err.queryId` names the query
  -- @usage local week = { start_date = os.time() - 7 * 86400, end_date = os.time() }
  -- local events = assert(tagoio.profile.auditLogEvents(id, week, { timeout = 300 }))
  function profile.auditLogEvents(profileID, query, options, ...)
    check.call(profile, "profile.auditLogEvents", 3, profileID, (...))
    return audit.events(caller, profileID, query, options)
  end

  --- Allocates services to a profile. Never retried once it may have reached TagoIO: it may cost
  -- money. Rejected when the sum is over the account's limit (inferred).
  -- @tparam string profileID
  -- @tparam table body a number for each service: `input`, `output`, `analysis`, `data_records`,
  --   `sms`, `email`, `run_users`, `push_notification`, `file_storage` (MB)
  -- @treturn string a sentence such as `Profile resource allocation Successfully Updated`, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.serviceEdit(profileID, body, ...)
    return call("profile.serviceEdit", (...), profileID, body)
  end

  --- Moves the token that makes this call to another profile: from then on it works there alone.
  -- Never retried once it may have reached TagoIO.
  -- @tparam string targetProfileID
  -- @treturn string a sentence such as `Token Successfully Transferred`, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.transferTokenToAnotherProfile(targetProfileID, ...)
    return call("profile.transferTokenToAnotherProfile", (...), targetProfileID)
  end

  --- Makes a token of a profile. The response is the only place where it is sure to be seen. Never
  -- retried once it may have reached TagoIO.
  -- @tparam string profileID
  -- @tparam table body `name`; `permission` (`full`: create, read, edit and delete; `write`: create
  --   and edit; `read`); `email` and `password` of the account; `expire_time` (`"never"`, a span
  --   such as `"3 months"`, a date, or seconds since 1970); with two-factor authentication
  --   `pin_code` (a string) and `otp_type` (`authenticator`, `sms`, `email`)
  -- @treturn table `{ token, expire_date, permission, name }`
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err with `maybe_applied` when it may exist all the same
  function profile.tokenCreate(profileID, body, ...)
    return call("profile.tokenCreate", (...), profileID, body)
  end

  --- Removes a token, which then works nowhere.
  -- @tparam string profileID
  -- @tparam string token
  -- @treturn string a sentence such as `Token Successfully Removed`, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err 404 with `maybe_applied` after a retry: it was likely the first
  --   attempt that removed it
  function profile.tokenDelete(profileID, token, ...)
    return call("profile.tokenDelete", (...), profileID, token)
  end

  --- Invites somebody by e-mail; the invitation is valid for seven days. Only the owner may. Never
  -- retried once it may have reached TagoIO: it sends mail.
  -- @tparam string profileID
  -- @tparam string email of a TagoIO account
  -- @treturn string a sentence such as `User invited`, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.addTeamMember(profileID, email, ...)
    return call("profile.addTeamMember", (...), profileID, email)
  end

  --- The team of a profile.
  -- @tparam string profileID
  -- @treturn table an array of `{ id, name, email, active, created_at }`; `active` is false while
  --   the invitation is open (inferred)
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.teamList(profileID, ...)
    return call("profile.teamList", (...), profileID)
  end

  --- Removes somebody from the team of a profile, or takes an invitation back.
  -- @tparam string profileID
  -- @tparam string accountId the `id` in `teamList`
  -- @treturn string a sentence such as `Account Successfully Removed`, or true
  -- @treturn[2] nil
  -- @treturn[2] string message
  -- @treturn[2] table err
  function profile.deleteTeamMember(profileID, accountId, ...)
    return call("profile.deleteTeamMember", (...), profileID, accountId)
  end

  return names.guard(profile, "profile")
end

client.tables.profile = new_profile

return new_profile(client.caller(client.lazy())) --[[@as tagoio.profile]]
