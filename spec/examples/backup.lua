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
local client = assert(tagoio.new({ deadline = longest_s }))

local backup = client:resource("backup", {
  list = {
    "GET",
    "/profile/{profileID}/backup",
    query = { amount = "count", orderBy = "order" },
  },
  create = { "POST", "/profile/{profileID}/backup" },
  download = { "POST", "/profile/{profileID}/backup/{backupID}/download", body = true },
})

local function fail(message)
  io.stderr:write("backup: ", message, "\n")
  os.exit(1)
end

local function need(result, message)
  return result or fail(message)
end

-- The newest backup of the last day that did not fail, nil: there is none.
local function find(id)
  local newest = { amount = 10, orderBy = { "created_at", "desc" } }
  for _, row in ipairs(need(backup.list(id, newest))) do
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
    local made, message, err = backup.create(id)
    row = find(id)
    if not row then
      fail(not made and message or "the backup that was started is not in the list")
    elseif err and not err.maybe_applied then
      fail(message)
    end
  end
  return row
end

-- Waits until a backup is complete, with pauses that grow from 2 to 30 seconds. It ends with the
-- client's deadline: run it again to go on waiting.
local function wait(id, row)
  local pause = 2
  while row.status ~= "completed" do
    io.stderr:write(("backup: %s\n"):format(row.status))
    tagoio.sleep(pause)
    pause = math.min(pause * 1.5, 30)
    row = find(id) or fail("it failed")
  end
  return row
end

local password = os.getenv("TAGOIO_PASSWORD") or fail("TAGOIO_PASSWORD is not set")
local id = arg[1] or need(client.profile.info("current")).info.id
local row = wait(id, start(id))
local link = need(backup.download(id, row.id, { password = password }))
io.stderr:write(("backup: %s MB, until %s\n"):format(link.file_size_mb, link.expire_at))
print(link.url)
