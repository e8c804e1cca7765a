-- SPDX-License-Identifier: MIT

--- A line on stderr that shows how far a map is: `require("tagoio.progress")` is a function. It
-- writes nothing where stderr is not a terminal.
-- @module tagoio.progress

local check = require("tagoio.check")
local core = require("tagoio.core")

local io, os = io, os -- hosts may take them away from programs

local width = 24

-- Standard Lua cannot ask what a file is; the shell can.
local function is_terminal()
  local ok = os.execute("test -t 2")
  return ok == true or ok == 0
end

-- "inviting ######.................. 75 of 300, 12.5/s, 18 s left, 2 failed"
local function line(what, done, total, seconds, failed)
  local full = math.floor(width * done / total)
  local rate = seconds > 0 and done / seconds or 0
  local text = ("%s %s%s %d of %d, %.1f/s"):format(
    what,
    ("#"):rep(full),
    ("."):rep(width - full),
    done,
    total,
    rate
  )
  if done < total and rate > 0 then
    text = text .. (", %.0f s left"):format((total - done) / rate)
  end
  return failed > 0 and ("%s, %d failed"):format(text, failed) or text
end

--- A function for `on_progress` of `tagoio.map`.
-- @function progress
-- @tparam string what is being done, at the start of the line
-- @treturn function on_progress
-- @usage local progress = require("tagoio.progress")
-- tagoio.map(addresses, invite, { on_progress = progress("inviting") })
local function progress(what)
  check.argument("tagoio.progress", "what", "string", what)
  local started, failed = core.now(), 0
  local shown = is_terminal()
  return function(done, total, _, _, err)
    failed = failed + (err and 1 or 0)
    if shown then
      local text = line(what, done, total, core.now() - started, failed)
      io.stderr:write("\r\27[K", text, done == total and "\n" or "")
    end
  end
end

return progress
