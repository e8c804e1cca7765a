-- SPDX-License-Identifier: MIT
-- Tokens, passwords and pins are in nothing that a failing program prints, whatever it prints and
-- whatever the server sends back.

local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")

local secrets = {
  token = "p-0wn-t0ken-5e3c",
  deleted = "p-d3leted/t0ken-91ab",
  filtered = "p-f1ltered-t0ken-77",
  password = ' pa55 "w0rd"/\195\164\nl4st<&>',
  pin = "734591",
}

-- What identifies a secret in any form of it, or a part of one.
local pieces = { "0wn", "d3leted", "f1ltered", "pa55", "w0rd", "l4st", "734591" }

local function percent(secret, safe, format)
  return (secret:gsub("[^%w" .. safe .. "]", function(byte)
    return (format or "%%%02X"):format(byte:byte())
  end))
end

local function by_table(secret, replacements)
  return (secret:gsub(".", replacements):gsub("\195\164", replacements))
end

local escapes = { ['"'] = '\\"', ["\n"] = "\\n" }

-- How a server may send a secret back.
local forms = {
  ["as it is"] = function(secret)
    return secret
  end,
  ["in JSON"] = function(secret)
    return by_table(secret, escapes)
  end,
  ["in JSON of ASCII, slashes escaped"] = function(secret)
    return (by_table(secret, escapes):gsub("/", "\\/"):gsub("\195\164", "\\u00e4"))
  end,
  ["in JSON of ASCII, with upper-case digits"] = function(secret)
    return (by_table(secret, escapes):gsub("\195\164", "\\u00E4"):gsub("&", "\\u0026"))
  end,
  ["percent-encoded"] = function(secret)
    return percent(secret, "%-._~")
  end,
  ["percent-encoded in lower case"] = function(secret)
    return percent(secret, "%-._~", "%%%02x")
  end,
  ["percent-encoded with + for a blank"] = function(secret)
    return (percent(secret, "%-._~"):gsub("%%20", "+"))
  end,
  ["as encodeURI leaves it"] = function(secret)
    return percent(secret, "%-._~;/?:@&=+$,!*'()#")
  end,
  ["with HTML's named entities"] = function(secret)
    return by_table(secret, { ['"'] = "&quot;", ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;" })
  end,
  ["with HTML's numbers"] = function(secret)
    return by_table(secret, {
      ['"'] = "&#34;", ["<"] = "&#x3c;", [">"] = "&#X3E;", ["&"] = "&#038;",
      ["\195\164"] = "&#228;", ["\n"] = "&#10;",
    })
  end,
}

local function assert_clean(output)
  for _, piece in ipairs(pieces) do
    local from = output:find(piece, 1, true)
    local around = output:sub(math.max((from or 0) - 100, 1), (from or 0) + 100)
    assert.is_nil(from, ("%s is in:\n%s"):format(piece, around))
  end
end

-- Calls with every secret, and prints all there is: values, errors, events, tracebacks, objects.
local program = [[
  local tagoio = require("tagoio")
  local function show(...)
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      print(tostring(value), type(value) == "table" and tagoio.encode(value) or "")
    end
  end
  local client = assert(tagoio.new({
    attempts = 2,
    on_attempt = function(event) show(event) end,
  }))
  local id = "5bbe3d1d4d3ad10021e1d2a1"
  local body = {
    name = "x",
    password = os.getenv("PASSWORD"),
    pin_code = os.getenv("PIN"),
    permission = "read",
    email = "a@example.com",
  }
  local function all(profile)
    show(profile.tokenList(id, { filter = { token = os.getenv("FILTERED") } }))
    show(profile.tokenDelete(id, os.getenv("DELETED")))
    show(profile.delete(id, body))
    show(profile.tokenCreate(id, body))
    show(client:request({
      method = "DELETE",
      path = { "profile", id, "token", os.getenv("DELETED") },
      body = body,
    }))
  end
  all(client.profile)
  show(xpcall(function() return assert(client.profile.delete(id, body)) end, debug.traceback))
  show(pcall(client.profile.tokenDelete, os.getenv("DELETED"), {}))
  show(pcall(client.profile.delete, id, { password = os.getenv("PASSWORD"), x = print }))
  show(pcall(client.with, client, { token = os.getenv("T_ANALYSIS_TOKEN") .. "\n" }))
  show(pcall(client.with, client, { tokn = os.getenv("T_ANALYSIS_TOKEN") }))
  show(client, client.profile, tagoio)
  for name, value in pairs(client) do print(name, value) end
]]

local function run(api)
  return process.run_lua(program, {
    T_ANALYSIS_TOKEN = secrets.token,
    TAGOIO_API = api,
    TAGOIO_LOG = "1",
    DELETED = secrets.deleted,
    FILTERED = secrets.filtered,
    PASSWORD = secrets.password,
    PIN = secrets.pin,
  })
end

-- A server that sends back all that it was sent, in an answer of this form.
local function echo(form)
  return ([[
    local text = request()
    while text do
      local quoted = require("dkjson").encode(text)
      local status, body, head = (function(text, quoted) return %s end)(text, quoted)
      answer(status, body, head)
      text = request()
    end]]):format(form)
end

describe("secrets stay secret", function()
  local server = faults.server(setup, teardown)

  it("when TagoIO refuses, and in the emulator's journal", function()
    emulator.reset()
    local output = run(emulator.http)
    assert.matches("Authorization Denied", output)
    assert_clean(output)
    local journal = emulator.journal()
    assert.equal(6, #journal)
    assert_clean(dkjson.encode(journal))
  end)

  -- status, body, head
  local echoes = {
    [[400, '{"status":false,"message":' .. quoted .. '}']],
    [[403, '{"status":false,"result":{"message":' .. quoted .. '}}']],
    [[404, '{"status":false,"message":"no","field_errors":{' .. quoted .. ':' .. quoted .. '}}']],
    [[200, '{"status":false,"message":' .. quoted .. '}']],
    [[500, '{"status":false,"result":' .. quoted .. ',"extra":[{"deep":' .. quoted .. '}]}']],
    [[502, "<html><title>" .. text .. "</title></html>"]],
    [[302, text, "Location: http://127.0.0.1/" .. text:match("token: (%S+)") .. "\\r\\n"]],
    [[200, '{"status":true,"result":' .. text]],
    [[400, text, "X-Request-Id: " .. text:match("token: (%S+)") .. "\\r\\n"]],
    [[200, '{"status":true,"message":' .. quoted .. ',"result":[]}']],
  }
  for _, form in ipairs(echoes) do
    it("when they come back as " .. form, function()
      server:play(echo(form))
      local output = run(server.http)
      assert.matches("[%s:]" .. form:match("%d+"), output)
      assert_clean(output)
      assert.is_true(server:executed() >= 6)
    end)
  end

  -- Sends back those secrets that came with the request, in one form, ahead of all else.
  local function echo_secrets(form)
    local rows = {}
    for _, secret in pairs(secrets) do
      local row = "{ { %q, %q, %q }, %q }"
      local sent = { secret, forms["in JSON"](secret), forms["percent-encoded"](secret) }
      rows[#rows + 1] = row:format(sent[1], sent[2], sent[3], form(secret))
    end
    return echo(([[(function()
      local said = {}
      for _, row in ipairs({ %s }) do
        for i, sent in ipairs(row[1]) do
          if text:find(sent, 1, true) and #said < 9 then
            said[#said + 1] = row[2]
            break
          end
        end
      end
      return 400, table.concat(said, " ") .. " is wrong"
    end)()]]):format(table.concat(rows, ", ")))
  end

  for name, form in pairs(forms) do
    it("when they come back " .. name .. ", first of all in the text", function()
      server:play(echo_secrets(form))
      local output = run(server.http)
      assert.matches("%*%*%* is wrong %(HTTP 400", output)
      assert_clean(output)
      assert.is_true(server:executed() >= 5)
    end)
  end

  it("when a pin comes back as a fraction", function()
    server:play(echo([[400, '{"status":false,"message":{"pin":734591.0},"pin":[734591.0]}']]))
    local output = run(server.http)
    assert.matches("pin: %*%*%* %(HTTP 400", output)
  end)

  it("when nobody answers", function()
    local output = run("http://127.0.0.1:1")
    assert.matches("no connection", output)
    assert_clean(output)
  end)
end)
