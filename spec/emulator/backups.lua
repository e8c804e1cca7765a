-- SPDX-License-Identifier: MIT
-- Backups of a profile. Two of the answers have no envelope, as the OpenAPI file shows them.

local account = require("account")
local json = require("json")
local pages = require("pages")
local refuse = require("refuse")
local state = require("state")

local backups = {}

function backups.create(asked, id)
  local profile = account.own(asked, id)
  if state.config.plan == "free" then
    refuse(403, "Backup feature is not available on the free plan. Please upgrade")
  end
  local backup = { id = state.new_id(), profile = profile.id, created_at = ngx.time() }
  profile.backups[#profile.backups + 1] = backup
  return { message = "Backup queued", profile = profile.id, backup_id = backup.id }
end

function backups.list(asked, id)
  local rows = json.array()
  local made = account.own(asked, id).backups
  for _, backup in ipairs(pages.cut(made, asked.query, { created_at = true })) do
    rows[#rows + 1] = {
      id = backup.id,
      profile = backup.profile,
      file_path = backup.id .. ".zip",
      file_size = 1024,
      status = "completed",
      error_message = json.null,
      created_at = state.date(backup.created_at),
    }
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
  account.check_password(asked.json)
  return {
    url = "https://backups.example.com/" .. backup.id .. ".zip",
    size = 1,
    size_unit = "KB",
    file_size_mb = 0.001,
    expire_at = state.date(ngx.time() + 7200),
    backup_id = backup.id,
    created_at = state.date(backup.created_at),
  }
end

function backups.delete(asked, id, backup_id)
  local _, list, position = find(asked, id, backup_id)
  account.check_password(asked.json)
  table.remove(list, position)
  return "Backup successfully removed"
end

return backups
