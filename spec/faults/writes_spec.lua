-- SPDX-License-Identifier: MIT
-- Each fault, over all that carries a write, on a fresh and on a reused connection: a write that
-- must not be repeated is read once or not at all, an error says that it may have been applied
-- exactly when it may, each request that was read is an attempt, and the next call works.

local carriers = require("spec.faults.carriers")
local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")

local writes = {
  { call = '.profile.create({ name = "x" })', result = { id = "1" } },
  {
    call = ':request({ method = "POST", path = { "device" }, body = { name = "x" } })',
    result = { id = "1" },
  },
  {
    call = (".profile.edit(%q, { name = 'x' })"):format(emulator.profile),
    result = "Done",
    is_idempotent = true,
  },
}

-- What is known of a write after a fault, and so: which writes are sent again (then all is well),
-- and whether the error of the others says that they may have been applied. A transport does not
-- tell the status of a response that breaks off, nor what is no HTTP.
local open = { again = "idempotent", maybe_applied = true }
local applied = { maybe_applied = true } -- or a response that would be the same again
local refused = { again = "all" }
local denied = {}
local done = { is_success = true }
local any_end = { done, open, applied }
local lost = { again = "idempotent", maybe_applied = true, kind = "network" }

local function sends(...)
  return ("send(%q) "):format(table.concat({ ... }))
end

-- Successes, until a read is told that its response is the last.
local serve = [[
  local text = request()
  while text and not text:find("^GET") do ok() text = request() end
  if text then answer(200, '{"status":true,"result":[]}', "Connection: close\r\n") end]]

local function answers(status, body, head)
  return ("answer(%d, %q, %q) %s"):format(status, body or "", head or "", serve)
end

local ok_line = "HTTP/1.1 200 OK\r\n"
local chunked = ok_line .. "Transfer-Encoding: chunked\r\n\r\n"
local no = '{"status":false,"message":"No"}'
local soon = "Retry-After: 0\r\n"
local half = sends(ok_line, "Content-Length: 9\r\n\r\n{")
local stray = ok_line .. 'Content-Length: 33\r\n\r\n{"status":true,"result":"forged"}'

-- A title, what the server does when it has read a write, what is known of it then, the kind of the
-- error, and what is known where a transport differs.
local rows = {
  { "a reset before it is read", "arrival() reset()", open, "network", is_unread = true },
  { "an end", "", open, "network" },
  { "an end without the end of TLS", "cut()", open, "network" },
  { "a reset", "reset()", open, "network" },
  { "silence", "silence()", open, "timeout" },
  { "an informational response alone", sends("HTTP/1.1 100 Continue\r\n\r\n"), open, "network" },
  { "half a status line", sends("HTTP/1.1 2"), open, "network" },
  { "half a head", sends(ok_line, "Content-"), applied, "network", open },
  { "half a body", half, applied, "network", open },
  { "half a body without the end of TLS", half .. "cut()", applied, "network", open },
  { "half a body and silence", half .. "silence()", applied, "timeout", open },
  { "half a chunk", sends(chunked, "9\r\n{"), applied, "network", open },
  { "no last chunk", sends(chunked, "2\r\n{}\r\n"), applied, "network", open },
  { "a chunk without a size", sends(chunked, "zz\r\n{}\r\n"), applied, "network", open },
  { "broken gzip", answers(200, "gzip", "Content-Encoding: gzip\r\n"), applied, "protocol" },
  { "garbage", sends("garbage\r\n\r\n"), applied, "protocol", lost },
  { "HTML", answers(200, "<html>"), applied, "protocol" },
  { "an empty body", answers(200), applied, "protocol" },
  { "a redirect", answers(302, "", "Location: /elsewhere\r\n"), applied, "protocol" },
  { "a 200 that refuses it", answers(200, no), denied, "api" },
  { "a 400", answers(400, no), denied, "api" },
  { "a 408", answers(408, no), refused, "api" },
  { "a 425", answers(425, no), refused, "api" },
  { "a 429", answers(429, no), denied, "api", closes_gate = true },
  { "a 429 with Retry-After", answers(429, no, soon), refused, "api" },
  { "a 500", answers(500, no), open, "api" },
  { "a 503", answers(503, no), open, "api" },
  { "a 503 with Retry-After", answers(503, no, soon), refused, "api" },
  { "a response and an end", "ok()", done },
  { "a response and a reset", "ok() reset()", any_end, "network" },
  { "a response that is the last", "ok('Connection: close\\r\\n') silence()", done },
  { "a response and one more", ("ok(nil, %q) "):format(stray) .. serve, any_end, "network" },
}

local rows_of_http2 = {
  { "an end", "", open, "network" },
  { "an end without the end of TLS", "cut()", open, "network" },
  { "a reset", "reset()", open, "network" },
  { "silence", "ignore_streams()", open, "timeout" },
  { "a refused stream", "refuse(id, 'REFUSED_STREAM') serve_streams()", open, "network" },
  { "RST_STREAM", "refuse(id, 'INTERNAL_ERROR') serve_streams()", open, "network" },
  { "a canceled stream", "refuse(id, 'CANCEL') serve_streams()", open, "network" },
  { "GOAWAY below its stream", "goaway(0) silence()", open, "network" },
  { "GOAWAY with an error", "goaway(0, 'INTERNAL_ERROR') silence()", open, "network" },
  { "garbage", sends(("garbage"):rep(9)), open, "network" },
  {
    "RST_STREAM within a body",
    "status(id) data(id, '{') refuse(id, 'INTERNAL_ERROR') serve_streams()",
    any_end, "network",
  },
  { "an end within a body", "status(id) data(id, '{') cut()", any_end, "network" },
  { "HTML", "reply(id, 200, '<html>') serve_streams()", applied, "protocol" },
  { "a 400", ("reply(id, 400, %q) serve_streams()"):format(no), denied, "api" },
  { "a 408", ("reply(id, 408, %q) serve_streams()"):format(no), refused, "api" },
  { "a 503", ("reply(id, 503, %q) serve_streams()"):format(no), open, "api" },
  -- A frame of the client's that is not read yet makes the end a reset, which may be faster.
  { "a response and an end", "reply(id)", any_end, "network" },
  { "a response and GOAWAY", "reply(id) goaway(id) silence()", done },
  { "a response and RST_STREAM", "reply(id) refuse(id, 'NO_ERROR') serve_streams()", done },
}

-- Makes a call, by a client with other options; what became of it.
local outcome = [[
  local outcome = { attempts = {} }
  local own = client:with({
    on_attempt = function(event)
      table.insert(outcome.attempts, event.kind or "success")
    end,
    %s
  })
  local function call()
    local result, message, err = own%s
    outcome.result = result
    outcome.message = err and message
    outcome.maybe_applied = err and err.maybe_applied
  end
  %s
  return outcome]]

local beside_a_list = "tagoio.gather(client.profile.list, call)" -- what may share speaks HTTP/2

-- How many writes were read.
local function count_writes(server)
  local count = 0
  for _, connection in ipairs(server:journal()) do
    for _, text in ipairs(connection.requests) do
      count = count + (text:find("^P") and 1 or 0) -- POST, PUT
    end
  end
  return count
end

-- As "network, success; read: 2" and "network, maybe applied; read: 1".
local function describe_end(attempts, maybe_applied, read)
  local ending = maybe_applied and ", maybe applied" or ""
  return ("%s%s; read: %d"):format(table.concat(attempts, ", "), ending, read)
end

-- The ends that a write may have, as a set of texts.
local function allowed_ends(row, write, fates)
  local set = {}
  for _, fate in ipairs(fates) do
    local is_again = fate.again == "all" or fate.again and write.is_idempotent
    local attempts = { fate.is_success and "success" or fate.kind or row[4] }
    attempts[2] = is_again and "success" or nil
    local read = row.is_unread and #attempts - 1 or #attempts
    set[describe_end(attempts, not is_again and fate.maybe_applied, read)] = true
  end
  return set
end

-- Where time decides: an attempt may end before it is sent, also the one that would succeed.
local function is_sound(write, it, read)
  local is_once = read <= (write.is_idempotent and #it.attempts or 1)
  if it.result then
    return is_once and read > 0
  end
  return is_once and it.maybe_applied == (read > 0)
end

for _, carrier in ipairs(carriers) do
  describe(("a write over %s,"):format(carrier.name), function()
    local client

    setup(carrier.start or function() end)
    teardown(carrier.stop or function() end)

    local server = faults.server(setup, teardown) -- after nginx, which would keep it alive

    local function run(call, options)
      local way = carrier.is_http2 and beside_a_list or "call()"
      return client.run(outcome:format(options or "", call, way))
    end

    local function list(options)
      local it = run(".profile.list()", options)
      assert.same({}, it.result, it.message)
    end

    local function play(row, is_reused)
      local first, write, later = "request() ok() ", "request() ", serve
      if carrier.is_http2 then
        first, write = "reply(stream()) reply(stream()) ", "local id = write_stream() "
        later = "serve_streams()"
      end
      server:play(
        carrier.begin .. (is_reused and first or "") .. (row.is_unread and "" or write) .. row[2],
        carrier.begin .. later
      )
    end

    local function try(row, write, is_reused)
      play(row, is_reused)
      client = carrier.open(server, "max_retry_after = 0")
      if is_reused then
        list()
      end
      local is_timed = row[4] == "timeout"
      local it = run(write.call, is_timed and "attempt_timeout = 0.1")
      list(row.closes_gate and "token = 'another'")
      local read = count_writes(server)
      local fate = carrier.is_transport and row[5] or row[3]
      local allowed = allowed_ends(row, write, fate[1] and fate or { fate })
      local ending = describe_end(it.attempts, it.maybe_applied, read)
      assert.same(it.maybe_applied == nil and write.result or nil, it.result)
      assert(allowed[ending] or is_timed and is_sound(write, it, read), ending)
      client.close()
    end

    for _, row in ipairs(carrier.is_http2 and rows_of_http2 or rows) do
      for _, place in ipairs({ "a fresh connection", "a reused connection" }) do
        it(("%s on %s"):format(row[1], place), function()
          for _, write in ipairs(writes) do
            if write.is_idempotent or not carrier.is_http2 then
              try(row, write, place == "a reused connection")
            end
          end
        end)
      end
    end
  end)
end
