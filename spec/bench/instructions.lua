-- SPDX-License-Identifier: MIT
-- The instructions of one blocking `profile.info` and of decoding an answer, ours and by hand,
-- counted by callgrind: (2N - N) / N, so that start-up and the end cancel out. They hardly differ
-- from run to run, whatever else the machine does.
--
-- usage: make bench-instructions

local server = require("spec.bench.server")

local folder, plain, lua = arg[1], arg[2], arg[3]
local shown = 25 -- functions

local programs = {
  { name = "ours", command = lua .. " spec/bench/ours.lua" },
  { name = "C floor", command = plain },
}

-- ---- callgrind's file ----

local allocator = "alloc"
local is_allocator = {}
for name in ("malloc free calloc realloc cfree _int_malloc _int_free _int_realloc sysmalloc "
  .. "malloc_consolidate unlink_chunk tcache_init systrim alloc_perturb"):gmatch("%S+") do
  is_allocator[name] = true
end

-- libcurl.so.4.8.0 is libcurl. Lua's own may be a library or in the interpreter.
local function group(object, fn)
  local name = object:match("[^/]+$") or object
  if is_allocator[(fn:gsub("%.[%w.]+$", ""))] or fn:find("^malloc") then
    return allocator
  end
  name = name:gsub("%.so.*$", "")
  return name:find("^%(?lib?lua") and "lua" or name:find("^lua") and "lua" or name
end

-- What each group and each function cost by itself. A line after `calls=` is a callee's cost.
local function read_profile(path)
  local groups, functions, total = {}, {}, 0
  local object, fn, skip = "", "", false
  for line in io.lines(path) do
    local key, value = line:match("^(%a+)=(.*)$")
    local cost = line:match("^[+*%-%d]%S* (%d+)$")
    if key == "ob" then
      object = value
    elseif key == "fn" then
      fn = value
    elseif key == "calls" then
      skip = true
    elseif cost then
      if not skip then
        local name = group(object, fn)
        local full = name .. "  " .. fn
        groups[name] = (groups[name] or 0) + cost
        functions[full] = (functions[full] or 0) + cost
        total = total + cost
      end
      skip = false
    end
  end
  return { groups = groups, functions = functions, total = total }
end

-- ---- measuring ----

local function profile(program, work, count)
  local path = folder .. "/callgrind.out"
  local options = "--compress-strings=no --compress-pos=no --dump-line=no"
  local callgrind = ("valgrind --tool=callgrind --callgrind-out-file=%s %s"):format(path, options)
  local text = server.shell(("%s %s %s %d 1"):format(callgrind, program.command, work, count))
  assert(text:find("\n%d%.%d+%s+%d%.%d+%s+%d+\n"), text)
  return read_profile(path)
end

local function difference(twice, once, count)
  local result = {}
  for name, cost in pairs(twice) do
    local each = (cost - (once[name] or 0)) / count
    result[name] = each ~= 0 and each or nil
  end
  return result
end

local function measure(program, work, count)
  local once, twice = profile(program, work, count), profile(program, work, 2 * count)
  return {
    total = (twice.total - once.total) / count,
    groups = difference(twice.groups, once.groups, count),
    functions = difference(twice.functions, once.functions, count),
  }
end

-- ---- telling ----

-- Names with both costs, the largest first.
local function sorted(ours, theirs)
  local rows, seen = {}, {}
  for _, costs in ipairs({ ours, theirs }) do
    for name in pairs(costs) do
      if not seen[name] then
        seen[name] = true
        rows[#rows + 1] = { name = name, ours = ours[name] or 0, theirs = theirs[name] or 0 }
      end
    end
  end
  table.sort(rows, function(a, b)
    return a.ours - a.theirs > b.ours - b.theirs
  end)
  return rows
end

local function print_row(name, ours, theirs)
  print(("  %-54s%10.0f%10.0f%10.0f"):format(name:sub(1, 54), ours, theirs, ours - theirs))
end

local function tell(title, target, ours, theirs)
  print(("\n%s: %.2f of the floor (<= %.2f)"):format(title, ours.total / theirs.total, target))
  print(("  %-54s%10s%10s%10s"):format("instructions", "ours", "by hand", "above"))
  print_row("all", ours.total, theirs.total)
  for _, row in ipairs(sorted(ours.groups, theirs.groups)) do
    if row.ours + row.theirs >= 1 then
      print_row(row.name, row.ours, row.theirs)
    end
  end
  print("  functions, by what is above")
  for i, row in ipairs(sorted(ours.functions, theirs.functions)) do
    if i <= shown then
      print_row(row.name, row.ours, row.theirs)
    end
  end
end

-- ---- the works ----

local function work(title, what, id, count, target)
  return { title = title, args = what .. " " .. id, count = count, target = target }
end

local info = "info " .. server.http
local list = "teamList " .. server.http
local rows_file = server.write_rows(1000, folder .. "/rows.json")
local works = {
  work("one blocking profile.info", info, "0ms", 200, 1.3),
  work("an answer of one row", list, "1rows", 200, 1.3),
  work("an answer of 100 rows", list, "100rows", 50, 1.4),
  work("decoding 1 000 rows", "decode " .. rows_file, "-", 10, 1.4),
}
for _, each in ipairs(works) do
  local ours = measure(programs[1], each.args, each.count)
  tell(each.title, each.target, ours, measure(programs[2], each.args, each.count))
end
