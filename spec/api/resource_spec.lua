-- SPDX-License-Identifier: MIT
-- Operations of one's own: what client:resource makes of rows, over real sockets, against the
-- emulator's sketch of devices.

local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local list_query = {
  page = "count",
  amount = "count",
  fields = "list",
  filter = "map",
  orderBy = "order",
}

local rows = {
  list = { "GET", "/device", query = list_query, pages = true },
  info = { "GET", "/device/{deviceID}", result = "object" },
  create = { "POST", "/device", body = true, result = "object" },
  edit = { "PUT", "/device/{deviceID}", body = true, retry = "idempotent" },
  delete = { "DELETE", "/device/{deviceID}", retry = "idempotent", result = "text" },
  paramList = { "GET", "/device/{deviceID}/params", query = { sent_status = "flag" } },
}

describe("a resource", function()
  local client, device

  before_each(function()
    emulator.reset()
    client = emulator.client()
    device = client:resource("device", rows)
  end)

  after_each(function()
    client:close()
  end)

  it("has a function for each row, and two more for pages", function()
    local names = {}
    for name in pairs(device) do
      names[#names + 1] = name
    end
    table.sort(names)
    local all = "create delete edit info list listAll listEach paramList"
    assert.equal(all, table.concat(names, " "))
  end)

  it("creates, finds, changes and deletes", function()
    local made = assert(device.create({ name = "Lathe" }))
    assert(device.edit(made.device_id or made.id, { name = "Lathe 2" }))
    local id = made.device_id or made.id
    assert.equal("Lathe 2", assert(device.info(id)).name)
    assert.is_true(#assert(device.paramList(id, { sent_status = true })) > 0)
    assert(device.delete(id))
    local gone, message, err = device.info(id)
    assert.is_nil(gone)
    assert.matches("^device.info: Device not found %(HTTP 404, ", message)
    assert.same({ "api", "device.info" }, { err.kind, err.operation })
    local sent = {}
    for i, request in ipairs(emulator.journal()) do
      sent[i] = ("%s %s %s"):format(request.method, request.uri, request.body)
      assert.equal("<token>", request.headers.token)
    end
    local own = "/device/" .. id
    assert.same({
      'POST /device {"name":"Lathe"}',
      "PUT " .. own .. ' {"name":"Lathe 2"}',
      "GET " .. own .. " ",
      "GET " .. own .. "/params?sent_status=true ",
      "DELETE " .. own .. " ",
      "GET " .. own .. " ",
    }, sent)
  end)

  it("percent-encodes the arguments of the path, each one segment", function()
    device.info("a/b ?#c")
    assert.equal("/device/a%2Fb%20%3F%23c", emulator.request().uri)
    local _, message, err = device.info("..")
    assert.equal("invalid", err.kind)
    assert.equal("device.info: deviceID must not be . or .., which paths drop", message)
    assert.equal(1, #emulator.journal())
  end)

  it("sends the defaults of its query, in the order of the names", function()
    local own = client:resource("device", {
      list = {
        "GET",
        "/device",
        query = {
          page = "count",
          amount = { "count", 5 },
          fields = { "list", { "id", "name" } },
          orderBy = { "order", "name,desc" },
        },
      },
    })
    local found = assert(own.list({ page = 2 }))
    assert.equal(5, #found)
    assert.equal(
      "/device?amount=5&fields%5B0%5D=id&fields%5B1%5D=name&orderBy=name%2Cdesc&page=2",
      emulator.request().uri
    )
  end)

  it("gives all pages, row by row or in an array", function()
    local query = { amount = 5, filter = { name = "press*" }, orderBy = "created_at,asc" }
    local names = {}
    for row in device.listEach(query) do
      names[#names + 1] = row.name
    end
    assert.equal(12, #names)
    assert.same({ "Press 1", "Press 12" }, { names[1], names[12] })
    assert.equal(4, #emulator.journal())
    assert.equal(7, #assert(device.listAll(query, { limit = 7 })))
    assert.equal(6, #emulator.journal())
    assert.is_nil(query.page)
  end)

  it("tells pages apart by ids when the rows are the same without", function()
    local found = assert(device.listAll({ amount = 4, fields = { "type" } }))
    assert.equal(12, #found)
    for _, row in ipairs(found) do
      assert.same({ type = "mutable" }, row)
    end
    assert.matches("fields%%5B0%%5D=id&fields%%5B1%%5D=type", emulator.journal()[1].uri)
  end)

  it("adds the id to the fields that the row asks for by default", function()
    local query = { page = "count", amount = "count", fields = { "list", { "type" } } }
    local own = client:resource("device", {
      list = { "GET", "/device", query = query, pages = true },
    })
    local found = assert(own.listAll({ amount = 4 }))
    assert.equal(12, #found)
    assert.same({ type = "mutable" }, found[12])
    assert.matches("fields%%5B0%%5D=id&fields%%5B1%%5D=type", emulator.journal()[1].uri)
  end)

  it("refuses a list in pages that is not an array, although the row does not say so", function()
    emulator.inject({ match = { path = "/device" }, json = { status = true, result = { a = 1 } } })
    local _, message, err = device.list()
    assert.matches("^device.list: the result is not an array", message)
    assert.equal("protocol", err.kind)
  end)

  it("tells them apart by another field where the row names one", function()
    local token = client:resource("token", {
      list = { "GET", "/profile/{id}/token", query = list_query, pages = "token" },
    })
    local query = { amount = 1, fields = { "permission" }, orderBy = "permission,asc" }
    assert.same(
      { { permission = "full" }, { permission = "full" }, { permission = "read" } },
      assert(token.listAll(emulator.profile, query))
    )
  end)

  it("fails under its own names in pages", function()
    emulator.inject({ match = { path = "/device" }, status = 403, json = { message = "No" } })
    local _, message, err = device.listAll()
    assert.matches("^device.list: No ", message)
    assert.equal("device.list", err.operation)
    emulator.inject({ match = { path = "/device" }, status = 403, json = { message = "No" } })
    local ok, problem = pcall(device.listEach())
    assert.is_false(ok)
    assert.equal("device.list", problem.operation)
  end)

  it("retries reads, and of writes only what is idempotent", function()
    local function attempts(call, ...)
      emulator.inject({ status = 502, body = "", execute = false })
      local before = #emulator.journal()
      local _, _, err = call(...)
      return #emulator.journal() - before, err and err.maybe_applied
    end
    local id = assert(device.list())[1].id
    assert.same({ 2 }, { attempts(device.list) })
    assert.same({ 2 }, { attempts(device.edit, id, { name = "x" }) })
    assert.same({ 1, true }, { attempts(device.create, { name = "x" }) })
  end)

  it("tells its names and its template in events", function()
    local events = {}
    local loud = assert(client:with({
      on_attempt = function(event)
        events[#events + 1] = ("%s %s %s"):format(event.operation, event.method, event.path)
      end,
    }))
    loud:resource("device", rows).info("5f")
    assert.same({ "device.info GET /device/{}" }, events)
    loud:close()
  end)

  it("refuses another result than the row says", function()
    emulator.inject({ match = { path = "/device/5f" }, json = { status = true, result = { 1 } } })
    local _, message, err = device.info("5f")
    assert.matches("^device.info: the result is not an object", message)
    assert.equal("protocol", err.kind)
  end)

  it("shows no argument that is secret", function()
    local gate = client:resource("gate", {
      open = { "GET", "/gate/{serial}/{token}", secret = { "serial" } },
    })
    emulator.inject({ status = 404, json = { message = "no A-17-B with p-1234567" } })
    local _, message = gate.open("A-17-B", "p-1234567")
    assert.matches("^gate.open: no %*%*%* with %*%*%* ", message)
  end)

  it("works after its client's other names for it are gone", function()
    local own = emulator.client():resource("device", rows)
    collectgarbage()
    collectgarbage()
    assert.equal(12, #assert(own.listAll()))
  end)

  it("is made for many calls at once", function()
    local ids = emulator.column(assert(device.listAll()), "id")
    local names = tagoio.map(ids, function(id)
      return assert(device.info(id)).name
    end)
    assert.equal(12, #names)
  end)

  it("raises for a wrong argument at the line of the call", function()
    local here = "spec/api/resource_spec.lua:"
    local function raised(call, ...)
      local ok, message = pcall(call, ...)
      assert.is_false(ok)
      return (tostring(message):gsub("^.*" .. here:gsub("%p", "%%%0") .. "%d+: ", ""))
    end
    assert.equal("device.info: deviceID must be a string (got nothing)", raised(device.info))
    assert.equal("device.create: body must be a table (got nothing)", raised(device.create))
    local extra = "device.info: argument 2 is one too many (there are 1)"
    assert.equal(extra, raised(device.info, "a", 1))
    local colon = "device.list: call it with a dot, device.list(...), not with a colon"
    assert.equal(colon, raised(device.list, device))
    assert.equal(
      "device.list: query.pages: unknown key; allowed: amount, fields, filter, orderBy, page",
      raised(device.list, { pages = 1 })
    )
    local wrong = "device.listAll: query must be a table or nil (got a number)"
    assert.equal(wrong, raised(device.listAll, 1))
    local too_many = "device.listEach: argument 2 is one too many (there are 1)"
    assert.equal(too_many, raised(device.listEach, {}, 1))
    too_many = "device.listAll: argument 3 is one too many (there are 2)"
    assert.equal(too_many, raised(device.listAll, {}, {}, 1))
    local misspelt = "device.infos: there is no such function; did you mean info?"
    assert.equal(misspelt, raised(function() return device.infos end))
    local unknown = 'device.listAll: options: unknown option "max"; there are limit'
    assert.equal(unknown, raised(device.listAll, {}, { max = 1 }))
  end)

  it("is not made on a client that is closed", function()
    local closed = emulator.client()
    closed:close()
    assert.has_error(function()
      closed:resource("device", rows)
    end, "client:resource: the client is closed")
    assert.has_error(function()
      closed.resource("device", rows)
    end, "resource: call it with a colon: client:resource")
  end)
end)

describe("a bad row raises where it is defined", function()
  local client = emulator.client()

  -- One row each: name, row, what is said of it.
  local paged = { page = "count", amount = "count" }
  local bad = {
    { "info", "GET /device", "device.info must be a table (got \"GET /device\")" },
    { "info", print, "device.info must be a table (got a function)" },
    { "info", {}, "method must be one of GET, POST, PUT, PATCH, DELETE (got nothing)" },
    { "info", { "GET" }, 'path must be a path, as "/device/{deviceID}" (got nothing)' },
    { "info", { "get", "/a" }, 'PATCH, DELETE (got "get")' },
    { "info", { "GET", "/a", true }, "unknown key 3; a method and a path come before the names" },
    { "info", { "GET", "/a", quer = {} }, 'unknown key "quer"; there are method, path, body' },
    { "info", { "GET", "/a", query = { a = "number" } }, "query.a must be one of text, count" },
    { "info", { "GET", "/a", query = { a = print } }, "row.query.a: function cannot be described" },
    { "info", { "GET", "/a", query = { a = { "count", "x" } } }, "query.a must be a whole number" },
    { "info", { "POST", "/a", retry = "safe" }, 'retry must be "idempotent" or "never"' },
    { "list", { "GET", "/a", pages = true }, "pages needs GET, and page and amount as counts" },
    { "list", { "GET", "/a", query = { page = "count" }, pages = true }, "page and amount as" },
    { "list", { "GET", "/a", query = { amount = "count" }, pages = true }, "page and amount as" },
    { "list", { "POST", "/a", query = paged, pages = true }, "pages needs GET" },
    { "list", { "GET", "/a", query = paged, pages = 1 }, "pages must be true, or the field" },
    { "list", { "GET", "/a", query = paged, pages = true, result = "object" }, "that is an array" },
    { "an id", { "GET", "/a" }, 'device: "an id" is not a name of a function' },
  }

  for _, row in ipairs(bad) do
    it(row[3], function()
      local ok, message = pcall(function()
        return client:resource("device", { [row[1]] = row[2] })
      end)
      assert.is_false(ok)
      assert.matches("^[^:]*resource_spec.lua:%d+: client:resource: device", message)
      assert.is_truthy(message:find(row[3], 1, true), message)
    end)
  end

  it("when it takes the name of another's pages", function()
    local ok, message = pcall(client.resource, client, "device", {
      list = { "GET", "/a", query = paged, pages = true },
      listAll = { "GET", "/b" },
    })
    assert.is_false(ok)
    assert.matches("client:resource: device.listAll: there are two of this name", message)
  end)

  it("and of several the first by name, whatever order Lua has them in", function()
    local many = { ok = { "GET", "/a" } }
    for i = 11, 30 do
      many["bad" .. i] = { "GET" }
    end
    local ok, message = pcall(client.resource, client, "device", many)
    assert.is_false(ok)
    assert.matches("client:resource: device.bad11: path must be", message)
  end)

  it("when it has no good name", function()
    for _, name in ipairs({ "", "a.b", "1", 5, {} }) do
      local ok, message = pcall(client.resource, client, name, {})
      assert.is_false(ok)
      assert.matches("client:resource: name must be a name of letters", message)
    end
    assert.matches("rows must be a table", (select(2, pcall(client.resource, client, "device"))))
  end)

  it("so long a name that messages had no room for more, and raised in our own files", function()
    local ok, message = pcall(function()
      return client:resource(("x"):rep(600), { info = { "GET", "/device/{deviceID}" } }).info(5)
    end)
    assert.is_false(ok)
    assert.matches("^[^:]*resource_spec.lua:%d+: client:resource: .* at most 100 char", message)
  end)
end)

describe("the account's allocation as a resource", function()
  it("is read and shared out, which takes a list", function()
    emulator.reset()
    local client = emulator.client()
    local billing = client:resource("billing", {
      getAllocation = { "GET", "/account/allocation", result = "array" },
      editAllocation = { "POST", "/account/allocation", body = true, result = "text" },
    })
    local row = { profile = emulator.profile, input = 5 }
    local sentence = assert(billing.editAllocation({ row }))
    assert.equal("Profile resource allocation Successfully Updated", sentence)
    for _, allocation in ipairs(assert(billing.getAllocation())) do
      assert.equal(allocation.profile == emulator.profile, allocation.input == 5)
    end
    client:close()
  end)
end)
