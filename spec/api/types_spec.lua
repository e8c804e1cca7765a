-- SPDX-License-Identifier: MIT
-- One truth in five places: the core's table of operations, the functions in profile.lua, their
-- documentation there, the README's tables, and the definitions for editors. The definitions of
-- results are held against what the emulator answers.

local core = require("tagoio.core")
local emulator = require("spec.support.emulator")
local options = require("tagoio.options")
local tagoio = require("tagoio")
local types = require("spec.support.types")

local path = "lua/tagoio/types.lua"
local defined = types.read(path)

local function read(name)
  local file = assert(io.open(name))
  local text = file:read("*a")
  file:close()
  return text
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- The names in two of the lists of csrc/lua/fields.c, as keys.
local function fields_of(...)
  local names = {}
  for _, list in ipairs({ ... }) do
    local rows = read("csrc/lua/fields.c"):match("const field " .. list .. "_fields%[%] = (%b{})")
    for name in rows:gmatch('OF_%u+%("([%w_]+)"') do
      names[name] = true
    end
  end
  return names
end

-- "profileID, query?" of { name, optional } rows.
local function signature(rows)
  local words = {}
  for i, row in ipairs(rows) do
    words[i] = row.name .. (row.optional and "?" or "")
  end
  return table.concat(words, ", ")
end

-- name -> { signature, keys of the query } of the table in C, which does not say what is optional
-- but by the name: only a query is. Of the operations of the profile, or of the account.
local function of_core(resource)
  local functions = {}
  for _, operation in ipairs(core.operations()) do
    local rows = {}
    for i, name in ipairs(operation.arguments) do
      rows[i] = { name = name, optional = name == "query" }
    end
    local keys = { (table.unpack or unpack)(operation.query) } -- luacheck: ignore
    table.sort(keys)
    local owner, name = operation.name:match("^(%w+)%.(.*)$")
    if owner == resource then
      functions[name] = { signature(rows), table.concat(keys, " ") }
    end
  end
  return functions
end

-- name -> { signature, documentation, parameters } of the functions in profile.lua or account.lua.
-- The last parameter is "...", for what is refused.
local function of_source(resource)
  local functions = {}
  local source = read(("lua/tagoio/%s.lua"):format(resource))
  local form = "\n\n  (%-%-%- .-)\n  function " .. resource .. "%.(%w+)(%b())"
  for block, name, parameters in source:gmatch(form) do
    local rows = {}
    for optional, argument in block:gmatch("\n  %-%- @tparam(%S*) %S+ (%S+)") do
      rows[#rows + 1] = { name = argument, optional = optional == "[opt]" }
    end
    functions[name] = { signature(rows), block, parameters }
  end
  return functions
end

-- name -> signature of the README's first table, and name -> keys of the one after it.
local function of_readme()
  local functions, queries = {}, {}
  for line in read("README.md"):gmatch("[^\n]+") do
    local name, arguments = line:match("^| `(%w+)%(([^)]*)%)` |")
    local asked, keys = line:match("^| `(%w+)` | (`.*) |$")
    if name then
      local rows = {}
      for comma, argument in (", " .. arguments):gmatch("([%[, ]+)([%w_]+)") do
        rows[#rows + 1] = { name = argument, optional = comma:find("[", 1, true) ~= nil }
      end
      functions[name] = signature(rows)
    elseif asked and defined.locals.profile.methods[asked] then
      local list = {}
      for key in keys:gsub("%b()", ""):gmatch("`([%w_]+)`") do
        list[#list + 1] = key
      end
      table.sort(list)
      queries[asked] = table.concat(list, " ")
    end
  end
  return functions, queries
end

describe("the 17 operations", function()
  local in_core = of_core("profile")

  it("are functions, documented, and defined for editors, with the same arguments", function()
    local documented = of_source("profile")
    local methods = defined.locals.profile.methods
    assert.equal(17, #sorted_keys(in_core))
    for name, row in pairs(in_core) do
      assert.equal(row[1], documented[name][1], name)
    end
    assert.same(sorted_keys(documented), sorted_keys(methods))
    assert.same(sorted_keys(documented), sorted_keys(tagoio.profile))
    for name, row in pairs(documented) do
      assert.equal(row[1], signature(methods[name].params), name)
      assert.equal(("(%s, ...)"):format(row[1]):gsub("%?", ""):gsub("^%(, ", "("), row[3], name)
    end
  end)

  it("are all there, as functions of its own, in the table of each client", function()
    local client = emulator.client()
    assert.same(sorted_keys(tagoio.profile), sorted_keys(client.profile))
    assert.same(sorted_keys(tagoio.profile), sorted_keys(client:with({}).profile))
    for name, call in pairs(client.profile) do
      assert.equal("function", type(call), name)
      assert.are_not.equal(tagoio.profile[name], call)
    end
    assert.equal(client.profile, client.profile)
    assert.equal(tagoio.profile, require("tagoio.profile"))
  end)

  it("stand in the README with the same arguments", function()
    local in_readme = of_readme()
    for name, row in pairs(in_core) do
      assert.equal(row[1], in_readme[name], name)
    end
  end)

  it("have the same keys in their queries everywhere", function()
    local documented = of_source("profile")
    local _, in_readme = of_readme()
    for name, row in pairs(in_core) do
      local query
      for _, param in ipairs(defined.locals.profile.methods[name].params) do
        query = param.name == "query" and param.type or query
      end
      local class = query and defined.classes[query]
      assert.equal(row[2], table.concat(sorted_keys(class and class.fields or {}), " "), name)
      assert.equal(row[2], in_readme[name] or "", name .. " in the README")
      for key in row[2]:gmatch("%S+") do
        assert.is_truthy(documented[name][2]:find(key, 1, true), name .. ": " .. key)
      end
    end
  end)
end)

describe("the functions of the account", function()
  it("are documented, and defined for editors, with the same arguments", function()
    local in_core, documented = of_core("account"), of_source("account")
    local methods = defined.locals.account.methods
    assert.equal(5, #sorted_keys(in_core))
    for _, names in ipairs({ documented, methods, tagoio.account }) do
      assert.same(sorted_keys(in_core), sorted_keys(names))
    end
    for name, row in pairs(in_core) do
      assert.equal(row[1], documented[name][1], name)
      assert.equal(row[1], signature(methods[name].params), name)
      assert.equal(("(%s, ...)"):format(row[1]), documented[name][3], name)
    end
  end)

  it("are all there in the table of each client", function()
    local client = emulator.client({ token = false })
    assert.same(sorted_keys(tagoio.account), sorted_keys(client.account))
    assert.equal(client.account, client.account)
    assert.equal(tagoio.account, require("tagoio.account"))
    client:close()
  end)
end)

describe("the definitions", function()
  it("are Lua, and name the arguments that they describe", function()
    assert(loadfile(path))
    for _, class in pairs(defined.locals) do
      for name, method in pairs(class.methods) do
        local names = {}
        for i, param in ipairs(method.params) do
          names[i] = param.name
        end
        assert.equal(method.arguments, table.concat(names, ", "), name)
      end
    end
  end)

  it("use no type that is not defined", function()
    for _, name in ipairs(types.used(path)) do
      assert.is_truthy(defined.classes[name] or defined.aliases[name], name)
    end
  end)

  -- The functions and the fields of a class, by name.
  local function members(class)
    local names = {}
    for name in pairs(class.fields) do
      names[name] = true
    end
    for name in pairs(class.methods or {}) do
      names[name] = true
    end
    return sorted_keys(names)
  end

  it("have all that the module has, and no more", function()
    assert.same(sorted_keys(tagoio), members(defined.classes["tagoio"]))
    assert.same(sorted_keys(tagoio.date), members(defined.classes["tagoio.date"]))
  end)

  it("have all methods of a client, and no more", function()
    local client = emulator.client()
    local methods = { profile = true, account = true }
    for name in pairs(require("tagoio.client").methods) do
      methods[name] = true
    end
    assert.same(sorted_keys(methods), members(defined.classes["tagoio.client"]))
    for _, method in pairs(defined.classes["tagoio.client"].methods) do
      assert.is_true(method.colon)
    end
    client:close()
  end)

  it("have all fields of an err table, of an attempt and of what client:request tells", function()
    local fields = {
      err = fields_of("common", "failure"),
      info = fields_of("common", "success"),
      attempt = fields_of("origin", "attempt"),
    }
    fields.err.queryId = true -- of auditLogEvents alone
    fields.attempt.message = true -- of the last one, if the call failed
    for name, names in pairs(fields) do
      assert.same(sorted_keys(names), members(defined.classes["tagoio." .. name]), name)
    end
  end)
end)

-- ---- options ----

-- What they are by default, as far as it is a value.
local defaults = {
  timeout = 60,
  attempt_timeout = 30,
  connect_timeout = 10,
  attempts = 3,
  max_retry_after = 60,
  max_response_bytes = 64 * 1024 * 1024,
  max_connections = 64,
  keep_null = false,
  response_info = false,
}

-- As documents show it: "64 MiB".
local function shown(default)
  if default == 64 * 1024 * 1024 then
    return "64 MiB"
  end
  return type(default) == "number" and ("%d"):format(default) or tostring(default)
end

-- name -> { what it is by default, all of the line } of the manual's table of options.
local function of_manual()
  local options_text = read("lua/tagoio/README.md"):match("\n| option | default | |\n(.-)\n\n")
  local found = {}
  for line in options_text:gmatch("[^\n]+") do
    local cell, default = line:match("^| (`.-) | (.-) |")
    for name in (cell or ""):gmatch("`([%w_]+)`") do
      found[name] = default
    end
  end
  return found
end

describe("the options of a client", function()
  local names = {}
  for _, row in ipairs(options.rows) do
    names[row.name] = true
  end

  it("are defined for editors as their rows say", function()
    local fields = defined.classes["tagoio.options"].fields
    assert.same(sorted_keys(names), sorted_keys(fields))
    for _, row in ipairs(options.rows) do
      local text = fields[row.name].text
      local default = text:match("^.*; (.*) by default$")
      local expected = defaults[row.name]
      assert.equal(expected ~= nil and shown(expected) or nil, default, row.name)
      assert.is_true(#text > 0, row.name)
    end
  end)

  it("stand in the manual and in the reference with their defaults", function()
    local in_manual = of_manual()
    local source = read("lua/tagoio.lua")
    local reference = source:match("\n(%-%-%- Makes a client.-)\nfunction tagoio.new")
    assert.same(sorted_keys(names), sorted_keys(in_manual))
    for _, row in ipairs(options.rows) do
      local default = defaults[row.name]
      local where = "`" .. row.name .. "`"
      if default ~= nil then
        assert.is_truthy(in_manual[row.name]:find(shown(default), 1, true), row.name)
        where = ("%s (%s)"):format(where, shown(default))
      end
      local _, count = reference:gsub("\n%-%- %* [^:]*" .. where:gsub("%p", "%%%0"), "")
      assert.equal(1, count, where)
    end
  end)

  it("of the connections are named where derived clients are documented", function()
    local texts = {
      read("lua/tagoio/README.md"):match("%*%*Derived clients%.%*%*(.-)\n\n"),
      read("lua/tagoio/client.lua"):match("\n(%-%-%- A client on the same.-)\nfunction"),
      read("lua/tagoio/types.lua"):match("\n(%-%-%-A client on the same.-)\nfunction"),
    }
    assert.equal(3, #texts)
    for _, row in ipairs(options.rows) do
      for _, text in ipairs(row.scope == "pool" and texts or {}) do
        assert.is_truthy(text:find("`" .. row.name .. "`", 1, true), row.name .. " in: " .. text)
      end
    end
  end)
end)

-- ---- facts of events, errors and requests ----

-- The parts of the documents that list all of their fields.
local lists = {
  ["tagoio.attempt"] = {
    read("lua/tagoio/README.md"):match("\n| field | |\n(.-)\n\n"),
    read("lua/tagoio.lua"):match("\n%-%- %* `on_attempt`:(.-)\n%-%- %* "),
  },
  ["tagoio.err"] = {
    read("lua/tagoio/README.md"):match("\n| field of `err` | |\n(.-)\n\n"),
  },
  ["tagoio.info"] = {
    read("lua/tagoio/README.md"):match("\nThe first value is the result(.-)\n\n"),
    read("lua/tagoio/client.lua"):match("\n%-%- @treturn table info(.-)\n%-%- @"),
  },
}

describe("every field is documented of", function()
  for name, texts in pairs(lists) do
    it(name, function()
      assert.is_true(#texts > 0)
      for field in pairs(defined.classes[name].fields) do
        for _, text in ipairs(texts) do
          assert.is_truthy(text:find("`" .. field .. "`", 1, true), field .. " in: " .. text)
        end
      end
    end)
  end
end)

-- ---- results ----

local lua_types = {
  string = "string",
  number = "number",
  integer = "number",
  boolean = "boolean",
  table = "table",
  ["true"] = "boolean",
}

local check

-- One of the types of "a|b" must fit; false and why not.
local function fits(value, type_, place)
  if type_:sub(-2) == "[]" then
    for i, element in ipairs(type(value) == "table" and value or {}) do
      check(element, type_:sub(1, -3), ("%s[%d]"):format(place, i))
    end
    return type(value) == "table"
  elseif type_:sub(1, 1) == "{" then
    return type(value) == "table"
  elseif defined.aliases[type_] then
    local any = defined.aliases[type_] == "" -- its values are on lines of their own
    return any and type(value) == "string" or fits(value, defined.aliases[type_], place)
  elseif not type_:find("^{") and type_:find("|", 1, true) then
    for one in type_:gmatch("[^|]+") do
      if fits(value, one, place) then
        return true
      end
    end
    return false
  elseif type_:sub(1, 1) == '"' then
    return '"' .. tostring(value) .. '"' == type_
  elseif defined.classes[type_] then
    return type(value) == "table" and check(value, type_, place)
  end
  return type(value) == lua_types[type_]
end

local function field_of(class, name)
  while class do
    if class.fields[name] then
      return class.fields[name]
    end
    class = defined.classes[class.parent]
  end
end

function check(value, type_, place)
  local class = defined.classes[type_]
  if not class or type(value) ~= "table" then
    assert.is_true(fits(value, type_, place), ("%s is no %s"):format(place, type_))
    return true
  end
  for name, field in pairs(class.fields) do
    assert.is_true(field.optional or value[name] ~= nil, ("%s.%s is missing"):format(place, name))
  end
  for name, member in pairs(value) do
    local field = field_of(class, name)
    assert.is_truthy(field, ("%s.%s is not defined"):format(place, tostring(name)))
    check(member, field.type, ("%s.%s"):format(place, name))
  end
  return true
end

describe("the definition of the result of", function()
  local id = emulator.profile
  local everything = {
    fields = {
      "token", "name", "type", "permission", "serie_number", "last_authorization",
      "verification_code", "expire_time", "ref_id", "created_at", "created_by",
    },
  }
  local token = {
    name = "x",
    permission = "read",
    email = emulator.email,
    password = emulator.password,
  }
  local arguments = {
    info = { id },
    list = {},
    summary = { id },
    tokenList = { id, everything },
    tokenListAll = { id, everything },
    create = { { name = "x" } },
    edit = { id, { name = "x" } },
    delete = { "5bbe3d1d4d3ad10021e1d2b2", { password = emulator.password } },
    usageStatisticList = { id, { date = os.time() - 86400 } },
    auditLog = { id },
    auditLogEvents = { id },
    serviceEdit = { id, { input = 1 } },
    transferTokenToAnotherProfile = { "5bbe3d1d4d3ad10021e1d2b2" },
    tokenCreate = { id, token },
    tokenDelete = { id, "p-c6b1e0f4-9d27-4e35-8a10-f3b7d2865c41" },
    addTeamMember = { id, "x@example.com" },
    teamList = { id },
  }
  local client = emulator.client()

  before_each(function()
    emulator.reset()
  end)

  -- The type of a success, without the ? that stands for nil.
  local function result_type(name)
    return (defined.locals.profile.methods[name].returns[1]:gsub("%?$", ""))
  end

  for name, list in pairs(arguments) do
    it(name .. " fits", function()
      check(assert(client.profile[name](list[1], list[2])), result_type(name), name)
      local returns = defined.locals.profile.methods[name].returns
      assert.matches("string", returns[2])
      assert.equal("tagoio.err?", returns[3])
    end)
  end

  it("tokenListEach fits", function()
    assert.equal("fun(): tagoio.Token?", defined.locals.profile.methods.tokenListEach.returns[1])
    check(client.profile.tokenListEach(id, everything)(), "tagoio.Token", "tokenListEach")
  end)

  it("auditLogQuery fits", function()
    local started = assert(client.profile.auditLog(id))
    local answer = assert(client.profile.auditLogQuery(id, started.queryId))
    assert.is_truthy(answer.events[1])
    check(answer, result_type("auditLogQuery"), "auditLogQuery")
  end)

  it("deleteTeamMember fits", function()
    local member = assert(client.profile.teamList(id))[1]
    local sentence = assert(client.profile.deleteTeamMember(id, member.id))
    check(sentence, result_type("deleteTeamMember"), "deleteTeamMember")
  end)

  it("the functions of the account fits", function()
    local account = emulator.client({ token = false }).account
    local person = { email = emulator.email, password = emulator.password }
    check(assert(account.login(person)), "tagoio.Login", "login")
    person.profile_id, person.name = id, "x"
    check(assert(account.tokenCreate(person)), "tagoio.FirstToken", "tokenCreate")
  end)
end)
