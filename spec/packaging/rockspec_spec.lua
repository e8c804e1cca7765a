-- SPDX-License-Identifier: MIT
-- The rockspecs list what is there: LuaRocks builds from these lists, make from the folders.

local process = require("spec.support.process")

local function files(command)
  local found = {}
  for path in process.run(command):gmatch("[^\n]+") do
    found[#found + 1] = path
  end
  table.sort(found)
  return found
end

local function load_rockspec(path)
  local rockspec = {}
  local chunk
  if setfenv then -- luacheck: ignore
    chunk = setfenv(assert(loadfile(path)), rockspec) -- luacheck: ignore
  else
    chunk = assert(loadfile(path, "t", rockspec))
  end
  chunk()
  return rockspec
end

for _, path in ipairs(files("ls rockspec/*.rockspec")) do
  describe(path, function()
    local build = load_rockspec(path).build

    it("builds the C files of csrc", function()
      local sources = build.modules["tagoio.core"].sources
      table.sort(sources)
      assert.same(files("find csrc -name '*.c'"), sources)
    end)

    it("installs the Lua files of lua, each under its name", function()
      local installed = {}
      for name, file in pairs(build.modules) do
        if type(file) == "string" then
          assert.equal("lua/" .. name:gsub("%.", "/") .. ".lua", file)
          installed[#installed + 1] = file
        end
      end
      table.sort(installed)
      assert.same(files("find lua -name '*.lua'"), installed)
    end)
  end)
end
