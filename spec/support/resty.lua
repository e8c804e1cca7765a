-- SPDX-License-Identifier: MIT
-- Where lua-resty-http is, for specs and benchmarks that can do without it.

local resty = {}

local usual = "/usr/local/openresty/site/lualib/?.lua;/usr/local/openresty/lualib/?.lua;"
  .. "/usr/local/share/lua/5.1/?.lua;/usr/share/lua/5.1/?.lua"

-- A template of package.path that finds it; nil: it is nowhere.
function resty.find_original()
  for template in (package.path .. ";" .. usual):gmatch("[^;]+") do
    local file = io.open((template:gsub("%?", "resty/http")))
    if file then
      file:close()
      return template
    end
  end
end

return resty
