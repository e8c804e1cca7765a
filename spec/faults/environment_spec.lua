-- SPDX-License-Identifier: MIT
-- What surrounds the program: files of its user's, and the locale. Proxies: proxy_spec.lua.

local emulator = require("spec.support.emulator")
local faults = require("spec.support.faults")
local process = require("spec.support.process")

describe("in a strange environment", function()
  local server = faults.server(setup, teardown)

  it("no password of a .netrc is sent", function()
    local folder = process.run("mktemp -d"):gsub("\n", "")
    local file = assert(io.open(folder .. "/.netrc", "w"))
    file:write("machine 127.0.0.1 login somebody password a-secret\n")
    file:close()
    server:play("serve()")
    local output = process.run_lua([[print(#assert(require("tagoio").profile.list()))]], {
      HOME = folder,
      NETRC = folder .. "/.netrc",
      T_ANALYSIS_TOKEN = emulator.token,
      TAGOIO_API = server.http,
    })
    process.run("rm -r " .. process.quote(folder))
    assert.equal("0\n", output)
    local request = server:journal()[1].requests[1]
    assert.is_nil(request:lower():find("authorization", 1, true))
  end)

  -- Where numbers have a comma, and the small "I" is not "i".
  it("numbers and headers are read and written in every locale alike", function()
    local before = os.setlocale()
    local found
    for _, name in ipairs({ "tr_TR.utf8", "tr_TR.UTF-8", "de_DE.utf8", "de_DE.UTF-8" }) do
      found = found or os.setlocale(name)
    end
    if not found then
      return pending("no locale with a comma in its numbers")
    end
    local client = server:client()
    server:play([==[
      request()
      answer(503, "", "RETRY-AFTER: 0\r\n")
      request()
      answer(200, '{"status":true,"result":[0.5,-1.25e3]}')
      serve()]==])
    local list = client.profile.list()
    local edited = client.profile.edit(emulator.profile, { ratio = 1 / 4 })
    client:close()
    os.setlocale(before)
    assert.same({ 1 / 2, -1250 }, list)
    assert.equal("Done", edited)
    assert.equal('{"ratio":0.25}', server:journal()[1].requests[3]:match("\r\n\r\n(.*)$"))
  end)
end)
