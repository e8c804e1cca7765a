-- SPDX-License-Identifier: MIT
-- Lists that come in pages, over real sockets.

local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local id = emulator.profile

describe("pages of tokens", function()
  local client, profile

  before_each(function()
    emulator.reset()
    client = emulator.client()
    profile = client.profile
  end)

  after_each(function()
    client:close()
  end)

  -- As many tokens as that, beside the three that are there.
  local function make_tokens(count)
    for i = 1, count do
      assert(profile.tokenCreate(id, {
        name = ("extra %02d"):format(i),
        permission = "read",
        email = emulator.email,
        password = emulator.password,
      }))
    end
  end

  -- The pages and amounts that were asked for, as "1/100 2/100".
  local function asked()
    local list = {}
    for _, request in ipairs(emulator.journal()) do
      local page, amount = request.uri:match("/token%?page=(%d+)&amount=(%d+)")
      list[#list + 1] = page and page .. "/" .. amount
    end
    return table.concat(list, " ")
  end

  local function names_of(query)
    local names = {}
    for token in profile.tokenListEach(id, query) do
      names[#names + 1] = token.name
    end
    return names
  end

  describe("tokenListEach", function()
    it("gives every row once, page after page", function()
      make_tokens(4)
      assert.same({
        "Automation",
        "Wall display",
        "Generated automatically by Tago (admin)",
        "extra 01",
        "extra 02",
        "extra 03",
        "extra 04",
      }, names_of({ amount = 3 }))
      assert.equal("1/3 2/3 3/3 4/3", asked())
    end)

    it("asks for a page when it is needed, and for no other", function()
      make_tokens(2)
      local each = profile.tokenListEach(id, { amount = 2 })
      assert.equal("", asked())
      assert.equal("Automation", each().name)
      each()
      assert.equal("1/2", asked())
      each()
      assert.equal("1/2 2/2", asked())
      each()
      each()
      assert.is_nil(each())
      assert.is_nil(each())
      assert.equal("1/2 2/2 3/2 4/2", asked())
    end)

    it("asks for 100 rows, and takes fewer for no end", function()
      make_tokens(4)
      emulator.reset({ max_amount = 2 })
      assert.equal(3, #names_of())
      assert.equal("1/100 2/100 3/100", asked())
    end)

    it("ends at the same page again: a server may know no pages", function()
      local rows = '[{"name":"a","token":"p-1"},{"name":"b","token":"p-2"}]'
      local body = '{"status":true,"result":' .. rows .. "}"
      emulator.inject({ match = { path = "/profile/" .. id .. "/token" }, times = 0, body = body })
      assert.same({ "a", "b" }, names_of({ amount = 2 }))
      assert.equal("1/2 2/2", asked())
    end)

    it("takes rows that look the same for different ones", function()
      local permissions = {}
      for token in profile.tokenListEach(id, { fields = { "permission" }, amount = 1 }) do
        assert.is_nil(token.token) -- it told them apart, and was not asked for
        permissions[#permissions + 1] = token.permission
      end
      table.sort(permissions)
      assert.same({ "full", "full", "read" }, permissions)
    end)

    it("hands the rest of the query on, and leaves the table alone", function()
      local query = { filter = { name = "*a*" }, orderBy = { "name", "desc" }, page = 1 }
      assert.same(
        { "Wall display", "Generated automatically by Tago (admin)", "Automation" },
        names_of(query)
      )
      assert.same({ filter = { name = "*a*" }, orderBy = { "name", "desc" }, page = 1 }, query)
    end)

    it("begins at the page that is asked for", function()
      assert.equal(1, #names_of({ amount = 2, page = 2 }))
      assert.equal("2/2 3/2", asked())
    end)

    it("raises the err table, and goes on where it was when it is called again", function()
      local patient = client:with({ attempts = 1 }).profile
      emulator.inject({ skip = 1, status = 503, json = { status = false, message = "Not now" } })
      local each = patient.tokenListEach(id, { amount = 2 })
      local names = { each().name, each().name }
      local ok, err = pcall(each)
      assert.is_false(ok)
      assert.equal("api", err.kind)
      assert.equal(503, err.status)
      assert.equal("profile.tokenList", err.operation)
      assert.matches("^profile.tokenList: Not now %(HTTP 503, ", tostring(err))
      names[3] = each().name
      assert.is_nil(each())
      assert.equal(names_of()[3], names[3])
    end)

    it("works through the table of the environment's client as well", function()
      assert.equal("function", type(tagoio.profile.tokenListEach))
      assert.equal("function", type(tagoio.profile.tokenListAll))
    end)
  end)

  describe("tokenListAll", function()
    it("gives all rows in an array", function()
      make_tokens(4)
      local tokens = assert(profile.tokenListAll(id, { amount = 3 }))
      assert.equal(7, #tokens)
      assert.equal("extra 04", tokens[7].name)
      assert.equal(tagoio.array_mt, getmetatable(tokens))
    end)

    it("gives an empty array when there are none", function()
      local tokens = assert(profile.tokenListAll(id, { filter = { name = "none" } }))
      assert.equal("[]", tagoio.encode(tokens))
    end)

    it("ends at the limit, and asks for no page beyond it", function()
      make_tokens(4)
      assert.equal(4, #assert(profile.tokenListAll(id, { amount = 2 }, { limit = 4 })))
      assert.equal("1/2 2/2", asked())
      assert.equal(3, #assert(profile.tokenListAll(id, { amount = 2 }, { limit = 3 })))
      assert.equal(7, #assert(profile.tokenListAll(id, nil, { limit = 100 })))
    end)

    it("returns the error of a later page", function()
      emulator.inject({ skip = 1, status = 403, json = { status = false, message = "No" } })
      local tokens, message, err = profile.tokenListAll(id, { amount = 2 })
      assert.is_nil(tokens)
      assert.matches("^profile.tokenList: No %(HTTP 403, ", message)
      assert.equal(403, err.status)
    end)

    it("is what to delete from: each row is still there once it was collected", function()
      make_tokens(4)
      local query = { filter = { name = "extra*" }, amount = 2 }
      for _, token in ipairs(assert(profile.tokenListAll(id, query))) do
        assert(profile.tokenDelete(id, token.token))
      end
      assert.equal(3, #assert(profile.tokenListAll(id)))
    end)
  end)

  it("of many profiles are collected at once", function()
    local ids = { id, "5bbe3d1d4d3ad10021e1d2b2", "000000000000000000000000" }
    local lists, failed = tagoio.map(ids, function(profileID)
      return profile.tokenListAll(profileID, { amount = 1 })
    end)
    assert.same({ 3, 1 }, { #lists[1], #lists[2] })
    assert.equal(404, failed[3].status)
  end)

  it("can be iterated over in a map, on Lua 5.1 too, where a for cannot give way", function()
    local counts, failed = tagoio.map({ id, "5bbe3d1d4d3ad10021e1d2b2" }, function(profileID)
      local count = 0
      for _ in profile.tokenListEach(profileID, { amount = 1 }) do
        count = count + 1
      end
      return count
    end)
    assert.is_nil(failed)
    assert.same({ 3, 1 }, counts)
  end)

  it("raise on bad input at the caller's line", function()
    -- function, arguments, what is said
    local rows = {
      { "tokenListEach", { id, "x" }, "query must be a table or nil (got a string)" },
      { "tokenListEach", { id, {}, {} }, "argument 3 is one too many" },
      { "tokenListEach", { profile, id }, "call it with a dot" },
      { "tokenListEach", { id, { pages = 2 } }, "query.pages: unknown key", true },
      { "tokenListEach", { id, { page = "2" } }, "query.page must be a whole number", true },
      { "tokenListEach", {}, "profileID must be a string (got nothing)", true },
      { "tokenListAll", { id, { pages = 2 } }, "query.pages: unknown key" },
      { "tokenListAll", { id, 5 }, "query must be a table or nil (got a number)" },
      { "tokenListAll", { id, nil, 5 }, "options must be a table or nil (got a number)" },
      { "tokenListAll", { id, nil, { limit = 0 } }, "options.limit must be a whole number" },
      { "tokenListAll", { id, nil, { limit = 1.5 } }, "options.limit must be a whole number" },
      { "tokenListAll", { id, nil, { most = 1 } }, 'options: unknown option "most"' },
    }
    for _, row in ipairs(rows) do
      local ok, message = pcall(function()
        local each = profile[row[1]](row[2][1], row[2][2], row[2][3])
        if row[4] then
          local _ = each()
        end
      end)
      assert.is_false(ok, row[3])
      assert.matches("^spec/api/pages_spec.lua:%d+: profile." .. row[1] .. ": ", message)
      assert.is_truthy(message:find(row[3], 1, true), message)
    end
    assert.same({}, emulator.journal())
  end)
end)
