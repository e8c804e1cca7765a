-- SPDX-License-Identifier: MIT
-- JSON with arrays that stay arrays when they are empty.

local dkjson = require("dkjson")

local json = { null = dkjson.null }

function json.array(list)
  return setmetatable(list or {}, { __jsontype = "array" })
end

function json.object(members)
  return setmetatable(members or {}, { __jsontype = "object" })
end

function json.encode(value)
  return dkjson.encode(value)
end

-- nil for what is not JSON.
function json.decode(text)
  local value, position = dkjson.decode(text, 1, json.null)
  if position and position <= #text and text:find("%S", position) then
    return nil
  end
  return value
end

return json
