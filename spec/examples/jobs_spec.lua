-- SPDX-License-Identifier: MIT
-- The jobs among the example scripts: each may be killed anywhere and run again, and then nothing
-- is lost and nothing done twice.

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")
local process = require("spec.support.process")

local id = emulator.profile
local warehouse = "5bbe3d1d4d3ad10021e1d2b2"

-- Where scripts look for programs.
local search_path = os.getenv("PATH")

-- The command that runs a script with the emulator's variables.
local function command(name, arguments, variables)
  local environment = {
    PATH = search_path,
    T_ANALYSIS_TOKEN = emulator.token,
    TAGOIO_API = emulator.http,
    TAGOIO_EMAIL = emulator.email,
    TAGOIO_PASSWORD = emulator.password,
  }
  for key, value in pairs(variables or {}) do
    environment[key] = value
  end
  return process.lua_command("spec/examples/" .. name .. ".lua", environment, arguments)
end

local function run(name, arguments, variables)
  return process.run(command(name, arguments, variables))
end

local function read(name)
  local file = io.open(name, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

local function write(name, text)
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
end

-- Starts a script, kills it while one of its requests is held, and lets the request then go on: it
-- is executed, and its response is lost. The requests before it came through.
local function kill_at(skip, name, arguments)
  emulator.inject({ skip = skip, hold = true, times = 1 })
  local script = command(name, arguments)
  local pipe = io.popen(("{ exec %s; } >/dev/null 2>&1 & echo $!"):format(script))
  local pid = pipe:read("*n")
  pipe:close()
  assert.equal(1, emulator.wait_for(1).holding)
  process.run("kill -9 " .. pid)
  emulator.release()
  emulator.wait_for_none()
end

local function request_count(fn)
  local before = #emulator.journal()
  fn()
  return #emulator.journal() - before
end

-- Calls prepare, kills a script at each of its requests in turn, runs it again, and calls check.
local function survives(name, arguments, prepare, check)
  prepare()
  local count = request_count(function()
    local output, status = run(name, arguments)
    assert.equal(0, status, output)
  end)
  check()
  assert.is_true(count > 1)
  for skip = 0, count - 1 do
    prepare()
    kill_at(skip, name, arguments)
    local output, status = run(name, arguments)
    assert.equal(0, status, output)
    check("killed at request " .. skip + 1)
  end
end

-- The rows of a profile's tokens with a name.
local function tokens_of(profile, name)
  local path = ("/profile/%s/token?fields[0]=name&fields[1]=token&fields[2]=permission&amount=100")
  local found = {}
  for _, row in ipairs(emulator.result("GET", path:format(profile))) do
    found[#found + 1] = row.name == name and row or nil
  end
  return found
end

describe("the job", function()
  local file

  before_each(function()
    emulator.reset()
    file = os.tmpname()
    os.remove(file)
  end)

  after_each(function()
    os.remove(file)
    os.remove(file .. ".new")
  end)

  describe("rotate-tokens", function()
    local display = "Wall display"

    -- A second profile with two such tokens; neither has been rotated.
    local function prepare()
      os.remove(file)
      emulator.reset()
      for _ = 1, 2 do
        emulator.result("POST", ("/profile/%s/token"):format(warehouse), {
          name = display,
          permission = "write",
          email = emulator.email,
          password = emulator.password,
        })
      end
    end

    -- The tokens that the file holds, by profile.
    local function written()
      local found = {}
      for line in (read(file) or ""):gmatch("[^\n]+") do
        local row = dkjson.decode(line)
        if row.token then
          assert.is_nil(found[row.profile])
          found[row.profile] = row.token
        end
      end
      return found
    end

    local function check(when)
      local found = written()
      for profile, count in pairs({ [id] = 2, [warehouse] = 3 }) do
        local rows = tokens_of(profile, display)
        assert.equal(count, #rows, when)
        local is_there = false
        for _, row in ipairs(rows) do
          is_there = is_there or row.token == found[profile]
        end
        assert.is_true(is_there, when)
      end
    end

    it("makes one new token a profile, wherever it is killed", function()
      survives("rotate-tokens", ("create %q %s"):format(display, file), prepare, check)
    end)

    it("does not run in vain with a file whose last line is cut off", function()
      prepare()
      assert.equal(0, select(2, run("rotate-tokens", ("create %q %s"):format(display, file))))
      local text = read(file)
      write(file, text:sub(1, -10)) -- within the last token
      assert.equal(0, select(2, run("rotate-tokens", ("create %q %s"):format(display, file))))
      local last
      for line in read(file):gmatch("[^\n]+") do
        last = dkjson.decode(line) or last
      end
      assert.equal(text:match("([^\n]+)\n$"), dkjson.encode(last, { keyorder = { "profile" } }))
    end)

    it("removes the old tokens and no others, wherever it is killed", function()
      local new
      survives("rotate-tokens", "revoke " .. file, function()
        prepare()
        assert.equal(0, select(2, run("rotate-tokens", ("create %q %s"):format(display, file))))
        new = written()
      end, function(when)
        for profile, token in pairs(new) do
          local rows = tokens_of(profile, display)
          assert.equal(1, #rows, when)
          assert.equal(token, rows[1].token)
          assert.equal(profile == id and "read" or "write", rows[1].permission)
        end
        assert.equal(2, #tokens_of(id, "Automation") + #tokens_of(warehouse, "Label printer"), when)
      end)
    end)

    it("shows no token, and leaves the one that it uses", function()
      local output = run("rotate-tokens", "create Automation " .. file)
      assert.matches("Factory +has none\n", output)
      output = run("rotate-tokens", ("create %q %s"):format(display, file))
      assert.matches("Factory +new token\n", output)
      assert.is_nil(output:find("p-", 1, true))
    end)

    it("removes nothing where no new token was written", function()
      emulator.inject({ match = { method = "POST" }, status = 403, json = { status = false } })
      local output, status = run("rotate-tokens", ("create %q %s"):format(display, file))
      assert.equal(1, status)
      assert.matches("Factory +profile.tokenCreate: ", output)
      output, status = run("rotate-tokens", "revoke " .. file)
      assert.equal(0, status)
      assert.matches("Factory +has no new token yet\n", output)
      assert.equal(1, #tokens_of(id, display))
    end)
  end)

  describe("allocate", function()
    local function allocation(profile)
      return emulator.result("GET", "/profile/" .. profile).allocation
    end

    -- More input than is left for one; the other has to give it first.
    local function prepare()
      emulator.reset()
      local left = emulator.result("GET", "/account/allocation")
      assert.equal(2, #left)
      local factory, other = allocation(id).input, allocation(warehouse).input
      write(file, dkjson.encode({
        Factory = { input = 1000, sms = 5 },
        [warehouse] = { input = other + factory - 1000, sms = 7 },
      }))
    end

    local function check(when)
      assert.equal(1000, allocation(id).input, when)
      assert.equal(5, allocation(id).sms, when)
      assert.equal(7, allocation(warehouse).sms, when)
      assert.equal(3000, allocation(id).analysis, when)
      local output, status = run("allocate", "plan " .. file)
      assert.equal("0 differences\n", output)
      assert.equal(0, status)
    end

    it("plans without a write, and has status 2 for a difference", function()
      prepare()
      local output, status = run("allocate", "plan " .. file)
      assert.equal(2, status, output)
      assert.matches("Factory +input +1000000 %-> 1000\n", output)
      assert.matches("Warehouse +input +%d+ %-> 1999000\n", output)
      assert.matches("\n4 differences\n", output)
      assert.same({}, emulator.counts().executed)
    end)

    it("applies it, wherever it is killed", function()
      survives("allocate", "apply " .. file, prepare, check)
    end)

    it("says what is wrong with its file", function()
      for text, problem in pairs({
        ["{"] = "allocate: .*decode: ",
        ['{"Nobody": {"input": 1}}'] = "allocate: Nobody: 0 profiles have this name or id\n",
        ['{"Factory": {"input": "1"}}'] = "allocate: Factory: input: a number is needed\n",
      }) do
        write(file, text)
        local output, status = run("allocate", "plan " .. file)
        assert.matches(problem, output)
        assert.equal(1, status)
      end
    end)
  end)

  describe("audit-export", function()
    local arguments

    before_each(function()
      emulator.reset({ audit_polls = 0 })
      arguments = "--days 16 --file " .. file
    end)

    local function messages()
      local list = {}
      for line in (read(file) or ""):gmatch("([^\n]*)\n") do
        list[#list + 1] = assert(dkjson.decode(line)).message
      end
      return list
    end

    local before = { "Profile updated", "Device created: Press 4" }

    it("goes on where the last run stopped", function()
      assert.equal(0, select(2, run("audit-export", arguments)))
      assert.same(before, messages())
      assert.equal(0, select(2, run("audit-export", arguments)))
      assert.same(before, messages())
      emulator.result("PUT", "/profile/" .. id, { name = "Factory 2" })
      local output = run("audit-export", arguments)
      assert.matches("1 events of 0.%d+ days\n$", output)
      assert.equal(3, #messages())
    end)

    it("neither loses nor repeats an event, wherever it is killed", function()
      survives("audit-export", arguments, function()
        emulator.reset({ audit_polls = 0 })
        os.remove(file)
      end, function(when)
        assert.same(before, messages(), when)
      end)
    end)

    it("goes on after a line that was cut off", function()
      assert.equal(0, select(2, run("audit-export", arguments)))
      local text = read(file)
      for _, length in ipairs({ #text - 1, #text - 20, #text - 150, 1 }) do
        write(file, text:sub(1, length))
        assert.equal(0, select(2, run("audit-export", arguments)))
        assert.equal(text, read(file))
      end
    end)

    it("asks for shorter intervals where events are missing", function()
      emulator.reset({ audit_limit = 1, audit_polls = 0 })
      assert.equal(0, select(2, run("audit-export", "--days 1 --file " .. file)))
      assert.same(before, messages())
      assert.is_true(#emulator.journal() > 2)
    end)
  end)

  describe("usage-plot", function()
    local svg

    local real = process.run("command -v gnuplot"):match("[^\n]+")

    -- The interpreter may need a sanitizer's library, with which gnuplot itself has leaks.
    before_each(function()
      svg = file .. ".svg"
      if real then
        local folder = process.quote(file .. ".bin")
        assert.equal("", (process.run("mkdir " .. folder)))
        write(file .. ".bin/gnuplot", "#!/bin/sh\nexec env -u LD_PRELOAD " .. real .. ' "$@"\n')
        assert.equal("", (process.run(("chmod 755 %s/gnuplot"):format(folder))))
        search_path = file .. ".bin:" .. os.getenv("PATH")
      end
    end)

    after_each(function()
      search_path = os.getenv("PATH")
      os.remove(file .. ".bin/gnuplot")
      os.remove(file .. ".bin")
      os.remove(svg)
      os.remove(svg .. ".new")
    end)

    local function has_gnuplot()
      return real ~= nil
    end

    it("writes a year of all profiles as CSV, wherever it is killed", function()
      survives("usage-plot", ("2024 %s %s"):format(file, svg), function()
        os.remove(file)
        os.remove(svg)
      end, function(when)
        local text = read(file)
        assert.matches("^month,profile,name,analysis,.*input.*\r\n", text, when)
        local months = select(2, text:gsub("\n2024%-%d%d," .. id .. ",Factory,", ""))
        assert.equal(12, months, when)
        assert.equal(has_gnuplot(), read(svg) ~= nil, when)
      end)
    end)

    it("quotes a name for CSV, and draws a chart with it where gnuplot is", function()
      emulator.result("PUT", "/profile/" .. id, { name = 'A "b", `c` $d' })
      local output, status = run("usage-plot", ("2024 %s %s"):format(file, svg))
      assert.equal(0, status, output)
      assert.is_truthy(read(file):find(',"A ""b"", `c` $d",', 1, true))
      if not has_gnuplot() then
        assert.matches("there is no gnuplot", output)
        return pending("there is no gnuplot")
      end
      local picture = read(svg)
      assert.matches("<svg.*</svg>%s*$", picture)
      assert.is_truthy(picture:find("A  b , `c` $d", 1, true))
      assert.matches("2024%-12", picture)
    end)

    it("leaves out a profile that cannot be asked, and has status 1", function()
      emulator.inject({
        match = { path = ("/profile/%s/statistics"):format(warehouse) },
        status = 403,
        json = { status = false, message = "No" },
      })
      local output, status = run("usage-plot", "2024 " .. file)
      assert.equal(1, status)
      assert.matches("^usage%-plot: Warehouse: profile.usageStatisticList: No", output)
      assert.is_nil(read(file):find("Warehouse", 1, true))
      assert.is_truthy(read(file):find("Factory", 1, true))
    end)
  end)

  describe("backup", function()
    local function backups()
      return emulator.counts().executed["POST /profile/{}/backup"]
    end

    it("starts one, waits, and prints the link", function()
      emulator.reset({ backup_polls = 2 })
      local output, status = run("backup", "2>/dev/null")
      assert.equal(0, status, output)
      assert.matches("^https://backups.example.com/%x+.zip\n$", output)
      assert.equal(1, backups())
    end)

    it("starts no second one, wherever it is killed", function()
      local function check(when)
        assert.equal(1, backups(), when)
      end
      for _, envelope in ipairs({ true, false }) do
        survives("backup", "", function()
          emulator.reset({ backup_envelope = envelope, backup_polls = 0 })
        end, check)
      end
    end)

    it("says why there is none", function()
      emulator.reset({ plan = "free" })
      local output, status = run("backup")
      assert.matches("^backup: backup.create: Backup feature is not available", output)
      assert.equal(1, status)
      emulator.reset({ backup_status = "failed", backup_polls = 0 })
      output, status = run("backup")
      assert.matches("backup: .*not in the list\n", output)
      assert.equal(1, status)
    end)
  end)

  describe("metrics", function()
    it("are in the text format of Prometheus", function()
      local output, status = run("metrics")
      assert.equal(0, status, output)
      local families = {}
      for line in output:gmatch("([^\n]*)\n") do
        local name, kind = line:match("^# TYPE ([%w_]+) (%a+)$")
        if name then
          families[name] = kind
        elseif not line:find("^# HELP ") then
          local sample, labels, value = line:match("^([%w_]+)(%b{}) (%S+)$")
          sample = sample or line:match("^([%w_]+) ")
          assert.equal("gauge", families[sample], line)
          assert.is_truthy(tonumber(value or line:match(" (%S+)$")), line)
          for pair in (labels or "{}"):sub(2, -2):gmatch("[^,]+") do
            assert.matches('^[a-z_]+="[^"]*"$', pair)
          end
        end
      end
      local limit = ('tagoio_limit{name="Factory",profile="%s",service="input"} 1000000\n')
      assert.is_truthy(output:find(limit:format(id), 1, true), output)
      assert.is_truthy(output:find('tagoio_request_attempts{outcome="200"} 4\n', 1, true))
    end)

    it("tell of a profile that could not be asked", function()
      emulator.inject({
        match = { path = ("/profile/%s/summary"):format(warehouse) },
        status = 403,
        json = { status = false, message = "No" },
      })
      local output, status = run("metrics", "2>/dev/null")
      assert.equal(0, status)
      assert.matches('tagoio_up{name="Warehouse",profile="%x+"} 0\n', output)
      assert.matches('tagoio_up{name="Factory",profile="%x+"} 1\n', output)
      assert.is_truthy(output:find('tagoio_request_attempts{outcome="403"} 1\n', 1, true))
    end)

    it("escape names", function()
      emulator.result("PUT", "/profile/" .. id, { name = 'a"b\\c\nd' })
      assert.is_truthy(run("metrics"):find([[{name="a\"b\\c\nd",]], 1, true))
    end)

    it("replace a file as a whole, and leave it alone when nothing could be had", function()
      survives("metrics", file, function()
        os.remove(file)
      end, function()
        assert.matches('\ntagoio_up{name="Factory",', read(file))
      end)
      local text = read(file)
      local output, status = run("metrics", file, { T_ANALYSIS_TOKEN = "p-nobody" })
      assert.equal(1, status)
      assert.matches("^metrics: profile.list: Authorization Denied", output)
      assert.equal(text, read(file))
    end)
  end)
end)
