-- SPDX-License-Identifier: MIT
-- The option headers: what is sent with each request beside our own headers, how often a function
-- is asked for it, what is refused, and that its values are shown nowhere.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local id = emulator.profile
local list = { path = "/profile" }
local busy = { match = list, status = 503, body = "" }

-- The values of one header of all requests so far, with "none" where it was not sent.
local function sent(name)
  local values = {}
  for i, request in ipairs(emulator.journal()) do
    values[i] = request.headers[name] or "none"
  end
  return values
end

describe("headers", function()
  local client, count

  -- Gives each call a number of its own, under the name of its operation.
  local function number(call)
    count = count + 1
    return { ["X-Call"] = call.operation .. " " .. count }
  end

  local function use(options)
    client = emulator.client(options)
  end

  before_each(function()
    emulator.reset()
    count = 0
  end)

  after_each(function()
    client:close()
  end)

  it("of a table are sent by operations, pages, requests, resources and without a token", function()
    use({ headers = { ["X-Farm"] = "north 7", ["x-list"] = 'a, "b";\tc=d' } })
    client.account.login({ email = "a@b.c", password = "wrong" })
    assert(client.profile.edit(id, { name = "x" }))
    assert(client.profile.tokenListAll(id))
    assert(client:request({ method = "GET", path = { "profile" } }))
    assert(client:resource("farm", { list = { "GET", "/profile" } }).list())
    local journal = emulator.journal()
    assert.is_true(#journal >= 5)
    for _, request in ipairs(journal) do
      assert.equal("north 7", request.headers["x-farm"])
      assert.equal('a, "b";\tc=d', request.headers["x-list"])
    end
    assert.equal("application/json", journal[2].headers["content-type"])
  end)

  it("of a table are copied: what becomes of it later changes nothing", function()
    local headers = { ["X-Farm"] = "north" }
    use({ headers = headers })
    headers["X-Farm"] = "bad\nvalue"
    assert(client.profile.list())
    assert.same({ "north" }, sent("x-farm"))
  end)

  it("of a function are asked for once a call and sent again with each attempt", function()
    use({ headers = number })
    emulator.inject(busy, busy)
    assert(client.profile.list())
    assert(client.profile.info(id))
    assert.same({ "profile.list 1", "profile.list 1", "profile.list 1", "profile.info 2" },
      sent("x-call"))
  end)

  it("of a function are asked for in the coroutine of the call, once a call of a map", function()
    local own = {}
    use({
      headers = function(call)
        own[coroutine.running()] = true
        return number(call)
      end,
    })
    emulator.inject(busy)
    local function is_own()
      assert(client.profile.list())
      return own[coroutine.running()]
    end
    assert.same({ true, true, true, true }, tagoio.map({ 1, 2, 3, 4 }, is_own))
    assert.same({ true, true }, { tagoio.gather(is_own, is_own) })
    assert.equal(6, count)
    local times = {}
    for _, value in ipairs(sent("x-call")) do
      times[value] = (times[value] or 0) + 1
    end
    local twice = 0
    for i = 1, 6 do
      twice = twice + times["profile.list " .. i] - 1
    end
    assert.equal(1, twice) -- the call that was retried
  end)

  it("of a function are asked for on each page of a list", function()
    use({ headers = number })
    for _ in client.profile.tokenListEach(id, { amount = 1 }) do end
    assert.is_true(count > 1)
    assert.equal("profile.tokenList " .. count, sent("x-call")[count])
  end)

  for place, run in pairs({
    ["calls its own client"] = function(call) call() end,
    ["calls its own client in a map"] = function(call) tagoio.map({ 1 }, call) end,
  }) do
    it("of a function that " .. place .. " were asked for without end", function()
      local problem
      use({ headers = function()
        assert(problem == nil)
        problem = ""
        run(function()
          local ok
          ok, problem = pcall(client.profile.list)
          assert.is_false(ok)
        end)
      end })
      assert(client.profile.info(id))
      assert.matches(
        "headers_spec.lua:%d+: profile.list: headers: the function calls its own client", problem)
      assert.equal(1, #emulator.journal())
    end)
  end

  it("of a function may come of a call of another client, one for each coroutine", function()
    local plain = emulator.client()
    use({ headers = function()
      return { ["X-Of"] = assert(plain.profile.info(id)).info.name }
    end })
    assert(client.profile.list())
    tagoio.map({ 1, 2 }, function() return assert(client.profile.list()) end)
    plain:close()
    assert.equal(6, #emulator.journal())
  end)

  it("of a function were kept with the coroutine that was left in it", function()
    local kept = setmetatable({}, { __mode = "k" })
    local function leave_one()
      local routine
      routine = coroutine.create(function()
        client = emulator.client({ headers = function() coroutine.yield(routine) end })
        client.profile.list()
      end)
      kept[routine] = true
      coroutine.resume(routine)
      client:close()
      use()
    end
    leave_one()
    if package.loaded.jit then
      package.loaded.jit.flush() -- LuaJIT's traces hold the functions that they call
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(kept))
  end)

  it("of a function may be none", function()
    use({ headers = function() end })
    assert(client.profile.list())
    assert(client:with({ headers = function() return {} end }).profile.list())
    assert.same({ "none", "none" }, sent("x-call"))
  end)

  it("are inherited; a derived client's table adds to them, false removes one or all", function()
    use({ headers = { ["X-A"] = "1", ["X-B"] = "2", ["X-C"] = false } })
    local others = { ["x-a"] = "3", ["X-D"] = "4" }
    for _, options in ipairs({
      {},
      { headers = others },
      { headers = { ["x-A"] = false } },
      { headers = false },
      { headers = number },
    }) do
      assert(client:with(options).profile.list())
    end
    assert(client:with({ headers = number }):with({ headers = others }).profile.list())
    assert(client:with({ headers = false }):with({}).profile.list())
    assert(client.profile.list())
    local none = "none"
    assert.same({ "1", "3", none, none, none, "3", none, "1" }, sent("x-a"))
    assert.same({ "2", "2", "2", none, none, none, none, "2" }, sent("x-b"))
    assert.same({ none, "4", none, none, none, "4", none, none }, sent("x-d"))
    assert.equal(1, count)
  end)

  it("are sent over HTTP/2", function()
    client = emulator.secure_client({ headers = number })
    tagoio.map({ 1, 2, 3 }, function() return assert(client.profile.list()) end)
    local versions = {}
    for i, request in ipairs(emulator.journal()) do
      versions[i] = request.http_version
    end
    assert.same({ "HTTP/2.0", "HTTP/2.0", "HTTP/2.0" }, versions)
    local values = sent("x-call")
    table.sort(values)
    assert.same({ "profile.list 1", "profile.list 2", "profile.list 3" }, values)
  end)

  it("are in the table that a transport gets, in each attempt", function()
    local requests = {}
    use({
      headers = number,
      transport = function(request)
        requests[#requests + 1] = request
        return #requests < 3 and 503 or 200, nil, '{"status":true,"result":[]}'
      end,
    })
    assert(client.profile.list())
    for i = 1, 3 do
      assert.equal("profile.list 1", requests[i].headers["X-Call"])
      assert.equal(emulator.token, requests[i].headers.token)
    end
  end)

  it("leave as many as there may be whole", function()
    local headers = {}
    for i = 1, 32 do
      headers["X-" .. i] = ("v"):rep(500 - #tostring(i)) .. i
    end
    use({ headers = headers })
    assert(client.profile.edit(id, { name = "x" }))
    for i = 1, 32 do
      assert.equal(headers["X-" .. i], emulator.request().headers["x-" .. i])
    end
  end)

  it("that have changed since are not sent by the connection that is used again", function()
    use({ headers = number, max_connections = 1 })
    assert(client.profile.list())
    assert(client:with({ headers = false }).profile.list())
    assert(client.profile.list())
    assert.same({ "profile.list 1", "none", "profile.list 2" }, sent("x-call"))
    assert.equal(1, emulator.counts().connections)
  end)

  it("of which one's name begins as the other's are told apart by a connection, too", function()
    use({ headers = { ["X-Trace-Id"] = "1" }, max_connections = 1 })
    assert(client.profile.list())
    assert(client:with({ headers = { ["X-Trace-Id"] = false, ["X-Trace"] = "2" } }).profile.list())
    assert.same({ "1", "none" }, sent("x-trace-id"))
    assert.same({ "none", "2" }, sent("x-trace"))
    assert.equal(1, emulator.counts().connections)
  end)

  it("are secrets: no message, detail, event or log has their values", function()
    local program = [=[
      local tagoio = require("tagoio")
      local function show(value)
        for key, inner in pairs(type(value) == "table" and value or {}) do
          print(key)
          show(inner)
        end
        print(tostring(value))
      end
      for _, headers in ipairs({
        { ["X-Pass"] = "s3cr3t" },
        { ["X-Pass"] = "s3cr3t\n" },
        { Host = "s3cr3t" },
        { Authorization = "Bearer s3cr3t" },
        { cookie = "theme=; flag; session=s3cr3t;more=o2her;" },
        function() return { ["X-Pass"] = "s3cr3t" } end,
        function() return { ["X-Pass"] = "s3cr3t\r" } end,
      }) do
        local options = { token = "p-1", headers = headers, on_attempt = show }
        options.region = { api = os.getenv("API") }
        local made, client = pcall(tagoio.new, options)
        print(tostring(client))
        show(made and { pcall(client.profile.info, "s3cr3t") })
      end]=]
    use()
    emulator.inject({
      status = 400,
      headers = { ["X-Request-Id"] = "s3cr3t" },
      body = '{"status":false,"message":"No s3cr3t","s3cr3t":["is s3cr3t"]}',
      times = 4,
    })
    local output, status = process.run_lua(program, { TAGOIO_LOG = "1", API = emulator.http })
    assert.equal(0, status, output)
    assert.is_nil(output:find("s3cr3t", 1, true), output)
    local _, shown = output:gsub("No %*%*%*", "")
    assert.is_true(shown >= 8, output)
    assert.matches('tagoio.new: headers%["X%-Pass"%] must be a string', output)
    assert.equal(4, #emulator.journal())
  end)
end)

-- ---- what is refused ----

local function refusal(headers)
  local ok, message = pcall(function()
    return tagoio.new({ token = "p-1", region = "us-e1", headers = headers })
  end)
  assert.is_false(ok)
  return message:match("^spec/api/headers_spec.lua:%d+: tagoio.new: (.*)$") or message
end

local http = "HTTP sets it for each request"
local json = "requests and responses are JSON"

describe("a header is refused that is called", function()
  for name, why in pairs({
    Accept = json,
    ["Accept-Encoding"] = "it says what can be decoded here",
    Connection = http,
    ["Content-Encoding"] = json,
    ["Content-Length"] = http,
    ["Content-Type"] = json,
    Expect = http,
    Host = http,
    ["HTTP2-Settings"] = http,
    ["Keep-Alive"] = http,
    ["Proxy-Authorization"] = "use the option proxy",
    ["Proxy-Connection"] = http,
    TE = http,
    Token = "use the option token",
    Trailer = http,
    ["Transfer-Encoding"] = http,
    Upgrade = http,
    ["User-Agent"] = "use the option user_agent",
  }) do
    it(name .. ", in any case: " .. why, function()
      for _, spelt in ipairs({ name, name:lower(), name:upper() }) do
        local told = ('headers["%s"] cannot be set: %s'):format(spelt, why)
        assert.equal(told, refusal({ [spelt] = "value" }))
      end
    end)
  end

  for _, name in ipairs({ "", "a b", "a:", ":path", "a\r\nb", "a\0b", "\195\164", "a(", "a/b" }) do
    it(("%q"):format(name) .. ", which is not a name", function()
      local told = 'headers%[".*"%] cannot be set: this is not the name of a header$'
      assert.matches("^" .. told, refusal({ [name] = "x" }))
    end)
  end
end)

describe("a header is refused whose value", function()
  local lines = 'headers["X"] must be a string without line breaks and other control characters'
  local blanks = 'headers["X"] must be a string that is not empty, without blanks around it'
  for name, row in pairs({
    ["has a line break"] = { "a\nb", lines },
    ["has a carriage return"] = { "a\rb", lines },
    ["has another header"] = { "a\r\nToken: x", lines },
    ["has a NUL"] = { "a\0b", lines },
    ["has an escape"] = { "a\27b", lines },
    ["has a delete"] = { "a\127b", lines },
    ["ends with a line break"] = { "a\n", blanks },
    ["begins with a blank"] = { " a", blanks },
    ["is empty"] = { "", blanks },
    ["is a number"] = { 5, 'headers["X"] must be a string (got a number)' },
    ["is a boolean"] = { true, 'headers["X"] must be a string (got a boolean)' },
    ["is a table"] = { {}, 'headers["X"] must be a string (got a table)' },
    ["is null"] = { tagoio.null, 'headers["X"] must be a string (got a userdata)' },
  }) do
    it(name, function()
      assert.equal(row[2], refusal({ X = row[1] }))
    end)
  end
end)

describe("headers are refused", function()
  it("that are a list", function()
    assert.equal("headers must have names as keys (got a number)", refusal({ "X: y" }))
  end)

  it("of which two have the same name in different case", function()
    local told = refusal({ ["X-Id"] = "a", ["x-id"] = "b" })
    assert.equal('headers["x-id"] is there twice: its case does not matter', told:lower())
  end)

  it("that are too many or too large", function()
    local told = "headers must be at most 32, of 16384 bytes together"
    local many = {}
    for i = 1, 33 do
      many["X-" .. i] = "x"
    end
    assert.equal(told, refusal(many))
    assert.equal(told, refusal({ X = ("x"):rep(16384) }))
    assert.equal(told, refusal({ X = ("x"):rep(8191), Y = ("y"):rep(8192) }))
    assert(tagoio.new({ token = "p-1", headers = { X = ("x"):rep(16383) } })):close()
  end)
end)

describe("a function of headers raises at the line of the call", function()
  local server = faults.server(setup, teardown)

  for name, row in pairs({
    ["what it raises"] = { function() error("no span", 0) end, "headers: no span" },
    ["what it returns, when it is not a table"] = {
      function() return "X: y" end,
      "headers must return a table or nil (got a string)",
    },
    ["a bad header"] = {
      function() return { Host = "x" } end,
      'headers["Host"] cannot be set: HTTP sets it for each request',
    },
    ["a bad value"] = {
      function() return { X = 5 } end,
      'headers["X"] must be a string (got a number)',
    },
  }) do
    it(name, function()
      server:play("serve()")
      local client = server:client({ headers = row[1] })
      local ok, message = pcall(function()
        return client.profile.list()
      end)
      assert.is_false(ok)
      assert.equal(row[2], message:match("^spec/api/headers_spec.lua:%d+: profile.list: (.*)$"))
      ok, message = pcall(tagoio.map, { 1 }, function()
        local rows = client.profile.list()
        return rows
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("profile.list: " .. row[2], 1, true), message)
      assert.equal(0, server:executed())
      assert(client:with({ headers = false }).profile.list()) -- it holds nothing up
      client:close()
    end)
  end
end)
