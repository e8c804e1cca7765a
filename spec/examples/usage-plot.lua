-- SPDX-License-Identifier: MIT
-- The use of the services in a year by month, of all profiles: as CSV, and one service as a chart
-- in SVG where gnuplot is installed.
--
-- usage: lua usage-plot.lua YEAR FILE.csv [FILE.svg [SERVICE]]        SERVICE is "input"
--
-- Files are replaced as a whole when they are complete. Status 1: a profile could not be asked; its
-- rows are missing.

local tagoio = require("tagoio")

local profile = tagoio.profile

local function fail(message)
  io.stderr:write("usage-plot: ", message, "\n")
  os.exit(2)
end

local function replace(name, text)
  local file = assert(io.open(name .. ".new", "wb"))
  assert(file:write(text))
  assert(file:close())
  assert(os.rename(name .. ".new", name))
end

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- ---- the numbers ----

-- The months of a year in one profile, by "2024-01"; or nil, message, err.
local function months_of(id, year)
  local rows, message, err = profile.usageStatisticList(id, {
    start_date = year .. "-01-01",
    end_date = ("%04d-01-01"):format(year + 1),
    periodicity = "month",
    timezone = "UTC",
  })
  local months = rows and {}
  for _, row in ipairs(rows or {}) do
    months[row.time:sub(1, 7)] = row
  end
  return months, message, err
end

local function services_of(years)
  local set = {}
  for _, months in ipairs(years) do
    for _, row in pairs(months or {}) do
      for name in pairs(row) do
        set[name] = name ~= "time" or nil
      end
    end
  end
  return sorted_keys(set)
end

-- ---- CSV (RFC 4180) ----

local function field(value)
  local text = type(value) == "number" and ("%.14g"):format(value) or tostring(value or "")
  return text:find('[",\r\n]') and '"' .. text:gsub('"', '""') .. '"' or text
end

local function csv_of(profiles, years)
  local services = services_of(years)
  local lines = { "month,profile,name," .. table.concat(services, ",") }
  for i, row in ipairs(profiles) do
    for _, month in ipairs(sorted_keys(years[i] or {})) do
      local fields = { month, row.id, field(row.name) }
      for _, service in ipairs(services) do
        fields[#fields + 1] = field(years[i][month][service])
      end
      lines[#lines + 1] = table.concat(fields, ",")
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n"
end

-- ---- the chart ----

local function has_gnuplot()
  local pipe = io.popen("command -v gnuplot")
  local found = pipe and pipe:read("*l")
  return pipe and pipe:close() and found
end

-- A text within double quotes of gnuplot's, where names of profiles stand.
local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', " ") .. '"'
end

-- Columns: the month, then each profile; NaN leaves a gap.
local function data_of(profiles, years, year, service)
  local lines = { "month" }
  for _, row in ipairs(profiles) do
    lines[1] = lines[1] .. " " .. quoted(row.name)
  end
  for number = 1, 12 do
    local month = ("%s-%02d"):format(year, number)
    local fields = { month }
    for i in ipairs(profiles) do
      local row = years[i] and years[i][month]
      fields[#fields + 1] = row and ("%.14g"):format(row[service] or 0) or "NaN"
    end
    lines[#lines + 1] = table.concat(fields, " ")
  end
  return table.concat(lines, "\n")
end

local script = [[
set terminal svg size 900,400 noenhanced
set title %s noenhanced
set key outside
set yrange [0:*]
set xtics rotate by -45
$data << END
%s
END
plot for [i=2:%d] $data using i:xtic(1) with linespoints title columnheader(i)
]]

-- gnuplot reads the script from its standard input and writes the picture to its output.
local function plot(name, text)
  local shell_name = "'" .. (name .. ".new"):gsub("'", "'\\''") .. "'"
  local pipe = assert(io.popen("gnuplot >" .. shell_name, "w"))
  pipe:write(text)
  return pipe:close() and os.rename(name .. ".new", name)
end

local year, csv_name, svg_name = tonumber(arg[1]), arg[2], arg[3]
local service = arg[4] or "input"
if not year or not csv_name then
  fail("usage: usage-plot.lua YEAR FILE.csv [FILE.svg [SERVICE]]")
end
year = ("%04d"):format(year)
local profiles, message = profile.list()
local years, errors = tagoio.map(profiles or fail(message), function(row)
  return months_of(row.id, year)
end)
for i, err in pairs(errors or {}) do
  io.stderr:write(("usage-plot: %s: %s\n"):format(profiles[i].name, err.message))
end
replace(csv_name, csv_of(profiles, years))
if svg_name and has_gnuplot() then
  local title = quoted(("%s by month of %s"):format(service, year))
  local data = data_of(profiles, years, year, service)
  if not plot(svg_name, script:format(title, data, #profiles + 1)) then
    fail("gnuplot failed")
  end
elseif svg_name then
  io.stderr:write("usage-plot: there is no gnuplot: no chart was made\n")
end
os.exit(errors and 1 or 0)
