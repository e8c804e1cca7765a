-- SPDX-License-Identifier: MIT
-- The rockspecs list what is there: LuaRocks builds from these lists, make from the folders. The
-- version is written in csrc/tagoio.h, and nowhere else by hand.

local process = require("spec.support.process")

local function files(command)
  local found = {}
  for path in process.run(command):gmatch("[^\n]+") do
    found[#found + 1] = path
  end
  table.sort(found)
  return found
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local version = read("csrc/tagoio.h"):match('\n#define TAGOIO_VERSION "([^"]*)"\n')

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

describe("the version", function()
  it("has the three numbers of semantic versioning", function()
    assert.matches("^%d+%.%d+%.%d+$", version)
  end)

  it("is the one that the module tells", function()
    assert.equal("tagoio " .. version, require("tagoio")._VERSION)
  end)

  it("is the first of the changelog", function()
    assert.equal(version, read("CHANGELOG.md"):match("\n## ([%d.]+)"))
  end)

  it("has one rockspec, that of development but for version and tag (make rockspec)", function()
    assert.same({
      ("rockspec/tagoio-%s-1.rockspec"):format(version),
      "rockspec/tagoio-scm-1.rockspec",
    }, files("ls rockspec/*.rockspec"))
    local release = load_rockspec(("rockspec/tagoio-%s-1.rockspec"):format(version))
    local development = load_rockspec("rockspec/tagoio-scm-1.rockspec")
    assert.equal(version .. "-1", release.version)
    assert.equal("v" .. version, release.source.tag)
    release.version, release.source.tag = "scm-1", nil
    assert.same(development, release)
  end)
end)
