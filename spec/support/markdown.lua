-- SPDX-License-Identifier: MIT
-- Reads the READMEs as far as their specs need it: fenced blocks, headings and links.

local markdown = {}

-- Those that users and developers read, from the folder of the project.
markdown.manuals = { "README.md", "lua/tagoio/README.md", "csrc/README.md", "spec/README.md" }

function markdown.read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

-- Calls visit(line, number, fence) for each line: fence is nil outside of fenced blocks, in a block
-- its language, and for the lines that open and close it "```".
local function each_line(text, visit)
  local number, language = 0, nil
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local fence = line:match("^```([%w -]*)$")
    visit(line, number, fence and "```" or language)
    if fence then
      language = not language and fence or nil
    end
  end
end

-- The fenced blocks in order: { language, text, line }.
function markdown.blocks(text)
  local blocks, open = {}, nil
  each_line(text, function(line, number, fence)
    if fence == "```" and not open then
      open = { language = line:sub(4), line = number, text = "" }
    elseif fence == "```" then
      blocks[#blocks + 1], open = open, nil
    elseif open then
      open.text = open.text .. line .. "\n"
    end
  end)
  return blocks
end

-- The text with its lines where they are, and nothing in those of fenced blocks.
local function prose(text)
  local lines = {}
  each_line(text, function(line, number, fence)
    lines[number] = fence and "" or line
  end)
  return table.concat(lines, "\n") .. "\n"
end

-- The name of a heading in links, as GitHub makes it.
local function slug(heading)
  return (heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-"))
end

-- The headings in order: { level, name }.
function markdown.headings(text)
  local headings = {}
  for marks, heading in prose(text):gmatch("%f[^\n%z](#+) ([^\n]+)") do
    headings[#headings + 1] = { level = #marks, name = slug(heading) }
  end
  return headings
end

-- The links in order: { target, line }.
function markdown.links(text)
  local links, outside = {}, prose(text):gsub("`[^`\n]*`", function(code)
    return ("x"):rep(#code)
  end)
  for position, target in outside:gmatch("%b[]()%(([^()%s]+)%)") do
    local _, before = outside:sub(1, position):gsub("\n", "")
    links[#links + 1] = { target = target, line = before + 1 }
  end
  return links
end

return markdown
