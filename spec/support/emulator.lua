-- SPDX-License-Identifier: MIT
-- The specs' side of the emulator: clients of ours that call it, and its control routes, spoken
-- to by other people's code (LuaSocket, dkjson) so that nothing of ours is its own witness.

local dkjson = require("dkjson")
local http = require("socket.http")
local ltn12 = require("ltn12")
local socket = require("socket")
local tagoio = require("tagoio")

local emulator = {
  http = assert(os.getenv("EMULATOR_HTTP"), "these specs run under spec/emulator/run"),
  https = os.getenv("EMULATOR_HTTPS"),
  ca_file = os.getenv("EMULATOR_CA"),
  token = os.getenv("EMULATOR_TOKEN"),
  profile = os.getenv("EMULATOR_PROFILE"),
  email = os.getenv("EMULATOR_EMAIL"),
  password = os.getenv("EMULATOR_PASSWORD"),
}

-- One request by LuaSocket: status, the answer's JSON or else its text, headers.
local function send(method, path, value, headers)
  local body = value and dkjson.encode(value)
  local chunks = {}
  headers["content-length"] = body and #body
  headers["content-type"] = body and "application/json"
  local sent, status, answered = http.request({
    url = emulator.http .. path,
    method = method,
    headers = headers,
    source = body and ltn12.source.string(body),
    sink = ltn12.sink.table(chunks),
    redirect = false,
  })
  assert(sent, status)
  local text = table.concat(chunks)
  return status, dkjson.decode(text) or text, answered
end

-- Sends JSON, or asks when there is none; returns the answer's JSON.
local function control(path, value)
  local status, answer = send(value and "POST" or "GET", "/_emulator/" .. path, value, {})
  assert(status == 200, ("%s: %s %s"):format(path, status, dkjson.encode(answer)))
  return answer
end

-- A request of the API without our client, for specs of the emulator itself. A token of false
-- is none.
function emulator.call(method, path, value, token)
  local headers = { token = token == nil and emulator.token or token or nil }
  return send(method, path, value, headers)
end

-- What the API gives as the result of a request that must succeed.
function emulator.result(method, path, value, token)
  local status, answer = emulator.call(method, path, value, token)
  local text = type(answer) == "table" and dkjson.encode(answer) or tostring(answer)
  assert(status < 300 and answer.status, ("%s %s: %s %s"):format(method, path, status, text))
  return answer.result
end

-- "401 Invalid password": what the API answers to a request that it must refuse.
function emulator.refusal(method, path, value, token)
  local status, answer = emulator.call(method, path, value, token)
  assert(type(answer) == "table" and answer.status == false, "it was not refused")
  return ("%d %s"):format(status, answer.message)
end

-- One member of each row.
function emulator.column(rows, name)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row[name]
  end
  return list
end

-- Back to the seeds: state, journal, injections, counters.
function emulator.reset(config)
  control("reset", config or dkjson.decode("{}"))
end

-- Every API request since the reset, in order of arrival.
function emulator.journal()
  return control("journal")
end

-- The only request since the reset.
function emulator.request()
  local journal = emulator.journal()
  assert(#journal == 1, ("one request was expected, %d came"):format(#journal))
  return journal[1]
end

-- Answers of our own for the requests to come, used up in order.
function emulator.inject(...)
  control("inject", { ... })
end

-- One answer for the next request with this path.
function emulator.answer(path, status, body)
  emulator.inject({ match = { path = path }, status = status, body = body })
end

function emulator.release(count)
  control("release", { count = count })
end

-- Limits of the rate of routes, besides those there are.
function emulator.limit(...)
  control("limit", { ... })
end

-- What was sent by mail and sms: invitations and pin codes.
function emulator.outbox()
  return control("outbox")
end

function emulator.counts()
  return control("counts")
end

-- Waits until that many requests are held.
function emulator.wait_for(holding)
  return control(("counts?holding=%d&timeout=10"):format(holding))
end

-- Waits until the server has seen that no client is there any more.
function emulator.wait_for_none()
  local counts = emulator.counts()
  local deadline = socket.gettime() + 10
  while counts.at_once > 0 and socket.gettime() < deadline do
    socket.sleep(0.01)
    counts = emulator.counts()
  end
  return counts
end

-- The options of a client of the emulator, with some others.
function emulator.options(others)
  local options = { token = emulator.token, region = { api = emulator.http }, proxy = false }
  for name, value in pairs(others or {}) do
    options[name] = value
  end
  return options
end

function emulator.client(others)
  return assert(tagoio.new(emulator.options(others)))
end

function emulator.secure_client(others)
  local region = { api = emulator.https }
  local options = emulator.options({ region = region, ca_file = emulator.ca_file })
  for name, value in pairs(others or {}) do
    options[name] = value
  end
  return assert(tagoio.new(options))
end

return emulator
