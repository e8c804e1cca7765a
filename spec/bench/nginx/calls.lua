-- SPDX-License-Identifier: MIT
-- Runs inside nginx: the same call in several ways, and how much of a processor calls take that
-- wait for their response.

local calls = {}

local filler = ("x"):rep(480)
calls.answer = '{"status":true,"result":{"info":{"id":"5bbe3d1d4d3ad10021e1d2a1","name":"Factory",'
  .. '"logo_url":null,"banner_url":null,"account":"5bbe3d1d4d3ad10021e1d2a0"},"note":"' .. filler
  .. '"}}'

local api = os.getenv("BENCH_API")
local host, port = (api or ""):match("//(.-):(%d+)")
local token = "p-1f0d3f6a-6d9c-4b8e-9a3e-7c5b2e4d1a90"

-- Each way: prefix ("" or "/slow") -> a function that makes one call.
local ways = {}
calls.ways = ways

local function ours(transport)
  return function(prefix)
    local client = assert(require("tagoio").new({
      token = token,
      region = { api = api .. prefix },
      proxy = false,
      max_connections = 1000,
      transport = transport and require(transport) or nil,
    }))
    return function()
      return assert(client.profile.info("current")).info.name
    end
  end
end

ways.curl = ours(nil)
ways.resty = ours("tagoio.transports.resty")

function ways.by_hand(prefix)
  local http, cjson = require("resty.http"), require("cjson.safe")
  local headers = { token = token, Accept = "application/json" }
  return function()
    local client = http.new()
    client:set_timeouts(10000, 30000, 30000)
    local response = assert(client:request_uri(api .. prefix .. "/profile/current", {
      headers = headers,
      keepalive_pool = 1000,
    }))
    return assert(cjson.decode(response.body)).result.info.name
  end
end

-- As little as can be: a length is expected, and nothing else of a head is read.
function ways.bare(prefix)
  local cjson = require("cjson.safe")
  local request = ("GET %s/profile/current HTTP/1.1\r\nHost: %s\r\ntoken: %s\r\n"
    .. "Accept: application/json\r\n\r\n"):format(prefix, host, token)
  local function read_chunks(sock)
    local chunks = {}
    local length = tonumber(assert(sock:receive("*l")), 16)
    while length > 0 do
      chunks[#chunks + 1] = assert(sock:receive(length))
      sock:receive(2)
      length = tonumber(assert(sock:receive("*l")), 16)
    end
    sock:receive(2)
    return table.concat(chunks)
  end
  local function read_head(sock)
    local length
    local line = assert(sock:receive("*l"))
    while line ~= "" do
      length = length or tonumber(line:match("^Content%-Length: (%d+)"))
      line = assert(sock:receive("*l"))
    end
    return length
  end
  return function()
    local sock = ngx.socket.tcp()
    sock:settimeouts(10000, 30000, 30000)
    assert(sock:connect(host, port))
    assert(sock:send(request))
    local length = read_head(sock)
    local body = length and assert(sock:receive(length)) or read_chunks(sock)
    sock:setkeepalive(60000, 1000)
    return assert(cjson.decode(body)).result.info.name
  end
end

local made = {}

local function get(way, prefix)
  local key = way .. prefix
  made[key] = made[key] or ways[way](prefix)
  return made[key]
end

function calls.serve()
  ngx.print(get(ngx.var.uri:match("[%w_]+$"), "")())
end

-- A part of a processor, while that many calls of a second wait, started evenly.
function calls.wait_with_many()
  local way, count = ngx.var.uri:match("([%w_]+)/(%d+)$")
  local call, stop = get(way, "/slow"), false
  local threads = {}
  for i = 1, tonumber(count) do
    threads[i] = ngx.thread.spawn(function()
      ngx.sleep(i / count)
      while not stop do
        call()
      end
    end)
  end
  ngx.sleep(2.5)
  ngx.update_time()
  local cpu, wall = os.clock(), ngx.now()
  ngx.sleep(4)
  ngx.update_time()
  local part = (os.clock() - cpu) / (ngx.now() - wall)
  stop = true
  for _, thread in ipairs(threads) do
    ngx.thread.wait(thread)
  end
  ngx.print(part)
end

return calls
