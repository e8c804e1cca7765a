-- SPDX-License-Identifier: MIT
-- Backups of a profile. They take a while: the lists that are asked for stand for the time. Two
-- answers have no envelope, as the OpenAPI file shows them, or one, as TagoIO's CLI reads them.

local account = require("account")
local json = require("json")
local login = require("login")
local pages = require("pages")
local refuse = require("refuse")
local state = require("state")

local backups = {}

local day_s = 86400
local size_bytes = 15 * 2 ^ 20

local function answer(bare, result)
  return state.config.backup_envelope and { status = true, result = result } or bare
end

-- When the oldest backup of the last day was made, if there are as many as there may be.
local function check_limit(profile)
  local times = profile.backup_times
  local oldest = times[#times - state.config.max_backups + 1] or 0
  local left_s = oldest + day_s - ngx.time()
  if left_s > 0 then
    refuse(403, ("Daily backup limit reached (%d backups per day). Please try again in %d hours"
      .. " or contact support to increase your limit."):format(
      state.config.max_backups,
      math.ceil(left_s / 3600)
    ))
  end
end

function backups.create(asked, id)
  local profile = account.own(asked, id)
  if state.config.plan == "free" then
    refuse(403, "Backup feature is not available on the free plan. Please upgrade")
  end
  check_limit(profile)
  local backup = {
    id = state.new_id(),
    profile = profile.id,
    version_id = state.new_id(),
    created_at = ngx.time(),
    looks = 0,
  }
  profile.backups[#profile.backups + 1] = backup
  profile.backup_times[#profile.backup_times + 1] = backup.created_at
  local message = "Backup queued"
  return answer({ message = message, profile = profile.id, backup_id = backup.id }, message)
end

local function status_of(backup)
  if backup.looks >= state.config.backup_polls then
    return state.config.backup_status
  end
  return backup.looks == 0 and "queued" or "processing"
end

function backups.list(asked, id)
  local rows = json.array()
  local made = account.own(asked, id).backups
  for _, backup in ipairs(pages.cut(made, asked.query, { created_at = true }, "created_at,desc")) do
    local status = status_of(backup)
    rows[#rows + 1] = {
      id = backup.id,
      profile = backup.profile,
      file_path = backup.id .. ".zip",
      version_id = backup.version_id,
      file_size = status == "completed" and size_bytes or 0,
      status = status,
      error_message = status == "failed" and "The backup could not be made" or json.null,
      created_at = state.date(backup.created_at),
    }
    backup.looks = backup.looks + 1
  end
  return rows
end

local function find(asked, id, backup_id)
  local profile = account.own(asked, id)
  for position, backup in ipairs(profile.backups) do
    if backup.id == backup_id then
      return backup, profile.backups, position
    end
  end
  refuse(404, "Backup not found or you don't have permission to access it.")
end

function backups.download(asked, id, backup_id)
  local backup = find(asked, id, backup_id)
  login.check_password(asked.json)
  local status = status_of(backup)
  if status ~= "completed" then
    refuse(400, "Backup is not ready for download. Current status: " .. status)
  end
  local link = {
    url = "https://backups.example.com/" .. backup.id .. ".zip",
    size = size_bytes,
    size_unit = "bytes",
    file_size_mb = ("%.2f"):format(size_bytes / 2 ^ 20),
    expire_at = state.date(ngx.time() + 7200),
    backup_id = backup.id,
    created_at = state.date(backup.created_at),
  }
  return answer(link, link)
end

function backups.delete(asked, id, backup_id)
  local _, list, position = find(asked, id, backup_id)
  login.check_password(asked.json)
  table.remove(list, position)
  return "Backup successfully removed"
end

return backups
