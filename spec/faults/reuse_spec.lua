-- SPDX-License-Identifier: MIT
-- Connections that are used again: those that die, and those on which a response waits before its
-- request was sent. What the server read, the hooks saw, and nothing twice that matters.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local loops = require("spec.support.loops")
local tagoio = require("tagoio")

-- What the server answers to the request before, and what would be a forgery.
local empty_list = '{"status":true,"result":[]}'
local forged = {
  list = '{"status":true,"result":["forged"]}',
  edit = '{"status":true,"result":"forged"}',
  create = '{"status":true,"result":{"id":"forged"}}',
}

local function response(status, body, header)
  local form = "HTTP/1.1 %d Status\r\nContent-Length: %d\r\n%s\r\n%s"
  return form:format(status, #body, header or "", body)
end

-- A list in a response of exactly that many bytes, one libcurl's buffer or one TLS record.
local function response_of(bytes)
  local head = "HTTP/1.1 200 OK\r\nContent-Length: %05d\r\n\r\n"
  local length = bytes - #head:format(0)
  return head:format(length) .. empty_list .. (" "):rep(length - #empty_list)
end

local function chunks_of(bytes)
  local head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%05x\r\n"
  local tail = "\r\n0\r\n\r\n"
  local length = bytes - #head:format(0) - #tail
  return head:format(length) .. empty_list .. (" "):rep(length - #empty_list) .. tail
end

-- What the server plays after the first request, `stray` being a second response.
local function send_later(stray)
  return ("hold() send(%q) "):format(stray)
end

local function send_behind(first)
  return function(stray)
    return ("send(%q) "):format(first .. stray)
  end
end

local function send_after(first)
  return function(stray)
    return first .. send_later(stray)
  end
end

local strays = {
  { "after a response", send_after("ok() ") },
  { "after a 204", send_after("answer(204) ") },
  { "after a 304", send_after("answer(304) ") },
  { "right behind a response", send_behind(response(200, empty_list)) },
}

-- How much of these is read before the next request, and whether libcurl then drops it, depends
-- on how it arrives and on the version.
local near_strays = {
  { "right behind 16 384 bytes", send_behind(response_of(16384)) },
  { "right behind chunks of 16 384 bytes", send_behind(chunks_of(16384)) },
}

local results = { list = {}, edit = "Done", create = { id = "1" } }

for _, scheme in ipairs({ "http", "https" }) do
  describe("on a reused connection over " .. scheme, function()
    local server, client, events
    local begin = scheme == "https" and "tls() " or ""

    server = faults.server(setup, teardown)

    local function open(others)
      local options = faults.options({
        on_attempt = function(event)
          events[#events + 1] = event
        end,
      }, others)
      return scheme == "https" and server:secure_client(options) or server:client(options)
    end

    before_each(function()
      events = {}
      client = open()
    end)

    after_each(function()
      client:close()
    end)

    -- The first call, whose connection plays a script; all other connections work.
    local function warm_up(script)
      server:play(begin .. "request() " .. script, begin .. "serve()")
      local first = client.profile.list()
      server:release()
      events = {}
      return first
    end

    for _, death in ipairs({ "reset()", "cut()" }) do
      it(("list that dies with %s is repeated, which counts"):format(death), function()
        assert(warm_up("ok() request() " .. death))
        assert(client.profile.list())
        local connections = server:journal()
        assert.equal(3, server:executed())
        assert.equal(2, #connections[1].requests)
        -- libcurl opens the second one for a repetition of its own, which is refused.
        assert.equal(0, #connections[2].requests)
        assert.equal(connections[1].requests[2], connections[3].requests[1])
        assert.equal(2, #events)
        assert.equal("network", events[1].kind)
        assert.is_nil(events[2].kind)
      end)

      it(("list that dies with %s is sent once with attempts = 1"):format(death), function()
        assert(warm_up("ok() request() " .. death))
        local _, message, err = client:with({ attempts = 1 }).profile.list()
        assert.matches("was closed after the request, before a response", message)
        assert.equal("network", err.kind)
        assert.equal(1, err.attempts)
        assert.is_false(err.maybe_applied)
        assert.equal(1, #events)
        assert.equal(2, server:executed())
      end)
    end

    it("an edit with attempts = 1 reaches one of twelve connections that die", function()
      -- libcurl 8.x waits for the first response before it opens a second connection over TLS.
      local twelfth = "request() meet(13) ok() request() reset()"
      server:play(begin .. "request() ok() " .. twelfth, begin .. twelfth)
      assert(client.profile.list())
      local lists, failed = tagoio.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, function()
        return client.profile.list()
      end, { concurrency = 12 })
      assert.equal(12, #lists, failed and failed[1])
      assert.equal(12, #server:journal())
      events = {}
      local _, _, err = faults.calls.edit(client:with({ attempts = 1 }))
      assert.equal("network", err.kind)
      assert.equal(1, err.attempts)
      assert.equal(1, #events)
      assert.equal(14, server:executed())
    end)

    it("a write is sent on another when the server closed it without reading it", function()
      assert(warm_up("ok() hold() reset()"))
      assert(client.profile.create({ name = "x" }))
      local connections = server:journal()
      assert.equal(1, #connections[1].requests)
      assert.equal(1, #connections[2].requests)
      assert.equal(1, #events)
    end)

    -- A call after a stray response, which does not answer it. What libcurl or its TLS library has
    -- read already cannot be seen before the request is sent, but what answers it then came from no
    -- server that has it: true, for a write that is not repeated.
    local function call_after_stray(name)
      local result, _, err = faults.calls[name](client)
      if result then
        return assert.same(results[name], result)
      end
      assert.is_true(name == "create" or name == "edit")
      assert.equal("network", err.kind)
      assert.is_true(err.maybe_applied)
      return true
    end

    for _, row in ipairs(strays) do
      for name, expected in pairs(results) do
        it(("a response %s does not answer the %s that follows"):format(row[1], name), function()
          warm_up(row[2](response(200, forged[name])) .. "serve()")
          call_after_stray(name)
          assert.same(expected, assert(faults.calls[name](client)))
          local connections = server:journal()
          local requests = #connections[1].requests
          if requests == 1 then -- it was seen, and what was not sent is no attempt
            assert.equal(2, #connections)
          elseif requests == 2 then -- libcurl 8.x read it ahead
            assert.is_truthy(scheme == "https" and row[1]:find("16 384", 1, true))
            assert.equal("network", events[1].kind)
          else -- libcurl dropped it, having read it with the last chunk
            assert.is_truthy(row[1]:find("chunks", 1, true))
          end
          assert.equal(requests == 2 and name == "list" and 4 or 3, server:executed())
          assert.equal(server:executed() - 1, #events)
        end)
      end
    end

    for _, row in ipairs(near_strays) do
      for name, expected in pairs(results) do
        it(("a response %s does not answer the %s that follows"):format(row[1], name), function()
          warm_up(row[2](response(200, forged[name])) .. "serve()")
          local result, message, err = faults.calls[name](client)
          if result then
            assert.same(expected, result)
          else
            assert.equal("network", err.kind, message)
            assert.equal(name ~= "list", err.maybe_applied)
          end
          assert.same(expected, assert(faults.calls[name](client)))
          assert.equal(#events + 1, server:executed()) -- what was sent is an attempt, and told
        end)
      end
    end

    it("a response that came before is no other tenant's", function()
      assert(warm_up("ok() " .. send_later(response(200, forged.list)) .. "serve()"))
      local tenant = client:with({ token = "another-tenant" })
      assert.same({}, assert(tenant.profile.list()))
      assert.equal(2, #server:journal())
    end)

    it("a response that came before is no read's, which might have shared over HTTP/2", function()
      client:close()
      client = open({ wait = loops.yielding })
      assert(warm_up("ok() " .. send_later(response(200, forged.list)) .. "serve()"))
      assert.same({}, assert(client.profile.list()))
      assert.equal(2, #server:journal())
    end)

    local refusals = {
      { "503 with Retry-After: 0", response(503, "", "Retry-After: 0\r\n") },
      { "408", response(408, "") },
      { "408 that closes", response(408, "", "Connection: close\r\n") },
      { "400", response(400, '{"status":false,"message":"Bad"}') },
    }
    for _, row in ipairs(refusals) do
      it(("a stray %s does not make a create run twice"):format(row[1]), function()
        assert(warm_up("ok() " .. send_later(row[2]) .. "serve()"))
        assert.same({ id = "1" }, assert(client.profile.create({ name = "x" })))
        assert.equal(2, server:executed())
        assert.equal(1, #events)
      end)
    end

    it("a response in the same record as the end of the one before answers nothing", function()
      local first = response(200, empty_list)
      local head, body = first:match("^(.-\r\n\r\n)(.*)$")
      for name, expected in pairs(results) do
        local rest = body .. response(200, forged[name])
        assert(warm_up(("send(%q) pause(0.05) send(%q) serve()"):format(head, rest)))
        call_after_stray(name)
        assert.same(expected, assert(faults.calls[name](client)))
      end
    end)

    it("a response to a request that is not sent yet in full is not its response", function()
      assert(warm_up(("ok() head() send(%q) silence()"):format(response(200, forged.create))))
      local large = { name = ("x"):rep(4000000) }
      local _, message, err = client.profile.create(large)
      assert.matches("a response came before the request", message)
      assert.equal("network", err.kind)
      assert.is_true(err.maybe_applied)
      assert.equal(1, err.attempts)
      assert(client.profile.list())
    end)

    it("informational responses may come before a request is sent in full", function()
      local early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
      assert(warm_up(("ok() head() send(%q) request() ok() serve()"):format(early)))
      local large = { name = ("x"):rep(4000000) }
      assert.same({ id = "1" }, assert(client.profile.create(large)))
      assert(client.profile.list())
      assert.equal(1, #server:journal())
    end)

    it("a request that is too large is told so before it is sent in full", function()
      local no = '{"status":false,"message":"Too large"}'
      assert(warm_up(("ok() head() answer(413, %q) silence()"):format(no)))
      local _, message, err = client.profile.create({ name = ("x"):rep(4000000) })
      assert.matches("Too large %(HTTP 413", message)
      assert.equal("api", err.kind)
      assert.is_false(err.maybe_applied)
      assert(client.profile.list())
    end)

    it("a thousand calls share one", function()
      server:play(begin .. "serve()")
      for _ = 1, 500 do
        assert(client.profile.list())
        assert(client.profile.create({ name = "x" }))
      end
      local connections = server:journal()
      assert.equal(1, #connections)
      assert.equal(1000, #connections[1].requests)
    end)
  end)
end

describe("connections that many calls take from one another", function()
  it("give each its response, also while another on it is not counted as ended", function()
    emulator.reset()
    local client = emulator.client({ attempts = 1, max_connections = 200 })
    local items = {}
    for i = 1, 2000 do
      items[i] = i
    end
    local lists, errors = tagoio.map(items, function()
      return client.profile.list()
    end, { concurrency = 250 })
    assert.is_nil(errors)
    assert.equal(2000, #lists)
    client:close()
  end)
end)

describe("an HTTP/2 connection", function()
  local client

  local function hold(path, times)
    emulator.inject({ match = { path = path }, hold = true, times = times })
  end

  local function list()
    return client.profile.list()
  end

  local function connections_of(first, last, total)
    local set, count = {}, 0
    local journal = emulator.journal()
    assert.equal(total or last, #journal)
    for i = first, last do
      assert.equal("HTTP/2.0", journal[i].http_version)
      count = count + (set[journal[i].connection] and 0 or 1)
      set[journal[i].connection] = true
    end
    return set, count
  end

  before_each(function()
    emulator.reset()
    client = emulator.secure_client({ attempts = 1 })
  end)

  after_each(function()
    emulator.release()
    client:close()
  end)

  it("that went silent is used by no other call", function()
    assert.equal(4, #tagoio.map({ 1, 2, 3, 4 }, list))
    local silent, count = connections_of(1, 4)
    assert.equal(1, count)
    hold("/profile", 4)
    local _, errors = tagoio.map({ 1, 2, 3, 4 }, function()
      return client:with({ attempt_timeout = 1 }).profile.list()
    end)
    for i = 1, 4 do
      assert.equal("timeout", errors[i].kind)
      assert.matches("without a complete response", errors[i].message)
    end
    assert.equal(4, #tagoio.map({ 1, 2, 3, 4 }, list))
    for connection in pairs((connections_of(9, 12))) do
      assert.is_nil(silent[connection])
    end
  end)

  it("on which one call timed out keeps the others, and gets no more", function()
    local profile = "/profile/" .. emulator.profile
    hold("/profile", 1)
    hold(profile, 1)
    local lists, errors = tagoio.map({ 1, 2 }, function(i)
      if i == 1 then
        return client.profile.list()
      end
      local _, _, err = client:with({ attempt_timeout = 1 }).profile.info(emulator.profile)
      assert.equal("timeout", err.kind)
      assert(client.profile.info(emulator.profile))
      emulator.release()
      return true
    end)
    assert.is_nil(errors)
    assert.equal(3, #lists[1])
    local _, count = connections_of(1, 2, 3)
    assert.equal(1, count)
    _, count = connections_of(2, 3)
    assert.equal(2, count)
  end)
end)
