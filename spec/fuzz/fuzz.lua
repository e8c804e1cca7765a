-- SPDX-License-Identifier: MIT
-- The Lua fuzzer: each step calls public functions with random values, whose hooks and metamethods
-- close, cancel, collect, raise, yield and call again. A step depends on the seed and its number
-- alone (but for when Lua collects).
--
-- usage: fuzz.lua SECONDS SEED [STEP]    under spec/emulator/run; STEP: that one alone, and told

local actions = require("spec.fuzz.actions")
local core = require("tagoio.core")
local dkjson = require("dkjson")
local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")
local values = require("spec.fuzz.values")

local seconds, seed, only = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local any, one_of = values.any, values.one_of

local World = {}
World.__index = World

-- ---- what must be true ----

local kinds = {}
local all_kinds = "invalid connect tls timeout network api protocol canceled task memory"
for kind in all_kinds:gmatch("%a+") do
  kinds[kind] = true
end

local problems, count_of_problems = {}, 0

-- Notes what is wrong; once for what differs in numbers alone.
function World:problem(form, ...)
  local message = form:format(...)
  local key = message:gsub("0x%x+", "X"):gsub("%d+", "N"):sub(1, 120)
  if not problems[key] then
    problems[key], count_of_problems = true, count_of_problems + 1
    print(("SEED=%d STEP=%d: %s\n  %s"):format(seed, self.step, message, self.doing or ""))
  end
end

function World:check_text(name, message)
  for _, secret in ipairs(actions.secrets) do
    if message:find(secret, 1, true) then
      self:problem("%s: a secret is shown: %s", name, message)
    end
  end
end

local function is_planted(value)
  if type(value) == "table" then
    return rawget(value, "planted") or kinds[rawget(value, "kind")]
  end
  return type(value) ~= "string" or value:find("planted", 1, true)
    or value:find("attempt to yield", 1, true)
end

-- How errors begin that name the function.
local beginnings = {
  "^tagoio[.:]", "^client[.:]", "^[%a_][%w_]*%.", "^%a+: call it with a colon", "^request%.%u+: ",
}

local function names_a_function(text)
  for _, pattern in ipairs(beginnings) do
    if text:find(pattern) then
      return true
    end
  end
end

-- What was raised names the function, and no place in our files; or it is the hooks' own.
function World:check_raised(name, value)
  if is_planted(value) then
    return
  end
  self:check_text(name, value)
  if value:find("%(in %a+ %d+ of tagoio") then
    return -- of a function of C's, called for an item: it has no place of its own
  end
  local words = value:match("^[^\n]-%.lua:%d+: (.*)") or value
  if value:find("^[^\n]-lua/tagoio[%w_/]*%.lua:%d+:") or not names_a_function(words) then
    self:problem("%s raised: %s", name, value)
  end
end

function World:check_failure(name, message, err)
  if type(message) ~= "string" or type(err) ~= "table" then
    return self:problem("%s returned nil, %s, %s", name, type(message), type(err))
  elseif rawget(err, "planted") or getmetatable(err) == nil then
    return -- an item of a map returned it
  end
  self:check_text(name, message)
  self:check_text(name, tostring(err))
  local is_whole = kinds[err.kind] and err.message == message and type(err.operation) == "string"
    and err.attempts >= 0 and err.elapsed >= 0 and err.queued >= 0
    and (type(err.maybe_applied) == "boolean")
  if not is_whole then
    self:problem("%s: an incomplete err: %s", name, tostring(dkjson.encode(err)))
  end
end

function World:check_outcome(name, rows, ok, first, ...)
  if self.is_lenient then
    return
  elseif not ok then
    self:check_raised(name, first)
  elseif rows and not first then
    self:check_failure(name, ...)
  end
end

-- Calls a function; `rows` says that it returns nil, message, err or a value that is true.
function World:call(name, rows, fn, ...)
  if only then
    print(("  "):rep(self.depth + 1) .. name)
  end
  self.doing = name
  self:check_outcome(name, rows, self:restore(self.random, pcall(fn, ...)))
end

-- Goes on with a generator, which an error in a hook may have left replaced.
function World:restore(random, ...)
  self.random = random
  return ...
end

-- ---- acting ----

local action_names = {}
for name in pairs(actions.list) do
  action_names[#action_names + 1] = name
end
table.sort(action_names)

-- Does something; nothing when the step has done enough, or is too deep in itself.
function World:act()
  if self.budget == 0 or self.depth > 6 then
    return
  end
  self.budget, self.depth = self.budget - 1, self.depth + 1
  local depth = self.depth
  local ok, problem = true, nil
  local name = one_of(self, action_names)
  if name == "yield" then
    actions.list.yield(self) -- not through pcall, which 5.1 cannot yield through
  else
    ok, problem = self:restore(self.random, pcall(actions.list[name], self))
  end
  self.depth = depth - 1
  if not ok then
    if not is_planted(problem) then
      self:problem("%s: %s", name, tostring(problem))
    end
    error(problem, 0)
  end
end

-- ---- steps ----

local function new_clients(world)
  local hook = values.hook(world)
  local options = actions.options_of_client(world, true)
  options.region, options.proxy = { api = emulator.http }, false
  options.token, options.timeout, options.array_mt = emulator.token, 0.3, nil
  options.wait = world.random(3) == 1 and function(client)
    hook(client)
    if not pcall(client.step, client, 0.02) and world.is_lenient then
      error("planted: the pool is no more")
    end
  end or nil
  world.clients[1] = assert(tagoio.new(options))
  options = actions.options_of_client(world, true)
  options.region = "us-e1"
  function options.transport(request)
    hook(request)
    return actions.send(world, request)
  end
  world.clients[2] = assert(tagoio.new(options))
end

local injections = {
  { status = 503 },
  { status = 503, headers = { ["Retry-After"] = "0" } },
  { status = 502, execute = true },
  { status = 429 },
  { status = 200, body = "garbage" },
  { status = 500, execute = true, times = 0 },
}

-- Runs the step in a coroutine which is resumed for a while, and then left or closed.
local function drive(world, program)
  local routine = coroutine.create(program)
  for _ = 1, 60 do
    local ok, problem = coroutine.resume(routine, any(world))
    if not ok and not is_planted(problem) then
      world:problem("in a coroutine: %s", tostring(problem))
    end
    if coroutine.status(routine) == "dead" then
      return
    end
  end
  if coroutine.close and world.random(2) == 1 then -- luacheck: ignore
    coroutine.close(routine) -- luacheck: ignore
  end
end

local function check_executed(world)
  for _, row in ipairs(emulator.journal()) do
    local mark = row.method == "POST" and row.body and row.body:match("once%-%d+")
    if mark then
      world.executed[mark] = (world.executed[mark] or 0) + row.executed
    end
  end
  for mark, count in pairs(world.executed) do
    if count > 1 then
      world:problem("%s was executed %d times", mark, count)
    end
  end
end

local function run_step(step)
  local world = setmetatable({
    clients = {},
    step = step,
    random = values.generator(seed, step),
    budget = 0, -- of actions: what is collected before there are clients does nothing
    depth = 0,
    marks = 0, -- of writes
    executed = {}, -- how often, by mark
  }, World)
  world.is_lenient = world.random(8) == 1
  emulator.reset()
  if world.random(3) == 1 then
    emulator.inject(one_of(world, injections))
  end
  new_clients(world)
  world.budget = 40
  local function program()
    for _ = 1, world.random(6) do
      local ok, problem = true, nil
      if world.random(2) == 1 then
        ok, problem = pcall(world.act, world)
      else
        world:act()
      end
      world.doing = ok and world.doing or tostring(type(problem))
      world.depth = 0
    end
  end
  if world.random(2) == 1 then
    drive(world, program)
  else
    pcall(program)
  end
  world.budget = 0
  for _, client in ipairs(world.clients) do
    pcall(client.close, client)
  end
  check_executed(world)
  emulator.reset()
  local client = emulator.client()
  local found, message = client.profile.info(emulator.profile)
  if not found then
    world:problem("a call afterwards: %s", message)
  end
  client:close()
end

local longest_step_s = 120

local sleep = core.sleep

-- Ends the program with the stack of a step that does not end, whether it is busy or waits.
local function watch(step)
  local deadline = core.now() + longest_step_s
  local function look()
    if core.now() > deadline then
      print(("SEED=%d STEP=%d does not end: %s"):format(seed, step, debug.traceback()))
      os.exit(1)
    end
  end
  debug.sethook(look, "", 100000)
  function core.sleep(...)
    look()
    return sleep(...)
  end
end

-- ---- the run ----

local function resident_kb()
  local file = io.open("/proc/self/statm")
  local pages = file and file:read("*n", "*n") and 0
  if file then
    file:seek("set")
    pages = select(2, file:read("*n", "*n"))
    file:close()
  end
  return (pages or 0) * 4
end

local function write_step(step)
  local file = assert(io.open(os.getenv("EMULATOR_DIR") .. "/step", "w"))
  file:write(step)
  file:close()
end

local function measure()
  local jit = package.loaded.jit
  if jit then
    jit.flush() -- what its compiler has made counts as Lua's memory
  end
  collectgarbage()
  collectgarbage()
  return collectgarbage("count"), resident_kb()
end

local warm_up, every = 1500, 500

local function run()
  local deadline, step = core.now() + seconds, 0
  local lua_kb, rss_kb
  while core.now() < deadline do
    step = step + 1
    write_step(step)
    watch(step)
    run_step(step)
    if step == warm_up then
      lua_kb, rss_kb = measure()
    end
    if step % every == 0 then
      local now_lua, now_rss = measure()
      print(("%d steps, Lua %.0f KB, process %d KB"):format(step, now_lua, now_rss))
      io.stdout:flush()
    end
  end
  local now_lua, now_rss = measure()
  local grown = lua_kb and now_lua - lua_kb or 0
  local form = "SEED=%d: %d steps; since step %d Lua grew by %.0f KB, the process by %d KB; "
    .. "%d problems"
  print(form:format(seed, step, warm_up, grown, now_rss - (rss_kb or now_rss), count_of_problems))
  os.exit((count_of_problems > 0 or grown > 256) and 1 or 0, true)
end

if only then
  watch(only)
  run_step(only)
  os.exit(count_of_problems > 0 and 1 or 0, true)
end
run()
