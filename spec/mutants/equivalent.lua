-- SPDX-License-Identifier: MIT
-- Mutants that change the code and nothing that anyone could notice: a line holds `from`, and when
-- it is changed `to`; where that is not enough, a line beside it holds `beside`.
return {
  -- More room than is needed, or a hint of how much will be.
  { file = "csrc/curl/timers.c", from = "capacity = 2 * count", to = "3 * count" },
  { file = "csrc/curl/timers.c", from = "count <= timers->capacity", to = "count < timers" },
  { file = "csrc/core/call.c", from = "TAGOIO_OWN_HEADERS = 4", to = "= 5" },
  { file = "csrc/core/call.c", from = "(count + 1) * sizeof", to = "count + 2" },
  { file = "csrc/core/describe.c", from = "char needed[128]", to = "[129]" },
  { file = "csrc/core/describe.c", from = "calloc(size + 1,", to = "size + 2" },
  { file = "csrc/core/describe.c", from = "calloc(1, sizeof", to = "calloc(2," },
  { file = "csrc/core/describe.c", from = "sizeof needed - length", to = "needed + length," },
  { file = "csrc/core/buffer.c", from = "first_capacity = 128", to = "129" },
  { file = "csrc/core/buffer.c", from = "while (capacity < needed)", to = "<=" },
  { file = "csrc/core/buffer.c", from = "capacity *= 2;", to = "3;" },
  { file = "csrc/core/buffer.c", from = "char escape[3]", to = "[4]" },
  { file = "csrc/core/date.c", from = "char month[4]", to = "[5]" },
  { file = "csrc/core/date.c", from = "char again[100]", to = "[101]" },
  { file = "csrc/core/describe.c", from = "char place[80]", to = "[81]" },
  { file = "csrc/core/error.c", from = "char text[2 *", to = "[3 *" },
  { file = "csrc/core/headers.c", from = "(headers->count + 1) *", to = "count + 2" },
  { file = "csrc/core/json.c", from = "digits_that_always_do = 17", to = "18" },
  { file = "csrc/core/json.c", from = "*digits < digits_that", to = "<=" },
  { file = "csrc/core/json.c", from = "char text[40]", to = "[41]" },
  { file = "csrc/core/request.c", from = "calloc(json_object_size", to = "+ 2," },
  { file = "csrc/core/request.c", from = "char key[24]", to = "[25]" },
  { file = "csrc/core/request.c", from = "char index[24]", to = "[25]" },
  { file = "csrc/core/redact.c", from = "(secrets->count + 1) *", to = "count + 2" },
  { file = "csrc/core/redact.c", from = "char digits[24]", to = "[25]" },
  { file = "csrc/core/settings.c", from = "calloc(1, sizeof", to = "calloc(2," },
  { file = "csrc/core/report.c", from = "TAGOIO_MAX_MESSAGE_BYTES + TAGOIO", to = "BYTES - T" },
  { file = "csrc/core/report.c", from = "char words[120]", to = "[121]" },
  { file = "csrc/core/report.c", from = "char status[24]", to = "[25]" },
  { file = "csrc/core/report.c", from = "char attempts[40]", to = "[41]" },
  { file = "csrc/lua/call.c", from = "lua_createtable(", to = "lua_createtable(" },
  { file = "csrc/lua/client.c", from = "lua_createtable(", to = "lua_createtable(" },
  { file = "csrc/lua/operation.c", from = "lua_createtable(", to = "lua_createtable(" },
  { file = "csrc/lua/push_json.c", from = "lua_createtable(", to = "lua_createtable(" },
  { file = "csrc/lua/push_json.c", from = "int clamp(", to = "int clamp(" },
  -- An id fits, and *** is shorter than what it stands for.
  { file = "csrc/core/report.c", from = "_REQUEST_ID_BYTES - 1}", to = "_BYTES + 1}" },
  -- Behind the end is a NUL, with which what is shown ends.
  { file = "csrc/core/outcome.c", from = "body->length - blank,", to = "+ blank" },
  -- Of nothing; only the sanitizers ask from where.
  { file = "csrc/core/buffer.c", from = "count > 0) { /* of nothing", to = "count >= 0" },
  -- Without a name there is no entity, as whatever it is looked up.
  { file = "csrc/core/echo.c", from = "count > 0 && r->at[0]", to = "count >= 0" },
  { file = "csrc/core/echo.c", from = "count > 0 && r->at[0]", to = "count > 1" },
  -- Of what is empty the NUL is there.
  { file = "csrc/core/report.c", from = "if (text->length > 0) {", to = "length >= 0" },
  -- What is past the last argument has no name, as what ends their list.
  { file = "csrc/core/operation.c", from = "index >= tagoio_operation_arg", to = "index > tag" },
  -- A form is tried again.
  { file = "csrc/core/echo.c", from = "form < 2 * ESCAPES", to = "form <= 2" },
  { file = "csrc/core/echo.c", from = "form < 2 * ESCAPES", to = "form < 3" },
  -- A look that saves time: what follows finds nothing either.
  { file = "csrc/core/echo.c", from = "(r->html && c == '&')", to = "html ||" },
  { file = "csrc/core/echo.c", from = "(r->escapes == ESCAPES_JSON &&", to = "JSON ||" },
  { file = "csrc/core/call.c", from = "outcome->text.length > 0", to = "> 1" },
  { file = "csrc/core/call.c", from = "outcome->text.length > 0", to = ">= 0" },
  { file = "csrc/core/echo.c", from = "(r->escapes == ESCAPES_PERCENT &&", to = "PERCENT ||" },
  -- With what follows it makes no character either.
  { file = "csrc/core/echo.c", from = "code < 0xdc00", to = "<= 0xdc00" },
  { file = "csrc/core/parse.c", from = "code < 0xdc00", to = "<= 0xdc00" },
  -- A number or a boolean has no lines to be indented.
  { file = "csrc/core/request.c", from = "write(&text, value, 0,", to = "1," },
  -- The end of a switch.
  { file = "csrc/core/call.c", from = "        break;", to = ";", beside = "STATES:\n    }" },
  { file = "csrc/core/request.c", from = "        break;", to = ";", beside = "_PATH:\n    }" },
  { file = "csrc/core/request.c", from = "        break;", to = ";", beside = "_MAP:\n    }" },
  -- How long a gate is looked for; which of those that open at once is forgotten first; one that is
  -- closed until a time already; nobody closes one who did not enter.
  { file = "csrc/core/gate.c", from = "hash = (hash ^", to = ";" },
  { file = "csrc/core/gate.c", from = "*token != '\\0'", to = "*token == '\\0'" },
  { file = "csrc/core/gate.c", from = "->opens_ms <= gate->opens_ms", to = ">opens_ms < gate" },
  { file = "csrc/core/gate.c", from = "opens_ms > gate->opens_ms", to = "opens_ms >= gate" },
  { file = "csrc/core/gate.c", from = "last_place < 0", to = "<= 0" },
  { file = "csrc/core/gate.c", from = "last_place < 0", to = "< 1" },
  -- Servers ask for whole seconds.
  { file = "csrc/core/call.c", from = "decision->asked_ms > 0", to = "> 1" },
  { file = "csrc/core/retry.c", from = "hint = asked > 0", to = "> 1" },
  { file = "csrc/core/retry.c", from = "if (hint > 0) {", to = "> 1" },
  -- The first of the enum is what the row holds already.
  { file = "csrc/core/describe.c", from = "found >= 0", to = "found > 0", beside = "row.result" },
  { file = "csrc/core/describe.c", from = "found >= 0", to = ">= 1", beside = "row.result" },
  -- Any number below zero is none.
  { file = "csrc/core/retry.c", from = ".delay_ms = -1", to = ".delay_ms = -2" },
  { file = "csrc/core/buffer.c", from = ": -1;", to = ": -2;" },
  { file = "csrc/core/call.c", from = ".hint_ms =", to = "? -2 :" },
  { file = "csrc/core/describe.c", from = "return -1;", to = "return -2;" },
  { file = "csrc/core/gate.c", from = "last_place = -1", to = "-2" },
  { file = "csrc/core/json.c", from = "? 0 : -1;", to = "-2;" },
  { file = "csrc/core/response.c", from = "passes ? 0 : -1", to = "-2" },
  { file = "csrc/core/response.c", from = "return -1;", to = "return -2;" },
  { file = "csrc/core/settings.c", from = "bytes > INT64_MAX ? -1", to = "? -2" },
  -- What is never retried needs no more than whether it may have been applied, and what was not
  -- sent was not.
  { file = "csrc/core/retry.c", from = "{NONE,", to = "{NONE, true," },
  { file = "csrc/core/retry.c", from = "{NONE,", to = "{NONE, false, true," },
  { file = "csrc/core/retry.c", from = "{NONE,", to = " 1,  0}" },
  { file = "csrc/core/retry.c", from = "{NONE,", to = " 0,  1}" },
  { file = "csrc/core/retry.c", from = "_NOT_SENT]", to = "true,  true" },
  { file = "csrc/core/retry.c", from = "_RESOLVE]", to = "false, false, true" },
  { file = "csrc/core/retry.c", from = "_CONNECT]", to = "false, false, true" },
  { file = "csrc/core/retry.c", from = "_CERTIFICATE]", to = "false, false, true" },
  { file = "csrc/core/retry.c", from = "_HANDSHAKE]", to = "true,  true,  true" },
  -- The only year below 0 is -1, with whose March the year 0 begins.
  { file = "csrc/core/date.c", from = "int64_t era", to = "(y > 0" },
  { file = "csrc/core/date.c", from = "int64_t era", to = "(y >= 1" },
  { file = "csrc/core/date.c", from = "int64_t era", to = "y - 400" },
  -- For the compiler, which knows no date; four digits; the days of a month are looked up.
  { file = "csrc/core/date.c", from = "(unsigned)year % 10000", to = "% 10001" },
  { file = "csrc/core/date.c", from = "(unsigned)year % 10000", to = "% 101" },
  { file = "csrc/core/date.c", from = "3600000 % 100,", to = "3600000 % 101" },
  { file = "csrc/core/date.c", from = "take_number(at, 4, 9999,", to = "10000" },
  { file = "csrc/core/date.c", from = "take_number(at, 2, 31,", to = "32" },
  -- Less than 1 ms is none; a limiter says how long, or it is the next minute.
  { file = "csrc/core/retry.c", from = "_TOO_EARLY]", to = ",    1,  5}" },
  { file = "csrc/core/retry.c", from = "_THROTTLED]", to = "1001," },
  { file = "csrc/core/retry.c", from = "_BUSY]", to = "1001," },
  -- At a limit both are the same.
  { file = "csrc/core/echo.c", from = "secret_bytes < text_bytes", to = "<= text" },
  { file = "csrc/core/retry.c", from = "longest < longest_", to = "longest <= longest_" },
  { file = "csrc/core/retry.c", from = "longest > longest_", to = "longest >= longest_" },
  -- Only where there is no coroutine.isyieldable: Lua 5.1, 5.2 and LuaJIT.
  { file = "lua/tagoio/waiting.lua", from = "passable", to = "" },
  -- Any earlier guess does.
  { file = "csrc/core/date.c", from = "int y = (int)((days", to = "int y", beside = "too late" },
  -- A pool that ends has nothing but its poller, which a child closes in any case where it is an
  -- epoll.
  { file = "csrc/curl/pool.c", from = "notice_fork(pool);", to = " ;", beside = "    }\n" },
  -- After a fork idle handles are forgotten because with another resolver they would hold sockets;
  -- and connections of the parent's, whose ports no other has.
  { file = "csrc/curl/pool.c", from = "pool->idle_count = 0;", to = " ;" },
  { file = "csrc/curl/pool.c", from = "sockets_abandon(", to = " ;", beside = "scout = NULL" },
  -- libcurl older than 8.20 does not know the option.
  { file = "csrc/curl/pool.c", from = "multi_exits_quickly", to = "(CURLMoption)22" },
  { file = "csrc/curl/pool.c", from = "multi_exits_quickly, 1L", to = " ;" },
  -- How much is done at once: the rest follows.
  { file = "csrc/curl/pool.c", from = "most_ready = 64", to = "65" },
  { file = "csrc/curl/pool.c", from = "i < most_ready", to = "i <= most_ready" },
  { file = "csrc/curl/pool.c", from = "i < most_ready", to = "int i = 1" },
  { file = "csrc/curl/poller.c", from = "most_at_once = 64", to = "65" },
  { file = "csrc/curl/poller.c", from = "a < b ?", to = "a <= b ?" },
  -- libcurl looks by itself what a socket is ready for, and where none is, at none.
  { file = "csrc/curl/pool.c", from = "CURL_CSELECT_IN : 0", to = ": 1" },
  { file = "csrc/curl/pool.c", from = "CURL_CSELECT_OUT : 0", to = ": 1" },
  { file = "csrc/curl/pool.c", from = "CURL_SOCKET_TIMEOUT, 0", to = ", 1" },
  -- A millisecond more or less.
  { file = "csrc/curl/pool.c", from = "timer->due_ms <= now_ms", to = "< now_ms" },
  { file = "csrc/curl/pool.c", from = "left_ms > 0 ? left_ms : 0", to = "left_ms >= 0" },
  { file = "csrc/curl/pool.c", from = "left_ms > 0 ? left_ms : 0", to = "left_ms > 1" },
  { file = "csrc/curl/pool.c", from = "left_ms > 0 ? left_ms : 0", to = ": 1" },
  { file = "csrc/curl/pool.c", from = "reminder_ms(pool)) {", to = "now_ms > " },
  { file = "csrc/curl/pool.c", from = "return 20 +", to = "return 21 +" },
  { file = "csrc/curl/pool.c", from = "multiplexed / 10", to = "/ 11" },
  -- Below zero is none.
  { file = "csrc/curl/pool.c", from = "pool->poller = -1", to = "-2" },
  -- Memory that is zero, for more than is needed.
  { file = "csrc/curl/pool.c", from = "calloc(1,", to = "calloc(2," },
  { file = "csrc/curl/sockets.c", from = "calloc(1,", to = "calloc(2," },
  -- The system fills it.
  { file = "csrc/curl/sockets.c", from = "info = {0}", to = "{1}" },
  -- More than 255 is long enough, however much.
  { file = "csrc/curl/sockets.c", from = "head[3] << 8", to = "<< 9" },
  -- No option is missing where libcurl is not older than 7.87.
  { file = "csrc/curl/options.c", from = ".option != 0", to = ".option != 1" },
  -- For libcurl only -1 is a failure.
  { file = "csrc/curl/pool.c", from = "return 0;", to = "return 1;", beside = "_forget(" },
  { file = "csrc/curl/pool.c", from = "return 0;", to = "return 1;", beside = "    }\n}" },
  -- The headers are set again: it takes time.
  { file = "csrc/curl/transfer.c", from = "line[length] == ':'", to = "!= ':'" },
  { file = "csrc/curl/transfer.c", from = "return at == NULL;", to = "!(at" },
  -- Each status says it again before it is looked at.
  { file = "csrc/curl/transfer.c", from = "t->interim = false;" },
  -- Pointers that nobody follows before they are others.
  { file = "csrc/curl/transfer.c", from = "CURLOPT_POSTFIELDS, NULL", to = " ;" },
  { file = "csrc/curl/transfer.c", from = "handle->transfer = NULL", to = " ;" },
  { file = "csrc/curl/transfer.c", from = "t->connection = NULL;", to = " ;", beside = "}" },
  -- Any number but 0 is true, and libcurl takes more than 1 for 2.
  { file = "csrc/curl/options.c", from = ", 1},", to = ", 2}," },
  { file = "csrc/curl/options.c", from = "_VERIFYHOST, 2}", to = "3}" },
  -- A second more or less.
  { file = "csrc/curl/options.c", from = "_KEEPIDLE, ", to = "31}" },
  { file = "csrc/curl/options.c", from = "_KEEPINTVL, ", to = "16}" },
  { file = "csrc/curl/options.c", from = "_MAXAGE_CONN, ", to = "51}" },
  { file = "csrc/curl/options.c", from = "_MAXLIFETIME_CONN, ", to = "601}" },
  -- Written down, and of no effect where no redirect is followed, and with no TLS 1.0.
  { file = "csrc/curl/options.c", from = "_MAXREDIRS, 0", to = "1" },
  { file = "csrc/curl/options.c", from = "_UNRESTRICTED_AUTH, 0", to = "1" },
  { file = "csrc/curl/options.c", from = "_SSL_OPTIONS, 0", to = "1" },
  -- The end of a list has no more than its name, which is none.
  { file = "csrc/lua/fields.c", from = "{NULL, TEXT, 0}", to = "{NULL, TEXT, 1}" },
  -- Of equals either will do.
  { file = "csrc/lua/to_json.c", from = "number > (double)*largest", to = ">= (double)" },
  -- Of timers that are due at once any may be the first.
  { file = "csrc/curl/timers.c", from = "->due_ms > timer->due_ms", to = ">= timer" },
  { file = "csrc/curl/timers.c", from = "< at(timers, child)->due_ms", to = "<= at(" },
  { file = "csrc/curl/timers.c", from = ">= timer->due_ms", to = ">due_ms > timer" },
  { file = "csrc/curl/timers.c", from = "last->due_ms < timer", to = "<= timer" },
  { file = "lua/tagoio/heap.lua", from = "].due > entry.due", to = ">= entry" },
  { file = "lua/tagoio/heap.lua", from = "].due < self[child].due", to = "].due <= " },
  { file = "lua/tagoio/heap.lua", from = "].due >= entry.due", to = "> entry" },
  { file = "lua/tagoio/heap.lua", from = "last.due < entry", to = "<= entry" },
  -- Always false.
  { file = "csrc/core/request.c", from = "return ok;", to = "return 0;", beside = "clear(&why)" },
  -- A pool is stepped once more.
  { file = "lua/tagoio/hosts/tarantool.lua", from = "core.now() + seconds < ", to = "- seconds" },
  { file = "lua/tagoio/hosts/tarantool.lua", from = "core.now() + seconds < ", to = " <= " },
  { file = "lua/tagoio/hosts/cqueues.lua", from = "core.now() + seconds < ", to = "- seconds" },
  { file = "lua/tagoio/hosts/cqueues.lua", from = "core.now() + seconds < ", to = " <= " },
  -- No name of ours is so long.
  { file = "lua/tagoio/names.lua", from = "longest_name = 40", to = "41" },
  -- Both are false.
  { file = "lua/tagoio/hints.lua", from = "return false", to = "return nil" },
  { file = "lua/tagoio/hosts/nginx.lua", from = "return false", to = "return nil" },
  { file = "lua/tagoio/pages.lua", from = "return false", to = "return nil" },
  { file = "lua/tagoio/transport.lua", from = "return false", to = "return nil" },
  { file = "lua/tagoio/transports/resty.lua", from = "return false", to = "return nil" },
  { file = "lua/tagoio/waiting.lua", from = "return false", to = "return nil" },
  -- A task that has ended waits for nothing.
  { file = "lua/tagoio/map.lua", from = "self.tasks[task] = nil", to = "do end" },
  -- No character of these texts means another; a message begins with the operation.
  { file = "lua/tagoio/hints.lua", from = ':find("', to = ", 1, false)" },
  { file = "lua/tagoio/hints.lua", from = "err.message", to = ", 2, true)" },
  -- Lines begin at 1.
  { file = "lua/tagoio/errors.lua", from = "info.currentline < 0", to = "<= 0" },
  -- How long a wait lasts at most, before it is looked at again.
  { file = "lua/tagoio/waiting.lua", from = "longest_s = 1", to = "= 2" },
  { file = "lua/tagoio/hosts/cqueues.lua", from = "math.min(seconds, 1)", to = ", 2)" },
  { file = "lua/tagoio/hosts/haproxy.lua", from = "math.min(seconds, 1)", to = ", 2)" },
  -- The clock is further by the time that there is a request.
  { file = "lua/tagoio/hosts/cqueues.lua", from = "(self.due or 0)", to = "(self.due or 1)" },
  { file = "lua/tagoio/hosts/tarantool.lua", from = "{ due = 0 }", to = "{ due = 1 }" },
  -- To the core neither is a token.
  { file = "lua/tagoio/account.lua", from = "lazy(false)", to = "lazy(true)" },
  -- The timer is closed when it has run once.
  { file = "lua/tagoio/hosts/luv.lua", from = "timer:start(0, 0, resume)", to = "(0, 1, resume" },
  { file = "lua/tagoio/hosts/luv.lua", from = "timer:start(to_ms(seconds), 0,", to = "1, go_on" },
  -- What is awake pauses no more.
  { file = "lua/tagoio/hosts/haproxy.lua", from = "waiter.awake and 0", to = "and 1" },
  -- Due now, or when the clock is next looked at.
  { file = "lua/tagoio/loop.lua", from = "task.due <= now", to = "task.due < now" },
  -- libcurl writes over it.
  { file = "csrc/curl/transfer.c", from = "uploaded = 0", to = "uploaded = 1" },
  -- The first of the list limits the protocols to that of the URL, and no redirect is followed.
  { file = "csrc/curl/options.c", from = "sizeof texts / sizeof", to = "size_t i = 1" },
  -- Lua 5.1's main program alone.
  { file = "lua/tagoio/pages.lua", from = "running() or true", to = "or false" },
  -- A pool with no calls is stepped once more, and let go.
  { file = "lua/tagoio/hosts/nginx.lua", from = "pool:step(0) > 0", to = ">= 0" },
  -- At the very time.
  { file = "lua/tagoio/hooks.lua", from = "core.now() >= told_until", to = "> told_until" },
  -- A message begins with the operation.
  { file = "lua/tagoio/hints.lua", from = "message:find(row[1], 1, true)", to = "2, true" },
}
