-- SPDX-License-Identifier: MIT
-- Replaces the tokens with one name in all profiles of the account, in two steps: the new tokens
-- are made and written to a file; once they are in use everywhere, the old ones are removed.
--
-- usage: lua rotate-tokens.lua create NAME FILE
--        lua rotate-tokens.lua revoke FILE
--
-- The e-mail and the password of the account come from TAGOIO_EMAIL and TAGOIO_PASSWORD. FILE
-- holds secrets: call `umask 077` before. It belongs to one rotation, and both steps may be run
-- again with it after they were stopped: a profile whose new token is in FILE is done, and a token
-- that was made but not written is found by its ref_id, as it is none of those that were there
-- before. One token takes the place of all with the name. The script's own token stays. Status 1:
-- a profile could not be done; run it again.

local progress = require("tagoio.progress")
local tagoio = require("tagoio")

local profile = tagoio.profile

local function fail(message)
  io.stderr:write("rotate-tokens: ", message, "\n")
  os.exit(2)
end

-- ---- the file: what was there before, and the new token, of each profile ----

-- Lines of JSON; the last one may be cut off.
local function read_marks(name)
  local marks = {}
  local file = io.open(name, "rb")
  for line in file and file:lines() or function() end do
    local row = tagoio.decode(line)
    if row then
      marks[row.profile] = marks[row.profile] or {}
      for key, value in pairs(row) do
        marks[row.profile][key] = value
      end
    end
  end
  if file then
    file:close()
  end
  return marks
end

-- Appends lines to the file, also where the last one was cut off.
local function writer(name)
  local file, message = io.open(name, "a+b")
  if (file or fail(message)):seek("end", -1) and file:read(1) ~= "\n" then
    file:seek("end")
    assert(file:write("\n"))
  end
  file:seek("end")
  return function(row)
    assert(file:write(assert(tagoio.encode(row)), "\n"))
    assert(file:flush())
  end
end

-- ---- one profile ----

local own_token = os.getenv("T_ANALYSIS_TOKEN") or os.getenv("TAGOIO_TOKEN")

-- The tokens with the name, without our own; or nil, message, err.
local function tokens_of(id, name)
  local fields = { "name", "token", "permission", "ref_id" }
  local rows, message, err = profile.tokenListAll(id, { fields = fields, filter = { name = name } })
  local found = rows and {}
  for _, row in ipairs(rows or {}) do
    if row.name == name and row.token ~= own_token then -- a filter takes any case, and stars
      found[#found + 1] = row
    end
  end
  return found, message, err
end

local function refs_of(rows)
  local refs = tagoio.array()
  for i, row in ipairs(rows) do
    refs[i] = row.ref_id
  end
  return refs
end

-- The first row that is none of the old ones: an earlier run made it.
local function made_before(rows, old)
  local is_old = {}
  for _, ref in ipairs(old) do
    is_old[ref] = true
  end
  for _, row in ipairs(rows) do
    if not is_old[row.ref_id] then
      return row.token
    end
  end
end

-- Writes the new token of a profile; what there is to say, or nil, message, err.
local function create(row, job)
  local mark = job.marks[row.id] or {}
  if mark.token then
    return "done before"
  end
  local rows, message, err = tokens_of(row.id, job.name)
  if not rows then
    return nil, message, err
  elseif #rows == 0 and not mark.old then
    return "has none"
  end
  if not mark.old then
    mark = { old = refs_of(rows), permission = rows[1].permission }
    job.write({
      profile = row.id,
      name = job.name,
      old = mark.old,
      permission = mark.permission,
    })
  end
  local token = made_before(rows, mark.old)
  if not token then
    local made
    made, message, err = profile.tokenCreate(row.id, {
      name = job.name,
      permission = mark.permission,
      expire_time = "3 months",
      email = job.email,
      password = job.password,
    })
    if not made then
      return nil, message, err -- it may exist all the same: the next run finds it
    end
    token = made.token
  end
  job.write({ profile = row.id, token = token })
  return "new token"
end

-- Removes the old tokens of a profile, as far as they are still there.
local function revoke(row, job)
  local mark = job.marks[row.id]
  if not (mark and mark.token) then
    return mark and "has no new token yet" or "has none"
  end
  local rows, message, err = tokens_of(row.id, mark.name)
  if not rows then
    return nil, message, err
  end
  local is_old = {}
  for _, ref in ipairs(mark.old) do
    is_old[ref] = true
  end
  for _, token in ipairs(rows) do
    if is_old[token.ref_id] then
      local done
      done, message, err = profile.tokenDelete(row.id, token.token)
      if not done and err.status ~= 404 then
        return nil, message, err
      end
    end
  end
  return "old tokens removed"
end

-- ---- all of them ----

-- Others' profiles, which they share, are theirs to care for.
local function own_profiles()
  local own = {}
  local all, message = profile.list()
  for _, row in ipairs(all or fail(message)) do
    own[#own + 1] = not row.from_share and row or nil
  end
  return own
end

local function variable(name)
  return os.getenv(name) or fail(name .. " is not set")
end

local step = arg[1]
local job = {}
if step == "create" and arg[3] then
  job = { name = arg[2], file = arg[3] }
  job.email, job.password = variable("TAGOIO_EMAIL"), variable("TAGOIO_PASSWORD")
elseif step == "revoke" and arg[2] then
  job = { file = arg[2] }
else
  fail("usage: rotate-tokens.lua create NAME FILE, or revoke FILE")
end
job.marks = read_marks(job.file)
job.write = step == "create" and writer(job.file)

local profiles = own_profiles()
local outcomes, errors = tagoio.map(profiles, function(row)
  return (step == "create" and create or revoke)(row, job)
end, { concurrency = 8, on_progress = progress(step) })
for i, row in ipairs(profiles) do
  print(("%-24s %s"):format(row.name, outcomes[i] or errors[i].message))
end
os.exit(errors and 1 or 0)
