-- SPDX-License-Identifier: MIT
-- What people get wrong, and the message that each of it gives: what, where, and what to do.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local id = emulator.profile
local host = emulator.http:match("//(.*)$")
local nobody = "000000000000000000000000"
local person = { email = emulator.email, password = emulator.password }

-- A body of tokenCreate that is right, but for some members.
local function token_body(others)
  local body = { name = "x", permission = "read", email = person.email, password = person.password }
  for name, value in pairs(others) do
    body[name] = value
  end
  return body
end

-- What raises, at the line of the call, before anything is sent.
local raised = {
  {
    "a misspelt operation",
    function(client) return client.profile.infos(id) end,
    "profile.infos: there is no such function; did you mean info?",
  },
  {
    "an operation of the default client that is misspelt",
    function() return tagoio.profile.tokenlist(id) end,
    "profile.tokenlist: there is no such function; did you mean tokenList?",
  },
  {
    "the words of a name in another order",
    function(client) return client.profile.createToken(id) end,
    "profile.createToken: there is no such function; did you mean tokenCreate?",
  },
  {
    "snake_case",
    function(client) return client.profile.delete_team_member(id) end,
    "profile.delete_team_member: there is no such function; did you mean deleteTeamMember?",
  },
  {
    "an operation without its table",
    function() return tagoio.info("current") end,
    "tagoio.info: there is no such function; did you mean profile.info?",
  },
  {
    "an operation of a client without its table",
    function(client) return client:tokenList(id) end,
    "client.tokenList: there is no such function; did you mean profile.tokenList?",
  },
  {
    "a misspelt function of the module",
    function() return tagoio.decod("{}") end,
    "tagoio.decod: there is no such function; did you mean decode?",
  },
  {
    "a misspelt method of a client",
    function(client) return client:reqest({}) end,
    "client.reqest: there is no such function; did you mean request?",
  },
  {
    "a colon instead of a dot",
    function(client) return client.profile:info("current") end,
    "profile.info: call it with a dot, profile.info(...), not with a colon",
  },
  {
    "a dot instead of a colon",
    function(client) return client.close() end,
    "close: call it with a colon: client:close",
  },
  {
    "no id",
    function(client) return client.profile.info() end,
    "profile.info: profileID must be a string (got nothing)",
  },
  {
    "a row of a list as an id",
    function(client) return client.profile.info(assert(client.profile.list())[1]) end,
    "profile.info: profileID must be a string (got a table: pass its .id)",
  },
  {
    "a result of info as an id",
    function(client) return client.profile.summary(assert(client.profile.info(id))) end,
    "profile.summary: profileID must be a string (got a table: pass its .info.id)",
  },
  {
    "a row of tokenList as a token",
    function(client)
      return client.profile.tokenDelete(id, assert(client.profile.tokenList(id))[1])
    end,
    "profile.tokenDelete: token must be a string (got a table: pass its .token)",
  },
  {
    "the flag of create as an argument",
    function(client) return client.profile.create({ name = "x" }, true) end,
    "profile.create: query must be { allocate_free_resources = true } (got a boolean)",
  },
  {
    "the flag of summary as an argument",
    function(client) return client.profile.summary(id, true) end,
    "profile.summary: query must be { onlyAmount = true } (got a boolean)",
  },
  {
    "a name instead of a body",
    function(client) return client.profile.create("Plant 7") end,
    "profile.create: body must be a table with keys (got a string)",
  },
  {
    "a misspelt key of a query",
    function(client) return client.profile.tokenList(id, { pages = 2 }) end,
    "profile.tokenList: query.pages: unknown key; allowed: page, amount, fields, filter, orderBy",
  },
  {
    "a text instead of a list",
    function(client) return client.profile.tokenList(id, { fields = "name" }) end,
    "profile.tokenList: query.fields must be a list of strings (got a string)",
  },
  {
    "one argument too many",
    function(client) return client.profile.info(id, {}) end,
    "profile.info: argument 2 is one too many (there are 1)",
  },
  {
    "a path that is a text",
    function(client) return client:request({ method = "GET", path = "/profile" }) end,
    'client:request: path must be a list of segments, as { "profile", id, "backup" }'
      .. " (got a string)",
  },
  {
    "a request without a method",
    function(client) return client:request({ path = { "profile" } }) end,
    "client:request: method must be GET, POST, PUT, PATCH or DELETE (got nil)",
  },
  {
    "a method in lower case",
    function(client) return client:request({ method = "get", path = { "profile" } }) end,
    'client:request: method must be GET, POST, PUT, PATCH or DELETE (got "get")',
  },
  {
    "a map over the nil of a call that failed",
    function(client) return tagoio.map(client.profile.info(nobody), print) end,
    "tagoio.map: items must be an array (got nil; assert the call that makes it)",
  },
  {
    "milliseconds",
    function() return tagoio.new({ token = "x", timeout = 30000 }) end,
    "tagoio.new: timeout must be at most 3600 seconds (got 30000)",
  },
  {
    "an unknown region",
    function() return tagoio.new({ token = "x", region = "us-east-1" }) end,
    'tagoio.new: region must be "us-e1", "eu-w1", "env", { tdeploy = "project id" }'
      .. ' or { api = "https://..." } (got "us-east-1")',
  },
  {
    "a token with quotes",
    function() return tagoio.new({ token = '"p-1f0d3f6a"' }) end,
    "tagoio.new: token must be without quotes around it",
  },
  {
    "a token with a line end",
    function() return tagoio.new({ token = "p-1f0d3f6a\n" }) end,
    "tagoio.new: token must be printable ASCII without blanks",
  },
  {
    "a file instead of a token",
    function() return tagoio.new({ token = ("x"):rep(1e6) }) end,
    "tagoio.new: token must be at most 4096 bytes long",
  },
  {
    "a User-Agent that is a file",
    function() return tagoio.new({ token = "x", user_agent = ("x"):rep(1e6) }) end,
    "tagoio.new: user_agent: must be at most 4096 bytes long",
  },
  {
    "a header with a line break",
    function(client) return client:with({ headers = { ["X-Id"] = "a\r\nb" } }) end,
    'client:with: headers["X-Id"] must be a string without line breaks and other control'
      .. " characters",
  },
  {
    "the token as a header",
    function() return tagoio.new({ token = "x", headers = { Token = "y" } }) end,
    'tagoio.new: headers["Token"] cannot be set: use the option token',
  },
  {
    "headers as lines",
    function() return tagoio.new({ token = "x", headers = { "X-Id: 1" } }) end,
    "tagoio.new: headers must have names as keys (got a number)",
  },
  {
    "a header that is a number",
    function() return tagoio.new({ token = "x", headers = { ["X-Id"] = 1 } }) end,
    'tagoio.new: headers["X-Id"] must be a string (got a number)',
  },
  {
    "headers that are a text",
    function() return tagoio.new({ token = "x", headers = "X-Id: 1" }) end,
    "tagoio.new: headers must be a table, a function, or false for none (got a string)",
  },
  {
    "headers that are true",
    function() return tagoio.new({ token = "x", headers = true }) end,
    "tagoio.new: headers must be a table, a function, or false for none (got true)",
  },
  {
    "a function of headers that raises",
    function(client)
      return client:with({ headers = function() error("no span", 0) end }).profile.list()
    end,
    "profile.list: headers: no span",
  },
  {
    "the connections of a derived client",
    function(client) return client:with({ proxy = false }) end,
    "client:with: proxy belongs to the connections, which are shared: use tagoio.new",
  },
  {
    "a transport that returns a text as the status",
    function()
      local function transport() return "200", nil, "{}" end
      local made = assert(tagoio.new({ token = "x", region = "us-e1", transport = transport }))
      return made.profile.list()
    end,
    "profile.list: the transport returned an invalid response:"
      .. " status must be a whole number from 200 to 999 (got a string)",
    anywhere = true, -- the transport is wrong, not the line of the call
  },
}

-- What the API refuses; the status stands in the message, the host is left out here.
local refused = {
  {
    "an id that is none",
    function(client) return client.profile.info("Factory") end,
    "profile.info: Profile not found (HTTP 404); "
      .. "profileID must be 24 hex digits, the id of a row of profile.list",
  },
  {
    "the beginning of an id",
    function(client) return client.profile.info("5bbe3d1d") end,
    "profile.info: Profile not found (HTTP 404); "
      .. "profileID must be 24 hex digits, the id of a row of profile.list",
  },
  {
    '"current" where it is not documented',
    function(client)
      emulator.answer("/profile/current/team", 404, '{"status":false,"message":"Not found"}')
      return client.profile.teamList("current")
    end,
    "profile.teamList: Not found (HTTP 404); "
      .. 'profileID may be "current" for info alone, as far as is documented: use its info.id',
  },
  {
    "an unknown field",
    function(client) return client.profile.tokenList(id, { fields = { "expires" } }) end,
    "profile.tokenList: Invalid fields parameter (HTTP 400); query.fields[1] is"
      .. " documented as one of name, token, permission, type, serie_number,"
      .. " last_authorization, verification_code, expire_time, ref_id, created_at, created_by",
  },
  {
    "an unknown field in a filter",
    function(client) return client.profile.tokenList(id, { filter = { label = "a" } }) end,
    "profile.tokenList: Invalid filter parameter (HTTP 400); query.filter is"
      .. " documented with the keys name, token, permission, type, serie_number,"
      .. " last_authorization, verification_code, expire_time, ref_id, created_at, created_by",
  },
  {
    "a direction that is none",
    function(client) return client.profile.tokenList(id, { orderBy = { "name", "down" } }) end,
    "profile.tokenList: Invalid orderBy parameter (HTTP 400); "
      .. "query.orderBy: the direction is documented as one of asc, desc",
  },
  {
    "a page of 0",
    function(client) return client.profile.tokenList(id, { page = 0 }) end,
    "profile.tokenList: Invalid page parameter (HTTP 400); query.page must be 1 or more",
  },
  {
    "an amount of 0",
    function(client) return client.profile.tokenList(id, { amount = 0 }) end,
    "profile.tokenList: Invalid amount parameter (HTTP 400); query.amount must be 1 or more",
  },
  {
    "a periodicity that is none",
    function(client)
      local query = { start_date = "2024-01-01", end_date = "2024-02-01", periodicity = "week" }
      return client.profile.usageStatisticList(id, query)
    end,
    "profile.usageStatisticList: Invalid periodicity (HTTP 400); "
      .. "query.periodicity is documented as one of hour, day, month",
  },
  {
    "an abbreviation as a time zone",
    function(client)
      return client.profile.usageStatisticList(id, { date = "2024-01-01", timezone = "PST" })
    end,
    "profile.usageStatisticList: Invalid timezone (HTTP 400); query.timezone"
      .. " is documented as an IANA name such as America/Sao_Paulo, or UTC",
  },
  {
    "an unknown resource of the audit log",
    function(client) return client.profile.auditLog(id, { resourceName = "devices" }) end,
    "profile.auditLog: Invalid resourceName (HTTP 400); query.resourceName is documented as one"
      .. " of action, am, analysis, connector, dashboard, device, dictionary, network, profile,"
      .. " run, runuser",
  },
  {
    "a month of the audit log",
    function(client)
      local now = os.time()
      return client.profile.auditLogEvents(id, { start_date = now - 30 * 86400, end_date = now })
    end,
    "profile.auditLog: The interval between start_date and end_date is over 7 days (HTTP 400); "
      .. "query spans more than 7 days, the longest interval that is documented",
  },
  {
    "a permission that is none",
    function(client)
      return client.profile.tokenCreate(id, token_body({ permission = "all" }))
    end,
    "profile.tokenCreate: Invalid permission (HTTP 400); "
      .. "body.permission is documented as one of full, write, read, deny",
  },
  {
    "an expiry that is none",
    function(client)
      return client.profile.tokenCreate(id, token_body({ expire_time = "soon" }))
    end,
    "profile.tokenCreate: Invalid expire_time (HTTP 400); "
      .. 'body.expire_time is documented as "never", a span such as "3 months", or a date',
  },
  {
    "an otp_type that is none",
    function(client)
      emulator.reset({ pin_code = "918273" })
      local body = token_body({ otp_type = "totp", pin_code = "111111" })
      emulator.answer(("/profile/%s/token"):format(id), 400, '{"message":"Invalid otp_type"}')
      return client.profile.tokenCreate(id, body)
    end,
    "profile.tokenCreate: Invalid otp_type (HTTP 400); "
      .. "body.otp_type is documented as one of authenticator, sms, email",
  },
  {
    "a profile without a name",
    function(client) return client.profile.create({ title = "x" }) end,
    "profile.create: Name is required (HTTP 400); body.name is needed",
  },
  {
    "an unknown service",
    function(client) return client.profile.serviceEdit(id, { inputs = 5 }) end,
    "profile.serviceEdit: Invalid service: inputs (HTTP 400); body is documented with the keys"
      .. " input, output, analysis, data_records, sms, email, run_users, push_notification,"
      .. " file_storage, auto_scale",
  },
  {
    "an unknown member of a profile",
    function(client) return client.profile.edit(id, { title = "x" }) end,
    "profile.edit: Unknown member: title (HTTP 400); body is documented with the keys"
      .. " name, logo_url, banner_url, info, allocation",
  },
  {
    "an invitation by a member of a team",
    function(client)
      emulator.answer(("/profile/%s/team"):format(id), 403, '{"status":false,"message":"No"}')
      return client.profile.addTeamMember(id, "ada@example.com")
    end,
    "profile.addTeamMember: No (HTTP 403); only the owner of the account may invite",
  },
  {
    "a query of the audit log by a member of a team",
    function(client)
      emulator.answer(("/profile/%s/auditlog"):format(id), 403, '{"status":false,"message":"No"}')
      return client.profile.auditLog(id)
    end,
    "profile.auditLog: No (HTTP 403); only the owner of the account may read the audit log",
  },
  {
    "an allocation by a member of a team",
    function(client)
      emulator.inject({ status = 403, json = { status = false, message = "No" } })
      return client.profile.serviceEdit(id, { input = 5 })
    end,
    "profile.serviceEdit: No (HTTP 403); members of a team may not change allocations",
  },
  {
    "an invitation of a name",
    function(client) return client.profile.addTeamMember(id, "Ada") end,
    "profile.addTeamMember: Invalid email (HTTP 400); email must be an e-mail address",
  },
  {
    "an e-mail address instead of the id of an account",
    function(client) return client.profile.deleteTeamMember(id, "grace@example.com") end,
    "profile.deleteTeamMember: Account not found (HTTP 404); accountId"
      .. " must be the id of an account, as teamList shows it, not an e-mail address",
  },
  {
    "a slash within a segment",
    function(client) return client:request({ method = "GET", path = { "profile/current" } }) end,
    "request.GET: Route not found (HTTP 404); "
      .. "path[1] has a slash, which is sent as %2F: a segment is an item of its own",
  },
  {
    "a slash before a segment",
    function(client) return client:request({ method = "GET", path = { "profile", "/x" } }) end,
    "request.GET: Profile not found (HTTP 404); "
      .. "path[2] has a slash, which is sent as %2F: a segment is an item of its own",
  },
  {
    "an unknown token",
    function(client) return client:with({ token = "p-nobody" }).profile.list() end,
    "profile.list: Authorization Denied (HTTP 401); the token is unknown, has expired,"
      .. " belongs to another region, or is that of an analysis without a policy for this",
  },
  {
    "a wrong password, which is not the token's fault",
    function(client)
      return client.profile.delete("5bbe3d1d4d3ad10021e1d2b2", { password = "wrong-horse" })
    end,
    "profile.delete: Invalid password (HTTP 401)",
  },
  {
    "a wrong password of a login, whose text is another",
    function(client)
      emulator.answer("/account/login", 401, '{"status":false,"message":"Invalid credentials"}')
      local body = { email = "a@example.com", password = "wrong-horse" }
      return client:request({ method = "POST", path = { "account", "login" }, body = body })
    end,
    "request.POST: Invalid credentials (HTTP 401)",
  },
  {
    "a right call that is refused has no hint",
    function(client) return client.profile.info(nobody) end,
    "profile.info: Profile not found (HTTP 404)",
  },
}

-- What stands in front of the API; `host` is its name in the message.
local unreached = {
  {
    "https to a port of http",
    { region = { api = (emulator.http:gsub("^http:", "https:")) } },
    "no TLS connection: .*; the port may be one of plain http$",
  },
  {
    "a certificate of one's own",
    { region = { api = emulator.https } },
    "the certificate is not trusted: .*; name the file with its authority in the option ca_file",
  },
  {
    "a proxy that is not there",
    { region = { api = "https://elsewhere.example" }, proxy = "http://127.0.0.1:1" },
    "no connection: .*; it goes through a proxy, which the option proxy names$",
  },
}
for _, name in ipairs({ "localhost", "127.0.0.1", "[::1]" }) do
  unreached[#unreached + 1] = {
    name .. ", to which no proxy leads,",
    { region = { api = "https://" .. name .. ":1" }, proxy = "http://127.0.0.1:1" },
    "no connection: [^;]*$",
  }
end

describe("a mistake", function()
  local client

  before_each(function()
    emulator.reset()
    client = emulator.client({ attempts = 1 })
  end)

  after_each(function()
    client:close()
  end)

  for _, row in ipairs(raised) do
    it(row[1] .. " raises: " .. row[3], function()
      local ok, message = pcall(function()
        local _ = row[2](client)
      end)
      assert.is_false(ok)
      local line, told = message:match("^spec/api/mistakes_spec.lua:(%d+): (.*)$")
      assert.equal(row[3], row.anywhere and message or told, message)
      assert.is_truthy(row.anywhere or line)
    end)
  end

  for _, row in ipairs(refused) do
    it(row[1] .. " is refused: " .. row[3], function()
      local result, message, err = row[2](client)
      assert.is_nil(result)
      local at = message:find(", " .. host, 1, true)
      assert.equal(row[3], message:sub(1, at - 1) .. message:sub(at + #host + 2))
      assert.equal(message, err.message)
      assert.equal(message, tostring(err))
    end)
  end

  for _, row in ipairs(unreached) do
    it(row[1] .. " is told", function()
      local other = emulator.client(faults.options({ attempts = 1 }, row[2]))
      local result, message, err = other.profile.list()
      assert.is_nil(result)
      assert.matches("^profile.list: " .. row[3], message)
      assert.equal(message, err.message)
      local _, again = other:with({ timeout = 5 }).profile.list()
      assert.matches("^profile.list: " .. row[3], again)
      other:close()
    end)
  end
end)

describe("a hint", function()
  it("is nothing but words: the call was made as it is", function()
    emulator.reset()
    local client = emulator.client()
    emulator.inject({ json = { status = true, result = { "new" } } })
    local query = { fields = { "new" }, orderBy = "new,desc" }
    assert.same({ "new" }, assert(client.profile.tokenList(id, query)))
    client:close()
  end)

  it("is for what TagoIO refuses, not for its limits and its own troubles", function()
    emulator.reset()
    local client = emulator.client({ attempts = 1 })
    for status, is_hinted in pairs({
      [400] = true, [403] = true, [404] = true, [422] = true, [428] = true, [429] = false,
      [430] = true, [500] = true, [501] = false, [502] = false, [503] = false, [504] = false,
    }) do
      -- Without a time a 429 holds the client until the next minute.
      local headers = { ["Retry-After"] = "0" }
      emulator.inject({
        status = status, headers = headers, json = { status = false, message = "No" },
      })
      local _, message = client.profile.info("Factory")
      local told = message:find("; profileID must be 24 hex digits", 1, true)
      assert.equal(is_hinted, told ~= nil, message)
    end
    client:close()
  end)

  it("is for what is not documented alone, and for dates that contradict each other", function()
    emulator.reset()
    local client = emulator.client({ attempts = 1 })
    local day = "2024-01-01"
    local both = "; query has a date, of one day, beside start_date and end_date"
    for _, row in ipairs({
      { "tokenList", { orderBy = "name" }, "" },
      { "tokenList", { orderBy = "name," }, "" },
      { "tokenList", { orderBy = "name,desc" }, "" },
      { "usageStatisticList", { date = day }, "" },
      { "usageStatisticList", { start_date = day, end_date = day }, "" },
      { "usageStatisticList", { date = day, start_date = day }, both },
      { "usageStatisticList", { date = day, end_date = day }, both },
    }) do
      emulator.inject({ status = 400, json = { status = false, message = "No" } })
      local _, message = client.profile[row[1]](id, row[2])
      assert.equal(row[3], message:match("%(HTTP 400, [^)]*%)(.*)$"))
    end
    client:close()
  end)

  it("shows no value of the caller's", function()
    emulator.reset()
    local client = emulator.client({ attempts = 1 })
    local secret = "p-in-the-wrong-place"
    local calls = {
      function() return client.profile.info(secret) end,
      function() return client.profile.tokenList(id, { fields = { secret }, orderBy = secret }) end,
      function() return client.profile.tokenList(id, { filter = { [secret] = "x" } }) end,
      function() return client.profile.usageStatisticList(id, { timezone = secret }) end,
      function()
        return client.profile.tokenCreate(id, { permission = secret, otp_type = secret })
      end,
      function() return client.profile.deleteTeamMember(id, secret) end,
      function() return client:request({ method = "GET", path = { "a/" .. secret } }) end,
    }
    for _, call in ipairs(calls) do
      emulator.inject({ status = 400, json = { status = false, message = "No" } })
      local _, message = call()
      assert.matches("%(HTTP 400, [^)]*%); ", message)
      assert.is_nil(message:find(secret, 1, true), message)
    end
    client:close()
  end)
end)

describe("a proxy that refuses is told as one, with the variable that names it", function()
  local server = faults.server(setup, teardown)

  local function list(variables)
    variables.T_ANALYSIS_TOKEN = "p-none"
    variables.TAGOIO_API = "https://tagoio.invalid"
    variables.TAGOIO_REQUEST_ATTEMPTS = "1"
    return (process.run_lua('print((select(2, require("tagoio").profile.list())))', variables))
  end

  for _, name in ipairs({ "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }) do
    it(name, function()
      server:play('request() answer(407, "who are you?")')
      local message = list({ [name] = (server.http:gsub("//", "//user:pass-word@")) })
      assert.matches("^profile.list: no connection: .*407.*; it goes through a proxy,", message)
      assert.matches(" which the variable " .. name .. " names\n$", message)
      assert.is_nil(message:find("pass-word", 1, true))
    end)
  end

  it("and not where NO_PROXY names the host", function()
    for _, value in ipairs({ "tagoio.invalid", ".invalid", "a, invalid", "*" }) do
      local message = list({ https_proxy = server.http, NO_PROXY = value })
      assert.matches("name not found", message)
      assert.is_nil(message:find("proxy", 1, true), message)
    end
  end)
end)

describe("a token of the environment is seen before anything is sent", function()
  for value, problem in pairs({
    ['"p-1f0d3f6a"'] = "without quotes around it",
    ["'p-1f0d3f6a'"] = "without quotes around it",
    ["p-1f0d3f6a "] = "printable ASCII without blanks",
    ["Bearer p-1f0d3f6a"] = "printable ASCII without blanks",
    [("x"):rep(5000)] = "at most 4096 bytes long",
  }) do
    it(problem .. ": " .. value:sub(1, 20), function()
      local code = 'print((select(2, require("tagoio").profile.list())))'
      local message = process.run_lua(code, { T_ANALYSIS_TOKEN = value })
      local told = "profile.list: T_ANALYSIS_TOKEN: the token must be " .. problem .. "\n"
      assert.equal(told, message)
    end)
  end
end)

describe("names that do not exist", function()
  it("change nothing for pairs, rawget, numbers and names with an underscore", function()
    local client = emulator.client()
    for _, object in ipairs({ tagoio, tagoio.profile, client, client.profile }) do
      assert.is_nil(rawget(object, "infos"))
      assert.is_nil(object[1])
      assert.is_nil(object._private)
      assert.is_nil(object.__name)
      for name in pairs(object) do
        assert.not_equal("infos", name)
      end
    end
    local count = 0
    for name, value in pairs(tagoio.profile) do
      assert.equal("function", type(value), name)
      count = count + 1
    end
    assert.equal(20, count)
    client:close()
  end)

  it("are told the nearest one, of equals the first, if it is near enough", function()
    local client = emulator.client()
    for name, meant in pairs({
      nfo = "info", xinfo = "info", infoo = "info", imfo = "info", craete = "create",
      imfu = "there are addTeamMember", crxete = "create", crxexe = "create",
      craetx = "there are addTeamMember",
    }) do
      local _, message = pcall(function() return client.profile[name] end)
      assert.is_truthy(message:find(meant, 1, true), message)
    end
    local _, message = pcall(function() return client.tokenCreat end)
    assert.matches("did you mean account.tokenCreate?", message, 1, true)
    client:close()
  end)

  it("are listed where nothing is alike", function()
    local ok, message = pcall(function() return tagoio.profile.xyzzy end)
    assert.is_false(ok)
    assert.matches("there is no such function; there are addTeamMember, auditLog, .*", message)
    ok, message = pcall(function() return tagoio.profile[("x"):rep(1e6) .. "\n"] end)
    assert.is_false(ok)
    assert.is_true(#message < 700)
  end)
end)

it("a body that begins with a byte order mark is told without that invisible character", function()
  emulator.reset()
  local client = emulator.client({ attempts = 1 })
  emulator.answer("/profile", 200, '\239\187\191{"status":true,"result":[]}')
  local _, message = client.profile.list()
  local told = "profile.list: not a response of TagoIO: it begins with a byte order mark"
  assert.equal(("%s (HTTP 200, %s)"):format(told, host), message)
  emulator.answer("/profile", 400, "\239\187\191Not \226\128\174 here")
  _, message = client.profile.list()
  assert.is_nil(message:find("[\128-\255]"), message)
  client:close()
end)
