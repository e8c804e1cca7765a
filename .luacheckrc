std = "min"
max_line_length = 100
cache = false

files["spec"] = { std = "+busted" }
files["spec/hosts/nginx/guest.lua"] = { std = "ngx_lua+luajit" }
files["spec/emulator"] = { std = "ngx_lua+luajit" }
files["spec/emulator/*_spec.lua"] = { std = "min+busted" }
files["lua/tagoio/hooks.lua"] = { std = "+ngx_lua" }
files["lua/tagoio/hosts/nginx.lua"] = { std = "+ngx_lua" }
files["lua/tagoio/transports/resty.lua"] = { std = "+ngx_lua" }
files["spec/bench/nginx/calls.lua"] = { std = "ngx_lua+luajit" }
files["spec/support/resty-stand-in"] = { std = "ngx_lua+luajit" }
files["lua/tagoio/types.lua"] = { ignore = { "212", "241" } } -- declarations without bodies
files["rockspec"] = { std = "rockspec" }
