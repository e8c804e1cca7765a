-- SPDX-License-Identifier: MIT
-- HTTP/2 for the server that misbehaves: steps that read and write frames by hand. The journal
-- shows a request as HTTP/1.1 would spell it, with `HTTP/2` for a version.

local kinds = {
  DATA = 0,
  HEADERS = 1,
  RST_STREAM = 3,
  SETTINGS = 4,
  PING = 6,
  GOAWAY = 7,
  CONTINUATION = 9,
}
local codes = { NO_ERROR = 0, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8 }
local settings_ids = { max_streams = 3 }
local preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

-- ---- HPACK (RFC 7541), as far as a client that sends printable text uses it ----

local default_table_bytes = 4096

-- Appendix A: the names in their order, with the few values that it has.
local static = {}
for line in ([[
  :authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|
  :status 200|:status 204|:status 206|:status 304|:status 400|:status 404|:status 500|
  accept-charset|accept-encoding gzip, deflate|accept-language|accept-ranges|accept|
  access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|
  content-encoding|content-language|content-length|content-location|content-range|content-type|
  cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|
  if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|
  proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|
  strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate|]]):gmatch(
  "%s*([^|]+)|"
) do
  local name, value = line:match("^(%S+) ?(.*)$")
  static[#static + 1] = { name, value }
end

-- Appendix B: the characters that have a code of so many bits. The code is canonical: within a
-- length codes count up, and the next length goes on from there.
local characters = {
  [5] = "012aceiost",
  [6] = " %-./3456789=A_bdfghlmnpru",
  [7] = ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
  [8] = "&*,;XZ",
  [10] = '!"()?',
  [11] = "'+|",
  [12] = "#>",
  [13] = "\0$@[]~",
  [14] = "^}",
  [15] = "<`{",
}

local by_code = {}
local next_code = 0
for length = 5, 15 do
  next_code, by_code[length] = next_code * 2, {}
  for character in (characters[length] or ""):gmatch(".") do
    by_code[length][next_code] = character
    next_code = next_code + 1
  end
end

local function bits_of(bytes)
  return (bytes:gsub(".", function(character)
    local byte, bits = character:byte(), ""
    for _ = 1, 8 do
      bits, byte = byte % 2 .. bits, math.floor(byte / 2)
    end
    return bits
  end))
end

-- What is left over at the end is padding.
local function huffman(bytes)
  local text, code, length = "", 0, 0
  for bit in bits_of(bytes):gmatch(".") do
    code, length = code * 2 + tonumber(bit), length + 1
    local character = by_code[length] and by_code[length][code]
    if character then
      text, code, length = text .. character, 0, 0
    end
  end
  return text
end

-- An integer whose prefix holds values below `limit`, and where it ends.
local function integer(block, at, limit)
  local value, scale = block:byte(at) % (limit + 1), 1
  if value < limit then
    return value, at + 1
  end
  repeat
    at = at + 1
    local byte = block:byte(at)
    value, scale = value + byte % 128 * scale, scale * 128
  until byte < 128
  return value, at + 1
end

local function text(block, at)
  local length, first = integer(block, at, 127)
  local bytes = block:sub(first, first + length - 1)
  return block:byte(at) >= 128 and huffman(bytes) or bytes, first + length
end

-- Drops the oldest entries that exceed the limit.
local function shorten(dynamic)
  local bytes = 0
  for i, field in ipairs(dynamic) do
    bytes = bytes + #field[1] + #field[2] + 32
    if bytes > dynamic.limit then
      for last = #dynamic, i, -1 do
        dynamic[last] = nil
      end
      return
    end
  end
end

local function indexed(dynamic, index)
  return assert(static[index] or dynamic[index - #static], "an unknown index")
end

-- A field with a value of its own, and where it ends; `limit` is that of the name's index.
local function literal(dynamic, block, at, limit)
  local index, after = integer(block, at, limit)
  local name, value
  if index > 0 then
    name = indexed(dynamic, index)[1]
  else
    name, after = text(block, after)
  end
  value, after = text(block, after)
  return { name, value }, after
end

-- The fields of a block, in order.
local function decode(dynamic, block)
  local fields, at = {}, 1
  while at <= #block do
    local byte = block:byte(at)
    if byte >= 128 then
      local index, after = integer(block, at, 127)
      fields[#fields + 1], at = indexed(dynamic, index), after
    elseif byte >= 64 then
      fields[#fields + 1], at = literal(dynamic, block, at, 63)
      table.insert(dynamic, 1, fields[#fields])
      shorten(dynamic)
    elseif byte >= 32 then
      dynamic.limit, at = integer(block, at, 31)
      shorten(dynamic)
    else
      fields[#fields + 1], at = literal(dynamic, block, at, 15)
    end
  end
  return fields
end

-- Never indexed, not compressed; for texts below 127 bytes.
local function encode(fields)
  local block = {}
  for i, field in ipairs(fields) do
    local name, value = field[1], field[2]
    block[i] = ("\16%c%s%c%s"):format(#name, name, #value, value)
  end
  return table.concat(block)
end

-- ---- frames ----

local function number(value, bytes)
  local text_of = ""
  for _ = 1, bytes do
    text_of, value = string.char(value % 256) .. text_of, math.floor(value / 256)
  end
  return text_of
end

local function value_of(bytes)
  local value = 0
  for i = 1, #bytes do
    value = value * 256 + bytes:byte(i)
  end
  return value
end

local function frame(kind, flags, stream, payload)
  return number(#payload, 3) .. string.char(kinds[kind], flags) .. number(stream, 4) .. payload
end

local function has(flags, bit)
  return flags % (2 * bit) >= bit
end

local end_of_stream, end_of_headers, with_priority, acknowledged = 1, 4, 32, 1

local function request_text(stream)
  local of, lines = {}, {}
  for _, field in ipairs(stream.fields) do
    of[field[1]] = field[2]
    if field[1]:sub(1, 1) ~= ":" then
      lines[#lines + 1] = field[1] .. ": " .. field[2] .. "\r\n"
    end
  end
  local line = ("%s %s HTTP/2\r\n"):format(of[":method"], of[":path"])
  return line .. table.concat(lines) .. "\r\n" .. stream.body
end

-- What a frame of the client does. `it.arrived` are the streams whose request is complete.
local handlers = {}

local function finish_request(it, id, flags)
  if has(flags, end_of_stream) then
    it.requests[#it.requests + 1] = request_text(it.streams[id])
    it.streams[id].request = it.requests[#it.requests]
    it.arrived[#it.arrived + 1] = id
    it.open = it.open + 1
    it.most_open = math.max(it.most_open, it.open)
  end
end

handlers[kinds.HEADERS] = function(it, id, flags, payload)
  assert(has(flags, end_of_headers), "a head of several frames is not understood")
  local block = has(flags, with_priority) and payload:sub(6) or payload
  it.streams[id] = { fields = decode(it.dynamic, block), body = "" }
  finish_request(it, id, flags)
end

handlers[kinds.DATA] = function(it, id, flags, payload)
  it.streams[id].body = it.streams[id].body .. payload
  finish_request(it, id, flags)
end

handlers[kinds.SETTINGS] = function(it, _, flags)
  if not has(flags, acknowledged) then
    it.send(frame("SETTINGS", acknowledged, 0, ""))
  end
end

handlers[kinds.PING] = function(it, _, flags, payload)
  if has(flags, acknowledged) then
    it.pings = it.pings - 1
  else
    it.send(frame("PING", acknowledged, 0, payload))
  end
end

-- ---- steps ----

-- Adds them to a table of steps; `pull` and `push` move a connection's bytes, `success` is the body
-- that a request expects.
local function add(steps, pull, push, success)
  local function take(it, count)
    while #it.input < count do
      if not pull(it) then
        return nil
      end
    end
    local bytes = it.input:sub(1, count)
    it.input = it.input:sub(count + 1)
    return bytes
  end

  -- Reads a frame and does what it asks for. False: the client has closed.
  local function read_frame(it)
    local head = take(it, 9)
    local payload = head and take(it, value_of(head:sub(1, 3)))
    if not payload then
      return false
    end
    local kind, flags = head:byte(4, 5)
    if handlers[kind] then
      handlers[kind](it, value_of(head:sub(6, 9)), flags, payload)
    end
    return true
  end

  local function answered(it, is_last)
    it.open = it.open - (is_last and 1 or 0)
  end

  local function head_frame(id, status, flags)
    local fields = { { ":status", tostring(status) }, { "content-type", "application/json" } }
    return frame("HEADERS", end_of_headers + flags, id, encode(fields))
  end

  -- Speaks TLS and HTTP/2 from here on, with these settings.
  function steps.http2(it, settings)
    steps.tls(it, "localhost", nil, { "h2" })
    it.dynamic, it.streams, it.arrived = { limit = default_table_bytes }, {}, {}
    it.open, it.most_open, it.pings = 0, 0, 0
    it.send = function(bytes)
      return push(it, bytes)
    end
    local payload = ""
    for name, value in pairs(settings or {}) do
      payload = payload .. number(settings_ids[name], 2) .. number(value, 4)
    end
    it.send(frame("SETTINGS", 0, 0, payload))
    local came = take(it, #preface)
    assert(not came or came == preface, "the client does not speak HTTP/2")
  end

  -- Reads a request, which counts as executed. Its stream; nil: the client has closed.
  function steps.stream(it)
    while #it.arrived == 0 do
      if not read_frame(it) then
        return nil
      end
    end
    return table.remove(it.arrived, 1)
  end

  -- The head of an answer, in a TLS record of its own.
  function steps.status(it, id, status)
    return it.send(head_frame(id, status or 200, 0))
  end

  -- A part of its body, likewise.
  function steps.data(it, id, bytes, is_last)
    answered(it, is_last)
    return it.send(frame("DATA", is_last and end_of_stream or 0, id, bytes))
  end

  -- The body that the request of a stream expects.
  function steps.success(it, id)
    return success(it.streams[id].request)
  end

  -- A whole answer in one TLS record: a success, or this status and body.
  function steps.reply(it, id, status, body)
    answered(it, true)
    local data = frame("DATA", end_of_stream, id, body or steps.success(it, id))
    return it.send(head_frame(id, status or 200, 0) .. data)
  end

  -- Answers reads until a write comes, and reads that. Its stream.
  function steps.write_stream(it)
    local id = steps.stream(it)
    while id and it.streams[id].request:find("^GET") do
      steps.reply(it, id)
      id = steps.stream(it)
    end
    return id
  end

  -- Successes until the client closes.
  function steps.serve_streams(it)
    local id = steps.stream(it)
    while id and steps.reply(it, id) do
      id = steps.stream(it)
    end
  end

  -- Reads what comes and answers nothing, until the client closes.
  function steps.ignore_streams(it)
    it.send = function() end
    while steps.stream(it) do -- luacheck: ignore 542
    end
  end

  function steps.refuse(it, id, code)
    answered(it, true)
    return it.send(frame("RST_STREAM", 0, id, number(codes[code], 4)))
  end

  function steps.goaway(it, last_id, code)
    local payload = number(last_id, 4) .. number(codes[code or "NO_ERROR"], 4)
    return it.send(frame("GOAWAY", 0, 0, payload))
  end

  -- Returns when all that the client sent before it saw what was sent to it has been read.
  function steps.ping(it)
    it.pings = it.pings + 1
    it.send(frame("PING", 0, 0, ("p"):rep(8)))
    while it.pings > 0 and read_frame(it) do -- luacheck: ignore 542
    end
  end
end

return { add = add }
