rockspec_format = "3.0"
package = "tagoio"
version = "0.1.0-1"

-- Where this is published: whoever publishes it sets the address here, and nowhere else.
local repository = "https://example.com/tagoio.git"

source = {
  url = "git+" .. repository,
  tag = "v0.1.0",
}

description = {
  summary = "TagoIO's profile API for Lua, on libcurl and jansson",
  detailed = [[
The 17 operations of TagoIO's profile API as Lua functions: profiles, their tokens, teams, services,
statistics and audit logs. For automation scripts and for programs that embed Lua. Unofficial.]],
  license = "MIT",
  labels = { "iot", "api", "http", "sdk" },
}

dependencies = {
  "lua >= 5.1, < 5.6",
}

external_dependencies = {
  -- LuaRocks looks for nothing here: Debian's curl is in a folder that only the compiler knows, and
  -- the sources name the package of what is missing. CURL_DIR and JANSSON_DIR are honoured.
  CURL = {},
  JANSSON = {},
  platforms = {
    macosx = { CURL = { header = "curl/curl.h" }, JANSSON = { header = "jansson.h" } },
  },
}

build = {
  type = "builtin",
  modules = {
    tagoio = "lua/tagoio.lua",
    ["tagoio.account"] = "lua/tagoio/account.lua",
    ["tagoio.audit"] = "lua/tagoio/audit.lua",
    ["tagoio.call"] = "lua/tagoio/call.lua",
    ["tagoio.check"] = "lua/tagoio/check.lua",
    ["tagoio.client"] = "lua/tagoio/client.lua",
    ["tagoio.date"] = "lua/tagoio/date.lua",
    ["tagoio.errors"] = "lua/tagoio/errors.lua",
    ["tagoio.heap"] = "lua/tagoio/heap.lua",
    ["tagoio.hints"] = "lua/tagoio/hints.lua",
    ["tagoio.names"] = "lua/tagoio/names.lua",
    ["tagoio.hooks"] = "lua/tagoio/hooks.lua",
    ["tagoio.hosts"] = "lua/tagoio/hosts.lua",
    ["tagoio.hosts.blocking"] = "lua/tagoio/hosts/blocking.lua",
    ["tagoio.hosts.cqueues"] = "lua/tagoio/hosts/cqueues.lua",
    ["tagoio.hosts.haproxy"] = "lua/tagoio/hosts/haproxy.lua",
    ["tagoio.hosts.luv"] = "lua/tagoio/hosts/luv.lua",
    ["tagoio.hosts.nginx"] = "lua/tagoio/hosts/nginx.lua",
    ["tagoio.hosts.tarantool"] = "lua/tagoio/hosts/tarantool.lua",
    ["tagoio.loop"] = "lua/tagoio/loop.lua",
    ["tagoio.map"] = "lua/tagoio/map.lua",
    ["tagoio.options"] = "lua/tagoio/options.lua",
    ["tagoio.pages"] = "lua/tagoio/pages.lua",
    ["tagoio.pool"] = "lua/tagoio/pool.lua",
    ["tagoio.profile"] = "lua/tagoio/profile.lua",
    ["tagoio.progress"] = "lua/tagoio/progress.lua",
    ["tagoio.request"] = "lua/tagoio/request.lua",
    ["tagoio.resource"] = "lua/tagoio/resource.lua",
    ["tagoio.transport"] = "lua/tagoio/transport.lua",
    ["tagoio.transports.resty"] = "lua/tagoio/transports/resty.lua",
    ["tagoio.types"] = "lua/tagoio/types.lua",
    ["tagoio.waiting"] = "lua/tagoio/waiting.lua",
    ["tagoio.core"] = {
      sources = {
        "csrc/core/buffer.c",
        "csrc/core/call.c",
        "csrc/core/date.c",
        "csrc/core/describe.c",
        "csrc/core/echo.c",
        "csrc/core/error.c",
        "csrc/core/gate.c",
        "csrc/core/headers.c",
        "csrc/core/json.c",
        "csrc/core/operation.c",
        "csrc/core/outcome.c",
        "csrc/core/parse.c",
        "csrc/core/redact.c",
        "csrc/core/report.c",
        "csrc/core/request.c",
        "csrc/core/response.c",
        "csrc/core/retry.c",
        "csrc/core/settings.c",
        "csrc/curl/ca_file.c",
        "csrc/curl/options.c",
        "csrc/curl/poller.c",
        "csrc/curl/pool.c",
        "csrc/curl/setup.c",
        "csrc/curl/sockets.c",
        "csrc/curl/timers.c",
        "csrc/curl/transfer.c",
        "csrc/curl/url.c",
        "csrc/host/host.c",
        "csrc/lua/call.c",
        "csrc/lua/client.c",
        "csrc/lua/fields.c",
        "csrc/lua/json.c",
        "csrc/lua/module.c",
        "csrc/lua/operation.c",
        "csrc/lua/pool.c",
        "csrc/lua/push_json.c",
        "csrc/lua/to_json.c",
        "csrc/lua/userdata.c",
      },
      incdirs = { "csrc", "$(CURL_INCDIR)", "$(JANSSON_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)", "$(JANSSON_LIBDIR)" },
      libraries = { "curl", "jansson", "m", "pthread", "dl" },
    },
  },
}

test = {
  type = "command",
  command = "make test",
}
