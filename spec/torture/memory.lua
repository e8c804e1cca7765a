-- SPDX-License-Identifier: MIT
-- Out of memory at every allocation of what a program does with the module: an error that says so,
-- never a wrong success, and what comes after it works. Run by test_lua_memory.c here, whose
-- functions it uses.
-- luacheck: globals fail_after fail_no_more case check run_in_new_state malloc_fails

local tagoio = require("tagoio")

local jit = package.loaded.jit
if jit then
  jit.off() -- LuaJIT's compiler itself does not survive it
end

local kinds = malloc_fails and { "lua", "C" } or { "lua" }

-- What was raised may be an err table.
local function says_memory(message, err)
  err = type(message) == "table" and message or err
  return (not err or err.kind == "memory") and tostring(message):find("not enough memory")
end

-- Runs a function with one more allocation each time before the first that fails, until none does.
-- is_right looks at what a success returned.
local function attack(title, run, is_right)
  for _, kind in ipairs(kinds) do
    for _, once in ipairs({ true, false }) do
      case(("%s, in %s, %s"):format(title, kind, once and "once" or "from then on"))
      local successes = -1
      repeat
        successes = successes + 1
        fail_after(kind, successes, once)
        local ok, result, message, err = pcall(run)
        local failures = fail_no_more()
        local what = ("after %d allocations: "):format(successes)
        if ok and result then
          check(is_right(result), what .. "a wrong success")
        else
          message = ok and message or result
          check(failures > 0 and says_memory(message, err), what .. tostring(message))
        end
      until failures == 0
      check(successes > 0, "nothing failed")
    end
  end
end

-- ---- lists in pages ----

local page_bodies = {
  '{"status":true,"result":[{"token":"a"},{"token":"b"}]}',
  '{"status":true,"result":[{"token":"c"}]}',
  '{"status":true,"result":[]}',
}

local client = assert(tagoio.new({
  token = "p-0000",
  region = "us-e1",
  attempts = 1,
  transport = function(request)
    return 200, nil, page_bodies[tonumber(request.url:match("page=(%d+)"))]
  end,
}))

local function is_whole(rows)
  return #rows == 3 and rows[1].token == "a" and rows[2].token == "b" and rows[3].token == "c"
end

attack("tokenListAll without memory gives no empty or repeating list as a success", function()
  local rows, message, err = client.profile.tokenListAll("x")
  return rows, message, err
end, is_whole)

attack("tokenListEach without memory does not end as if there were no more", function()
  local rows = {}
  for row in client.profile.tokenListEach("x") do
    rows[#rows + 1] = row
  end
  return rows
end, is_whole)

-- ---- operations of one's own ----

attack("client:resource without memory names the row, or works", function()
  local ok, device = pcall(client.resource, client, "device", {
    info = { "GET", "/device/{deviceID}", query = { page = { "count", 1 } } },
  })
  if ok then
    return device
  end
  local is_ours = tostring(device):find("client:resource:", 1, true)
  check(not is_ours or device:find("device.info: not enough memory", 1, true), device)
  error(device, 0)
end, function(device)
  return device.info ~= nil
end)

-- ---- headers ----

attack("a client with headers without memory sends none of its requests without them", function()
  local all_sent = true
  local own, message, err = tagoio.new({
    token = "p-0000",
    region = "us-e1",
    headers = { ["X-A"] = "a", ["X-B"] = "b" },
    transport = function(request)
      all_sent = all_sent and request.headers["X-A"] == "a" and request.headers["X-B"] == "c"
      return 200, nil, page_bodies[3]
    end,
  })
  local derived
  if own then
    derived, message, err = own:with({ headers = { ["X-B"] = "c" } })
  end
  local rows
  if derived then
    rows, message, err = derived.profile.list()
  end
  return rows and { all_sent }, message, err
end, function(result)
  return result[1]
end)

-- ---- values ----

local deep_text = ("["):rep(100) .. ("]"):rep(100)
local nested = { a = { { b = "c" }, 1, 0.5 }, d = tagoio.array() }

-- In a coroutine of its own: its stack has to grow.
attack("encode without memory does not say that a value is nested too deep", function()
  local run = coroutine.wrap(function()
    local text, message, err = tagoio.encode(nested)
    return text, message, err
  end)
  return run()
end, function(text)
  return text == '{"a":[{"b":"c"},1,0.5],"d":[]}'
end)

attack("decode without memory does not say that an answer is nested too deep", function()
  local run = coroutine.wrap(function()
    local value, message, err = tagoio.decode(deep_text)
    return value, message, err
  end)
  return run()
end, function(value)
  return #value == 1
end)

-- Only what is as large as the stack cannot be had: a message can.
for name, run in pairs({
  encode = function()
    return tagoio.encode(nested)
  end,
  decode = function()
    return tagoio.decode(deep_text)
  end,
}) do
  case(name .. " does not say that the stack is too deep when it cannot grow for want of memory")
  local wrapped = coroutine.wrap(function()
    local ok, result, message = pcall(run)
    return ok and result and "a value" or tostring(message or result)
  end)
  fail_after("lua", 0, false, 4000)
  local result = wrapped()
  check(fail_no_more() == 0 or result:find("not enough memory"), result)
end

case("encode and decode say that the stack is too deep when it is")
local function descend()
  local ok, message = pcall(tagoio.encode, nested)
  if ok then
    return (descend()) -- no tail call
  end
  return message
end
local _, problem = pcall(descend)
check(tostring(problem):find("stack overflow"), tostring(problem))

-- ---- loading ----

local require_code = [=[
  fail_after("lua", %d, false)
  local ok, message = pcall(require, "tagoio.core")
  fail_no_more()
  check(ok or message:find("not enough memory"), message)
  package.loaded["tagoio.core"] = ok and package.loaded["tagoio.core"] or nil -- 5.1 leaves a mark
  local tagoio = require("tagoio")
  local text = tagoio.encode({ tagoio.array() })
  check(text == "[[]]", "after %d allocations: " .. text)]=]

case("an array is an array after a require that failed for want of memory")
local successes = 0
repeat
  run_in_new_state(require_code:format(successes, successes))
  successes = successes + 1
until fail_no_more() == 0
check(successes > 50, "nothing failed")

case("the markers of cjson are learnt although there was no memory for it at first")
-- A new marker every time: what was learnt before is no help.
successes = 0
repeat
  local cjson = { array_mt = {}, empty_array_mt = {} }
  local list = setmetatable({}, cjson.array_mt)
  local second = setmetatable({}, cjson.empty_array_mt)
  package.loaded.cjson = cjson
  fail_after("lua", successes, true)
  pcall(tagoio.encode, list)
  local failures = fail_no_more()
  local text = tagoio.encode({ list, second })
  check(text == "[[],[]]", ("after %d allocations: %s"):format(successes, text))
  successes = successes + 1
until failures == 0
package.loaded.cjson = nil
