-- SPDX-License-Identifier: MIT
-- on_attempt and TAGOIO_LOG: what became of each attempt, for logs and metrics.

local emulator = require("spec.support.emulator")
local process = require("spec.support.process")
local tagoio = require("tagoio")

local id = emulator.profile

describe("on_attempt", function()
  local client, events

  local function keep(event)
    events[#events + 1] = event
  end

  before_each(function()
    emulator.reset()
    events = {}
    client = emulator.client({ on_attempt = keep })
  end)

  after_each(function()
    client:close()
  end)

  it("is told of a success", function()
    assert(client.profile.info(id))
    local event = events[1]
    assert.equal(1, #events)
    assert.equal("profile.info", event.operation)
    assert.equal("GET", event.method)
    assert.equal("/profile/{}", event.path)
    assert.equal(1, event.attempt)
    assert.equal(200, event.status)
    assert.is_nil(event.kind)
    assert.is_nil(event.retry_in)
    assert.is_nil(event.message)
    assert.is_true(event.elapsed >= 0 and event.elapsed < 30)
    assert.is_true(event.bytes > 100)
  end)

  it("is told of each attempt, with the wait before the next", function()
    emulator.inject({
      match = { path = "/profile" },
      status = 503,
      headers = { ["X-Request-Id"] = "r-" .. emulator.token },
      body = '{"status":false,"message":"Busy"}',
      times = 3,
    })
    assert.is_nil((client.profile.list()))
    assert.equal(3, #events)
    for i, event in ipairs(events) do
      assert.equal(i, event.attempt)
      assert.equal(503, event.status)
      assert.equal("api", event.kind)
      assert.equal("r-***", event.request_id)
      assert.equal(i < 3, event.retry_in ~= nil)
      assert.equal(i == 3, event.message ~= nil)
    end
    assert.matches("^profile.list: Busy %(HTTP 503, ", events[3].message)
  end)

  it("that makes calls of its own client was told of those too, without end", function()
    local derived
    local function call_again(event)
      keep(event)
      assert(#events < 20)
      assert(derived.profile.info(id))
      tagoio.map({ id, id }, function(one) assert(client.profile.info(one)) end)
    end
    client:close()
    client = emulator.client({ on_attempt = call_again })
    derived = client:with({ timeout = 5 })
    assert(client.profile.list())
    assert(client.profile.list())
    assert.equal(2, #events)
    assert.equal(8, #emulator.journal())
  end)

  it("is told nothing of a call that was not sent", function()
    local headers = { ["Retry-After"] = "100" }
    emulator.inject({ match = { path = "/profile" }, status = 429, headers = headers, body = "" })
    assert.is_nil((client.profile.list()))
    local _, _, err = client.profile.list()
    assert.equal(0, err.attempts)
    assert.equal(1, #events)
    assert.equal(1, #emulator.journal())
  end)

  it("is told how long a success was queued, and so is who asked for it", function()
    client:close()
    client = emulator.client({ max_connections = 1, on_attempt = keep })
    emulator.inject({ match = { path = "/profile" }, delay_ms = 500 })
    local infos = tagoio.map({ "profile", id }, function(segment)
      local path = segment == id and { "profile", id } or { "profile" }
      local _, info = assert(client:request({ method = "GET", path = path }))
      return info
    end)
    assert.is_true(infos[1].queued < infos[2].queued)
    assert.is_true(infos[2].queued <= infos[2].elapsed)
    assert.equal(infos[1].queued, events[1].queued)
    assert.equal(infos[2].queued, events[2].queued)
  end)

  it("is told of a failure without an answer", function()
    client:close()
    local region = { api = "http://127.0.0.1:1" } -- where nobody listens
    client = emulator.client({ region = region, on_attempt = keep, attempts = 1 })
    assert.is_nil((client.profile.list()))
    assert.equal("connect", events[1].kind)
    assert.is_nil(events[1].status)
    assert.equal(0, events[1].bytes)
  end)

  it("is told of TagoIO's warning beside a success", function()
    emulator.answer("/profile", 200, '{"status":true,"result":[],"message":"Soon gone"}')
    assert(client.profile.list())
    assert.equal("Soon gone", events[1].message)
  end)

  it("sees neither ids nor secrets nor queries", function()
    client.profile.tokenDelete(id, emulator.token .. "x")
    client.profile.tokenList(id, { filter = { token = "p-secret-filter" } })
    client.profile.delete(id, { password = "secret-password", pin_code = "123456" })
    client:request({ method = "GET", path = { "profile", "secret-segment" } })
    assert.equal(4, #events)
    for _, event in ipairs(events) do
      for key, value in pairs(event) do
        local text = tostring(value)
        for _, secret in ipairs({ emulator.token, "secret", "123456", id }) do
          assert.is_nil(text:find(secret, 1, true), key)
        end
      end
    end
  end)

  it("may call the client that calls it", function()
    local inner = 0
    local nested
    nested = client:with({
      on_attempt = function(event)
        if event.operation == "profile.info" then
          inner = inner + #assert(nested.profile.list())
        end
      end,
    })
    assert(nested.profile.info(id))
    assert.equal(3, inner)
  end)

  it("runs in the coroutine that made the call", function()
    local ran_in
    local own = client:with({
      on_attempt = function()
        ran_in = coroutine.running()
      end,
    })
    local routine = coroutine.create(function()
      assert(own.profile.list())
    end)
    assert(coroutine.resume(routine))
    assert.equal(routine, ran_in)
  end)

  it("is kept by derived clients, which may have another", function()
    assert(client:with({ timeout = 5 }).profile.list())
    assert.equal(1, #events)
    local others = 0
    local other = client:with({
      on_attempt = function()
        others = others + 1
      end,
    })
    assert(other.profile.list())
    assert.equal(1, #events)
    assert.equal(1, others)
  end)
end)

describe("with { on_attempt = false }", function()
  it("removes the hook of the parent", function()
    emulator.reset()
    local count = 0
    local client = emulator.client({
      on_attempt = function()
        count = count + 1
      end,
    })
    local silent = client:with({ on_attempt = false })
    assert(silent.profile.list())
    assert(silent:with({ timeout = 5 }).profile.list())
    assert.equal(0, count)
    assert(client.profile.list())
    assert.equal(1, count)
    assert.has_error(function()
      local none = client:with({ on_attempt = true })
      return none
    end)
    client:close()
  end)
end)

describe("an error in on_attempt", function()
  it("is told once on stderr and breaks nothing", function()
    emulator.reset()
    local code = [[
      local tagoio = require("tagoio")
      local client = tagoio.new({ on_attempt = function() error("oops") end })
      print(#assert(client.profile.list()), #assert(client.profile.list()))]]
    local variables = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
    local output = process.run_lua(code, variables)
    local reports = select(2, output:gsub("tagoio: on_attempt: [^\n]*oops", ""))
    assert.equal(1, reports, output)
    assert.matches("3\t3\n", output)
  end)

  it("breaks nothing where there is no io library", function()
    emulator.reset()
    local code = [[
      io = nil
      local tagoio = require("tagoio")
      local client = tagoio.new({ on_attempt = function() error("oops") end })
      print(#assert(client.profile.list()))]]
    local variables = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
    assert.equal("3\n", process.run_lua(code, variables))
  end)
end)

describe("TAGOIO_LOG=1", function()
  it("prints a line an attempt to stderr", function()
    emulator.reset()
    emulator.inject({ match = { path = "/profile" }, status = 502, body = "" })
    local code = 'print(#assert(require("tagoio").profile.list()))'
    local variables = { T_ANALYSIS_TOKEN = emulator.token, TAGOIO_API = emulator.http }
    assert.equal("3\n", process.run_lua(code, variables))
    variables.TAGOIO_LOG = "1"
    emulator.inject({ match = { path = "/profile" }, status = 502, body = "" })
    local output = process.run_lua(code, variables)
    local first, second, result = output:match("^([^\n]*)\n([^\n]*)\n(.*)$")
    local start = "^tagoio: profile%.list: GET /profile: "
    assert.matches(start .. "502 in %d+%.%d%d%d s, 0 bytes; attempt 2 in %d%.%d%d%d s$", first)
    assert.matches(start .. "200 in %d+%.%d%d%d s, %d+ bytes$", second)
    assert.equal("3\n", result)
  end)

  it("leaves the client's own on_attempt as it is", function()
    emulator.reset()
    local code = [[
      local function told(event) print("told", event.attempt, event.status) end
      local client = require("tagoio").new({ on_attempt = told })
      print(#assert(client.profile.list()))]]
    local output = process.run_lua(code, {
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = emulator.http,
      TAGOIO_LOG = "1",
    })
    local line = "^tagoio: profile%.list: GET /profile: 200 in %d+%.%d%d%d s, %d+ bytes\n"
    assert.matches(line, output)
    assert.matches("\ntold\t1\t200\n3\n$", output)
  end)
end)
