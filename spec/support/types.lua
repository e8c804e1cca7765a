-- SPDX-License-Identifier: MIT
-- Reads the definitions for editors, lua/tagoio/types.lua, as far as its annotations go.

local types = {}

-- What stands at the beginning of a text as a type, and the rest: spaces count only outside of
-- brackets, and a colon or a comma goes on.
local function split_type(text)
  local depth = 0
  for i = 1, #text do
    local c = text:sub(i, i)
    if c:find("[%(%[{<]") then
      depth = depth + 1
    elseif c:find("[%)%]}>]") then
      depth = depth - 1
    elseif c == " " and depth == 0 and not text:sub(1, i - 1):find("[,:]$") then
      return text:sub(1, i - 1), text:sub(i + 1)
    end
  end
  return text, ""
end

local readers = {}

function readers.class(state, text)
  local name, parent = text:match("^([%w_.]+):?%s*([%w_.]*)$")
  state.class = { name = name, parent = parent ~= "" and parent or nil, fields = {} }
  state.classes[name] = state.class
end

function readers.field(state, text)
  local name, optional, rest = text:match("^([%w_]+)(%??) (.*)$")
  local type_, description = split_type(rest)
  state.class.fields[name] = { type = type_, text = description, optional = optional == "?" }
end

function readers.alias(state, text)
  local name, rest = text:match("^([%w_.]+)%s*(.*)$")
  state.aliases[name] = rest
end

function readers.param(state, text)
  local name, optional, rest = text:match("^([%w_.]+)(%??) (.*)$")
  table.insert(state.params, { name = name, optional = optional == "?", type = split_type(rest) })
end

readers["return"] = function(state, text)
  local type_ = split_type(text)
  table.insert(state.returns, type_)
end

function types.read(path)
  local state = { classes = {}, aliases = {}, locals = {}, params = {}, returns = {} }
  for line in io.lines(path) do
    local tag, text = line:match("^%-%-%-@(%l+) ?(.*)$")
    local owner, separator, name, arguments = line:match("^function (%w+)([.:])(%w+)%((.-)%) end$")
    local variable = line:match("^local ([%w_]+) = {}$")
    if tag and readers[tag] then
      readers[tag](state, text)
    elseif variable then
      state.locals[variable] = state.class
      state.class.methods = {}
    elseif owner then
      local row = { arguments = arguments, params = state.params, returns = state.returns }
      row.colon = separator == ":"
      state.locals[owner].methods[name] = row
    end
    if line == "" then
      state.params, state.returns = {}, {}
    end
  end
  return state
end

-- Every name of a type that is used, once.
function types.used(path)
  local used, seen = {}, {}
  for line in io.lines(path) do
    local text = line:match("^%-%-%-@%l+ (.*)$") or ""
    for name in text:gmatch("tagoio%.[%w_]+") do
      if not seen[name] and not text:find("`" .. name, 1, true) then
        seen[name] = true
        used[#used + 1] = name
      end
    end
  end
  return used
end

return types
