-- SPDX-License-Identifier: MIT
-- What an installed module must be able to do without a network. Its argument is the version.

local tagoio = require("tagoio")
assert(tagoio._VERSION:find(arg[1], 1, true), tagoio._VERSION)

local client = assert(tagoio.new({
  token = "none",
  region = "us-e1",
  transport = function()
    return 200, nil, '{"status": true, "result": [{"name": "Factory"}]}'
  end,
}))
assert(assert(client.profile.list())[1].name == "Factory")
client:close()

-- libcurl is set up, too: nothing listens on port 1.
local nobody = { api = "http://127.0.0.1:1" }
client = assert(tagoio.new({ token = "none", region = nobody, attempts = 1 }))
local _, _, err = client.profile.list()
assert(err.kind == "connect", err.message)
client:close()
