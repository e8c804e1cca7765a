-- SPDX-License-Identifier: MIT
-- A function of the user's in place of libcurl: it sends, the core decides what becomes of it.

local core = require("tagoio.core")
local errors = require("tagoio.errors")

local transport = {}

local function is_text(value)
  return type(value) == "string" or type(value) == "number"
end

-- Adds a pair for each value of one header, which may be an array; false: it is none.
local function add_header(list, name, value)
  local values, before = type(value) == "table" and value or { value }, #list
  for _, one in ipairs(values) do
    if type(name) ~= "string" or not is_text(one) then
      return false
    end
    list[#list + 1] = { name, tostring(one) }
  end
  return #list > before
end

-- The headers of a response as pairs; or nil and what is wrong with what was returned.
local function check_response(status, headers, body)
  if type(status) ~= "number" or status ~= math.floor(status) or status < 200 or status > 999 then
    local form = "status must be a whole number from 200 to 999 (got %s)"
    return nil, form:format(type(status) == "string" and "a string" or errors.quote(status))
  elseif headers ~= nil and type(headers) ~= "table" then
    return nil, "headers must be a table (got a " .. type(headers) .. ")"
  elseif body ~= nil and type(body) ~= "string" then
    return nil, "body must be a string (got a " .. type(body) .. ")"
  end
  local list = {}
  for name, value in pairs(headers or {}) do
    if not add_header(list, name, value) then
      local form = "headers: %s must be a string or an array of strings"
      return nil, form:format(errors.quote(name))
    end
  end
  return list
end

local kinds = { connect = true, tls = true, timeout = true, network = true }

-- Tells the call of a failure; or returns what is wrong with what was returned.
local function tell_failure(call, message, facts)
  facts = type(facts) == "table" and facts or {}
  if facts.kind ~= nil and not kinds[facts.kind] then
    local form = "kind must be connect, tls, timeout or network (got %s)"
    return form:format(errors.quote(facts.kind))
  end
  local text = type(message) == "string" and message or "the transport failed"
  call:fail(text, facts.sent ~= false, facts.kind)
end

-- Tells the call of a response, as a whole or not at all; or returns what is wrong with it.
local function tell_response(call, status, headers, body)
  local list, problem = check_response(status, headers, body)
  if not list then
    return problem
  end
  call:status(status)
  for _, header in ipairs(list) do
    call:header(header[1], header[2])
  end
  call:body(body or "")
  call:complete()
end

-- One attempt: the function is called, and the call told.
local function attempt(send, operation, call)
  local request = call:begin()
  if not request then
    return
  end
  local status, second, third = send(request)
  local problem
  if status == nil then
    problem = tell_failure(call, second, third)
  else
    problem = tell_response(call, status, second, third)
  end
  if problem then
    error(("%s: the transport returned an invalid response: %s"):format(operation, problem), 0)
  end
end

-- Brings a call to its end. pause(due) lets time pass; watch, if any, is told after each attempt.
function transport.run(send, operation, call, pause, watch)
  local want, due = call:want()
  while want ~= "done" do
    if want == "begin" then
      attempt(send, operation, call)
      if watch then
        watch()
      end
    else
      pause(due)
      if core.now() < due then
        call:cancel() -- the map that it belongs to has stopped
      end
    end
    want, due = call:want()
  end
end

return transport
