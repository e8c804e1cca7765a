-- SPDX-License-Identifier: MIT
-- What is there after a reset: two profiles of one's own, and one that somebody else shares.

local clock = require("clock")

local day_s = 86400
local neighbour = "5bbe3d1d4d3ad10021e1d0b2"

local now = ngx.time

-- Machines of two lines, made one an hour.
local function seed_devices(state, profile, name, count)
  for i = 1, count do
    state.add_device(profile, {
      name = ("%s %d"):format(name, i),
      tags = { { key = "line", value = i % 3 == 0 and "B" or "A" } },
      created_at = profile.created_at + i * 3600,
      last_input = now() - i,
    })
  end
end

local function seed_factory(state)
  local created = clock.parse("2023-02-21T15:17:35.880Z")
  local factory = state.add_profile({
    id = "5bbe3d1d4d3ad10021e1d2a1",
    name = "Factory",
    size = 1,
    created_at = created,
    logo_url = "https://example.com/factory.png",
  })
  state.add_token(factory, {
    token = "p-1f0d3f6a-6d9c-4b8e-9a3e-7c5b2e4d1a90",
    name = "Automation",
    permission = "full",
    created_at = created + day_s,
    expire_time = "never",
    last_authorization = now(),
  })
  state.add_token(factory, {
    token = "p-83f1c9d2-57aa-4c61-b1f4-2d6e90c7a3b5",
    name = "Generated automatically by Tago (admin)",
    permission = "full",
    created_at = now() - 82 * day_s,
    expire_time = now() + 8 * day_s,
  })
  state.add_token(factory, {
    token = "p-c6b1e0f4-9d27-4e35-8a10-f3b7d2865c41",
    name = "Wall display",
    permission = "read",
    created_at = created + 9 * day_s,
  })
  state.add_member(factory, {
    name = "Grace Hopper",
    email = "grace@example.com",
    active = true,
    created_at = created + 30 * day_s,
  })
  seed_devices(state, factory, "Press", 12)
  state.record(factory, "profile", factory.id, "Profile updated", now() - 3 * 3600)
  local press = factory.devices[4]
  state.record(factory, "device", press.id, "Device created: " .. press.name, now() - 2 * 3600)
end

local function seed_warehouse(state)
  local created = clock.parse("2024-05-02T08:00:12.031Z")
  local warehouse = state.add_profile({
    id = "5bbe3d1d4d3ad10021e1d2b2",
    name = "Warehouse",
    size = 0.25,
    created_at = created,
    logo_url = "",
  })
  state.add_token(warehouse, {
    token = "p-2b9d7e58-0c4f-4f92-a6d3-5e81b7f4c026",
    name = "Label printer",
    permission = "write",
    created_at = created + day_s,
    expire_time = now() + 40 * day_s,
  })
  seed_devices(state, warehouse, "Scale", 2)
end

local function seed_greenhouse(state)
  state.add_profile({
    id = "5bbe3d1d4d3ad10021e1d2c3",
    account = neighbour,
    name = "Greenhouse",
    size = 0.25,
    created_at = clock.parse("2025-03-14T09:26:53.589Z"),
  })
end

return function(state)
  seed_factory(state)
  seed_warehouse(state)
  seed_greenhouse(state)
end
