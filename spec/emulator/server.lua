-- SPDX-License-Identifier: MIT
-- What nginx calls: one request of the API, or of the control routes.

local control = require("control")
local injection = require("injection")
local journal = require("journal")
local json = require("json")
local request = require("request")
local routes = require("routes")

local server = {}

local function send(answer)
  local body = answer.body or json.encode(answer.json)
  ngx.status = answer.status
  -- A request that brings a mark gets it back.
  ngx.header["X-Request-Id"] = (ngx.var.http_x_mark or ""):match("^id=(.+)")
  for name, value in pairs(answer.headers or {}) do
    ngx.header[name] = value
  end
  ngx.print(body)
  ngx.eof()
end

-- The answer that the API gives, unless a test wants another.
local function answer_to(asked, entry)
  local rule = injection.take(asked)
  if not rule then
    return routes.answer(asked, entry)
  end
  injection.delay(rule)
  if not injection.answers(rule) then
    return routes.answer(asked, entry)
  elseif rule.execute then
    routes.answer(asked, entry)
  end
  return injection.answer(rule)
end

function server.api()
  local asked = request.read()
  local entry = journal.begin(asked)
  ngx.on_abort(function()
    injection.abandon(entry)
    journal.finish(entry, 499)
    ngx.exit(499)
  end)
  ngx.ctx.entry = entry
  local answer = answer_to(asked, entry)
  journal.finish(entry, answer.status)
  send(answer)
end

function server.control()
  send(control.answer(request.read()))
end

return server
