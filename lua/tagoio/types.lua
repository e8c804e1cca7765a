---@meta _
-- SPDX-License-Identifier: MIT
-- Types for editors (LuaCATS, as lua-language-server reads them); nothing of it is run. What is
-- said of the API comes from TagoIO's official SDKs (tago-io/sdk-js 12.3.1, tago-io/sdk-python
-- 5.1.2), its OpenAPI file and its documentation; all else is marked "inferred". A field with ?
-- may be missing or null, which in results is the same; TagoIO may add fields at any time.

-- ---- what results have in common ----

---A point in time as TagoIO writes it, `2023-02-21T15:17:35.880Z`: see `tagoio.date.parse`.
---@alias tagoio.Date string

---A point in time that is sent: a string, sent as it is, or seconds since 1970 (`os.time()`).
---@alias tagoio.SentDate string|number

---A sentence for people, such as `Successfully Updated`; true where TagoIO sends none.
---@alias tagoio.Sentence string|true

---@alias tagoio.Permission "full"|"write"|"read"|"deny"
---@alias tagoio.OtpType "authenticator"|"sms"|"email"

---A number for each service. Counters are of the month, but `data_records`, `run_users` and
---`file_storage` say how much is there at most.
---@class tagoio.Services
---@field input? number requests
---@field output? number requests
---@field analysis? number runs; may have a fraction
---@field data_records? number
---@field sms? number messages
---@field email? number messages
---@field run_users? number
---@field push_notification? number
---@field file_storage? number MB; may have a fraction
---@field tcore? number TagoCores (OpenAPI file)
---@field tcore_cluster? number clusters of TagoCores (OpenAPI file)
---@field dashboard_output? number in use alone (OpenAPI file)

---@class tagoio.Addons
---@field custom_dns? boolean
---@field mobile? boolean
---@field control_tower? boolean (OpenAPI file)
---@field profile? string id of the profile (OpenAPI file)
---@field updated_at? tagoio.Date (OpenAPI file)

-- ---- results of the operations ----

---@class tagoio.ProfileInfo
---@field id string 24 hex digits
---@field account string id of the account that owns it
---@field name string
---@field logo_url? string may be empty
---@field banner_url? string
---@field created_at tagoio.Date
---@field updated_at tagoio.Date
---@field region? string as `us-1`, which is not the name of a region option (OpenAPI file)
---@field rpm? { data_input?: number, data_output?: number } requests a minute (OpenAPI file)

---Result of `profile.info`.
---@class tagoio.Profile
---@field info tagoio.ProfileInfo
---@field allocation tagoio.Services
---@field addons tagoio.Addons
---@field account_plan string `free`, `starter`, `scale`; others inferred

---A row of `profile.list`.
---@class tagoio.ProfileRow
---@field id string
---@field name string
---@field logo_url? string
---@field account? string owner; of a profile that is shared with this account
---@field profile? string of a shared profile
---@field from_share? true of a shared profile

---How many there are of each.
---@class tagoio.Amounts
---@field device? number
---@field bucket? number
---@field dashboard? number
---@field dashboard_shared? number
---@field analysis? number
---@field action? number
---@field am? number policies of Access Management
---@field run_users? number
---@field dictionary? number
---@field connectors? number
---@field networks? number
---@field tcore? number
---@field tcore_cluster? number

---Result of `profile.summary`; with `onlyAmount` only `amount` (inferred).
---@class tagoio.Summary
---@field amount tagoio.Amounts
---@field limit? tagoio.Services
---@field limit_used? tagoio.Services
---@field addons? tagoio.Addons
---@field tago_run? string host of TagoRUN (OpenAPI file)

---A row of `profile.tokenList`, with the fields that were asked for (Python SDK: `expire_time`
---and `created_at` may come unasked).
---@class tagoio.Token
---@field token? string a secret
---@field name? string
---@field type? string
---@field permission? tagoio.Permission
---@field serie_number? string
---@field last_authorization? tagoio.Date absent: never used
---@field verification_code? string
---@field expire_time? tagoio.Date|"never" absent: never
---@field ref_id? string
---@field created_at? tagoio.Date
---@field created_by? string

---Result of `profile.create`.
---@class tagoio.Created
---@field id string

---A row of `profile.usageStatisticList`. A service that was not used is absent. Counters add up
---within the period; `data_records` and `file_storage` say what is there.
---@class tagoio.Statistic: tagoio.Services
---@field time tagoio.Date

---@class tagoio.AuditEvent
---@field resourceName string `device`, `profile`, ...
---@field resourceID string
---@field message string
---@field who string
---@field date tagoio.Date

---@class tagoio.AuditStatistics
---@field recordsMatched number
---@field recordsScanned number
---@field bytesScanned number

---How far a query is; `Scheduled` and `Cancelled` are inferred.
---@alias tagoio.AuditStatus
---| "Scheduled"
---| "Running"
---| "Complete"
---| "Failed"
---| "Timeout"
---| "Unknown"
---| "Cancelled"

---Result of `profile.auditLog` and `profile.auditLogQuery`.
---@class tagoio.AuditLog
---@field queryId string
---@field status? tagoio.AuditStatus
---@field events? tagoio.AuditEvent[]
---@field statistics? tagoio.AuditStatistics
---@field truncated? boolean of `auditLogEvents` alone: a limit left events out

---Result of `profile.tokenCreate`.
---@class tagoio.CreatedToken
---@field token string a secret; this is the only place where it is sure to be seen
---@field expire_date tagoio.Date|"never" `expire_time` in lists
---@field permission tagoio.Permission
---@field name? string

---A row of `profile.teamList`.
---@class tagoio.TeamMember
---@field id string the `accountId` of `profile.deleteTeamMember`
---@field name string
---@field email string
---@field active boolean false while the invitation is open (inferred)
---@field created_at tagoio.Date

---Result of `account.login` (JavaScript SDK and OpenAPI file).
---@class tagoio.Login
---@field id string
---@field name string
---@field email string
---@field company? string
---@field type? string
---@field active? boolean
---@field created_at? tagoio.Date
---@field token? string of the account, a secret
---@field expire_date? tagoio.Date of that token
---@field profiles tagoio.LoginProfile[]

---@class tagoio.LoginProfile
---@field id string
---@field account string
---@field name string
---@field logo_url? string

---Result of `account.tokenCreate`.
---@class tagoio.FirstToken
---@field token string a secret
---@field name string
---@field profile string
---@field permission tagoio.Permission
---@field created_by? string
---@field expire_time? tagoio.Date|"never"
---@field created_at? tagoio.Date

-- ---- queries and bodies ----

---@class tagoio.SummaryQuery
---@field onlyAmount? boolean only `amount` (JavaScript SDK; its effect is inferred)

---@class tagoio.TokenQuery
---@field page? integer from 1, the default
---@field amount? integer rows on a page: 20, of `tokenListEach` and `tokenListAll` 100
---@field fields? string[] of `tagoio.Token`; name, token and permission
---@field filter? table as `{ name = "sensor*" }`, `{ token = ... }`
---@field orderBy? string|string[] `"name,desc"` or `{ "name", "desc" }`; `created_at,asc`

---@class tagoio.CreateQuery
---@field allocate_free_resources? boolean gives the profile all that is not allocated

---Either `date`, or `start_date`, `end_date` and `periodicity`.
---@class tagoio.StatisticQuery
---@field date? tagoio.SentDate the hours of this day
---@field start_date? tagoio.SentDate
---@field end_date? tagoio.SentDate
---@field periodicity? "hour"|"day"|"month" `hour`
---@field timezone? string IANA name; `UTC`

---Seven days at most (said of the user interface; of the API inferred).
---@class tagoio.AuditQuery
---@field resourceID? string
---@field resourceName? tagoio.AuditResource
---@field find? string a text, or `*`
---@field start_date? tagoio.SentDate
---@field end_date? tagoio.SentDate
---@field limit? integer events

---@alias tagoio.AuditResource
---| "action"
---| "am"
---| "analysis"
---| "connector"
---| "dashboard"
---| "device"
---| "dictionary"
---| "network"
---| "profile"
---| "run"
---| "runuser"

---@class tagoio.CreateBody
---@field name string two profiles may have the same

---`tagoio.null` clears a field.
---@class tagoio.EditBody
---@field name? string
---@field logo_url? string|lightuserdata
---@field banner_url? string|lightuserdata (inferred)

---@class tagoio.DeleteBody
---@field password string of the account
---@field pin_code? string six digits, with two-factor authentication
---@field otp_type? tagoio.OtpType (inferred)

---@class tagoio.TokenBody
---@field name string
---@field permission tagoio.Permission
---@field email string of the account
---@field password string of the account
---@field expire_time? tagoio.SentDate|"never" or a span, as `"3 months"`
---@field pin_code? string six digits, with two-factor authentication
---@field otp_type? tagoio.OtpType
---@field serie_number? string of a device's token (inferred)
---@field verification_code? string of a device's token (inferred)
---@field middleware? string of a device's token (inferred)

---@class tagoio.LoginBody
---@field email string of the account
---@field password string of the account
---@field pin_code? string six digits, with two-factor authentication
---@field otp_type? tagoio.OtpType

---@class tagoio.PinBody
---@field email string of the account
---@field password string of the account
---@field otp_type "sms"|"email"

---@class tagoio.FirstTokenBody: tagoio.LoginBody
---@field profile_id string
---@field name string of the token

---@class tagoio.ListOptions
---@field limit? integer rows at most

---@class tagoio.AuditOptions
---@field timeout? number seconds until the query is given up, 60
---@field on_progress? fun(response: tagoio.AuditLog) called with each response before the last
---@field queryId? string goes on with a query that was started before, as `err.queryId` names it

-- ---- errors ----

---@alias tagoio.Kind
---| "invalid" nothing was sent, and retrying it unchanged cannot help
---| "connect" no connection: unknown host, refused, unreachable
---| "tls" no trusted connection
---| "timeout" too late
---| "network" the connection was lost
---| "api" TagoIO said no: a status of 4xx or 5xx, or `status: false`
---| "protocol" a response that TagoIO does not promise
---| "canceled" by `close`, or because a map was stopped
---| "memory"
---| "task" a function of a map failed without an err table

---The third value of a call that failed. It reads as its message.
---@class tagoio.err
---@field kind tagoio.Kind
---@field message string with the operation first
---@field operation string `profile.info`
---@field attempts integer 0: nothing was sent
---@field elapsed number seconds, over all attempts and the pauses between them
---@field queued number seconds of it, spent waiting for a free connection
---@field maybe_applied boolean a write failed and may have happened all the same
---@field status? integer of HTTP
---@field retry_after? integer seconds, as far as TagoIO said when to come again
---@field request_id? string
---@field details? any the decoded body of the error
---@field queryId? string of `auditLogEvents`: the query, to go on with

-- ---- tagoio.profile ----

---The operations on profiles, called with a dot. Each returns its result, which is never nil or
---false; or nil, a message and an err table. A bug in the caller raises.
---@class tagoio.profile
local profile = {}

---A profile with its allocation, add-ons and plan.
---@param profileID string 24 hex digits, or `"current"`: the token's own profile
---@return tagoio.Profile? profile
---@return string? message
---@return tagoio.err? err
function profile.info(profileID) end

---All profiles of the account, and those that others share with it.
---@return tagoio.ProfileRow[]? profiles
---@return string? message
---@return tagoio.err? err
function profile.list() end

---Limits and use of a profile.
---@param profileID string
---@param query? tagoio.SummaryQuery
---@return tagoio.Summary? summary
---@return string? message
---@return tagoio.err? err
function profile.summary(profileID, query) end

---One page of a profile's tokens. The tokens themselves are in it: keep it out of logs.
---@param profileID string
---@param query? tagoio.TokenQuery
---@return tagoio.Token[]? tokens
---@return string? message
---@return tagoio.err? err
function profile.tokenList(profileID, query) end

---An iterator over all tokens, page after page, asked for as needed. A failure raises its err
---table. To delete them, collect them first: see `tokenListAll`.
---@param profileID string
---@param query? tagoio.TokenQuery
---@return fun(): tagoio.Token?
function profile.tokenListEach(profileID, query) end

---All tokens in an array.
---@param profileID string
---@param query? tagoio.TokenQuery
---@param options? tagoio.ListOptions
---@return tagoio.Token[]? tokens
---@return string? message
---@return tagoio.err? err
function profile.tokenListAll(profileID, query, options) end

---Makes a profile; the plan limits their number. Never retried once it may have reached TagoIO.
---@param body tagoio.CreateBody
---@param query? tagoio.CreateQuery
---@return tagoio.Created? created
---@return string? message
---@return tagoio.err? err with `maybe_applied` when it may exist all the same
function profile.create(body, query) end

---Changes a profile.
---@param profileID string
---@param body tagoio.EditBody
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function profile.edit(profileID, body) end

---Removes a profile and all that is in it, for good. Never retried once it may have reached
---TagoIO.
---@param profileID string
---@param body tagoio.DeleteBody
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function profile.delete(profileID, body) end

---Use of the services over time.
---@param profileID string
---@param query? tagoio.StatisticQuery
---@return tagoio.Statistic[]? rows
---@return string? message
---@return tagoio.err? err
function profile.usageStatisticList(profileID, query) end

---Starts a query of the audit log, which keeps six months. Only the owner may read it.
---@param profileID string
---@param query? tagoio.AuditQuery
---@return tagoio.AuditLog? response
---@return string? message
---@return tagoio.err? err
function profile.auditLog(profileID, query) end

---How far a query of the audit log is.
---@param profileID string
---@param queryId string
---@return tagoio.AuditLog? response
---@return string? message
---@return tagoio.err? err
function profile.auditLogQuery(profileID, queryId) end

---Queries the audit log to the end: starts a query and asks for it, with growing pauses, until it
---is complete.
---@param profileID string
---@param query? tagoio.AuditQuery
---@param options? tagoio.AuditOptions
---@return tagoio.AuditEvent[]? events
---@return tagoio.AuditLog|string|nil response the last one; or the message
---@return tagoio.err? err with `queryId`, to go on with
function profile.auditLogEvents(profileID, query, options) end

---Allocates services to a profile. Never retried once it may have reached TagoIO: it may cost
---money.
---@param profileID string
---@param body tagoio.Services
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function profile.serviceEdit(profileID, body) end

---Moves the token that makes this call to another profile: from then on it works there alone.
---Never retried once it may have reached TagoIO.
---@param targetProfileID string
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function profile.transferTokenToAnotherProfile(targetProfileID) end

---Makes a token of a profile. Never retried once it may have reached TagoIO.
---@param profileID string
---@param body tagoio.TokenBody
---@return tagoio.CreatedToken? created
---@return string? message
---@return tagoio.err? err with `maybe_applied` when it may exist all the same
function profile.tokenCreate(profileID, body) end

---Removes a token, which then works nowhere.
---@param profileID string
---@param token string
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function profile.tokenDelete(profileID, token) end

---Invites somebody; the invitation is valid for seven days. Only the owner may. Never retried
---once it may have reached TagoIO: it sends mail.
---@param profileID string
---@param email string of a TagoIO account
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function profile.addTeamMember(profileID, email) end

---The team of a profile.
---@param profileID string
---@return tagoio.TeamMember[]? team
---@return string? message
---@return tagoio.err? err
function profile.teamList(profileID) end

---Removes somebody from the team of a profile, or takes an invitation back.
---@param profileID string
---@param accountId string the `id` in `teamList`
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function profile.deleteTeamMember(profileID, accountId) end

-- ---- tagoio.account ----

---What needs no token, called with a dot. Passwords, pins and tokens are in no message.
---@class tagoio.account
local account = {}

---Signs in, and tells of the account's profiles.
---@param body tagoio.LoginBody
---@return tagoio.Login? login
---@return string? message
---@return tagoio.err? err without the pin that is needed: `err.details.message` is a table
function account.login(body) end

---Has a pin sent, which counts once.
---@param body tagoio.PinBody
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function account.requestLoginPINCode(body) end

---Makes a token of a profile by e-mail and password. Never retried once it may have reached TagoIO.
---@param body tagoio.FirstTokenBody
---@return tagoio.FirstToken? created
---@return string? message
---@return tagoio.err? err with `maybe_applied` when it may exist all the same
function account.tokenCreate(body) end

---Accepts an invitation to a team.
---@param token string of the invitation's mail
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function account.acceptTeamInvitation(token) end

---Declines an invitation to a team.
---@param token string of the invitation's mail
---@return tagoio.Sentence? sentence
---@return string? message
---@return tagoio.err? err
function account.declineTeamInvitation(token) end

-- ---- clients ----

---@class tagoio.Region
---@field tdeploy? string id of a TagoDeploy project
---@field api? string a URL
---@field sse? string accepted for the sake of the other SDKs; nothing uses it

---Options of `tagoio.new`. All times are in seconds, at most 3600.
---@class tagoio.options
---@field token? string|false else `T_ANALYSIS_TOKEN`, else `TAGOIO_TOKEN`; false: none
---@field region? "us-e1"|"usa-1"|"eu-w1"|"env"|tagoio.Region else `TAGOIO_API`, else `us-e1`
---@field timeout? number over all attempts and the pauses between them; 60 by default
---@field deadline? number from now on, for all calls of this client together
---@field attempt_timeout? number of one attempt; 30 by default
---@field connect_timeout? number of the connection of one attempt; 10 by default
---@field attempts? integer the first included; else `TAGOIO_REQUEST_ATTEMPTS`; 3 by default
---@field max_retry_after? number the longest wait that TagoIO may ask for; 60 by default
---@field max_response_bytes? integer of one decoded response; 64 MiB by default
---@field max_connections? integer more calls at once wait for their turn; 64 by default
---@field ca_file? string certificates to trust instead of the system's, in PEM
---@field proxy? string|false a URL; false ignores the environment's; never used for this machine
---@field user_agent? string appended to ours
---@field headers? tagoio.Headers sent with each request, or what returns them once a call
---@field keep_null? boolean members that are null stay, as `tagoio.null`; false by default
---@field array_mt? table the metatable of arrays in results, else `tagoio.array_mt`
---@field response_info? boolean operations return a second value, too; false by default
---@field per_minute? number spreads the starts of calls, with derived clients
---@field on_attempt? false|fun(event: tagoio.attempt) called after each attempt, in its coroutine
---@field transport? tagoio.Transport in place of libcurl
---@field wait? table|fun(client: tagoio.client, seconds: number) called during calls, or a host

---More headers; of a derived client false removes its parent's, or the one of that name.
---@alias tagoio.Headers false|table<string, string|false>|tagoio.HeadersFunction

---@alias tagoio.HeadersFunction fun(call: tagoio.HeadersCall): table<string, string>?

---The call that headers are asked for.
---@class tagoio.HeadersCall
---@field operation string `profile.info`, or `request.GET`

---What a transport is to send. It follows no redirect and retries nothing.
---@class tagoio.TransportRequest
---@field method string
---@field url string
---@field headers table<string, string> the token is in them
---@field body? string
---@field timeout number seconds, for this attempt
---@field connect_timeout number seconds of it, for the connection
---@field max_response_bytes number a longer body need not be read to its end

---Returns status, headers and decoded body; or nil, a message, and what is known of the failure:
---`sent = false` when no byte of the request has left, and its `kind` (`"connect"`, `"tls"`,
---`"timeout"` or `"network"`, the default).
---@alias tagoio.Transport fun(request: tagoio.TransportRequest): integer?, any, any

---How an attempt ended.
---@class tagoio.attempt
---@field operation string `profile.info`
---@field method string
---@field path? string the template, without ids; absent for `client:request`
---@field attempt integer from 1
---@field status? integer of HTTP
---@field kind? tagoio.Kind of the error
---@field elapsed number seconds
---@field queued number seconds of it, spent waiting for a free connection
---@field bytes integer of the body
---@field request_id? string
---@field retry_in? number seconds until the next attempt; absent after the last
---@field message? string after the last: of the error; of a success TagoIO's warning

---A request to any endpoint.
---@class tagoio.request
---@field method "GET"|"POST"|"PUT"|"PATCH"|"DELETE"
---@field path string[] segments, as `{ "profile", id, "backup" }`
---@field query? table nested tables as in `filter`
---@field body? table sent as JSON
---@field idempotent? boolean this write may be retried

---What is known of a request that succeeded.
---@class tagoio.info
---@field status integer of HTTP
---@field headers table<string, string> names in lower case
---@field attempts integer
---@field elapsed number seconds
---@field queued number seconds of it, spent waiting for a free connection
---@field message? string TagoIO's warning beside the result
---@field request_id? string

---The types of the keys of a query.
---@alias tagoio.KeyType "text"|"count"|"flag"|"date"|"list"|"order"|"map"

---An operation of one's own: method, path, and how it is called.
---@class tagoio.ResourceRow
---@field body? boolean an argument after those of the path is a table, sent as JSON
---@field query? table<string, tagoio.KeyType|any[]> the last argument's keys; `{ type, default }`
---@field retry? "safe"|"idempotent"|"never" `safe` for GET, else `never`
---@field result? "object"|"array"|"text"|"any" `any`
---@field secret? string[] arguments of the path that are never shown
---@field pages? true|string adds `NAMEEach` and `NAMEAll`; true: rows differ by their `id`

---@class tagoio.client
---@field profile tagoio.profile
---@field account tagoio.account
local client = {}

---A client on the same connections with other options; not with `region`, `ca_file`, `proxy`,
---`max_connections` or `transport`, which belong to the connections.
---@param options tagoio.options
---@return tagoio.client? client
---@return string? message
---@return tagoio.err? err
function client:with(options) end

---Cancels this client's calls. The connections go with their last owner.
function client:close() end

---Cancels the calls of this client that are on their way, and leaves it usable.
function client:cancel() end

---Moves all calls over these connections, waiting at most this long for something to happen.
---@param seconds? number 0
---@return integer pending how many calls are still on their way
function client:step(seconds) end

---A descriptor for event loops: it is readable when `step` has something to do.
---@return number? descriptor
---@return string? message why there is none
function client:pollfd() end

---What to wait for on `pollfd`.
---@return "r"
function client:events() end

---After how many seconds `step` has something to do, whatever the descriptor says; nil: never.
---@return number? seconds
function client:timeout() end

---Calls any endpoint of the API, by the same rules as the operations.
---@param request tagoio.request
---@return any result the whole response when it has no `status`
---@return tagoio.info|string|nil info or the message
---@return tagoio.err? err
function client:request(request) end

---A table of functions like `profile`, from rows as `{ "GET", "/device/{deviceID}" }`.
---@param name string as `device`, which errors and events begin with
---@param rows table<string, tagoio.ResourceRow>
---@return table<string, function> functions
function client:resource(name, rows) end

-- ---- dates ----

---@class tagoio.date
local date = {}

---The time that a date means.
---@param text string ISO-8601: a day, or a day and a time; UTC where no offset is said
---@return number? seconds since 1970, with a fraction if the text has one
---@return string? message
---@return tagoio.err? err
function date.parse(text) end

---The date as TagoIO writes it: ISO-8601, UTC, milliseconds.
---@param seconds number since 1970
---@return string? text
---@return string? message
---@return tagoio.err? err
function date.format(seconds) end

-- ---- the module ----

---@class tagoio.EncodeOptions
---@field indent? integer spaces for each level, 0 to 31; without it one line

---@class tagoio.DecodeOptions
---@field keep_null? boolean
---@field array_mt? table

---TagoIO's profile API for Lua.
---@class tagoio
---@field _VERSION string
---@field profile tagoio.profile with a client of the environment's
---@field account tagoio.account with a client without a token
---@field date tagoio.date
---@field null lightuserdata JSON's null
---@field array_mt table the metatable of arrays in results
local tagoio = {}

---Makes a client with its own connections.
---@param options? tagoio.options
---@return tagoio.client? client
---@return string? message
---@return tagoio.err? err
function tagoio.new(options) end

---Marks a table as an array, so that it is sent as one even when it is empty.
---@generic T: table
---@param list? T changed; a new one when left out
---@return T list
function tagoio.array(list) end

---@class tagoio.MapOptions
---@field concurrency? integer how many functions run at once, 16
---@field timeout? number seconds, over all; what is left has errors of the kind `timeout`
---@field per_minute? number spreads the starts of requests, for TagoIO's limits by the minute
---@field on_progress? fun(done: integer, total: integer, index: integer, result: any, err: any)
---@field stop_on_error? boolean after the first error all others are canceled

---Runs a function for each item, many at once, and waits for all.
---@generic T, R
---@param items T[]
---@param fn fun(item: T, index: integer): R|false|nil, string?, tagoio.err?
---@param options? tagoio.MapOptions
---@return (R|false)[] results in the order of the items, as many; false where there is none
---@return table<integer, tagoio.err>? errors by index, when there is one
function tagoio.map(items, fn, options) end

---Runs functions at once: the first result of each, in order; or nil, the message of the first
---that failed, and its err table. After the functions maybe a table with `timeout`: seconds.
---@param ... (fun(): any, string?, tagoio.err?)|{ timeout?: number }
---@return any ...
function tagoio.gather(...) end

---Lets time pass as it passes while a call is on its way.
---@param seconds number at most 3600
---@return true?
---@return string? message
---@return tagoio.err? err
function tagoio.sleep(seconds) end

---JSON of a value, by the rules of requests.
---@param value any `tagoio.null` for null
---@param options? tagoio.EncodeOptions
---@return string? text
---@return string? message
---@return tagoio.err? err
function tagoio.encode(value, options) end

---The value of a JSON text, by the rules of results.
---@param text string
---@param options? tagoio.DecodeOptions
---@return any value
---@return string? message
---@return tagoio.err? err
function tagoio.decode(text, options) end
