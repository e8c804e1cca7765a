-- SPDX-License-Identifier: MIT
-- The team of a profile: list, invite, remove.

local account = require("account")
local json = require("json")
local refuse = require("refuse")
local state = require("state")

local team = {}

function team.list(asked, id)
  local rows = json.array()
  for _, member in ipairs(account.find(asked, id).team) do
    rows[#rows + 1] = {
      id = member.id,
      name = member.name,
      email = member.email,
      active = member.active,
      created_at = state.date(member.created_at),
    }
  end
  return rows
end

function team.invite(asked, id)
  local profile = account.own(asked, id)
  local email = type(asked.json) == "table" and asked.json.email
  if type(email) ~= "string" or not email:find("^[^@%s]+@[^@%s]+%.%a+$") then
    refuse(400, "Invalid email")
  elseif #profile.team >= state.config.max_team then
    refuse(403, ("You have reached the limit of team members of your plan (%d)"):format(
      state.config.max_team
    ))
  end
  for _, member in ipairs(profile.team) do
    if member.email == email then
      refuse(400, "User already invited")
    end
  end
  state.invite(profile, email)
  state.record(profile, "profile", profile.id, "Team member invited: " .. email)
  return "User invited"
end

function team.remove(asked, id, member_id)
  local profile = account.own(asked, id)
  for position, member in ipairs(profile.team) do
    if member.id == member_id then
      table.remove(profile.team, position)
      state.record(profile, "profile", profile.id, "Team member removed: " .. member.email)
      return "Account Successfully Removed"
    end
  end
  refuse(404, "Account not found")
end

-- ---- without a token: who was invited has the one in the mail ----

local function find(token)
  local profile, member, position = state.find_invitation(token)
  if not profile then
    refuse(404, "Invitation not found")
  end
  return profile, member, position
end

function team.accept(_, token)
  local profile, member = find(token)
  member.active, member.invitation = true, nil
  state.record(profile, "profile", profile.id, "Invitation accepted: " .. member.email)
  return "Invitation accepted"
end

function team.decline(_, token)
  local profile, member, position = find(token)
  table.remove(profile.team, position)
  state.record(profile, "profile", profile.id, "Invitation declined: " .. member.email)
  return "Invitation declined"
end

return team
