-- SPDX-License-Identifier: MIT
-- What the Lua fuzzer passes to functions: values of every type, tables with metamethods, and hooks
-- that close, cancel, collect, raise, yield and call again. A world is one step of the fuzzer, with
-- `random(n)`, a number from 1 to n that depends on nothing but the seed.

local tagoio = require("tagoio")

local values = {}

-- A generator of numbers (Park and Miller's), the same on every Lua.
function values.generator(seed, step)
  local state = (seed * 7919 + step * 104729) % 2147483646 + 1
  local function random(most)
    state = state * 16807 % 2147483647
    return math.floor(state / 2147483647 * most) + 1
  end
  for _ = 1, 3 do
    random(1)
  end
  return random
end

function values.one_of(world, list)
  return list[world.random(#list)]
end

-- ---- plain values ----

local numbers = {
  0, -0.0, 1, -1, 2, 0.5, 100, 255, 2 ^ 31, -2 ^ 31, 2 ^ 53, 2 ^ 53 + 1, 2 ^ 63, -2 ^ 63, 1e300,
  -1e300, 5e-324, 1 / 0, -1 / 0, 0 / 0, 1676992655.88, 253402300800,
  math.maxinteger or 7, -- luacheck: ignore
  math.mininteger or 7, -- luacheck: ignore
}

local texts = {
  "", " ", "a", "current", "5bbe3d1d4d3ad10021e1d2a1", "\0", "a\0b", "\255\254", "\195\164",
  "\240\159\152\128", "\237\160\128", "%s%d%n", "../..", "a/b?c#d", "\r\nX: y", "\27[31m", "never",
  "3 months", "2023-02-21T15:17:35.880Z", "2023-02-30", "1e999", "0x10", "[1,2", '{"a":null}',
  '[[],{},"\\u0000",1e400]', "owner@example.com", "__index", "__gc", "http://127.0.0.1:1",
  "https://", "us-e1", "env", ("x"):rep(5000), ("\195\164"):rep(60), ("["):rep(300),
}

local function number(world)
  return values.one_of(world, numbers)
end

local function text(world)
  local one = values.one_of(world, texts)
  return world.random(4) == 1 and one .. values.one_of(world, texts) or one
end

-- ---- tables ----

-- "planted": raised by the fuzzer itself.
local function raise(world)
  local kinds = {
    "planted",
    { planted = true },
    setmetatable({ planted = true }, { __tostring = error }),
    setmetatable({ planted = true }, { __tostring = function() return {} end }),
    setmetatable({ planted = true }, { __tostring = function() return "planted" end }),
    false, -- stands for nil
    io.stdout,
    function() end,
  }
  local kind = kinds[world.random(#kinds)]
  error(kind or nil, world.random(3) - 1)
end

-- Makes a function draw from a generator of its own: how often others were called, and in which
-- order, which may depend on the time and on the order of keys, changes nothing for it.
local function isolated(world, fn)
  local own = values.generator(world.random(2147483646), 0)
  return function(...)
    local outer = world.random
    world.random = own
    return world:restore(outer, fn(...))
  end
end

-- A function that does something in three of four cases, and returns whatever.
function values.hook(world)
  return isolated(world, function(...)
    if world.random(4) > 1 then
      world:act(...)
    end
    if world.random(3) == 1 then
      return values.any(world), values.any(world)
    end
  end)
end

-- Metamethods that do something and then what the table without them would, as often as not.
local metamethods = {
  __index = function(world)
    return function(_, key)
      world:act()
      return world.random(2) == 1 and key == "status" and values.any(world) or nil
    end
  end,
  __newindex = function(world)
    return function(self, key, value)
      world:act()
      rawset(self, key, value)
    end
  end,
  __pairs = function(world)
    return function(self)
      world:act()
      return function(_, key)
        local following, value = next(self, key)
        return following, world.random(4) == 1 and values.any(world) or value
      end, self, nil
    end
  end,
  __len = function(world)
    return function(self)
      world:act()
      local lengths = { "x", {}, -1, 2.5, 0 / 0, rawlen(self), rawlen(self) } -- luacheck: ignore
      return values.one_of(world, lengths)
    end
  end,
  __call = values.hook,
  __eq = values.hook,
  __lt = values.hook,
  __le = values.hook,
  __concat = values.hook,
  __tostring = values.hook,
  __gc = function(world)
    return function(...)
      pcall(world.act, world, ...)
    end
  end,
  __close = values.hook,
  __mode = function() return "kv" end,
  __jsontype = function(world) return values.one_of(world, { "array", "object", "x" }) end,
  __metatable = function() return false end,
}

local metamethod_names = {}
for name in pairs(metamethods) do
  metamethod_names[#metamethod_names + 1] = name
end
table.sort(metamethod_names) -- the same order each time

function values.hostile(world, given)
  local metatable = {}
  for _ = 1, world.random(3) do
    local name = values.one_of(world, metamethod_names)
    local made = metamethods[name](world)
    metatable[name] = type(made) == "function" and isolated(world, made) or made
  end
  return getmetatable(given) == nil and setmetatable(given, metatable) or given
end

local function list(world, depth)
  local new = {}
  for i = 1, world.random(5) - 1 do
    new[i] = values.any(world, depth + 1)
  end
  return new
end

local function object(world, depth)
  local new = {}
  for _ = 1, world.random(5) - 1 do
    local key = world.random(5) == 1 and values.any(world, depth + 1) or text(world)
    if key ~= nil and key == key then
      new[key] = values.any(world, depth + 1)
    end
  end
  return new
end

local function cycle()
  local new = {}
  new.self = { new }
  return new
end

local function deep(world)
  local new = {}
  for _ = 1, world.random(400) do
    new = { new }
  end
  return new
end

local shared = {
  print, pairs, coroutine.create(function() end), io.stdout, tagoio.null, tagoio, tagoio.profile,
  tagoio.account, tagoio.array_mt, tagoio.date, require("tagoio.core"),
}

local makers = {
  number, number, text, text, text, list, object,
  function() return nil end,
  function(world) return world.random(2) == 1 end,
  function(world, depth) return values.hostile(world, list(world, depth)) end,
  function(world, depth) return values.hostile(world, object(world, depth)) end,
  cycle,
  deep,
  function(world, depth) return tagoio.array(list(world, depth)) end,
  function(world) return values.one_of(world, shared) end,
  function(world) return values.one_of(world, world.clients) end,
  function(world) return values.hook(world) end,
  function(world) return select(2, next(values.one_of(world, world.clients) or {})) end,
}

-- Any value at all, nil too.
function values.any(world, depth)
  depth = depth or 0
  if depth > 3 then
    return text(world)
  end
  return values.one_of(world, makers)(world, depth)
end

-- This value most of the time; else any, or the table with metamethods.
function values.mostly(world, value)
  local die = world.random(14)
  if die == 1 then
    return values.any(world)
  elseif die == 2 and type(value) == "table" then
    return values.hostile(world, value)
  end
  return value
end

values.number, values.text, values.raise = number, text, raise

return values
