-- SPDX-License-Identifier: MIT
-- Runs busted under the interpreter that runs this file and adds lines to the file that TALLY
-- names: how many specs passed, failed and were skipped, and one with the title of each skipped.

-- The title of a skipped spec and, without its place in busted, why it was skipped.
local function title(skipped)
  local why = type(skipped.message) == "string" and ": " .. skipped.message or ""
  local text = (skipped.name or "a spec") .. why:gsub("^: [%w/._-]+:%d+: ", ": ")
  return (text:gsub("%s+", " "))
end

package.preload["busted.outputHandlers.tally"] = function()
  return function(options)
    local handler = require("busted.outputHandlers." .. options.defaultOutput)(options)
    require("busted").subscribe({ "suite", "end" }, function()
      local tally = assert(io.open(os.getenv("TALLY"), "a"))
      local failed = handler.failuresCount + handler.errorsCount
      tally:write(handler.successesCount, " ", failed, " 0\n")
      for _, skipped in ipairs(handler.pendings) do
        tally:write("0 0 1 ", title(skipped), "\n")
      end
      tally:close()
      return nil, true
    end)
    return handler
  end
end

table.insert(arg, 1, "--output=tally")
require("busted.runner")({ standalone = false })
