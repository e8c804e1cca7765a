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
-- What is said of the API is from TagoIO's official SDKs (tago-io/sdk-js 12.2.9 Profile.ts,
-- tago-io/sdk-python 5.1.2 Profile.py), its OpenAPI file and its documentation; what no document
-- says is marked "inferred". Fields may be added by TagoIO at any time, and may be missing.
--
-- A call is refused with `Authorization Denied` (401) when the token is unknown, has expired
-- (those made by signing in do after three months) or belongs to another region. The token of
-- an analysis also needs a policy in Access Management, which can grant `info`, `list`, `summary`
-- and `usageStatisticList` only (inferred); the other operations need the token of a profile.
-- @module tagoio.profile

local client = require("tagoio.client")

local default

local profile = client.bind(function(operation)
  if not default then
    local made, message, err = client.new({}, operation)
    if not made then
      return nil, message, err
    end
    default = made
  end
  return default
end)

--- A profile with its allocation, add-ons and plan.
-- @function info
-- @tparam string profileID 24 hex digits, or `"current"`: the token's own profile
-- @treturn table `info` (`id`, `account`, `name`, `logo_url`, `banner_url`, `created_at`,
--   `updated_at`, `region`), `allocation` (a number for each service; `file_storage` in MB),
--   `addons`, `account_plan` (`free`, `starter`, `scale`)
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err
-- @usage local current = assert(tagoio.profile.info("current"))

--- All profiles of the account, and those that others share with it.
-- @function list
-- @treturn table an array of `{ id, name, logo_url }`; a shared one also has `account`, `profile`
--   and `from_share = true`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Limits and use of a profile.
-- @function summary
-- @tparam string profileID
-- @tparam[opt] table query `onlyAmount = true`: only `amount` (inferred; in the JavaScript SDK)
-- @treturn table `limit` and `limit_used` (a number for each service, which may have a fraction),
--   `amount` (how many devices, buckets, dashboards ...), `addons`, `tago_run`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- One page of a profile's tokens. The tokens themselves are in it: keep it out of logs.
-- @function tokenList
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

--- An iterator over all tokens of a profile, page after page, each asked for when it is needed.
-- A failure raises its err table; the iterator then goes on with the same page when it is called
-- again. To delete tokens collect them first, with `tokenListAll`: what is deleted while paging
-- makes the rest move up, and rows are skipped. Inside `tagoio.map` use `tokenListAll` as well if
-- it is to run on Lua 5.1 (not LuaJIT), where a `for` cannot give way to others.
-- @function tokenListEach
-- @tparam string profileID
-- @tparam[opt] table query of `tokenList`; `page` is the first one, `amount` (100) their size
-- @treturn function iterator that gives a row, nil after the last
-- @usage for token in tagoio.profile.tokenListEach(id, { fields = { "name" } }) do
--   print(token.name)
-- end

--- All tokens of a profile in an array.
-- @function tokenListAll
-- @tparam string profileID
-- @tparam[opt] table query of `tokenList`; `page` is the first one, `amount` (100) their size
-- @tparam[opt] table options `limit`: rows at most
-- @treturn table an array of rows
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Makes a profile. Two may have the same name; the plan limits their number. Never repeated
-- once it may have reached TagoIO.
-- @function create
-- @tparam table body `name`
-- @tparam[opt] table query `allocate_free_resources = true`: gives it all that is not allocated
-- @treturn table `{ id = ... }`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err with `maybe_applied` when it may exist all the same

--- Changes a profile.
-- @function edit
-- @tparam string profileID
-- @tparam table body `name`, `logo_url`, `banner_url` (inferred); `tagoio.null` clears one
-- @treturn string a sentence such as `Successfully Updated`, or true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Removes a profile and all that is in it, for good. Never repeated once it may have reached
-- TagoIO.
-- @function delete
-- @tparam string profileID
-- @tparam table body `password` of the account; with two-factor authentication also `pin_code`
--   and `otp_type` (`authenticator`, `sms`, `email`; inferred)
-- @treturn string a sentence such as `Successfully Removed`, or true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Use of the services over time. Counters add up within the period; `data_records` and
-- `file_storage` say what is there. A service that was not used is absent.
-- @function usageStatisticList
-- @tparam string profileID
-- @tparam[opt] table query `date` (the hours of one day), or `start_date`, `end_date` and
--   `periodicity` (`hour`, `day`, `month`); `timezone` (an IANA name, else UTC). A date is a
--   string, sent as it is, or a number of seconds since 1970.
-- @treturn table an array of `{ time, input, output, analysis, ... }`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Starts a query of the audit log, which keeps six months. Only the owner of the account may
-- read it, and a query spans seven days at most (said of the user interface; of the API inferred).
-- @function auditLog
-- @tparam string profileID
-- @tparam[opt] table query `resourceID`; `resourceName` (`action`, `am`, `analysis`, `connector`,
--   `dashboard`, `device`, `dictionary`, `network`, `profile`, `run`, `runuser`); `find` (a text,
--   or `"*"`); `start_date`, `end_date`; `limit`
-- @treturn table `queryId`, always; `status`, `events` and `statistics` as far as they are there
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- How far a query of the audit log is.
-- @function auditLogQuery
-- @tparam string profileID
-- @tparam string queryId of `auditLog`
-- @treturn table `status` (`Running`, `Complete`, `Failed`, `Timeout`, `Unknown`), `queryId`,
--   `events` (an array of `{ resourceName, message, resourceID, who, date }`), `statistics`
--   (`recordsMatched`, `recordsScanned`, `bytesScanned`)
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Queries the audit log to the end: starts a query and asks for it until it is complete, after
-- rests that grow from half a second to five. There is no rest when it is complete at once.
-- @function auditLogEvents
-- @tparam string profileID
-- @tparam[opt] table query of `auditLog`
-- @tparam[opt] table options
--
-- * `timeout` (60): seconds until it is given up; each call in it also keeps to the client's own
-- * `on_progress`: `function(answer)`, called with each answer before the last
-- * `queryId`: goes on with a query that was started before
-- @treturn table the events: an array of `{ resourceName, message, resourceID, who, date }`
-- @treturn table the last answer, as of `auditLogQuery`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err of the kind `api` when the query ended as `Failed`, `Timeout`, `Unknown` or
--   `Cancelled`, `timeout` when there was no time left; `err.queryId` names the query
-- @usage local week = { start_date = os.time() - 7 * 86400, end_date = os.time() }
-- local events = assert(tagoio.profile.auditLogEvents(id, week, { timeout = 300 }))

--- Allocates services to a profile. Never repeated once it may have reached TagoIO: it may cost
-- money. Rejected when the sum is over the account's limit (inferred).
-- @function serviceEdit
-- @tparam string profileID
-- @tparam table body a number for each service: `input`, `output`, `analysis`, `data_records`,
--   `sms`, `email`, `run_users`, `push_notification`, `file_storage` (MB)
-- @treturn string a sentence such as `Profile resource allocation Successfully Updated`, or true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Moves the token that makes this call to another profile: from then on it works there alone.
-- Never repeated once it may have reached TagoIO.
-- @function transferTokenToAnotherProfile
-- @tparam string targetProfileID
-- @treturn string a sentence such as `Token Successfully Transferred`, or true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Makes a token of a profile. The answer is the only place where it is sure to be seen. Never
-- repeated once it may have reached TagoIO.
-- @function tokenCreate
-- @tparam string profileID
-- @tparam table body `name`; `permission` (`full`: create, read, edit and delete; `write`: create
--   and edit; `read`); `email` and `password` of the account; `expire_time` (`"never"`, a span such
--   as `"3 months"`, a date, or seconds since 1970); with two-factor authentication `pin_code` (a
--   string) and `otp_type` (`authenticator`, `sms`, `email`)
-- @treturn table `{ token, expire_date, permission, name }`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err with `maybe_applied` when it may exist all the same

--- Removes a token, which then works nowhere.
-- @function tokenDelete
-- @tparam string profileID
-- @tparam string token
-- @treturn string a sentence such as `Token Successfully Removed`, or true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err 404 with `maybe_applied` after a repetition: it was likely the first
--   attempt that removed it

--- Invites somebody by e-mail; the invitation is valid for seven days. Only the owner may. Never
-- repeated once it may have reached TagoIO: it sends mail.
-- @function addTeamMember
-- @tparam string profileID
-- @tparam string email of a TagoIO account
-- @treturn string a sentence such as `User invited`, or true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- The team of a profile.
-- @function teamList
-- @tparam string profileID
-- @treturn table an array of `{ id, name, email, active, created_at }`; `active` is false while the
--   invitation is open (inferred)
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

--- Removes somebody from the team of a profile, or takes an invitation back.
-- @function deleteTeamMember
-- @tparam string profileID
-- @tparam string accountId the `id` in `teamList`
-- @treturn string a sentence such as `Account Successfully Removed`, or true
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table err

-- All at once, so that they can be listed.
for name in pairs(client.arguments) do
  local _ = profile[name]
end

return profile --[[@as tagoio.profile]]
