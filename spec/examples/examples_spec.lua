-- SPDX-License-Identifier: MIT
-- The example scripts do what they say, as programs of their own.

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")
local http = require("socket.http")
local markdown = require("spec.support.markdown")
local nginx = require("spec.support.nginx")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local id = emulator.profile

-- Runs a script: what it printed to both streams, and its status.
local function run(name, arguments, variables)
  local environment = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
  for key, value in pairs(variables or {}) do
    environment[key] = value
  end
  return process.run_lua("spec/examples/" .. name .. ".lua", environment, arguments)
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return lines
end

describe("the example", function()
  before_each(function()
    emulator.reset()
  end)

  describe("tour", function()
    it("writes to the emulator, and shows an error", function()
      local output, status = run("tour", "", {
        EMULATOR_EMAIL = emulator.email,
        EMULATOR_PASSWORD = emulator.password,
      })
      assert.equal(0, status, output)
      assert.matches("Device created: Press 4\n.*   Complete, %d events\n", output)
      assert.matches("Successfully Removed\n.*profile.info: Profile not found %(HTTP 404", output)
    end)

    it("only reads with a token of one's own, and finds the answers as documented", function()
      local output, status = run("tour")
      assert.equal(0, status, output)
      assert.matches("\n0 differences from what is documented\n$", output)
      for _, request in ipairs(emulator.journal()) do
        assert.equal("GET", request.method)
      end
    end)
  end)

  it("progress counts, and draws no bar without a terminal", function()
    local output, status = run("progress")
    assert.equal(0, status, output)
    assert.equal("Factory\t3\nWarehouse\t1\nGreenhouse\t0\n", output)
  end)

  it("progress draws a bar for a terminal", function()
    if select(2, process.run("script -qec true /dev/null")) ~= 0 then
      return pending("there is no pseudo-terminal")
    end
    local lua = process.lua_command("spec/examples/progress.lua", {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = emulator.http,
    })
    local output = process.run(("script -qec %s /dev/null"):format(process.quote(lua)))
    assert.matches("#+%.* 1 of 3", output)
    assert.matches("1 of 3, %d+%.%d/s, %d+ s left", output)
    assert.matches("counting #+ 3 of 3, %d+%.%d/s\r?\n", output)
  end)

  it("luv overlaps two calls while its loop goes on", function()
    emulator.inject({ hold_until = 2, times = 2, delay_ms = 50 })
    local output, status = run("luv")
    assert.equal(0, status, output)
    assert.matches("the token belongs to Factory\n", output)
    assert.matches("it sees 3 profiles\n", output)
    assert.matches("the loop went on all the time\n$", output)
    assert.equal(2, emulator.counts().most_at_once)
  end)

  it("nginx.conf serves the profiles of tenants, each with its token", function()
    local host = nginx.start_as_written("spec/examples/nginx.conf", {
      FARM_TOKEN = emulator.token,
      PLANT_TOKEN = "p-nobody",
      TAGOIO_API = emulator.http,
    })
    assert.equal(3, #nginx.decode(host:get("/farm/profiles")))
    assert.equal(502, select(2, host:get("/plant/profiles")))
    assert.equal(404, select(2, host:get("/nobody/profiles")))
    emulator.inject({
      match = { path = "/profile" },
      status = 503,
      headers = { ["Retry-After"] = "9" },
    })
    assert.equal(503, select(2, host:get("/farm/profiles")))
    local journal = emulator.journal()
    assert.equal("<token>", journal[1].headers.token)
    assert.equal("<unknown token>", journal[2].headers.token)
    assert.equal(3, #journal)
    host:stop()
  end)

  local transports = {
    ["libcurl"] = "timeout = 0.3,",
    ["lua-resty-http"] = 'timeout = 0.3, transport = require("tagoio.transports.resty"),',
  }
  for name, options in pairs(transports) do
    it("nginx.conf has a status for each kind of error, over " .. name, function()
      local host = nginx.start_as_written("spec/examples/nginx.conf", {
        FARM_TOKEN = emulator.token,
        PLANT_TOKEN = emulator.token,
        TAGOIO_API = emulator.http,
      }, function(text)
        local stand_in = ("%%0;%s/spec/support/resty-stand-in/?.lua"):format(nginx.root)
        -- Two more tenants: one asks for no profile, for the other there is no memory.
        text = text:gsub("plant = client:with", [[
            invalid = { profile = { list = function() return client.profile.info("") end } },
            memory = { profile = { list = function()
                return nil, "not enough memory", { kind = "memory" }
            end } },
            %0]])
        return (text:gsub("timeout = 5,", options):gsub("/lua/%?%.lua", stand_in, 1))
      end)
      local function get(...)
        emulator.inject(...)
        local url = ("http://127.0.0.1:%s/farm/profiles"):format(host.port)
        local _, status, headers = http.request(url)
        return status, headers["retry-after"]
      end
      assert.same({ 504 }, { get({ hold = true }) })
      emulator.release()
      assert.same({ 502 }, { get({ status = 403 }) })
      assert.same({ 502 }, { get({ status = 200, body = "<html>" }) })
      assert.equal(500, select(2, host:get("/invalid/profiles")))
      assert.equal(503, select(2, host:get("/memory/profiles")))
      local nothing = { match = { path = "/nowhere" } }
      assert.same({ 200 }, { get(nothing) })
      local refusal = { status = 429, headers = { ["Retry-After"] = "9" } }
      assert.same({ 503, "9" }, { get(refusal) })
      assert.same({ 503, "9" }, { get(nothing) }) -- it was not sent
      host:stop()
    end)
  end

  it("nginx-metrics.conf counts the attempts of calls for Prometheus", function()
    local host = nginx.start_as_written("spec/examples/nginx-metrics.conf", {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = emulator.http,
    })
    emulator.inject({ status = 503 })
    assert.equal("3\n", (host:get("/profiles")))
    assert.equal("3\n", (host:get("/profiles")))
    local text = host:get("/metrics")
    assert.matches('\ntagoio_attempts_total{operation="profile.list",outcome="200"} 2\n', text)
    assert.matches('\ntagoio_attempts_total{operation="profile.list",outcome="503"} 1\n', text)
    local labels = '{operation="profile.list",outcome="200"}'
    assert.matches("^tagoio_attempt_seconds_total" .. labels .. " 0[%.\n]", text)
    host:stop()
  end)

  it("nginx.conf does not start where the token of a tenant is not set", function()
    for _, name in ipairs({ "FARM_TOKEN", "PLANT_TOKEN" }) do
      local variables = { FARM_TOKEN = emulator.token, PLANT_TOKEN = emulator.token }
      variables[name] = nil
      variables.TAGOIO_API = emulator.http
      local started, problem = pcall(nginx.start_as_written, "spec/examples/nginx.conf", variables)
      if started then
        problem:stop()
      end
      assert.is_false(started)
      assert.matches(name .. " is not set", tostring(problem))
    end
    assert.same({}, emulator.journal())
  end)

  describe("invite-a-team", function()
    -- Runs it on a CSV file.
    local function invite(csv, arguments)
      local name = os.tmpname()
      local file = assert(io.open(name, "w"))
      file:write(csv)
      file:close()
      local output, status = run("invite-a-team", (arguments or "") .. " <" .. process.quote(name))
      os.remove(name)
      return output, status
    end

    it("invites who is not in the team yet, and tells who could not be", function()
      local output, status = invite(
        '\239\187\191name, E-Mail ,Email\r\n"Hopper, Grace",,Grace@example.com\r\n'
          .. "Ada,,ada@example.com\r\n\r\nBob,,nobody\r\nAda again,,ADA@example.com\r\n"
      )
      local lines = lines_of(output)
      assert.equal("present  Grace@example.com", lines[1])
      assert.equal("invited  ada@example.com", lines[2])
      assert.matches("^failed   nobody +profile.addTeamMember: Invalid email", lines[3])
      assert.equal("present  ADA@example.com", lines[4])
      assert.equal("1 invited, 2 in the team already, 1 failed", lines[5])
      assert.equal(1, status)
      assert.equal(1, emulator.counts().executed["POST /profile/{}/team"])
    end)

    it("invites to the profile that is named, and nobody twice", function()
      local warehouse = "5bbe3d1d4d3ad10021e1d2b2"
      local csv = "email\nada@example.com\n"
      local output, status = invite(csv, warehouse)
      assert.equal(0, status, output)
      output, status = invite(csv, warehouse)
      assert.matches("\n0 invited, 1 in the team already, 0 failed\n", output)
      assert.equal(0, status)
    end)

    it("looks whether an invitation was made when its answer was lost", function()
      emulator.inject({
        match = { method = "POST" },
        execute = true,
        status = 502,
        body = "",
      })
      local output, status = invite("email\nada@example.com\n")
      assert.matches("^invited  ada@example.com\n", output)
      assert.equal(0, status)
    end)

    it("says what is wrong with its input", function()
      local output, status = invite("name\nAda\n")
      assert.equal('invite-a-team: the first line has no column "email"\n', output)
      assert.equal(2, status)
      output, status = invite("")
      assert.equal("invite-a-team: nothing on standard input\n", output)
      assert.equal(2, status)
    end)
  end)

  describe("audit-export", function()
    it("writes a line of JSON an event", function()
      local output, status = run("audit-export", "2>/dev/null")
      assert.equal(0, status)
      local lines = lines_of(output)
      assert.equal(2, #lines)
      assert.equal("Profile updated", dkjson.decode(lines[1]).message)
      assert.equal("Device created: Press 4", dkjson.decode(lines[2]).message)
    end)

    it("asks for a longer time week by week", function()
      local output, status = run("audit-export", "--days 16 --find press " .. id)
      assert.equal(0, status, output)
      assert.matches("\n1 events of 16 days\n", output)
      local started, last = 0, nil
      for _, request in ipairs(emulator.journal()) do
        if request.path == "/profile/" .. id .. "/auditlog" then
          local query = {}
          for _, pair in ipairs(request.query) do
            query[pair[1]] = pair[2]
          end
          started = started + 1
          local from, to = tagoio.date.parse(query.start_date), tagoio.date.parse(query.end_date)
          assert.equal("press", query.find)
          assert.is_true(to - from <= 7 * 86400)
          assert.is_true(last == nil or math.abs(from - last - 0.001) < 1e-6)
          last = to
        end
      end
      assert.equal(3, started)
    end)

    it("ends with status 1 when it is refused", function()
      local output, status = run("audit-export", "5bbe3d1d4d3ad10021e1d2c3")
      assert.matches("^audit%-export: profile.auditLog: .*%(HTTP 403", output)
      assert.equal(1, status)
    end)
  end)

  describe("expiring-tokens", function()
    it("lists what ends within 30 days, and has status 1", function()
      local output, status = run("expiring-tokens")
      local lines = lines_of(output)
      assert.equal(2, #lines)
      assert.matches("^[78] days +%d%d%d%d%-%d%d%-%d%d  Factory +full +Generated auto", lines[2])
      assert.equal(1, status)
      assert.is_nil(output:find("p-", 1, true)) -- no token itself
    end)

    it("sorts by what is left, and looks as far as it is told", function()
      local lines = lines_of((run("expiring-tokens", "60")))
      assert.matches("Factory", lines[2])
      assert.matches("^[34][90] days .* Warehouse +write +Label printer", lines[3])
    end)

    it("is silent when there is nothing to do", function()
      assert.same({ "", 0 }, { run("expiring-tokens", "3") })
    end)

    it("has status 2 when a profile cannot be asked, and still tells of the others", function()
      emulator.inject({
        match = { path = "/profile/5bbe3d1d4d3ad10021e1d2b2/token" },
        status = 403,
        json = { status = false, message = "No" },
      })
      local output, status = run("expiring-tokens")
      assert.matches("expiring%-tokens: Warehouse: profile.tokenList: No %(HTTP 403", output)
      assert.matches("Generated automatically", output)
      assert.equal(2, status)
    end)

    it("does not look into profiles of others", function()
      run("expiring-tokens")
      for _, request in ipairs(emulator.journal()) do
        assert.is_nil(request.path:find("5bbe3d1d4d3ad10021e1d2c3", 1, true))
      end
    end)

    it("says that it needs a number", function()
      assert.same(
        { "expiring-tokens: DAYS: a number is needed\n", 2 },
        { run("expiring-tokens", "soon") }
      )
    end)
  end)

  describe("first-token", function()
    local person = {
      TAGOIO_EMAIL = emulator.email,
      TAGOIO_PASSWORD = emulator.password,
      T_ANALYSIS_TOKEN = "",
    }

    -- The command, with e-mail and password in the environment or without.
    local function command(arguments, variables)
      variables = variables or {}
      variables.TAGOIO_API = emulator.http
      return process.lua_command("spec/examples/first-token.lua", variables, arguments)
    end

    -- Whether a token works, asked without our client.
    local function profile_of(token)
      return emulator.result("GET", "/profile/current", nil, token).info.name
    end

    it("prints a working token, and nothing else on its output", function()
      local output, status = run("first-token", "Warehouse Report 2>/dev/null", person)
      assert.equal(0, status)
      local token = output:match("^(p%-%S+)\n$")
      assert.equal("Warehouse", profile_of(token))
      for _, request in ipairs(emulator.journal()) do
        local is_ready = request.uri == "/profile/current"
        assert.equal(is_ready and "<token>" or nil, request.headers.token)
      end
    end)

    it("uses the pin of the authenticator, which the environment may have", function()
      emulator.reset({ pin_code = "918273", otp_autosend = "authenticator" })
      person.TAGOIO_PIN_CODE = "918273"
      local output, status = run("first-token", id .. " 2>/dev/null", person)
      person.TAGOIO_PIN_CODE = nil
      assert.equal(0, status)
      assert.equal("Factory", profile_of(output:match("^(p%-%S+)\n$")))
    end)

    -- Types lines into a program, each when it has asked; a function gives the line.
    local function converse(line, talk)
      local name = os.tmpname()
      local pipe = assert(io.popen(("{ %s\n} >%s 2>&1"):format(line, name), "w"))
      pipe:setvbuf("no")
      local deadline = os.time() + 20
      for _, step in ipairs(talk) do
        local seen = ""
        while not seen:find(step[1], 1, true) and os.time() < deadline do
          seen = markdown.read(name)
        end
        pipe:write(type(step[2]) == "function" and step[2]() or step[2], "\n")
      end
      pipe:close()
      local output = markdown.read(name)
      os.remove(name)
      return output
    end

    local function last_pin()
      local outbox = emulator.outbox()
      return outbox[#outbox].pin_code
    end

    it("asks for what is missing: the codes that were sent, the profile", function()
      emulator.reset({ pin_code = "918273" })
      local output = converse(command(nil, { TAGOIO_EMAIL = emulator.email }), {
        { "Password: ", emulator.password },
        { "Pin (email): ", last_pin },
        { "by its number: ", "2" },
        { "by its number: Pin (email): ", last_pin },
      })
      assert.equal("Warehouse", profile_of(output:match("\n(p%-%S+)\n$")))
      assert.equal(2, #emulator.outbox())
    end)

    it("does not echo the password on a terminal", function()
      if select(2, process.run("script -qec true /dev/null")) ~= 0 then
        return pending("there is no pseudo-terminal")
      end
      local line = process.quote(command("Factory"))
      local output = converse(("script -qec %s /dev/null"):format(line), {
        { "E-mail: ", emulator.email },
        { "Password: ", emulator.password },
      })
      assert.is_truthy(output:find("E-mail: " .. emulator.email, 1, true), output)
      assert.is_nil(output:find(emulator.password, 1, true), output)
      assert.matches("\na token of Factory, named tagoio for Lua:\r?\np%-", output)
    end)

    it("says what was wrong, without the password", function()
      local wrong = { TAGOIO_EMAIL = emulator.email, TAGOIO_PASSWORD = "wrong-horse" }
      local output, status = run("first-token", "Factory", wrong)
      assert.equal(1, status)
      assert.matches("^first%-token: account.login: Invalid password %(HTTP 401, ", output)
      output, status = run("first-token", "Nowhere", person)
      assert.same({ "first-token: there is no profile Nowhere\n", 1 }, { output, status })
    end)
  end)

  describe("usage-report", function()
    it("shows limits and use of all profiles as bars", function()
      local output, status = run("usage-report")
      assert.equal(0, status, output)
      assert.matches("\nFactory\n  input +#*%.* +%d+%.%d %%  [%d,]+ of 1,000,000\n", output)
      assert.matches("\nGreenhouse %(shared with me%)\n", output)
    end)

    it("marks what is near its limit or over it", function()
      local function answer(used)
        emulator.inject({
          match = { path = "/profile/" .. id .. "/summary" },
          json = {
            status = true,
            result = { amount = {}, limit = { input = 1000, new = 5 }, limit_used = used },
          },
        })
      end
      answer({ input = 800, new = 7.5 })
      local output = run("usage-report")
      assert.matches("\n! input +" .. ("#"):rep(24) .. "%.+  80.0 %%  800 of 1,000\n", output)
      assert.matches("\n! new +" .. ("#"):rep(30) .. " 150.0 %%  7.5 of 5\n", output)
      answer({ input = 799 })
      assert.matches("\n  input ", (run("usage-report")))
    end)

    it("tells what could not be had, and ends with status 1", function()
      local refusal = { status = false, message = "No" }
      local match = { path = "/profile/" .. id .. "/summary" }
      emulator.inject({ match = match, status = 403, json = refusal })
      local output, status = run("usage-report")
      assert.matches("\nFactory\n  profile.summary: No %(HTTP 403", output)
      assert.equal(1, status)
    end)
  end)
end)
