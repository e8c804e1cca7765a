-- SPDX-License-Identifier: MIT
-- Makes single changes to csrc and lua in a copy of the project, and says which of them the
-- tests notice: a line a mutant, what survivors change, a table. See README.md beside this file.
--
-- usage: lua spec/mutants/mutants.lua FOLDER BUILD COUNT SEED [AREA]
--
-- FOLDER   of the copy; BUILD: its build folder, relative to it
-- QUICK    in the environment: the nearest tests alone, for a first look

local changes_of = require("spec.mutants.changes")
local equivalents = require("spec.mutants.equivalent")

local folder, build, only = arg[1], arg[2], arg[5]
local count, seed = tonumber(arg[3]), tonumber(arg[4])
local quick = (os.getenv("QUICK") or "") ~= ""
local make = "env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory SETUP=no CFLAGS=-O2 -C " ..
  folder .. " "

-- An area's files, how many of its mutants must be caught, in percent, and its tests: the nearest,
-- where {} is the name of the file, and those after them.
local areas = {
  {
    name = "core",
    files = "csrc/core/*.c",
    least = 97,
    near = "spec/core/test_{}.c spec/core/*.c",
    after = "spec/api spec/faults",
  },
  {
    name = "curl",
    files = "csrc/curl/*.c csrc/host/*.c",
    least = 92,
    near = "spec/curl/test_{}.c spec/curl/*.c spec/concurrency/*.c spec/faults",
    after = "spec/concurrency",
  },
  {
    name = "binding",
    files = "csrc/lua/*.c",
    least = 92,
    near = "spec/api",
    after = "spec/concurrency spec/torture/*.c spec/concurrency/*.c spec/fuzz",
  },
  {
    name = "lua",
    files = "lua/*.lua lua/*/*.lua lua/*/*/*.lua",
    least = 92,
    near = "spec/*/{}*_spec.lua spec/api",
    after = "spec/concurrency spec/fuzz",
  },
}
-- All others.
local others = "spec/*/test_*.c spec/faults spec/api spec/hosts spec/examples " ..
  "spec/concurrency spec/fuzz spec/packaging/readme_spec.lua"

local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("a")
  local ok, _, status = pipe:close()
  return ok and true or false, text, status
end

local function quiet(command)
  return (output(command))
end

local function write(path, text)
  local file = assert(io.open(folder .. "/" .. path, "w"))
  file:write(text)
  file:close()
end

-- A file's bytes, or nil.
local function read(path)
  local file = io.open(path, "rb")
  local bytes = file and file:read("a")
  return bytes, file and file:close()
end

-- The files that a pattern of the shell names, without those already seen.
local function expand(patterns, seen)
  local found = {}
  local each = "; do [ ! -e $path ] || echo $path; done"
  local _, text = output("cd " .. folder .. " && for path in " .. patterns .. each)
  for path in text:gmatch("[^\n]+") do
    if not seen[path] then
      seen[path] = true
      table.insert(found, path)
    end
  end
  return found
end

-- The tests of a file in two stages, each with what is built before it.
local function stages_of(area, file)
  local seen = {}
  local near = expand((area.near:gsub("{}", file:match("([^/]+)%.%a+$"))), seen)
  local rest = expand(area.after .. " " .. others, seen)
  local first = { tests = near, before = "", seconds = 300 }
  local second = { tests = rest, before = "nginx-module", seconds = 1800 }
  return quick and { first } or { first, second }
end

-- What the compiler makes of a file: nil when it does not compile.
local function compiled(file)
  if file:find("%.lua$") then
    local chunk = loadfile(folder .. "/" .. file)
    return chunk and string.dump(chunk, true)
  end
  local object = build .. "/obj/" .. file:gsub("%.c$", ".o")
  return quiet(make .. object) and read(folder .. "/" .. object) or nil
end

-- Which test of a stage fails, "timeout", or nil.
local function failure(stage)
  local command = "timeout -k 10 %d %s %s until-failure TESTS='%s'"
  local tests = table.concat(stage.tests, " ")
  local ok, text, status = output(command:format(stage.seconds, make, stage.before, tests))
  if ok then
    return nil
  end
  local timeout = (status == 124 or status == 137) and "timeout"
  return text:match("failed: (%S+)") or timeout or "the build or the set-up"
end

-- Tests that fail by themselves would catch everything: each is first run without a mutant. One
-- that fails once is told, twice it ends the run.
local seen_to_pass = {}
local function check_stage(stage)
  local fresh = { tests = {}, before = stage.before, seconds = stage.seconds }
  for _, test in ipairs(stage.tests) do
    table.insert(fresh.tests, not seen_to_pass[test] and test or nil)
    seen_to_pass[test] = true
  end
  local test = #fresh.tests > 0 and failure(fresh)
  if test then
    print(("%s failed without a mutant"):format(test))
    test = failure(fresh)
  end
  assert(not test, ("%s fails without a mutant"):format(test))
end

local originals = {} -- compiled, by file

local function write_lines(file, lines)
  write(file, table.concat(lines, "\n") .. "\n")
end

-- Does something to a file with a change, and makes it as it was.
local function with(change, lines, action)
  local kept = lines[change.line]
  lines[change.line] = change.to
  write_lines(change.file, lines)
  local result = action()
  lines[change.line] = kept
  write_lines(change.file, lines)
  return result
end

-- One mutant: "same" (as the original), "broken" (not compiled), "caught" by a test, or
-- "survived". The file is then as it was.
local function try(change, lines)
  local file = change.file
  originals[file] = originals[file] or compiled(file)
  local after = with(change, lines, function()
    return compiled(file)
  end)
  if not after then
    return "broken"
  elseif after == originals[file] then
    return "same"
  end
  for _, stage in ipairs(stages_of(change.area, file)) do
    check_stage(stage)
    local test = with(change, lines, function()
      return failure(stage)
    end)
    if test then
      return "caught", test
    end
  end
  return "survived"
end

local function is_equivalent(change)
  for _, known in ipairs(equivalents) do
    local matches = known.file == change.file
    for _, part in ipairs({ "from", "to", "beside" }) do
      matches = matches and change[part]:find(known[part] or "", 1, true)
    end
    if matches then
      return true
    end
  end
end

-- Park and Miller's generator: the same mutants everywhere.
local function shuffle(list)
  local state = seed % 2147483646 + 1
  for i = #list, 2, -1 do
    state = state * 16807 % 2147483647
    local other = math.floor(state) % i + 1
    list[i], list[other] = list[other], list[i]
  end
end

local function all_changes()
  local all, texts = {}, {}
  for _, area in ipairs(areas) do
    if not only or only == "" or area.name == only then
      for _, file in ipairs(expand(area.files, {})) do
        local changes, lines = changes_of(file)
        texts[file] = lines
        for _, change in ipairs(changes) do
          change.area = area
          table.insert(all, change)
        end
      end
    end
  end
  shuffle(all)
  return all, texts
end

-- Only what differs, so that little is built again: also a mutant that an end by force has left.
local function copy_project()
  local files = "git ls-files -z --cached --others --exclude-standard"
  local copy = [[for file; do cmp -s "$file" "$0/$file" || cp --parents "$file" "$0"; done]]
  local command = ("mkdir -p %s && %s | xargs -0 sh -c '%s' %s"):format(folder, files, copy, folder)
  assert(quiet(command), "the project cannot be copied")
  assert(quiet(make .. "programs nginx-module"), "the copy cannot be built")
end

local function summary()
  local missed = false
  print(("\n%-8s %8s %8s"):format("area", "mutants", "caught"))
  for _, area in ipairs(areas) do
    if area.mutants then
      local percent = 100 * area.caught / area.mutants
      missed = missed or percent < area.least
      local row = "%-8s %8d %8d  %5.1f %% (at least %d %%)"
      print(row:format(area.name, area.mutants, area.caught, percent, area.least))
    end
  end
  return not missed
end

copy_project()
local all, texts = all_changes()
local skipped, done = { same = 0, broken = 0, equivalent = 0 }, 0
for _, change in ipairs(all) do
  if done == count then
    break
  end
  local started = os.time()
  local state, test = "equivalent", nil
  if not is_equivalent(change) then
    state, test = try(change, texts[change.file])
  end
  if skipped[state] then
    skipped[state] = skipped[state] + 1
  else
    local area = change.area
    done = done + 1
    area.mutants = (area.mutants or 0) + 1
    area.caught = (area.caught or 0) + (test and 1 or 0)
    print(("%-8s %s:%d: %s%s, %d s"):format(state, change.file, change.line, change.what,
      test and " (" .. test .. ")" or "", os.time() - started))
    if not test then
      print(("- %s\n+ %s"):format(change.from, change.to))
    end
    io.flush()
  end
end
local uncounted = "\nnot counted: %d make the same code, %d do not compile, %d are equivalent"
print(uncounted:format(skipped.same, skipped.broken, skipped.equivalent))
os.exit(summary())
