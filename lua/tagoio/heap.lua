-- SPDX-License-Identifier: MIT
-- Things that are due at some time, in a binary heap: the next one is at hand.

local heap = {}
heap.__index = heap

function heap.new()
  return setmetatable({ count = 0 }, heap)
end

local function put(self, position, entry)
  self[position] = entry
  entry.position = position
end

local function rise(self, position, entry)
  local parent = math.floor(position / 2)
  while parent >= 1 and self[parent].due > entry.due do
    put(self, position, self[parent])
    position, parent = parent, math.floor(parent / 2)
  end
  put(self, position, entry)
end

local function sink(self, position, entry)
  local child = position * 2
  while child <= self.count do
    if child < self.count and self[child + 1].due < self[child].due then
      child = child + 1
    end
    if self[child].due >= entry.due then
      break
    end
    put(self, position, self[child])
    position, child = child, child * 2
  end
  put(self, position, entry)
end

-- Adds a table with the time `due`; its field `position` is the heap's while it is in it.
function heap:add(entry)
  self.count = self.count + 1
  rise(self, self.count, entry)
end

-- Nothing happens to what is not in the heap.
function heap:remove(entry)
  local position = entry.position
  if not position then
    return
  end
  local last = self[self.count]
  self[self.count] = nil
  self.count = self.count - 1
  entry.position = nil
  if last == entry then
    return
  elseif last.due < entry.due then
    rise(self, position, last)
  else
    sink(self, position, last)
  end
end

-- What is due first, or nil.
function heap:first()
  return self[1]
end

return heap
