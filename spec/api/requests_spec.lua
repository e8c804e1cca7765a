-- SPDX-License-Identifier: MIT
-- What each operation puts on the wire, from the emulator's journal.

local emulator = require("spec.support.emulator")
local tagoio = require("tagoio")

local unpack = table.unpack or unpack -- luacheck: ignore

local id = emulator.profile
local warehouse = "5bbe3d1d4d3ad10021e1d2b2"

-- title, operation, arguments, method, uri, body
local requests = {
  { "info", { id }, "GET", "/profile/" .. id },
  { "info", { "current" }, "GET", "/profile/current" },
  { "list", {}, "GET", "/profile" },
  { "summary", { id }, "GET", "/profile/" .. id .. "/summary" },
  {
    "summary",
    { id, { onlyAmount = true } },
    "GET",
    "/profile/" .. id .. "/summary?onlyAmount=true",
  },
  { "summary", { id, { onlyAmount = false } }, "GET", "/profile/" .. id .. "/summary" },
  {
    "tokenList",
    { id },
    "GET",
    "/profile/"
      .. id
      .. "/token?page=1&amount=20&fields%5B0%5D=name&fields%5B1%5D=token&fields%5B2%5D=permission"
      .. "&orderBy=created_at%2Casc",
  },
  {
    "tokenList",
    {
      id,
      {
        page = 2,
        amount = 5,
        fields = { "name", "expire_time" },
        filter = { name = "a*b c", tags = { { key = "k" } }, active = true },
        orderBy = { "name", "desc" },
      },
    },
    "GET",
    "/profile/"
      .. id
      .. "/token?page=2&amount=5&fields%5B0%5D=name&fields%5B1%5D=expire_time"
      .. "&filter%5Bactive%5D=true&filter%5Bname%5D=a%2Ab%20c&filter%5Btags%5D%5B0%5D%5Bkey%5D=k"
      .. "&orderBy=name%2Cdesc",
  },
  { "create", { { name = "Plant" } }, "POST", "/profile/", '{"name":"Plant"}' },
  {
    "create",
    { { name = "Plant" }, { allocate_free_resources = true } },
    "POST",
    "/profile/?allocate_free_resources=true",
    '{"name":"Plant"}',
  },
  {
    "edit",
    {
      id,
      {
        name = "F\195\188nf",
        logo_url = tagoio.null,
        n = 2 ^ 40,
        x = 0.1,
        list = tagoio.array(),
      },
    },
    "PUT",
    "/profile/" .. id,
    '{"list":[],"logo_url":null,"n":1099511627776,"name":"F\195\188nf","x":0.1}',
  },
  {
    "delete",
    { warehouse, { password = emulator.password } },
    "DELETE",
    "/profile/" .. warehouse,
    '{"password":"<password>"}',
  },
  { "usageStatisticList", { id }, "GET", "/profile/" .. id .. "/statistics" },
  {
    "usageStatisticList",
    { id, { date = "2024-09-01", timezone = "America/Sao_Paulo" } },
    "GET",
    "/profile/" .. id .. "/statistics?date=2024-09-01&timezone=America%2FSao_Paulo",
  },
  {
    "usageStatisticList",
    { id, { start_date = 1725148800, end_date = 1725235200.5, periodicity = "hour" } },
    "GET",
    "/profile/"
      .. id
      .. "/statistics?start_date=2024-09-01T00%3A00%3A00.000Z&end_date=2024-09-02T00%3A00%3A00.500Z"
      .. "&periodicity=hour",
  },
  {
    "auditLog",
    { id, { resourceName = "profile", find = "*", limit = 10, start_date = 0 } },
    "GET",
    "/profile/"
      .. id
      .. "/auditlog?resourceName=profile&find=%2A&start_date=1970-01-01T00%3A00%3A00.000Z&limit=10",
  },
  { "auditLogQuery", { id, "q 1/2" }, "GET", "/profile/" .. id .. "/auditlog/q%201%2F2" },
  {
    "serviceEdit",
    { id, { input = 1000, output = 2000 } },
    "POST",
    "/profile/" .. id .. "/services",
    '{"input":1000,"output":2000}',
  },
  { "transferTokenToAnotherProfile", { warehouse }, "PUT", "/profile/switch/" .. warehouse, "" },
  {
    "tokenCreate",
    {
      id,
      {
        name = "cron",
        permission = "read",
        email = emulator.email,
        password = emulator.password,
        expire_time = 4102444800,
      },
    },
    "POST",
    "/profile/" .. id .. "/token",
    '{"email":"'
      .. emulator.email
      .. '","expire_time":"2100-01-01T00:00:00.000Z","name":"cron","password":"<password>",'
      .. '"permission":"read"}',
  },
  {
    "tokenDelete",
    { id, "no/such token" },
    "DELETE",
    "/profile/" .. id .. "/token/<unknown token>",
  },
  {
    "addTeamMember",
    { id, "new@example.com" },
    "POST",
    "/profile/" .. id .. "/team",
    '{"email":"new@example.com"}',
  },
  { "teamList", { id }, "GET", "/profile/" .. id .. "/team" },
  {
    "deleteTeamMember",
    { id, "a/b ?x#y" },
    "DELETE",
    "/profile/" .. id .. "/team/a%2Fb%20%3Fx%23y",
  },
}

local function check_request(request, method, uri, body)
  local headers = request.headers
  assert.equal(method, request.method)
  assert.equal(uri, request.uri)
  assert.equal(body or "", request.body)
  assert.equal("<token>", headers.token)
  assert.equal("application/json", headers.accept)
  assert.equal("gzip", headers["accept-encoding"])
  local user_agent = "^TagoIO%-SDK|Lua|%d+%.%d+%.%d+ %(External; Lua[%w/.]+ %w+/[%w_]+%)$"
  assert.matches(user_agent, headers["user-agent"])
  assert.equal(body and body ~= "" and "application/json" or nil, headers["content-type"])
  assert.equal(body ~= nil, headers["content-length"] ~= nil)
  assert.is_nil(headers.expect)
  assert.is_nil(headers.authorization)
end

for _, scheme in ipairs({ "http", "https" }) do
  describe("over " .. scheme, function()
    local client

    setup(function()
      client = scheme == "http" and emulator.client() or emulator.secure_client()
    end)

    teardown(function()
      client:close()
    end)

    before_each(function()
      emulator.reset()
    end)

    for _, row in ipairs(requests) do
      local name, arguments, method, uri, body = row[1], row[2], row[3], row[4], row[5]
      it(("profile.%s sends %s %s"):format(name, method, uri), function()
        client.profile[name](unpack(arguments))
        local request = emulator.request()
        check_request(request, method, uri, body)
        assert.equal(scheme, request.scheme)
      end)
    end

    it("one connection carries call after call", function()
      for _ = 1, 5 do
        assert(client.profile.list())
      end
      local journal = emulator.journal()
      assert.equal(5, #journal)
      for _, request in ipairs(journal) do
        assert.equal(journal[1].connection, request.connection)
      end
    end)
  end)
end

describe("the request", function()
  before_each(function()
    emulator.reset()
  end)

  it("of a PUT without a body announces that its length is 0", function()
    emulator.client().profile.transferTokenToAnotherProfile(warehouse)
    assert.equal("0", emulator.request().headers["content-length"])
  end)

  it("sends null in a query as an empty value, and orderBy as it was given", function()
    local query = { filter = { name = tagoio.null }, orderBy = "name,desc" }
    emulator.client().profile.tokenList(id, query)
    local ending = "&filter%5Bname%5D=&orderBy=name%2Cdesc"
    assert.equal(ending, emulator.request().uri:sub(-#ending))
  end)

  it("is made when the arguments end with nil, as those of a wrapper do", function()
    assert(emulator.client().profile.info(id, nil, nil))
    assert.equal("/profile/" .. id, emulator.request().uri)
  end)

  it("carries the caller's own user agent after ours", function()
    emulator.client({ user_agent = "farm/2" }).profile.list()
    assert.matches("%(External; .*%) farm/2$", emulator.request().headers["user-agent"])
  end)
end)
