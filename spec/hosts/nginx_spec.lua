-- SPDX-License-Identifier: MIT
-- The module inside nginx: no call stops a worker, whatever becomes of it.

local emulator = require("spec.support.emulator")
local nginx = require("spec.support.nginx")
local process = require("spec.support.process")

describe("in nginx", function()
  local host

  setup(function()
    host = nginx.start()
  end)

  teardown(function()
    host:stop()
  end)

  before_each(function()
    emulator.reset()
  end)

  it("a content handler makes all operations", function()
    local count = host:run([[
      local id = os.getenv("EMULATOR_PROFILE")
      local profile, count = client.profile, 0
      local function made(result, message)
        assert(result, message)
        count = count + 1
        return result
      end
      local password, email = "correct-horse", "owner@example.com"
      made(profile.list())
      made(profile.info(id))
      made(profile.summary(id))
      made(profile.usageStatisticList(id))
      local other = made(profile.create({ name = "From nginx" })).id
      made(profile.edit(other, { name = "From nginx, edited" }))
      made(profile.serviceEdit(other, { sms = 1 }))
      local body = { name = "t", permission = "full", email = email, password = password }
      local token = made(profile.tokenCreate(other, body)).token
      made(profile.tokenList(other))
      made(client:with({ token = token }).profile.transferTokenToAnotherProfile(id))
      made(profile.tokenDelete(id, token))
      made(profile.addTeamMember(other, "ada@example.com"))
      local member = made(profile.teamList(other))[1].id
      made(profile.deleteTeamMember(other, member))
      local query = made(profile.auditLog(other)).queryId
      made(profile.auditLogQuery(other, query))
      made(profile.delete(other, { password = password }))
      return count]])
    assert.equal(17, count)
    assert.equal(17, #emulator.journal())
  end)

  for _, scheme in ipairs({ "http", "https" }) do
    it("answers others while 200 calls are held, over " .. scheme, function()
      emulator.inject({ hold = true, times = 200 })
      local calls = host:begin_run(([[
        local own = %q == "http" and client or guest.secure_client
        local items = {}
        for i = 1, 200 do items[i] = i end
        local results = tagoio.map(items, function()
          return #assert(own.profile.list())
        end, { concurrency = 200 })
        local sum = 0
        for _, result in ipairs(results) do sum = sum + result end
        return sum]]):format(scheme))
      emulator.wait_for(200)
      for _ = 1, 200 do
        assert.equal("pong", (host:get("/ping")))
      end
      assert.equal(200, emulator.counts().holding)
      emulator.release()
      assert.same({ 600 }, nginx.decode(nginx.finish(calls)))
    end)
  end

  it("has no timer when no call is in flight", function()
    assert.equal(3, host:run("return #assert(client.profile.list())"))
    local running, pending = host:run([[
      ngx.sleep(0.1)
      return ngx.timer.running_count(), ngx.timer.pending_count()]])
    assert.equal(0, running)
    assert.equal(0, pending)
  end)

  it("a worker has one timer, however many clients it has", function()
    emulator.inject({ hold = true, times = 3 })
    local calls = host:begin_run([[
      local clients = { client, client:with({ timeout = 30 }), guest.secure_client }
      local results = tagoio.map(clients, function(own) return #assert(own.profile.list()) end)
      return results[1] + results[2] + results[3] ]])
    emulator.wait_for(3)
    assert.equal(1, host:run("return ngx.timer.running_count()"))
    emulator.release()
    assert.same({ 9 }, nginx.decode(nginx.finish(calls)))
  end)

  it("the functions of a map may use what nginx has", function()
    local results = host:run([[
      return (tagoio.map({ 3, 2, 1 }, function(item)
        ngx.sleep(item / 1000)
        return item + #assert(client.profile.list())
      end))]])
    assert.same({ 6, 5, 4 }, results)
  end)

  it("the items of a map overlap, and so do their clients", function()
    emulator.inject({ match = { path = "/profile" }, hold_until = 3, times = 3 })
    local results = host:run([[
      return (tagoio.map({ client, client, guest.secure_client }, function(own, index)
        if index == 3 then assert(own.profile.info("current")) end -- while the others are held
        return #assert(own.profile.list())
      end))]])
    assert.same({ 3, 3, 3 }, results)
    assert.equal(3, emulator.counts().most_at_once)
  end)

  it("no further item of a map starts when its function has raised", function()
    local started = host:run([[
      local started = 0
      local ok = pcall(tagoio.map, { 1, 2, 3, 4, 5, 6 }, function(item)
        started = started + 1
        if item == 2 then error("broken") end
        return client.profile.list()
      end, { concurrency = 2 })
      return ok or started]])
    assert.equal(2, started)
  end)

  it("an item of a map that waits when another one raises goes no further", function()
    local went_on = host:run([[
      local went_on = 0
      pcall(tagoio.map, { 1, 2 }, function(item)
        ngx.sleep(item / 100)
        if item == 1 then error("broken") end
        went_on = went_on + 1
      end)
      ngx.sleep(0.1)
      return went_on]])
    assert.equal(0, went_on)
  end)

  it("a thread that has run a map is in none any more, should nginx use it again", function()
    local left = host:run([[
      local waiting = require("tagoio.waiting")
      local set_task, left = waiting.set_task, {}
      waiting.set_task = function(task)
        set_task(task)
        left[coroutine.running()] = task
      end
      pcall(tagoio.map, { 1, 2, 3 }, function(item) return item < 3 or error("broken") end)
      waiting.set_task = set_task
      return next(left) == nil]])
    assert.is_true(left)
  end)

  it("a map whose function raised nil returned as if nothing were wrong", function()
    local ok = host:run([[
      local ok = pcall(tagoio.map, { 1, 2, 3 }, function() error() end)
      return { ok }]])
    assert.same({ false }, ok)
  end)

  it("a map raises what its function raises, and cancels the rest", function()
    emulator.inject({ match = { path = "/profile" }, hold = true, times = 2 })
    local ok, message, held = host:run([[
      local ok, message = pcall(tagoio.map, { 1, 2, 3 }, function(item)
        if item == 3 then
          assert(client.profile.info("current"))
          error("broken in " .. item)
        end
        return client.profile.list()
      end)
      return ok, message, client:step(0)]])
    assert.is_false(ok)
    assert.matches("broken in 3", message)
    assert.matches("stack traceback:\n\t%[C%]: in function 'error'\n\trun:%d+: in ", message)
    assert.equal(0, held)
  end)

  it("a map stops after the first error, spreads requests, and tells of its progress", function()
    emulator.inject({ match = { path = "/profile" }, hold = true, times = 0 })
    local failed, seen = host:run([[
      local seen = 0
      local _, failed = tagoio.map({ 1, 2, 3, 4, 5 }, function(item)
        if item == 2 then return client.profile.info("0") end
        return client.profile.list()
      end, {
        concurrency = 3,
        per_minute = 60000,
        stop_on_error = true,
        on_progress = function(done) seen = done end,
      })
      local kinds = {}
      for i = 1, 5 do kinds[i] = failed[i].kind end
      return kinds, seen]])
    assert.same({ "canceled", "api", "canceled", "canceled", "canceled" }, failed)
    assert.equal(5, seen)
  end)

  it("never sleeps for less than the millisecond that nginx knows", function()
    local count, shortest = host:run([[
      local sleep, count, shortest = ngx.sleep, 0, math.huge
      ngx.sleep = function(seconds)
        count, shortest = count + 1, math.min(shortest, seconds)
        return sleep(seconds)
      end
      local items = {}
      for i = 1, 30 do items[i] = i end
      tagoio.map(items, function() return client.profile.list() end, { per_minute = 40000 })
      ngx.sleep = sleep
      return count, shortest]])
    assert.is_true(count > 0)
    assert.is_true(shortest >= 0.001, ("%.5f s"):format(shortest))
  end)

  it("who waits for what its own first step brings is not left to sleep", function()
    local sleeps = host:run([[
      local index = getmetatable(require("ngx.semaphore").new()).__index
      local wait, sleeps = index.wait, 0
      index.wait = function(...)
        local woken, problem = wait(...)
        sleeps = sleeps + (woken and 0 or 1)
        return woken, problem
      end
      local nobody = { api = "http://127.0.0.1:1" } -- refused at once
      local own = tagoio.new({ token = "t", region = nobody, proxy = false, attempts = 1 })
      for _ = 1, 5 do assert(not own.profile.list()) end
      index.wait = wait
      return sleeps]])
    assert.is_true(sleeps < 5)
  end)

  it("gather works, too", function()
    local name, count = host:run([[
      local info, list = tagoio.gather(
        function() return client.profile.info("current") end,
        function() return client.profile.list() end)
      return info.info.name, #list]])
    assert.equal("Factory", name)
    assert.equal(3, count)
  end)
end)

describe("where nginx gives no timer", function()
  -- Code before what is run: notes the longest time for which a call sleeps unless it is woken.
  local note_waits = [[
    local semaphore = require("ngx.semaphore")
    local new, longest = semaphore.new, 0
    semaphore.new = function(...)
      local own = new(...)
      return {
        post = function() own:post() end,
        wait = function(_, seconds)
          longest = math.max(longest, seconds)
          return own:wait(seconds)
        end,
      }
    end
  ]]

  before_each(function()
    emulator.reset()
  end)

  for limit, occupied in pairs({
    -- Those that are due are dropped; or none can be made.
    lua_max_running_timers = "ngx.timer.at(0, function() ngx.sleep(600) end) ngx.sleep(0.001)",
    lua_max_pending_timers = "ngx.timer.at(600, function() end)",
  }) do
    it("because of " .. limit .. ", those who wait step their calls themselves, soon", function()
      local host = nginx.start({ HTTP_BLOCK = limit .. " 1;" })
      local count, longest = host:run(occupied .. note_waits .. [[
        local list = assert(client.profile.list())
        assert(client.profile.info("current"))
        return #list, longest]])
      assert.equal(3, count)
      assert.is_true(longest <= 0.05, ("%.3f s"):format(longest))
      emulator.inject({ hold_until = 20, times = 20 })
      assert.equal(60, host:run([[
        local items, sum = {}, 0
        for i = 1, 20 do items[i] = i end
        for _, count in ipairs((tagoio.map(items, function()
          return #assert(client.profile.list())
        end, { concurrency = 20 }))) do
          sum = sum + count
        end
        return sum]]))
      host:stop()
    end)
  end

  it("because it died, the call goes on, and the next one has a timer again", function()
    local host = nginx.start()
    emulator.inject({ hold = true, times = 1 })
    local call = host:begin_run([[
      local sleep = ngx.sleep
      ngx.sleep = function(seconds)
        if ngx.get_phase() == "timer" then
          ngx.sleep = sleep
          error("the timer dies")
        end
        return sleep(seconds)
      end
      return #assert(client.profile.list())]])
    emulator.wait_for(1)
    emulator.release()
    assert.same({ 3 }, nginx.decode(nginx.finish(call)))
    assert.matches("the timer dies", host:error_log())
    emulator.inject({ hold = true, times = 1 })
    call = host:begin_run("return #assert(client.profile.list())")
    emulator.wait_for(1)
    assert.equal(1, host:run("return ngx.timer.running_count()"))
    emulator.release()
    assert.same({ 3 }, nginx.decode(nginx.finish(call)))
    host:stop()
  end)
end)

describe("a call that stepped in its late timer's place", function()
  it("left no timer to those who still waited, which nobody stepped for a while", function()
    emulator.reset()
    local host = nginx.start()
    emulator.inject({ match = { path = "/profile" }, hold = true, times = 1 })
    local list = host:begin_run("return #assert(client.profile.list())")
    emulator.wait_for(1)
    -- When the list's call has seen that the timer runs, it sleeps until it is woken. Then a call
    -- is woken, too, and the worker is busy before that goes on.
    local name, running, pending = host:run([[
      ngx.sleep(0.2)
      local semaphore, sleep, is_woken = require("ngx.semaphore"), ngx.sleep, false
      local new = semaphore.new
      semaphore.new = function()
        local own = new()
        semaphore.new = new
        return {
          post = function() is_woken = true own:post() end,
          wait = function(_, seconds) return own:wait(seconds) end,
        }
      end
      ngx.sleep = function(seconds)
        if is_woken and ngx.get_phase() == "timer" then
          ngx.sleep = sleep
          local core = require("tagoio.core")
          local until_s = core.now() + 0.1
          repeat until core.now() >= until_s
        end
        return sleep(seconds)
      end
      local info = assert(client.profile.info("current")).info
      sleep(0.05)
      return info.name, ngx.timer.running_count(), ngx.timer.pending_count()]])
    assert.equal("Factory", name)
    assert.equal(1, running + pending)
    emulator.release()
    assert.same({ 3 }, nginx.decode(nginx.finish(list)))
    host:stop()
  end)
end)

describe("the phases of nginx", function()
  it("wait without blocking, block, or say that they cannot", function()
    emulator.reset()
    local host = nginx.start({
      INIT = 'require("spec.hosts.nginx.guest").note("init")',
      INIT_WORKER = 'require("spec.hosts.nginx.guest").note("init_worker")',
    })
    assert.equal("noted", (host:get("/phases")))
    local https = ("openssl s_client -connect 127.0.0.1:%d </dev/null"):format(host.https_port)
    process.run(https)
    local notes = nginx.decode(host:get("/notes"))
    local works = { "init", "init_worker", "rewrite", "access", "content", "timer", "ssl_cert" }
    for _, phase in ipairs(works) do
      local note = notes[phase] or {}
      assert.equal("Factory", note.name, phase .. ": " .. tostring(note.message))
      assert.equal("item", notes[phase].mapped, phase)
    end
    for _, phase in ipairs({ "set", "header_filter", "body_filter", "log" }) do
      assert.equal("invalid", notes[phase].kind, phase)
      local said = ('profile.info: nginx cannot wait in the phase "%s": '):format(phase)
      assert.equal(said .. "make the call in ngx.timer.at(0, ...)", notes[phase].message)
      assert.equal("invalid", notes[phase].map_kind, phase) -- a map says it as a call does
      assert.equal((notes[phase].message:gsub("^profile.info", "map")), notes[phase].map_message)
    end
    host:stop()
  end)
end)

describe("workers of nginx", function()
  it("call after the master has called before the fork", function()
    emulator.reset()
    local host = nginx.start({
      WORKERS = "3",
      INIT = [[
        local guest = require("spec.hosts.nginx.guest")
        guest.note("init")
        assert(guest.secure_client.profile.list())]],
    })
    assert.equal(2, #emulator.journal())
    for _ = 1, 30 do
      local count, secure = host:run([[
        return #assert(client.profile.list()), #assert(guest.secure_client.profile.list())]])
      assert.equal(3, count)
      assert.equal(3, secure)
    end
    for _, request in ipairs(emulator.journal()) do
      assert.equal(200, request.status)
    end
    host:stop()
  end)

  it("write what TAGOIO_LOG asks for to nginx's error log", function()
    emulator.reset()
    local host = nginx.start({ MAIN = "env TAGOIO_LOG=1;" })
    assert.equal(3, host:run("return #assert(client.profile.list())"))
    local line = "%[notice%] [^\n]*tagoio: profile.list: GET /profile: 200 in "
    assert.matches(line, host:error_log())
    host:stop()
  end)

  it("say how the token gets into them", function()
    local host = nginx.start()
    local ok, message = host:run([[
      local result, message = tagoio.profile.list()
      return result ~= nil, message]])
    assert.is_false(ok)
    assert.matches("no token: set T_ANALYSIS_TOKEN", message)
    assert.matches("env T_ANALYSIS_TOKEN;", message, 1, true)
    host:stop()
  end)
end)
