-- SPDX-License-Identifier: MIT
-- What may happen to an nginx while calls are on their way, over libcurl and over nginx's own
-- sockets: nothing is written twice, nothing is left behind, and later calls work.

local emulator = require("spec.support.emulator")
local nginx = require("spec.support.nginx")
local process = require("spec.support.process")
local resty = require("spec.support.resty")
local socket = require("socket")

local stand_in = nginx.root .. "/spec/support/resty-stand-in/?.lua"
local original = resty.find_original()

local ways = {
  { name = "libcurl", client = "client", new = "guest.over_libcurl" },
  { name = "a stand-in of lua-resty-http", client = "guest.over_resty({})", packages = stand_in },
  { name = "lua-resty-http itself", client = "guest.over_resty({})", packages = original },
}

local create = "assert(own.profile.tokenCreate(%q, "
  .. "{ name = %q, permission = 'full', email = %q, password = %q }))"

local function wait_until(what, condition)
  local deadline = socket.gettime() + 20
  while not condition() do
    assert(socket.gettime() < deadline, "it never comes true: " .. what)
    socket.sleep(0.02)
  end
end

local function descriptors(pid)
  return tonumber((process.run(("ls /proc/%s/fd | wc -l"):format(pid))))
end

local function is_alive(pid)
  return select(2, process.run("kill -0 " .. pid)) == 0
end

-- How often each token was asked for, by its name.
local function writes()
  local counts = {}
  for _, entry in ipairs(emulator.journal()) do
    local name = entry.method == "POST" and entry.body:match('"name":"([^"]*)"')
    if name then
      counts[name] = (counts[name] or 0) + 1
    end
  end
  return counts
end

local function describe_way(way)
  local host, worker, descriptors_before

  before_each(function()
    emulator.reset()
  end)

  after_each(function()
    if host then
      host:stop()
    end
    host = nil
  end)

  local function start(settings)
    settings = settings or {}
    settings.PACKAGES = way.packages
    host = nginx.start(settings)
    worker = host:run("return ngx.worker.pid()")
    descriptors_before = descriptors(worker)
  end

  -- Code that makes tokens of these names, one after the other.
  local function code(...)
    local lines = { ("local own = %s"):format(way.client) }
    for _, name in ipairs({ ... }) do
      lines[#lines + 1] = create:format(emulator.profile, name, emulator.email, emulator.password)
    end
    return table.concat(lines, "\n") .. "\nreturn true"
  end

  -- Requests that each make a token, whose response is held, and then one more if it has a name.
  local function begin_held(count, more)
    emulator.inject({ hold = true, times = count })
    local asked = {}
    for i = 1, count do
      local first, second = i .. " first", more and i .. " " .. more
      asked[i] = host:begin_run(code(first, second))
    end
    emulator.wait_for(count)
    return asked
  end

  local function finish(asked)
    for _, connection in ipairs(asked) do
      assert.same({ true }, nginx.decode(nginx.finish(connection)))
    end
  end

  local function assert_written(count, name)
    local counts = writes()
    for i = 1, count do
      assert.equal(1, counts[i .. " " .. name])
    end
  end

  local function assert_works()
    assert.is_true(host:run(code("later")))
    for name, count in pairs(writes()) do
      assert.equal(1, count, name)
    end
    assert.is_nil(host:error_log():find("signal 11", 1, true))
  end

  -- nginx itself keeps connections of its own sockets open, at most so many.
  local function assert_nothing_is_left(kept)
    wait_until("there is no timer", function()
      local running, pending = host:run([[
        collectgarbage()
        return ngx.timer.running_count(), ngx.timer.pending_count()]])
      return running == 0 and pending == 0
    end)
    host:run("client:close() return true")
    local most = descriptors_before + (way.packages and kept or 0)
    wait_until("descriptors are closed", function()
      return descriptors(worker) <= most
    end)
  end

  it("a thousand writes at once are executed, each once", function()
    start()
    emulator.inject({ hold_until = 1000, times = 1000 })
    local asked = {}
    for i = 1, 1000 do
      asked[i] = host:begin_run(code(i .. " first"))
    end
    finish(asked)
    assert.equal(1000, emulator.counts().most_at_once)
    assert_written(1000, "first")
    assert_works()
    assert_nothing_is_left(64)
  end)

  for _, is_checked in ipairs({ "off", "on" }) do
    it("clients go away in mid-call, with lua_check_client_abort " .. is_checked, function()
      start({ CHECK_ABORT = is_checked })
      local asked = begin_held(10)
      for _ = 1, 5 do
        table.remove(asked):close()
      end
      assert.equal("pong", (host:get("/ping")))
      emulator.release()
      finish(asked)
      assert_written(5, "first")
      assert_works()
      assert_nothing_is_left(10)
    end)
  end

  it("the configuration is loaded again: old workers finish what they do", function()
    start()
    local asked = begin_held(20, "second")
    host:signal("HUP")
    wait_until("a new worker serves", function()
      return host:run("return ngx.worker.pid()") ~= worker
    end)
    assert.equal(20, emulator.counts().holding)
    emulator.release()
    finish(asked)
    assert_written(20, "first")
    assert_written(20, "second")
    assert_works()
    wait_until("the old worker ends", function()
      return not is_alive(worker)
    end)
  end)

  it("workers that are to end finish what they do before", function()
    start()
    local asked = begin_held(5, "second")
    host:signal("QUIT")
    wait_until("nobody listens", function()
      local connection = socket.connect("127.0.0.1", host.port)
      return not connection or not connection:close()
    end)
    emulator.release()
    finish(asked)
    assert_written(5, "second")
    host:wait_for_end()
    host = nil
    assert.is_false(is_alive(worker))
  end)

  for _, signal in ipairs({ "TERM", "KILL" }) do
    it("a worker ends by " .. signal .. " in mid-call: nothing is written twice", function()
      start()
      local asked = begin_held(5)
      process.run(("kill -%s %d"):format(signal, worker))
      for _, connection in ipairs(asked) do
        assert.is_nil((connection:receive("*l")))
        connection:close()
      end
      assert.equal(0, emulator.wait_for_none().at_once)
      assert_works() -- in the worker that takes its place
    end)
  end

  it("all of nginx ends in mid-call", function()
    start()
    local asked = begin_held(5)
    host:stop()
    for _, connection in ipairs(asked) do
      connection:close()
    end
    assert.is_nil(host:error_log():find("signal 11", 1, true))
    assert.is_false(is_alive(worker))
    host = nil
    assert.equal(0, emulator.wait_for_none().at_once)
  end)

  it("without lua_code_cache each request has a client of its own, and leaves nothing", function()
    start({ CODE_CACHE = "off" })
    for i = 1, 20 do
      assert.is_true(host:run(code(i .. " first")))
    end
    local results = host:run(([[
      local own = %s
      return (tagoio.map({ 1, 2, 3 }, function() return #assert(own.profile.list()) end))]]):format(
      way.client
    ))
    assert.equal(3, #results)
    assert_written(20, "first")
    assert_works()
    assert_nothing_is_left(3)
  end)

  it("localhost needs no resolver in nginx.conf", function()
    start()
    local api = emulator.http:gsub("127%.0%.0%.1", "localhost")
    assert.equal(3, host:run(("return #assert(%s({ api = %q }).profile.list())"):format(
      way.new or "guest.over_resty", api
    )))
  end)
end

for _, way in ipairs(ways) do
  if way.packages or way.new then
    describe(("in nginx, over %s:"):format(way.name), function()
      describe_way(way)
    end)
  end
end
