-- SPDX-License-Identifier: MIT
-- What is due first in a loop, whatever was added and removed before.

local heap = require("tagoio.heap")

describe("a heap", function()
  -- Park and Miller's generator: the same numbers everywhere.
  local state = 7
  local function random(most)
    state = state * 16807 % 2147483647
    return state % most + 1
  end

  local function earliest(entries)
    local due
    for entry in pairs(entries) do
      due = math.min(due or entry.due, entry.due)
    end
    return due
  end

  it("knows what is due first, whatever was added and removed before", function()
    for _ = 1, 50 do
      local new, entries, list = heap.new(), {}, {}
      for step = 1, 120 do
        if step <= 60 and random(3) > 1 then
          local entry = { due = random(40) }
          new:add(entry)
          entries[entry], list[#list + 1] = true, entry
        elseif #list > 0 then
          local entry = random(2) == 1 and new:first() or list[random(#list)]
          new:remove(entry) -- maybe for a second time
          entries[entry] = nil
        end
        local first = new:first()
        assert.equal(earliest(entries), first and first.due)
        assert.is_true(first == nil or entries[first])
      end
    end
  end)
end)
