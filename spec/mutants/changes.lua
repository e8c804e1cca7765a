-- SPDX-License-Identifier: MIT
-- The single changes that can be made to a file of C or Lua: a list of
-- { file =, line =, what =, from =, to =, beside = }: from and to are whole lines, beside has those
-- before and after.

local swaps = {
  { " < ", " <= " }, { " <= ", " < " }, { " > ", " >= " }, { " >= ", " > " },
  { " + ", " - " }, { " - ", " + " }, { " * ", " / " }, { " % ", " * " },
  { "true", "false" }, { "false", "true" },
}
local swaps_of = {
  c = {
    { " == ", " != " }, { " != ", " == " }, { " && ", " || " }, { " || ", " && " },
    { " += ", " -= " }, { " -= ", " += " }, { "++", "--" }, { "!", "" },
  },
  lua = {
    { " == ", " ~= " }, { " ~= ", " == " }, { " and ", " or " }, { " or ", " and " },
    { "not ", "" },
  },
}

-- What is neither code nor to be changed: comments, then strings.
local blanks = {
  c = { { "/%*.-%*/" }, { '"', '"' }, { "'", "'" } },
  lua = { { "%-%-%[%[.-%]%]" }, { "%-%-[^\n]*" }, { '"', '"' }, { "%[%[.-%]%]" } },
}

-- The end of the string or comment that begins at a place, or nil.
local function blank_end(text, at, language)
  for _, blank in ipairs(blanks[language]) do
    if not blank[2] then
      local _, last = text:find("^" .. blank[1], at)
      if last then
        return last
      end
    elseif text:sub(at, at) == blank[1] then
      local last = at + 1
      while text:sub(last, last) ~= blank[2] do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
      return last
    end
  end
end

-- The text with "_" in the place of strings and blanks in that of comments.
local function masked(text, language)
  local parts, at = {}, 1
  while at <= #text do
    local last = text:find("^[/\"'%-%[]", at) and blank_end(text, at, language)
    if last then
      local mark = text:find("^[\"'%[]", at) and "_" or " " -- a string is a value, also blank
      table.insert(parts, (text:sub(at, last):gsub("[^\n]", mark)))
    else
      last = at
      table.insert(parts, text:sub(at, at))
    end
    at = last + 1
  end
  return table.concat(parts)
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do
    table.insert(lines, line)
  end
  return lines
end

-- Whether a word is only a part of another, or ! of !=.
local function is_part(word, code, at, last)
  local inside = code:find("^[%w_][%w_]", last) or code:find("^[%w_]", at - 1)
  return word:find("^%a") and inside or word == "!" and code:find("^=", last + 1)
end

local function change_swap(add, line, code, swap)
  local from, to = swap[1], swap[2]
  local at, last = code:find(from, 1, true)
  while at do
    if not is_part(from, code, at, last) then
      add(from .. "->" .. to, line:sub(1, at - 1) .. to .. line:sub(last + 1))
    end
    at, last = code:find(from, at + 1, true)
  end
end

-- Each place of a swap and of a number. Operators may stand at the end of a line.
local function change_tokens(add, line, code, language)
  for _, list in ipairs({ swaps, swaps_of[language] }) do
    for _, swap in ipairs(list) do
      change_swap(add, line .. " ", code .. " ", swap)
    end
  end
  for at, digits, last in code:gmatch("%f[%w_.]()(%d+)()%f[^%w_.]") do
    add("a constant", line:sub(1, at - 1) .. (digits + 1) .. line:sub(last))
  end
end

local function is_balanced(code)
  local rest = code:gsub("%b()", ""):gsub("%b{}", "")
  return not rest:find("[(){}]")
end

-- Conditions, statements and returned values that stand on one line.
local statements = {
  c = function(add, line, code, before)
    local at, condition, last = code:match("if ()(%b())()")
    if at then
      add("a condition", line:sub(1, at) .. "!" .. line:sub(at, last - 1) .. line:sub(last - 1))
    end
    local begins = before:find("[;{}:]%s*$")
    local first = code:match("^    +([%a_][%w_]*)")
    if condition or not first or not begins or not code:find(";$") or not is_balanced(code) then
      return
    end
    local value = code:match("^ +return (.+);$")
    if value then
      local indent = line:match("^ +")
      local is_truth = value:find("[!=<>]=") or value:find(" [<>&|]") or value:find("^!")
      local other = is_truth and "!(" .. line:match("return (.+);$") .. ")" or "0"
      add("a returned value", indent .. "return " .. other .. ";")
    elseif not code:find("^ +[%w_]+[ *]+[%a_]") then
      add("a removed statement", line:match("^ +") .. ";")
    end
  end,
  lua = function(add, line, code)
    local before, condition, after = line:match("^(.*%f[%a]if )(.+)( then.*)$")
    if condition and code:find("%f[%a]if .+ then") then
      add("a condition", before .. "not (" .. condition .. ")" .. after)
    end
    local is_block = code:find("%f[%a]function%f[%A]") or code:find("%f[%a]end%f[%A]")
    if is_block or not is_balanced(code) then
      return
    end
    local indent, value = code:match("^(  +)return (.+)$")
    if value then
      add("a returned value", indent .. "return nil")
    elseif code:find("^  +[%a_][%w_.:]*%(.*%)$") or
      (code:find("^  +[%a_][%w_.%[%]]* = .+[^,(]$") and not code:find("^  +local ")) then
      add("a removed statement", line:match("^ +") .. "do end")
    end
  end,
}

return function(file)
  local language = file:match("%.(%a+)$")
  local handle = assert(io.open(file))
  local text = handle:read("a")
  handle:close()
  local found, lines = {}, lines_of(text)
  local before = ";"
  for number, code in ipairs(lines_of(masked(text, language))) do
    local line = lines[number]
    local function add(what, to)
      to = to:gsub("%s+$", "")
      if to ~= line then
        local beside = (lines[number - 1] or "") .. "\n" .. (lines[number + 1] or "")
        table.insert(found,
          { file = file, line = number, what = what, from = line, to = to, beside = beside })
      end
    end
    if code:find("%S") and not code:find("^#") then
      change_tokens(add, line, code, language)
      statements[language](add, line, code, before)
      before = code
    end
  end
  return found, lines
end
