-- SPDX-License-Identifier: MIT
-- A sketch of devices and their buckets, for clients that describe resources of their own. They are
-- those of the token's profile.

local json = require("json")
local pages = require("pages")
local refuse = require("refuse")
local state = require("state")

local devices = {}

local fields = {
  "id",
  "name",
  "description",
  "tags",
  "active",
  "visible",
  "type",
  "network",
  "connector",
  "bucket",
  "profile",
  "last_input",
  "created_at",
  "updated_at",
}
local bucket_fields = { "id", "name", "profile", "created_at", "updated_at" }

local dates = { last_input = true, created_at = true, updated_at = true }
local orders = { name = true, active = true, last_input = true, created_at = true }

-- Which of a new or changed device's members are understood, and their types.
local editable = {
  name = "string",
  description = "string",
  tags = "table",
  active = "boolean",
  visible = "boolean",
  type = "string",
  network = "string",
  connector = "string",
}

local function rows_of(query, all, known)
  local found = pages.filter(all, query, known, dates)
  local wanted = pages.fields(query, known, { "id", "name" })
  local rows = json.array()
  for _, row in ipairs(pages.cut(found, query, orders, "name,asc")) do
    rows[#rows + 1] = pages.row(row, wanted, dates)
  end
  return rows
end

local function find(list, id, kind)
  for position, row in ipairs(list) do
    if row.id == id then
      return row, position
    end
  end
  refuse(404, kind .. " not found")
end

local function check(body)
  if type(body) ~= "table" then
    refuse(400, "A device is required")
  end
  for name, value in pairs(body) do
    if not editable[name] then
      refuse(400, "Unknown member: " .. name)
    elseif type(value) ~= editable[name] then
      refuse(400, "Invalid " .. name)
    end
  end
  return body
end

local function profile_of(asked)
  return state.find_profile(asked.token.profile)
end

function devices.list(asked)
  return rows_of(asked.query, profile_of(asked).devices, fields)
end

function devices.info(asked, id)
  return pages.row(find(profile_of(asked).devices, id, "Device"), fields, dates)
end

function devices.create(asked)
  local body = check(asked.json)
  if body.name == nil or body.name == "" then
    refuse(400, "Name is required")
  end
  local device = state.add_device(profile_of(asked), body)
  return { device_id = device.id, bucket_id = device.bucket, token = state.new_id() }
end

function devices.edit(asked, id)
  local device = find(profile_of(asked).devices, id, "Device")
  for name, value in pairs(check(asked.json)) do
    device[name] = value
  end
  device.updated_at = ngx.now()
  return "Successfully Updated"
end

function devices.delete(asked, id)
  local profile = profile_of(asked)
  local device, position = find(profile.devices, id, "Device")
  table.remove(profile.devices, position)
  local _, place = find(profile.buckets, device.bucket, "Bucket")
  table.remove(profile.buckets, place)
  return "Successfully Removed"
end

function devices.params(asked, id)
  local device = find(profile_of(asked).devices, id, "Device")
  local sent = asked.query.sent_status
  if sent ~= nil and sent ~= "true" and sent ~= "false" then
    refuse(400, "Invalid sent_status parameter")
  end
  local rows = json.array()
  for _, param in ipairs(device.params) do
    if sent == nil or tostring(param.sent) == sent then
      rows[#rows + 1] = param
    end
  end
  return rows
end

function devices.buckets(asked)
  return rows_of(asked.query, profile_of(asked).buckets, bucket_fields)
end

function devices.bucket(asked, id)
  return pages.row(find(profile_of(asked).buckets, id, "Bucket"), bucket_fields, dates)
end

return devices
