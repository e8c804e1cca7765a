-- SPDX-License-Identifier: MIT
-- Makes a backup of a profile, waits until it is complete, and prints the link to it, which is
-- valid for a while. What it is doing goes to standard error.
--
-- usage: TAGOIO_PASSWORD=... lua backup.lua [PROFILE]
--
-- It may be run again: a backup that was started within the last day is waited for, or its link
-- printed, and no second one is made. (TagoIO's limit is one a day or so.) The file itself is on
-- another host, for curl or another HTTP client:
--
--   curl -fo backup.zip "$(lua backup.lua)"

local tagoio = require("tagoio")

local day_s, longest_s = 86400, 3600
local client = assert(tagoio.new())

local function fail(message)
  io.stderr:write("backup: ", message, "\n")
  os.exit(1)
end

local function need(result, message)
  return result or fail(message)
end

local function call(method, path, others)
  local asked = { method = method, path = path }
  for name, value in pairs(others or {}) do
    asked[name] = value
  end
  return client:request(asked)
end

-- The newest backup of the last day that did not fail, nil: there is none.
local function find(id)
  local query = { amount = 10, orderBy = "created_at,desc" }
  for _, row in ipairs(need(call("GET", { "profile", id, "backup" }, { query = query }))) do
    local made = tagoio.date.parse(row.created_at)
    if row.status ~= "failed" and os.time() - made < day_s then
      return row
    end
  end
end

-- A backup of the last day, which is started if there is none. When the response to that was lost,
-- the list says whether it was.
local function start(id)
  local row = find(id)
  if not row then
    local made, message, err = call("POST", { "profile", id, "backup" })
    row = find(id)
    if not row then
      fail(not made and message or "the backup that was started is not in the list")
    elseif err and not err.maybe_applied then
      fail(message)
    end
  end
  return row
end

-- Waits until a backup is complete, with pauses that grow from 2 to 30 seconds.
local function wait(id, row)
  local pause, waited = 2, 0
  while row.status ~= "completed" do
    io.stderr:write(("backup: %s\n"):format(row.status))
    if waited > longest_s then
      fail(("it is not complete after %d s; run it again to go on waiting"):format(waited))
    end
    tagoio.sleep(pause)
    waited, pause = waited + pause, math.min(pause * 1.5, 30)
    row = find(id) or fail("it failed")
  end
  return row
end

local password = os.getenv("TAGOIO_PASSWORD") or fail("TAGOIO_PASSWORD is not set")
local id = arg[1] or need(client.profile.info("current")).info.id
local row = wait(id, start(id))
local path = { "profile", id, "backup", row.id, "download" }
local link = need(call("POST", path, { body = { password = password } }))
io.stderr:write(("backup: %s MB, until %s\n"):format(link.file_size_mb, link.expire_at))
print(link.url)
