-- SPDX-License-Identifier: MIT
-- Out of memory in values and in loading. Run by test_lua_memory.c here, whose functions it uses.
-- luacheck: globals fail_after fail_no_more balance case check run_in_new_state

local attack = require("spec.torture.attack")
local tagoio = require("tagoio")

-- ---- values ----

local deep_text = ("["):rep(100) .. '"x"' .. ("]"):rep(100)
local nested = { a = { { b = "c" }, 1, 0.5 }, d = tagoio.array() }

-- In a coroutine of its own: its stack has to grow.
local function in_coroutine(fn, ...)
  local arguments = { ... }
  return coroutine.wrap(function()
    local result, message, err = fn(arguments[1])
    return result, message, err
  end)()
end

attack.run({
  title = "encode without memory does not say that a value is nested too deep",
  kinds = { "Lua", "C", "jansson" },
  run = function()
    return in_coroutine(tagoio.encode, nested)
  end,
  is_right = function(text)
    return text == '{"a":[{"b":"c"},1,0.5],"d":[]}'
  end,
})

attack.run({
  title = "decode without memory does not say that an answer is nested too deep",
  kinds = { "Lua", "C", "jansson" },
  run = function()
    return in_coroutine(tagoio.decode, deep_text)
  end,
  is_right = function(value)
    return #value == 1
  end,
})

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
  fail_after("Lua", 0, nil, 4000)
  local result = wrapped()
  check(fail_no_more() == 0 or result:find("not enough memory"), result)
end

case("encode and decode leave nothing of their JSON to the collector, which does not see it")
for _, run in ipairs({ tagoio.encode, tagoio.decode }) do
  local argument = run == tagoio.encode and nested or deep_text
  collectgarbage("stop")
  local before = balance("C") + balance("jansson")
  assert(run(argument))
  check(balance("C") + balance("jansson") == before, "something is left")
  collectgarbage("restart")
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

-- A state of its own: `require` fails, and succeeds when it is called again. 5.1 leaves a mark.
local require_code = [=[
  local name = "%s"
  fail_after("Lua", %d, %s)
  local ok, message = pcall(require, name)
  fail_no_more()
  check(ok or message:find("not enough memory"), message)
  for loaded, value in pairs(package.loaded) do
    if loaded:find("^tagoio") and type(value) ~= "table" then
      package.loaded[loaded] = nil
    end
  end
  local tagoio = require(name == "tagoio.core" and "tagoio" or name)
  local text = tagoio.encode({ tagoio.array() })
  check(text == "[[]]", "after %d allocations: " .. text)]=]

local function attack_require(title, name, step)
  for mode, failures in pairs({ once = "1", ["from then on"] = "nil" }) do
    case(title .. ", " .. mode)
    local successes = 0
    repeat
      run_in_new_state(require_code:format(name, successes, failures, successes))
      successes = successes + step
    until fail_no_more() == 0
    check(successes > 50, "nothing failed")
  end
end

local after = "after a require that failed for want of memory"
attack_require("an array is an array " .. after, "tagoio.core", 1)
attack_require("the module is whole " .. after, "tagoio", os.getenv("TORTURE") and 13 or 499)

local successes

case("the markers of cjson are learnt although there was no memory for it at first")
-- A new marker every time: what was learnt before is no help.
successes = 0
repeat
  local cjson = { array_mt = {}, empty_array_mt = {} }
  local list = setmetatable({}, cjson.array_mt)
  local second = setmetatable({}, cjson.empty_array_mt)
  package.loaded.cjson = cjson
  fail_after("Lua", successes, 1)
  pcall(tagoio.encode, list)
  local failures = fail_no_more()
  local text = tagoio.encode({ list, second })
  check(text == "[[],[]]", ("after %d allocations: %s"):format(successes, text))
  successes = successes + 1
until failures == 0
package.loaded.cjson = nil
