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
  password = 'pa55 "word"/\195\164',
  pin = "734591",
}

-- How a secret may look: as it is, in JSON, in a URL.
local function forms_of(secret)
  local escaped = secret:gsub('["\\]', "\\%0")
  local percent = secret:gsub("[^%w%-._~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end)
  return { secret, escaped, percent, percent:lower() }
end

local function assert_clean(output)
  for name, secret in pairs(secrets) do
    for _, form in ipairs(forms_of(secret)) do
      assert.is_nil(output:find(form, 1, true), ("the %s is in:\n%s"):format(name, output))
    end
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
  local server

  setup(function()
    server = faults.start()
  end)

  teardown(function()
    server:stop()
  end)

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

  it("when nobody answers", function()
    local output = run("http://127.0.0.1:1")
    assert.matches("no connection", output)
    assert_clean(output)
  end)
end)
