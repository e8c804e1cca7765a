-- SPDX-License-Identifier: MIT
-- Rate limits: a 429 closes a gate for all calls of a family of clients with the same token, and
-- what the server asked to wait for costs neither an attempt nor retry budget.

local emulator = require("spec.support.emulator")
local process = require("spec.support.process")
local socket = require("socket")
local tagoio = require("tagoio")

local id = emulator.profile
local limited = '{"status":false,"message":"Too many requests"}'

-- The next request to a profile is refused, with a wait.
local function refuse_once(seconds)
  emulator.inject({
    match = { path = "/profile/" .. id },
    status = 429,
    headers = { ["Retry-After"] = tostring(seconds) },
    body = limited,
  })
end

describe("a rate limit", function()
  local client

  local function start(options)
    client = emulator.client(options)
    return client
  end

  before_each(function()
    emulator.reset()
  end)

  after_each(function()
    client:close()
  end)

  it("a retry that met a closed gate ended when the gate opened, after its deadline", function()
    emulator.inject({ match = { path = "/profile" }, hold = true, status = 500 })
    refuse_once(12)
    start({ timeout = 5 })
    local _, failed = tagoio.map({ "list", "info" }, function(name)
      if name == "list" then
        return client.profile.list()
      end
      local _, message, err = client.profile.info(id)
      while emulator.counts().holding < 1 do
        tagoio.sleep(0.01)
      end
      emulator.release(1) -- the list fails when the gate is closed
      return nil, message, err
    end)
    assert.equal(500, failed[1].status)
    assert.equal(1, failed[1].attempts)
    assert.is_true(failed[1].elapsed < 6, failed[1].elapsed)
  end)

  -- 100 writes, 16 at once; what each window counted.
  local function make_a_hundred()
    local names = {}
    for i = 1, 100 do
      names[i] = "token " .. i
    end
    local results, failed = tagoio.map(names, function(name)
      return client.profile.tokenCreate(id, {
        name = name,
        permission = "read",
        email = emulator.email,
        password = emulator.password,
      })
    end, { concurrency = 16 })
    assert.is_nil(failed)
    assert.equal(100, #results)
    local counts = emulator.counts()
    assert.equal(100, counts.executed["POST /profile/{}/token"])
    for _, window in ipairs(counts.windows) do
      assert.is_true(window.passed <= 20)
      assert.is_true(window.refused <= 16, window.refused .. " requests of a window were refused")
    end
    return counts.windows
  end

  it("of 20 in a window lets 100 calls succeed, each write executed once", function()
    start({})
    emulator.limit({ route = "POST /profile/{}/token", limit = 20, window_s = 2 })
    make_a_hundred()
  end)

  it("holds back calls that have not been sent yet, of derived clients too", function()
    start({ max_retry_after = 0 })
    refuse_once(1)
    local before = socket.gettime()
    assert.is_nil((client.profile.info(id)))
    local derived = client:with({ max_retry_after = 60 })
    local _, info = assert(derived:request({ method = "GET", path = { "profile", id } }))
    assert.equal(1, info.attempts)
    assert.is_true(socket.gettime() - before >= 1)
    assert.same({ 429, 200 }, emulator.column(emulator.journal(), "status"))
  end)

  it("holds back a call that waits for a connection when it begins", function()
    start({ max_connections = 1, max_retry_after = 10 })
    refuse_once(44)
    local _, failed = tagoio.map({ 1, 2 }, function()
      return client.profile.info(id)
    end)
    assert.matches("HTTP 429, asked to wait 44 s; max_retry_after is 10 s", failed[1].message)
    assert.matches("not sent %(asked to wait %d+ s; max_retry_after is 10 s", failed[2].message)
    assert.equal(0, failed[2].attempts)
    assert.equal(1, #emulator.journal())
  end)

  it("that a deadline cannot meet fails at once, and says what was compared", function()
    start({ timeout = 12 })
    refuse_once(44)
    local _, message, err = client.profile.info(id)
    assert.matches("HTTP 429, asked to wait 44 s; timeout leaves 1[12] s", message)
    assert.equal(44, err.retry_after)
    assert.equal(1, err.attempts)

    _, message, err = client.profile.list()
    assert.matches("^profile.list: not sent %(asked to wait 44 s; timeout leaves 12 s, ", message)
    assert.equal("timeout", err.kind)
    assert.equal(0, err.attempts)
    assert.equal(44, err.retry_after)
    assert.equal(1, #emulator.journal())
  end)

  it("over max_retry_after fails at once, and says so", function()
    start({ max_retry_after = 10 })
    refuse_once(44)
    local _, message = client.profile.info(id)
    assert.matches("HTTP 429, asked to wait 44 s; max_retry_after is 10 s", message)
  end)

  it("was forgotten when each request had a client of its own", function()
    start({ token = false, max_retry_after = 10 })
    refuse_once(44)
    for _, message in ipairs({ "HTTP 429, asked to wait", "not sent %(asked to wait" }) do
      local own = client:with({ token = emulator.token })
      assert.matches(message .. " %d+ s", (select(2, own.profile.info(id))))
      own:close()
      collectgarbage() -- its call is the last to have its settings
      collectgarbage()
    end
    assert.equal(1, #emulator.journal())
  end)

  it("is another token's own affair", function()
    start({ max_retry_after = 10 })
    refuse_once(44)
    assert.is_nil((client.profile.info(id)))
    local other = client:with({ token = "p-unknown-token" })
    local _, _, err = other.profile.list()
    assert.equal(401, err.status)
  end)

  it("is kept with per_minute, whose spread derived clients share", function()
    start({ per_minute = 1200 })
    local derived = client:with({ timeout = 10 })
    local before = socket.gettime()
    tagoio.map({ client, derived, client, derived }, function(one)
      return assert(one.profile.list())
    end)
    assert.is_true(socket.gettime() - before >= 0.14)
    assert.equal(4, #emulator.journal())
  end)

  it("sent calls that waited for their start after cancel, and raised them after close", function()
    for _, method in ipairs({ "cancel", "close" }) do
      local scope = start({ per_minute = 60 }):with({})
      assert(scope.profile.list()) -- takes the first start
      local _, failed = tagoio.map({ "call", "end" }, function(item)
        if item == "call" then
          return scope.profile.list()
        end
        scope[method](scope)
        return true
      end)
      assert.equal("canceled", failed[1].kind)
      assert.equal("profile.list: canceled", failed[1].message)
      assert.equal(1, #emulator.journal())
      emulator.reset()
    end
  end)

  it("of 20 in a window lets calls with per_minute succeed, too", function()
    start({ per_minute = 1200 })
    emulator.limit({ route = "POST /profile/{}/token", limit = 20, window_s = 1 })
    make_a_hundred()
  end)

  it("is seen in the log, once, where calls wait without being sent", function()
    start({})
    refuse_once(30)
    local code = [[
      local tagoio = require("tagoio")
      local hasty = tagoio.new({ max_retry_after = 1 })
      hasty.profile.info(%q)
      local patient = hasty:with({
        max_retry_after = 60,
        wait = function(self)
          self:cancel()
        end,
      })
      tagoio.gather(patient.profile.list, patient.profile.list)
    ]]
    local output = process.run_lua(code:format(id), {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = emulator.http,
      TAGOIO_LOG = "1",
    })
    local lines = {}
    for line in output:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.equal(2, #lines, output)
    assert.matches("^tagoio: profile.info: .*: 429 in ", lines[1])
    local waits = "^tagoio: the rate limit is reached: calls wait for %d+%.%d s, until TagoIO "
    waits = waits .. "allows more$"
    assert.matches(waits, lines[2])
  end)
end)
