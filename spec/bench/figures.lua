-- SPDX-License-Identifier: MIT
-- Medians, paired ratios, the tables and the picture. Samples are { cpu, wall, peak }, a list for
-- each peer with one for each round.

local figures = {}

local function middle(values)
  table.sort(values)
  local n = #values
  return n > 0 and (values[math.ceil(n / 2)] + values[math.floor(n / 2) + 1]) / 2 or nil
end

-- Nil when there are no samples.
function figures.median(samples, field)
  local values = {}
  for i, sample in ipairs(samples or {}) do
    values[i] = sample[field]
  end
  return middle(values)
end

-- The median of the rounds' ratios.
function figures.ratio(samples, above, below, field)
  local values = {}
  for i, sample in ipairs(samples[above] or {}) do
    local other = samples[below] and samples[below][i]
    values[#values + 1] = other and sample[field] / other[field]
  end
  return middle(values)
end

function figures.by_title(works)
  local found = {}
  for _, work in ipairs(works) do
    found[work.title] = work
  end
  return found
end

-- ---- tables ----

local function short(value)
  return (value >= 100 and "%.0f" or "%.2f"):format(value)
end

local function cell(samples, name, field, scale)
  local value = figures.median(samples[name], field)
  if not value then
    return "-"
  end
  local text = short(value * scale)
  local ratio = name ~= "ours" and figures.ratio(samples, "ours", name, field)
  return ratio and ("%s (%.2f)"):format(text, ratio) or text
end

-- A line for each work, a column for each peer.
function figures.print_works(title, works, peers, field, scale)
  local line = ("%-36s"):format("")
  for _, peer in ipairs(peers) do
    line = line .. ("%16s"):format(peer.name)
  end
  print("\n" .. title .. "\n" .. line)
  for _, work in ipairs(works) do
    -- Start-up has no calls after the first to measure.
    if field ~= "cpu" or work.count > 0 then
      line = ("%-36s"):format(work.title)
      for _, peer in ipairs(peers) do
        line = line .. ("%16s"):format(cell(work.samples, peer.name, field, scale))
      end
      print(line)
    end
  end
end

local sweep_columns = {
  { "short", "ours", "50 ms" },
  { "short", "C floor", "by hand" },
  { "long", "ours", "1 s" },
  { "long", "C floor", "by hand" },
  { "idle", "ours", "idle step" },
  { "idle", "C floor", "by hand" },
}

function figures.print_sweeps(in_flight, sweeps)
  local line = ("%-10s"):format("in flight")
  for _, column in ipairs(sweep_columns) do
    line = line .. ("%16s"):format(column[3])
  end
  print("\nProcessor time in us, per call with pauses of 50 ms and 1 s, per idle step\n" .. line)
  for i, count in ipairs(in_flight) do
    line = ("%-10d"):format(count)
    for _, column in ipairs(sweep_columns) do
      line = line .. ("%16s"):format(cell(sweeps[column[1]][i], column[2], "cpu", 1e6))
    end
    print(line)
  end
end

-- Rows of { title, target, figure }: a negative target is the least, another the most.
function figures.print_targets(rows)
  print(("\n%-44s%12s%10s"):format("Ratios", "target", "figure"))
  for _, row in ipairs(rows) do
    local title, target, figure = row[1], row[2], row[3]
    local wanted = not target and "" or target < 0 and (">= %.2f"):format(-target)
      or ("<= %.2f"):format(target)
    local missed = figure and target
      and (target < 0 and figure < -target or target > 0 and figure > target)
    local text = figure and ("%.2f"):format(figure) or "-"
    print(("%-44s%12s%10s%s"):format(title, wanted, text, missed and "  missed" or ""))
  end
end

-- ---- the picture ----

local script = [[
set terminal svg size 1000,420 dynamic background "white"
set output "%s/bench.svg"
set multiplot layout 1,3
set key top left
set grid
set style data linespoints
set logscale x
set xlabel "calls in flight"
set yrange [0:]
set title "Processor time per call (us)"
plot $data using 1:2 title "ours, 50 ms", $data using 1:3 title "C floor, 50 ms", \
     $data using 1:4 title "ours, 1 s", $data using 1:5 title "C floor, 1 s"
set logscale y
set yrange [*:*]
set title "Idle step (us)"
plot $data using 1:6 title "ours", $data using 1:7 title "C floor"
unset logscale
unset xlabel
unset key
set yrange [0:]
set style fill solid
set boxwidth 0.6
set xtics rotate by -30
set title "Calls a second, one after another"
plot $bars using 0:2:xtic(1) with boxes
]]

local function sweep_data(in_flight, sweeps)
  local lines = {}
  for i, count in ipairs(in_flight) do
    local values = { count }
    for _, column in ipairs(sweep_columns) do
      local value = figures.median(sweeps[column[1]][i][column[2]], "cpu")
      values[#values + 1] = value and ("%.3f"):format(value * 1e6) or "NaN"
    end
    lines[i] = table.concat(values, " ")
  end
  return table.concat(lines, "\n")
end

local function bar_data(work, peers)
  local lines = {}
  for _, peer in ipairs(peers) do
    local wall = figures.median(work.samples[peer.name], "wall")
    lines[#lines + 1] = wall and ("%q %.1f"):format(peer.name, 1 / wall)
  end
  return table.concat(lines, "\n")
end

-- folder/bench.svg, when there is gnuplot.
function figures.plot(folder, in_flight, sweeps, work, peers)
  local pipe = assert(io.popen("gnuplot", "w"))
  pipe:write("$data << EOD\n", sweep_data(in_flight, sweeps), "\nEOD\n")
  pipe:write("$bars << EOD\n", bar_data(work, peers), "\nEOD\n")
  pipe:write(script:format(folder))
  if pipe:close() then
    print("\n" .. folder .. "/bench.svg")
  end
end

return figures
