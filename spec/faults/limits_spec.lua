-- SPDX-License-Identifier: MIT
-- Limits on what comes in: past each of them the kind is protocol, nothing is repeated, and the
-- next call works. The limits are those of csrc/tagoio.h.

local faults = require("spec.support.faults")
local process = require("spec.support.process")

describe("an answer past a limit", function()
  local server, client, folder

  setup(function()
    server = faults.start()
    folder = process.run("mktemp -d"):gsub("\n", "")
  end)

  teardown(function()
    server:stop()
    process.run("rm -r " .. folder)
  end)

  after_each(function()
    client:close()
  end)

  -- The read meets the limit; the next one works.
  local function assert_refused(script, text, options)
    server:play("request() " .. script, "serve()")
    client = server:client(options)
    local result, message, err = client.profile.list()
    assert.is_nil(result)
    assert.equal("protocol", err.kind, message)
    assert.equal(1, err.attempts)
    assert.is_truthy(message:find(text, 1, true), message)
    assert(client.profile.list())
    assert.equal(2, server:executed())
  end

  -- A script that sends the output of a shell command, compressed or as it is.
  local function send_output_of(command, encoding)
    local path = folder .. "/body"
    process.run(("{ %s\n} >%s"):format(command, path))
    return ([[
      local file = io.open(%q, "rb")
      answer(200, file:read("*a"), %q)
      file:close()]]):format(path, encoding and "Content-Encoding: " .. encoding .. "\r\n" or "")
  end

  it("of decoded bytes is refused, as a gzip bomb is", function()
    local bomb = send_output_of("head -c 30000000 /dev/zero | gzip -9", "gzip")
    assert_refused(bomb, "more than max_response_bytes", { max_response_bytes = 1000000 })
  end)

  it("of announced bytes is refused before they come", function()
    local script = [[send("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n") silence()]]
    assert_refused(script, "max_response_bytes")
  end)

  it("of bytes that were not announced is refused", function()
    local script = [[
      send("HTTP/1.1 200 OK\r\n\r\n")
      while send(("x"):rep(100000)) do end]]
    assert_refused(script, "more than max_response_bytes", { max_response_bytes = 1000000 })
  end)

  it("of the bytes of its head is refused", function()
    local script = [[
      send("HTTP/1.1 200 OK\r\n")
      for i = 1, 10000 do send("X-Header-" .. i .. ": " .. ("y"):rep(80) .. "\r\n") end
      silence()]]
    assert_refused(script, "head")
  end)

  it("of the bytes of one line of its head is refused", function()
    local script = [[
      send("HTTP/1.1 200 OK\r\nX: ")
      while send(("y"):rep(10000)) do end]]
    assert_refused(script, "too large")
  end)

  it("of nested levels is refused", function()
    local script = 'answer(200, ("["):rep(129) .. ("]"):rep(129))'
    assert_refused(script, "more than 128 deep")
    client:close()
    server:play([==[
      request()
      answer(200, '{"status":true,"result":' .. ("["):rep(127) .. ("]"):rep(127) .. "}")]==])
    client = server:client()
    assert(client.profile.list())
  end)

  it("of values is refused", function()
    local script = 'answer(200, "[" .. ("[],"):rep(2000000) .. "[]]")'
    assert_refused(script, "values")
  end)

  it("that is cut short, or is not what its encoding says, is no success either", function()
    local script = send_output_of("printf '{}' | gzip | head -c 15", "gzip")
    server:play("request() " .. script)
    client = server:client()
    assert.equal("protocol", (select(3, client.profile.list())).kind)
    server:play('request() answer(200, "{}", "Content-Encoding: gzip\\r\\n")')
    local _, message, err = client.profile.list()
    assert.equal("protocol", err.kind)
    assert.matches("the body does not decode", message)
  end)
end)
