-- SPDX-License-Identifier: MIT
-- A function of the user's in place of libcurl: it sends, the core decides what becomes of it.

local core = require("tagoio.core")

local transport = {}

local function is_text(value)
  return type(value) == "string" or type(value) == "number"
end

-- Adds the lines of one header, whose value may be an array; false: it is none.
local function add_header(lines, name, value)
  local values = type(value) == "table" and value or { value }
  for _, one in ipairs(values) do
    if type(name) ~= "string" or not is_text(one) then
      return false
    end
    -- A line break in it would be another header.
    lines[#lines + 1] = ("%s: %s\r\n"):format(name, (tostring(one):gsub("[\r\n]", " ")))
  end
  return #values > 0
end

-- The lines of an answer's head and its body; or nil and what is wrong with what was returned.
local function read_answer(status, headers, body)
  if type(status) ~= "number" or status ~= math.floor(status) or status < 200 or status > 999 then
    return nil, ("status: %s is no HTTP status from 200 to 999"):format(tostring(status))
  elseif headers ~= nil and type(headers) ~= "table" then
    return nil, "headers: a table is needed, got a " .. type(headers)
  elseif body ~= nil and type(body) ~= "string" then
    return nil, "body: a string is needed, got a " .. type(body)
  end
  local lines = { ("HTTP/1.1 %d \r\n"):format(status) }
  for name, value in pairs(headers or {}) do
    if not add_header(lines, name, value) then
      return nil, ("headers: %s: a string or an array of strings is needed"):format(tostring(name))
    end
  end
  return lines, body or ""
end

-- One attempt: the function is called, and the call told.
local function attempt(send, operation, call)
  local request = call:begin()
  local status, headers, body = send(request)
  if status == nil then
    local message, facts = headers, body
    local sent = type(facts) ~= "table" or facts.sent ~= false
    call:fail(type(message) == "string" and message or "the transport failed", sent)
    return
  end
  local lines, text = read_answer(status, headers, body)
  if not lines then
    error(("%s: transport: it returned nonsense: %s"):format(operation, text), 0)
  end
  call:answer(lines, text)
end

-- Brings a call to its end. rest(due) lets time pass; watch, if any, is told after each attempt.
function transport.run(send, operation, call, rest, watch)
  local want, due = call:want()
  while want ~= "done" do
    if want == "begin" then
      attempt(send, operation, call)
      if watch then
        watch()
      end
    else
      rest(due)
      if core.now() < due then
        call:cancel() -- the map that it belongs to has stopped
      end
    end
    want, due = call:want()
  end
end

return transport
