/* SPDX-License-Identifier: MIT */
/* The userdata of a client: it makes calls, and shares a pool of connections with the
   clients that are derived from it. */
#include "curl/url.h"
#include "lua/fields.h"
#include "lua/json.h"
#include "lua/push_json.h"
#include "lua/to_json.h"
#include "lua/userdata.h"

#include <math.h>
#include <string.h>

static const char client_name[] = "tagoio.client";

/* Seconds to milliseconds, at least one: 0 would mean something else further down. */
static int64_t time_option(lua_State *L, int index, const char *name,
                           int64_t default_value_ms) {
    return (int64_t)ceil(
        tagoio_number_option(L, index, name, (double)default_value_ms / 1000) * 1000);
}

static bool flag_option(lua_State *L, int index, const char *name, bool default_value) {
    lua_getfield(L, index, name);
    bool value = lua_isnil(L, -1) ? default_value : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static tagoio_options read_options(lua_State *L, int index, tagoio_options base) {
    return (tagoio_options){
        .token = tagoio_text_option(L, index, "token", base.token),
        .base_url = base.base_url,
        .user_agent = tagoio_text_option(L, index, "user_agent", base.user_agent),
        .timeout_ms = time_option(L, index, "timeout", base.timeout_ms),
        .attempt_timeout_ms =
            time_option(L, index, "attempt_timeout", base.attempt_timeout_ms),
        .connect_timeout_ms =
            time_option(L, index, "connect_timeout", base.connect_timeout_ms),
        .max_retry_after_ms =
            time_option(L, index, "max_retry_after", base.max_retry_after_ms),
        .attempts = (int)tagoio_number_option(L, index, "attempts", base.attempts),
        .max_response_bytes = (size_t)tagoio_number_option(
            L, index, "max_response_bytes", (double)base.max_response_bytes),
        .keep_headers = flag_option(L, index, "response_info", base.keep_headers),
    };
}

static tagoio_client_userdata *push_client(lua_State *L) {
    return tagoio_push_userdata(L, client_name, sizeof(tagoio_client_userdata));
}

/* keep_null and array_mt of the options at index, else of another client or neither. */
static void set_value_options(lua_State *L, int index, tagoio_client_userdata *self,
                              int parent) {
    lua_getfield(L, index, "keep_null");
    if (!lua_isnil(L, -1)) {
        self->keep_null = lua_toboolean(L, -1);
    }
    lua_pop(L, 1);
    lua_getfield(L, index, "array_mt");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        if (parent != 0) {
            tagoio_get_uservalue(L, parent);
        } else {
            tagoio_push_array_mt(L);
        }
    }
    tagoio_set_uservalue(L, -2);
}

/* Gives the client a scope of the pool; without one a transport moves its calls. */
static bool join_pool(tagoio_client_userdata *self, tagoio_pool *pool,
                      tagoio_error *err) {
    if (pool == NULL) {
        return true;
    }
    self->pool = tagoio_pool_ref(pool);
    self->scope = tagoio_scope_new(pool);
    return self->scope != NULL || tagoio_error_memory(err);
}

/* ---- headers ---- */

/* A string without a NUL, which would hide what is behind it and is refused as any
   other control character. */
static const char *c_string(lua_State *L, int index) {
    size_t bytes;
    const char *text = lua_tolstring(L, index, &bytes);
    return strlen(text) == bytes ? text : "\1";
}

/* The name at stack index -2 and the value at -1. */
static bool add_header(lua_State *L, tagoio_headers *headers, tagoio_error *err) {
    if (lua_type(L, -2) != LUA_TSTRING) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "headers must have names as keys (got a %s)",
                                luaL_typename(L, -2));
    }
    const char *name = c_string(L, -2);
    if (lua_type(L, -1) != LUA_TSTRING) {
        char shown[61];
        tagoio_printable(shown, sizeof shown, name, strlen(name));
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "headers[\"%s\"] must be a string (got a %s)", shown,
                                luaL_typename(L, -1));
    }
    return tagoio_headers_add(headers, name, c_string(L, -1), err);
}

/* Adds what is in the table at a positive index, if it is one. Raises nothing. */
static bool read_headers(lua_State *L, int index, tagoio_headers *headers,
                         tagoio_error *err) {
    bool ok = true;
    int top = lua_gettop(L);
    lua_pushnil(L);
    while (ok && lua_istable(L, index) && lua_next(L, index) != 0) {
        ok = add_header(L, headers, err);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    return ok;
}

/* Those in the options at index, which each call is given again. */
static bool check_headers(lua_State *L, int index, tagoio_error *err) {
    tagoio_headers headers = {.items = NULL};
    lua_getfield(L, index, "headers");
    bool ok = read_headers(L, lua_gettop(L), &headers, err);
    lua_pop(L, 1);
    tagoio_headers_clear(&headers);
    return ok;
}

/* ---- a new client ---- */

/* client(options, pool): a client, or nil, message, kind. Without a pool a transport
   moves its calls. */
static int new_client(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    luaL_checktype(L, 1, LUA_TTABLE);
    tagoio_pool *pool = lua_isnoneornil(L, 2) ? NULL : tagoio_check_pool(L, 2)->pool;
    tagoio_options options = read_options(L, 1, tagoio_options_default());
    tagoio_client_userdata *self = push_client(L);
    set_value_options(L, 1, self, 0);
    tagoio_buffer url = {.limit = TAGOIO_MAX_URL_BYTES};
    bool ok = tagoio_url_check(&url, tagoio_text_option(L, 1, "base_url", NULL), &err);
    options.base_url = url.bytes;
    if (ok && check_headers(L, 1, &err) && join_pool(self, pool, &err)) {
        self->settings = tagoio_settings_new(&options, NULL, &err);
    }
    tagoio_buffer_clear(&url);
    return self->settings != NULL ? 1 : tagoio_push_error(L, &err);
}

/* ---- starting a call ---- */

/* The Lua arguments from index `first` to `last`, as the array that the core takes. */
static json_t *read_arguments(lua_State *L, const tagoio_operation *operation,
                              int first, int last, int markers, tagoio_error *err) {
    tagoio_to_json_context context = {.L = L,
                                      .operation = tagoio_operation_name(operation),
                                      .verb = "sent",
                                      .markers = markers};
    json_t *arguments = json_array();
    bool ok = arguments != NULL;
    for (int i = first; ok && i <= last; i++) {
        tagoio_argument argument =
            tagoio_operation_argument(operation, (size_t)(i - first));
        if (argument.name == NULL) {
            break; /* what follows is nil: the Lua layer has looked */
        }
        context.argument = argument.name;
        bool open = argument.is_body && lua_istable(L, i);
        context.refusal = open ? TAGOIO_ERROR_INVALID : TAGOIO_ERROR_MISUSE;
        json_t *value = tagoio_to_json(&context, i, err);
        ok = value != NULL && json_array_append_new(arguments, value) == 0;
    }
    if (!ok) {
        json_decref(arguments);
        return NULL;
    }
    return arguments;
}

/* The deadline of a group of calls, a time of core.now(), or none. Rounded to the
   nearest: a whole number of milliseconds is often no such number of seconds. */
static int64_t deadline_ms(lua_State *L, int index) {
    return lua_isnoneornil(L, index)
               ? INT64_MAX
               : (int64_t)round(luaL_checknumber(L, index) * 1000);
}

/* Gives a call the headers in the table at a positive index, if it is one. */
static bool give_headers(lua_State *L, int index, tagoio_call *call,
                         tagoio_error *err) {
    tagoio_headers headers = {.items = NULL};
    tagoio_error why = {.kind = TAGOIO_ERROR_NONE};
    if (read_headers(L, index, &headers, &why)) {
        return headers.count == 0 || tagoio_call_take_headers(call, &headers) ||
               tagoio_error_memory(err);
    }
    tagoio_headers_clear(&headers);
    return tagoio_error_set(err, why.kind, "%s: %s", tagoio_call_report(call).operation,
                            why.message);
}

/* A call of a row with the deadline at index 3, the headers at 4 and the arguments from
   index `first` on, or nil, message, kind. */
static int start_row(lua_State *L, const tagoio_operation *operation, int first) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    const tagoio_client_userdata *self = luaL_checkudata(L, 1, client_name);
    int last = lua_gettop(L);
    int64_t deadline = deadline_ms(L, 3);
    tagoio_to_json_context context = {.L = L};
    tagoio_to_json_prepare(&context);
    tagoio_call_userdata *new_call = tagoio_push_call(L);
    /* Not before: a new userdata may have Lua collect, and a finalizer close the
       client. */
    if (self->settings == NULL) {
        tagoio_error_set(&err, TAGOIO_ERROR_MISUSE, "%s: the client is closed",
                         tagoio_operation_name(operation));
        return tagoio_push_error(L, &err);
    }
    json_t *arguments =
        read_arguments(L, operation, first, last, context.markers, &err);
    if (arguments != NULL) {
        new_call->call = tagoio_call_new_row(self->settings, operation, arguments,
                                             tagoio_host_now_ms(), &err);
    } else {
        tagoio_error_memory(&err); /* unless it says another reason */
    }
    if (new_call->call != NULL && !give_headers(L, 4, new_call->call, &err)) {
        tagoio_call_unref(new_call->call); /* now: it stands in a gate's line */
        new_call->call = NULL;
    }
    if (new_call->call == NULL) {
        return tagoio_push_error(L, &err);
    }
    tagoio_call_set_deadline(new_call->call, deadline);
    if (self->pool == NULL) {
        return 1;
    }
    new_call->pool = tagoio_pool_ref(self->pool);
    bool started = tagoio_pool_start(self->pool, self->scope, new_call->call, &err);
    return started ? 1 : tagoio_push_error(L, &err);
}

/* client:start(operation, deadline, headers, ...): a call, or nil, message, kind. The
   operation is a name or core.operation's; deadline and headers may be nil. */
static int start(lua_State *L) { return start_row(L, tagoio_check_operation(L, 2), 5); }

/* client:start_request(method, deadline, headers, idempotent, path, query, body): as
   start */
static int start_request(lua_State *L) {
    const tagoio_operation *operation =
        tagoio_operation_request(luaL_checkstring(L, 2), lua_toboolean(L, 5));
    luaL_argcheck(L, operation != NULL, 2, "unknown method");
    return start_row(L, operation, 6);
}

/* ---- how a call ended ---- */

/* client:result(call): the value of a success, else nil, message, fields */
static int result(lua_State *L) {
    tagoio_client_userdata *self = luaL_checkudata(L, 1, client_name);
    tagoio_report report = tagoio_check_done(L, 2);
    tagoio_get_uservalue(L, 1);
    tagoio_push_json_context context = {.keep_null = self->keep_null,
                                        .array_mt = lua_gettop(L)};
    if (report.kind == TAGOIO_ERROR_NONE) {
        tagoio_push_json(L, &context, report.result);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, report.message);
    lua_createtable(L, 0, 12);
    tagoio_set_err(L, &context, &report);
    return 3;
}

/* ---- a client ---- */

/* client:with(options): a client on the same connections, or nil, message, kind */
static int derive(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    luaL_checktype(L, 2, LUA_TTABLE);
    tagoio_client_userdata *self = push_client(L); /* first: it may have Lua collect */
    const tagoio_client_userdata *parent = luaL_checkudata(L, 1, client_name);
    if (parent->settings == NULL) {
        tagoio_error_set(&err, TAGOIO_ERROR_MISUSE, "the client is closed");
        return tagoio_push_error(L, &err);
    }
    tagoio_options options =
        read_options(L, 2, *tagoio_settings_options(parent->settings));
    self->keep_null = parent->keep_null;
    set_value_options(L, 2, self, 1);
    if (check_headers(L, 2, &err) && join_pool(self, parent->pool, &err)) {
        self->settings = tagoio_settings_new(&options, parent->settings, &err);
    }
    return self->settings != NULL ? 1 : tagoio_push_error(L, &err);
}

/* client:base_url() */
static int base_url(lua_State *L) {
    const tagoio_client_userdata *self = luaL_checkudata(L, 1, client_name);
    luaL_argcheck(L, self->settings != NULL, 1, "the client is closed");
    lua_pushstring(L, tagoio_settings_options(self->settings)->base_url);
    return 1;
}

/* client:cancel(): its calls are done then */
static int cancel(lua_State *L) {
    const tagoio_client_userdata *self = luaL_checkudata(L, 1, client_name);
    if (self->scope != NULL) {
        tagoio_scope_cancel(self->scope);
    }
    return 0;
}

/* Shared by close, __gc and __close: any number of times, and on what is half made. */
static int close_client(lua_State *L) {
    tagoio_client_userdata *self = luaL_checkudata(L, 1, client_name);
    tagoio_scope_free(self->scope);
    tagoio_pool_unref(self->pool);
    tagoio_settings_unref(self->settings);
    self->scope = NULL;
    self->pool = NULL;
    self->settings = NULL;
    return 0;
}

static int is_closed(lua_State *L) {
    const tagoio_client_userdata *self = luaL_checkudata(L, 1, client_name);
    lua_pushboolean(L, self->settings == NULL);
    return 1;
}

static const luaL_Reg methods[] = {
    {"start", start},        {"start_request", start_request}, {"result", result},
    {"with", derive},        {"base_url", base_url},           {"cancel", cancel},
    {"close", close_client}, {"is_closed", is_closed},         {NULL, NULL}};

void tagoio_client_open(lua_State *L) {
    tagoio_make_type(L, client_name, methods, close_client);
    lua_pushcfunction(L, new_client);
    lua_setfield(L, -2, "client");
}
