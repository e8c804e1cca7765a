-- SPDX-License-Identifier: MIT
-- Long work shows its progress: the tokens of every profile are counted, many at once, with a bar
-- on stderr when that is a terminal. What the script is asked for goes to stdout.
--
-- usage: T_ANALYSIS_TOKEN=... lua spec/examples/progress.lua

local tagoio = require("tagoio")

local width = 30

-- Standard Lua cannot ask what a file is; the shell can.
local function is_terminal()
  local ok = os.execute("test -t 2")
  return ok == true or ok == 0
end

local function draw(done, total)
  local full = math.floor(width * done / total)
  local bar = ("#"):rep(full) .. ("."):rep(width - full)
  io.stderr:write(("\r%s %d of %d"):format(bar, done, total), done == total and "\n" or "")
end

local profiles = assert(tagoio.profile.list())
local counts, failed = tagoio.map(profiles, function(profile)
  local tokens, message, err = tagoio.profile.tokenListAll(profile.id)
  return tokens and #tokens, message, err
end, { concurrency = 8, on_progress = is_terminal() and draw or nil })

for i, profile in ipairs(profiles) do
  print(profile.name, counts[i] or failed[i])
end
