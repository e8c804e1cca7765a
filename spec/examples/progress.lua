-- SPDX-License-Identifier: MIT
-- Long work shows its progress: the tokens of every profile are counted, many at once, with a bar
-- on stderr when that is a terminal. What the script is asked for goes to stdout.
--
-- usage: T_ANALYSIS_TOKEN=... lua spec/examples/progress.lua

local progress = require("tagoio.progress")
local tagoio = require("tagoio")

local profiles = assert(tagoio.profile.list())
local counts, failed = tagoio.map(profiles, function(profile)
  local tokens, message, err = tagoio.profile.tokenListAll(profile.id)
  return tokens and #tokens, message, err
end, { concurrency = 8, on_progress = progress("counting") })

for i, profile in ipairs(profiles) do
  print(profile.name, counts[i] or failed[i])
end
