-- SPDX-License-Identifier: MIT
-- Answers that break off, are no HTTP, no JSON, or have no end. After each the same client works.

local faults = require("spec.support.faults")
local process = require("spec.support.process")

local ok_line = "HTTP/1.1 200 OK\r\n"
local list = '{"status":true,"result":[]}'

-- A script that reads a request and sends these bytes.
local function sends(...)
  return ("request() send(%q) "):format(table.concat({ ... })) -- %q keeps every byte
end

local function sends_body(code)
  return ("request() answer(200, '{\"status\":true,\"result\":' .. %s .. '}') "):format(code)
end

local compressed_bomb -- of 100 MiB of zeros, made by gzip

-- Title, script, kind, how often a read is repeated in vain, status, what the message says.
-- Where a read is repeated, an idempotent write is not when the status proves it was applied.
local heads = {
  { "no byte", "request() ", "network", 3 },
  { "a status line that breaks off", sends("HTTP/1.1 2"), "network", 3 },
  { "a head that breaks off", sends(ok_line, "Content-"), "network", 3, 200 },
  { "a head that is reset", sends(ok_line, "X: y\r\n") .. "reset()", "network", 3, 200 },
  { "an informational answer alone", sends("HTTP/1.1 100 Continue\r\n\r\n"), "network", 3 },
  { "garbage", sends("garbage\r\n\r\n"), "protocol", 1, nil, "not HTTP" },
  { "binary garbage", "request() send(('\\0\\255'):rep(2000))", "protocol", 1, nil, "not HTTP" },
  { "HTTP/0.9", sends("<html>hello</html>"), "protocol", 1, nil, "not HTTP" },
  { "the status 000", sends("HTTP/1.1 000 x\r\n\r\n"), "protocol", 1, nil, "not HTTP" },
  {
    "lengths that differ",
    sends(ok_line, "Content-Length: 27\r\nContent-Length: 26\r\n\r\n", list),
    "protocol", 1, 200,
  },
  { "a negative length", sends(ok_line, "Content-Length: -5\r\n\r\n"), "protocol", 1, 200 },
  {
    "a header of 300 kB",
    ("request() send(%q .. ('y'):rep(300000)) silence()"):format(ok_line .. "X: "),
    "protocol", 1, 200, "too large: a line of its head does not end",
  },
  {
    "headers without end",
    ("request() send(%q) while send('X: ' .. ('y'):rep(50) .. '\\r\\n') do end"):format(ok_line),
    "protocol", 1, 200, "headers of more than 64 KiB",
  },
  {
    "informational answers without end",
    "request() while send('HTTP/1.1 102 X\\r\\nX: ' .. ('y'):rep(50) .. '\\r\\n\\r\\n') do end",
    "protocol", 1, nil, "headers of more than 64 KiB",
  },
}

local chunked = ok_line .. "Transfer-Encoding: chunked\r\n\r\n"
local gzip = ok_line .. "Content-Encoding: gzip\r\n"

-- A refusal in which a success hides. It says that the connection closes, or the next attempt might
-- go out on it, and not be read.
local refusal = "HTTP/1.1 500 No\r\nConnection: close\r\n"
local hidden = "HTTP/1.1 200 OK: x\r\n"
local hiding = {
  {
    "500 with a header whose name is a status line",
    sends(refusal, hidden, "Content-Length: 27\r\n\r\n", list),
    "api", 3, 500,
  },
  {
    "500 behind an informational answer with such a header",
    sends("HTTP/1.1 103 Early\r\n", hidden, "\r\n", refusal, "Content-Length: 27\r\n\r\n", list),
    "api", 3, 500,
  },
  {
    "500 with a status line in its trailer",
    sends(refusal, "Transfer-Encoding: chunked\r\n\r\n1b\r\n", list, "\r\n0\r\n", hidden, "\r\n"),
    "api", 3, 500,
  },
}

local short = ok_line .. "Content-Length: 99\r\n\r\n"

local bodies = {
  { "a body that is too short", sends(short, list), "network", 3, 200 },
  { "a chunk that breaks off", sends(chunked, "50\r\n", list), "network", 3, 200 },
  { "no last chunk", sends(chunked, "1b\r\n", list, "\r\n"), "network", 3, 200 },
  { "a chunk size that is none", sends(chunked, "zz\r\n", list), "network", 3, 200 },
  {
    "a chunk size that is written in C",
    sends(chunked, "0x1b\r\n", list, "\r\n0\r\n\r\n"),
    "network", 3, 200, "connection lost: a chunk that cannot be read",
  },
  { "a chunk size without end", sends(chunked, ("f"):rep(30), "\r\n", list), "network", 3, 200 },
  { "no body", sends(ok_line, "Content-Length: 0\r\n\r\n"), "protocol", 1, 200, "an empty body" },
  { "status 204", sends("HTTP/1.1 204 None\r\n\r\n"), "protocol", 1, 204, "an empty body" },
  {
    "text that is called gzip",
    sends(gzip, "Content-Length: 27\r\n\r\n", list),
    "protocol", 1, 200, "does not decode",
  },
  {
    "an encoding that nobody asked for",
    sends(ok_line, "Content-Encoding: br\r\n\r\n", list),
    "protocol", 1, 200, "does not decode",
  },
  {
    "a body without end",
    sends(ok_line, "\r\n") .. "while send(('x'):rep(100000)) do end",
    "protocol", 1, 200, "more than max_response_bytes",
  },
  {
    "a body that is announced as too large",
    sends(ok_line, "Content-Length: 2000000\r\n\r\n") .. "silence()",
    "protocol", 1, 200, "it announces more than max_response_bytes",
  },
  {
    "a bomb of gzip",
    function()
      return sends(gzip, ("Content-Length: %d\r\n\r\n"):format(#compressed_bomb), compressed_bomb)
    end,
    "protocol", 1, 200, "more than max_response_bytes",
  },
  {
    "gzip that breaks off",
    function()
      return sends(gzip, "Content-Length: 100\r\n\r\n", compressed_bomb:sub(1, 100))
    end,
    "protocol", 1, 200,
  },
  {
    "gzip that goes on behind its end",
    function()
      local zipped = process.run(("printf %%s '%s' | gzip"):format(list)) .. "garbage"
      return sends(gzip, ("Content-Length: %d\r\n\r\n"):format(#zipped), zipped)
    end,
    "protocol", 1, 200, "does not decode: data behind its end",
  },
  { "a NUL", sends_body("'[\"\\0\"]'"), "protocol", 1, 200, "not JSON" },
  { "no UTF-8", sends_body("'[\"\\255\"]'"), "protocol", 1, 200, "not JSON" },
  {
    "arrays 129 deep",
    sends_body("('['):rep(128) .. (']'):rep(128)"),
    "protocol", 1, 200, "more than 128 deep",
  },
  {
    "arrays 100000 deep",
    sends_body("('['):rep(100000) .. (']'):rep(100000)"),
    "protocol", 1, 200, "more than 128 deep",
  },
}

local many_values = {
  "two million values",
  sends_body("'[' .. ('[],'):rep(1999998) .. '[]]'"),
  "protocol", 1, 200, "more than 2000000 values",
}

describe("an answer of", function()
  local server, client

  setup(function()
    server = faults.start()
    local pipe = io.popen("head -c 100000000 /dev/zero | gzip -9")
    compressed_bomb = pipe:read("*a")
    pipe:close()
  end)

  teardown(function()
    server:stop()
  end)

  after_each(function()
    client:close()
  end)

  -- Plays a row for three kinds of calls; all end in the same kind of error.
  local function try(row, others)
    local script = type(row[2]) == "function" and row[2]() or row[2]
    for _, name in ipairs({ "list", "edit", "create" }) do
      server:play(script)
      client = server:client(others)
      local result, message, err = faults.calls[name](client)
      local applied = (row[5] or 999) < 300
      local attempts = (name == "create" or name == "edit" and applied) and 1 or row[4]
      assert.is_nil(result)
      assert.equal(row[3], err.kind, message)
      assert.equal(row[5], err.status, message)
      assert.equal(attempts, err.attempts, message)
      assert.equal(attempts, server:executed())
      assert.equal(name ~= "list", err.maybe_applied)
      assert.is_truthy(message:find(row[6] or "", 1, true), message)
      server:play("serve()")
      assert(client.profile.list())
      client:close()
    end
  end

  for _, rows in ipairs({ heads, hiding, bodies }) do
    for _, row in ipairs(rows) do
      it(row[1], function()
        try(row, { max_response_bytes = 1000000 })
      end)
    end
  end

  it(many_values[1], function()
    try(many_values)
  end)

  -- For newer versions of libcurl than 7.88 it continues the status line.
  it("a head whose first line is folded is refused, or read as if it were not", function()
    server:play(sends(ok_line, " x: y\r\nContent-Length: 27\r\n\r\n", list))
    client = server:client()
    local result, message, err = client.profile.list()
    assert.is_true(result and #result == 0 or err.kind == "protocol")
    assert.matches(result and "" or "a folded line without a header", message or "")
    assert.equal(1, server:executed())
  end)

  -- 503 with a Retry-After lets a create be sent again; without it, it may have been applied. Newer
  -- versions of libcurl put the lines together, or refuse them.
  for name, blank in pairs({ ["a blank"] = " ", ["a tab"] = "\t" }) do
    it(("a header that goes on behind %s is one header"):format(name), function()
      local folded = "X-Why: because\r\n" .. blank .. "Retry-After: 0\r\n"
      server:play(sends("HTTP/1.1 503 No\r\nContent-Length: 0\r\n", folded, "\r\n"))
      client = server:client()
      local result, _, err = client.profile.create({ name = "x" })
      assert.is_nil(result)
      assert.is_true(err.maybe_applied)
      assert.equal(1, server:executed())
    end)
  end

  it("a header without a colon is refused, or left out", function()
    server:play(sends(ok_line, "Retry-After\r\nContent-Length: 27\r\n\r\n", list))
    client = server:client()
    local result, _, err = client.profile.list()
    assert.is_true(result and #result == 0 or err.kind == "protocol")
    assert.equal(1, server:executed())
  end)

  -- What is unusual, and right.
  local good = {
    { "an informational answer before it", sends("HTTP/1.1 103 Early\r\n\r\n") .. "ok() serve()" },
    { "a 100 before it", sends("HTTP/1.1 100 Continue\r\n\r\n") .. "ok() serve()" },
    { "a body that ends with its connection", sends(ok_line, "\r\n", list) },
    { "a trailer", sends(chunked, "1b\r\n", list, "\r\n0\r\nX: y\r\n\r\n") .. "serve()" },
    {
      "a head whose lines end in LF alone",
      sends("HTTP/1.1 200 OK\nContent-Length: 27\n\n", list) .. "serve()",
    },
    { "arrays 128 deep", sends_body("('['):rep(127) .. (']'):rep(127)") .. "serve()" },
    { "an escaped NUL", sends_body("'[\"\\\\u0000\"]'") .. "serve()" },
    {
      "a body of one byte at a time",
      ("request() send(%q) for byte in (%q):gmatch('.') do send(byte) pause(0) end serve()"):format(
        ok_line .. "Content-Length: 27\r\n\r\n",
        list
      ),
    },
  }
  for _, row in ipairs(good) do
    it(row[1] .. " is a success", function()
      server:play(row[2])
      client = server:client()
      assert(client.profile.list())
      assert.equal(1, #server:journal())
    end)
  end
end)
