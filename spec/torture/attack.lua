-- SPDX-License-Identifier: MIT
-- Runs a function again and again, each time with one more allocation before the first that fails,
-- until none does: it is right, or says that there was no memory; it leaves nothing allocated; and
-- what comes next works.
-- luacheck: globals fail_after fail_no_more balance case check

local core = require("tagoio.core")

-- TORTURE=full, or what the titles of some cases contain.
local only = os.getenv("TORTURE")
local full = only ~= nil and only ~= ""
only = only ~= "full" and only ~= "" and only or nil

local attack = {}

attack.kinds = { "Lua", "C", "jansson", "libcurl" }

-- libcurl does not always say that it had no memory, but that something broke, which is as good:
-- nothing is taken for a success. What it said is printed when it is tortured in full.
local broken = { connect = true, tls = true, network = true, protocol = true, too_large = true }
local said = {} -- how often, by text

-- How many fail running; nil: all from then on.
local modes = {
  { name = "once", failures = 1 },
  { name = "twice running", failures = 2 },
  { name = "from then on" },
}

-- What was raised may be an err table.
local function says_memory(message, err)
  err = type(message) == "table" and message or err
  if type(err) == "table" then
    return err.kind == "memory"
  end
  return tostring(message):find("not enough memory", 1, true) ~= nil
end

local function blames_another(kind, message, err)
  if kind ~= "libcurl" or type(err) ~= "table" or not broken[err.kind] then
    return false
  end
  local text = message:gsub("^%S+ ", ""):gsub(" %(.-%)$", ""):gsub("%d+", "N")
  said[text] = (said[text] or 0) + 1
  return true
end

local function collect()
  collectgarbage()
  collectgarbage() -- what finalizers let go of
end

-- Of ours and of libcurl's. A thread of libcurl's that looks a name up in vain may still have some
-- of what there were before.
local function blocks_in_use(before)
  collect()
  local deadline = core.now() + 10
  while before and balance("libcurl") ~= before and core.now() < deadline do
    core.sleep(0.001)
  end
  return balance("C") + balance("jansson"), balance("libcurl")
end

-- Runs it once: whether it succeeded, how many allocations failed, and what is wrong with it, if
-- anything is.
local function try(it, kind, successes, most_failures)
  fail_after(kind, successes, most_failures)
  local ok, result, message, err = pcall(it.run)
  local failures = fail_no_more()
  if ok and result then
    local is_right = it.is_right(result, message) and (not it.is_true or it.is_true(result))
    return true, failures, not is_right and "a wrong success: " .. tostring(result)
  end
  message = ok and message or result
  if it.is_true and not it.is_true(nil, err) then
    return false, failures, "not true: " .. tostring(message)
  end
  local is_right = says_memory(message, err) or blames_another(kind, message, err)
  return false, failures, not is_right and tostring(message)
end

local function attack_with(it, kind, mode)
  case(("%s, in %s, %s"):format(it.title, kind, mode.name))
  local step = not full and it.step or 1
  local successes, failed, failures = 0, 0
  local before, before_in_libcurl = blocks_in_use()
  repeat
    local what = ("after %d allocations: "):format(successes)
    if it.before then
      it.before()
    end
    local succeeded, problem
    succeeded, failures, problem = try(it, kind, successes, mode.failures)
    failed = failed + failures
    check(not problem, what .. tostring(problem))
    check(failures > 0 or succeeded, what .. "nothing failed, but it did")
    check(it.after(), what .. "what came after it failed")
    if full or failures == 0 then
      local after, in_libcurl = blocks_in_use(not it.lives and before_in_libcurl)
      check(after == before, ("%s%d blocks are lost"):format(what, after - before))
      local lost = in_libcurl - before_in_libcurl
      check(lost == 0 or it.lives, ("%s%d blocks of libcurl are lost"):format(what, lost))
      before, before_in_libcurl = after, in_libcurl
    end
    successes = successes + step
  until failures == 0
  if full then
    print(("%8d failed: %s, in %s, %s"):format(failed, it.title, kind, mode.name))
    io.stdout:flush()
  end
  return failed
end

-- Attacks with each kind of allocation that the case names, all of them by default. Its fields:
--
-- * `title`
-- * `run`: what is attacked; returns a result, or nil, message, err
-- * `is_right(result, second)`: judges a success
-- * `is_true(result, err)`: whether what was done is what an outcome says, be it a success or not
-- * `before()`: what precedes each run
-- * `after()`: whether what comes after it works; else it is run again, which must be right
-- * `lives`: a client lives from one run to the next, and what libcurl keeps for it
-- * `kinds`; `step` (1): unless it is tortured in full, so many allocations more each time
function attack.run(it)
  if only and not it.title:find(only, 1, true) then
    return
  end
  it.after = it.after
    or function()
      local result, message = it.run()
      return result and it.is_right(result, message)
    end
  collect()
  it.run() -- what is made once is made now
  for _, kind in ipairs(it.kinds or attack.kinds) do
    local failed = 0
    for _, mode in ipairs(modes) do
      failed = failed + attack_with(it, kind, mode)
    end
    check(failed > 0, "nothing failed")
  end
end

function attack.print_what_libcurl_said()
  for text, count in pairs(full and said or {}) do
    print(("%8d times libcurl said: %s"):format(count, text))
  end
end

return attack
