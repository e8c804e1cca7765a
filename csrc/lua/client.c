/* SPDX-License-Identifier: MIT */
/* The two kinds of userdata: a client, which shares connections with those derived from
   it, and a call, a handle on what the driver moves. The Lua layer has checked options
   and the number of arguments; types of arguments are the core's to check. */
#include "lua/client.h"
#include "curl/driver.h"
#include "lua/value.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const char client_name[] = "tagoio.client";
static const char call_name[] = "tagoio.call";

enum { default_max_connections = 64 };

/* Its uservalue is the metatable of arrays. */
typedef struct client {
    tagoio_settings *settings; /* NULL: closed */
    tagoio_driver *driver;
    bool keep_null;
    bool detached; /* Lua moves its calls, not the driver */
} client;

typedef struct call {
    tagoio_call *call; /* NULL: canceled or never begun */
    tagoio_driver *driver;
} call;

/* nil, message, kind */
static int fail(lua_State *L, const tagoio_error *err) {
    lua_pushnil(L);
    lua_pushstring(L, err->message);
    lua_pushstring(L, tagoio_error_kind_name(err->kind));
    return 3;
}

static client *check_client(lua_State *L, int index) {
    client *it = luaL_checkudata(L, index, client_name);
    if (it->settings == NULL) {
        luaL_error(L, "the client is closed");
    }
    return it;
}

static call *check_call(lua_State *L, int index) {
    return luaL_checkudata(L, index, call_name);
}

/* ---- members of the table on top of the stack ---- */

static void set_text(lua_State *L, const char *name, const char *text) {
    if (text != NULL) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

static void set_number(lua_State *L, const char *name, double number) {
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

static void set_count(lua_State *L, const char *name, int64_t count) {
    lua_pushinteger(L, (lua_Integer)count);
    lua_setfield(L, -2, name);
}

/* ---- options: a table, at index 1 or 2 ---- */

static const char *text_option(lua_State *L, int index, const char *name,
                               const char *otherwise) {
    lua_getfield(L, index, name); /* stays in the table, so its string lives */
    const char *text = lua_isnil(L, -1) ? otherwise : lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

static double number_option(lua_State *L, int index, const char *name,
                            double otherwise) {
    lua_getfield(L, index, name);
    double number = lua_isnil(L, -1) ? otherwise : lua_tonumber(L, -1);
    lua_pop(L, 1);
    return number;
}

/* Seconds to milliseconds, at least one: 0 would mean something else further down. */
static int64_t time_option(lua_State *L, int index, const char *name,
                           int64_t otherwise_ms) {
    return (int64_t)ceil(number_option(L, index, name, (double)otherwise_ms / 1000) *
                         1000);
}

static tagoio_options read_options(lua_State *L, int index, tagoio_options base) {
    return (tagoio_options){
        .token = text_option(L, index, "token", base.token),
        .base_url = base.base_url,
        .user_agent = text_option(L, index, "user_agent", base.user_agent),
        .timeout_ms = time_option(L, index, "timeout", base.timeout_ms),
        .attempt_timeout_ms =
            time_option(L, index, "attempt_timeout", base.attempt_timeout_ms),
        .connect_timeout_ms =
            time_option(L, index, "connect_timeout", base.connect_timeout_ms),
        .max_retry_after_ms =
            time_option(L, index, "max_retry_after", base.max_retry_after_ms),
        .attempts = (int)number_option(L, index, "attempts", base.attempts),
        .max_response_bytes = (size_t)number_option(L, index, "max_response_bytes",
                                                    (double)base.max_response_bytes),
    };
}

/* Owner before resource: the userdata is there, closed, before anything is in it. */
static client *push_client(lua_State *L) {
    client *it = lua_newuserdata(L, sizeof *it);
    *it = (client){.settings = NULL};
    luaL_getmetatable(L, client_name);
    lua_setmetatable(L, -2);
    return it;
}

/* keep_null and array_mt of the options at index, else of another client or neither. */
static void set_value_options(lua_State *L, int index, client *it, int parent) {
    lua_getfield(L, index, "keep_null");
    if (!lua_isnil(L, -1)) {
        it->keep_null = lua_toboolean(L, -1);
    }
    lua_pop(L, 1);
    lua_getfield(L, index, "array_mt");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        if (parent != 0) {
            tagoio_get_uservalue(L, parent);
        } else {
            tagoio_value_push_array_mt(L);
        }
    }
    tagoio_set_uservalue(L, -2);
}

/* client(options): a client, or nil, message, kind */
static int new_client(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    client *it = push_client(L);
    set_value_options(L, 1, it, 0);
    lua_getfield(L, 1, "transport");
    it->detached = !lua_isnil(L, -1);
    lua_pop(L, 1);
    tagoio_options options = read_options(L, 1, tagoio_options_default());
    tagoio_driver_options driver_options = {
        .base_url = text_option(L, 1, "base_url", NULL),
        .ca_file = text_option(L, 1, "ca_file", NULL),
        .proxy = text_option(L, 1, "proxy", NULL),
        .max_connections =
            (int)number_option(L, 1, "max_connections", default_max_connections),
        .detached = it->detached,
    };
    it->driver = tagoio_driver_new(&driver_options, &err);
    if (it->driver == NULL) {
        return fail(L, &err);
    }
    options.base_url = tagoio_driver_base_url(it->driver);
    it->settings = tagoio_settings_new(&options, NULL, &err);
    return it->settings != NULL ? 1 : fail(L, &err);
}

/* ---- a call ---- */

/* call:cancel(): it is done then, and has a result; nothing when it is done already */
static int cancel_call(lua_State *L) {
    const call *it = check_call(L, 1);
    if (it->call != NULL) {
        tagoio_driver_cancel(it->driver, it->call);
        tagoio_call_cancel(it->call, tagoio_host_now_ms()); /* a detached one */
    }
    return 0;
}

/* Shared by __gc and __close: any number of times. */
static int drop_call(lua_State *L) {
    call *it = check_call(L, 1);
    if (it->call != NULL) {
        tagoio_driver_cancel(it->driver, it->call);
        tagoio_call_unref(it->call);
        tagoio_driver_unref(it->driver);
        *it = (call){NULL, NULL};
    }
    return 0;
}

static int is_done(lua_State *L) {
    const call *it = check_call(L, 1);
    lua_pushboolean(L,
                    it->call == NULL || tagoio_call_want(it->call, 0) == TAGOIO_DONE);
    return 1;
}

static void push_call(lua_State *L) {
    call *it = lua_newuserdata(L, sizeof *it);
    *it = (call){NULL, NULL};
    luaL_getmetatable(L, call_name);
    lua_setmetatable(L, -2);
}

/* The Lua arguments from index `first` to `last`, as the array that the core takes. */
static json_t *read_arguments(lua_State *L, const tagoio_operation *operation,
                              int first, int last, int markers, tagoio_error *err) {
    tagoio_to_json_context reader = {.L = L,
                                     .operation = tagoio_operation_name(operation),
                                     .verb = "sent",
                                     .markers = markers};
    json_t *arguments = json_array();
    bool ok = arguments != NULL;
    for (int i = 0; ok && first + i <= last; i++) {
        tagoio_argument argument = tagoio_operation_argument(operation, (size_t)i);
        if (argument.name == NULL) {
            break; /* what follows is nil: the Lua layer has looked */
        }
        reader.argument = argument.name;
        bool open = argument.is_body && lua_istable(L, first + i);
        reader.refusal = open ? TAGOIO_ERROR_INVALID : TAGOIO_ERROR_MISUSE;
        json_t *value = tagoio_to_json(&reader, first + i, err);
        ok = value != NULL && json_array_append_new(arguments, value) == 0;
    }
    if (!ok) {
        json_decref(arguments);
        return NULL;
    }
    return arguments;
}

/* A call of a row with the arguments from index `first` on, or nil, message, kind. */
static int start_row(lua_State *L, const tagoio_operation *operation, int first) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    const client *it = luaL_checkudata(L, 1, client_name);
    if (it->settings == NULL) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: the client is closed",
                        tagoio_operation_name(operation));
        lua_pushstring(L, tagoio_error_kind_name(TAGOIO_ERROR_MISUSE));
        return 3;
    }
    int last = lua_gettop(L);
    tagoio_to_json_context reader = {.L = L};
    tagoio_to_json_prepare(&reader);
    push_call(L);
    call *made = lua_touserdata(L, -1);
    json_t *arguments = read_arguments(L, operation, first, last, reader.markers, &err);
    if (arguments != NULL) {
        made->call = tagoio_call_new_row(it->settings, operation, arguments,
                                         tagoio_host_now_ms(), &err);
    } else if (err.kind == TAGOIO_ERROR_NONE) {
        err =
            (tagoio_error){.kind = TAGOIO_ERROR_MEMORY, .message = "not enough memory"};
    }
    if (made->call == NULL) {
        return fail(L, &err);
    }
    made->driver = tagoio_driver_ref(it->driver);
    bool started = it->detached || tagoio_driver_start(made->driver, made->call, &err);
    return started ? 1 : fail(L, &err);
}

/* client:start(operation, ...): a call, or nil, message, kind */
static int start(lua_State *L) {
    const tagoio_operation *operation = tagoio_operation_find(luaL_checkstring(L, 2));
    luaL_argcheck(L, operation != NULL, 2, "unknown operation");
    return start_row(L, operation, 3);
}

/* client:start_request(method, idempotent, path, query, body): as start */
static int start_request(lua_State *L) {
    const tagoio_operation *operation =
        tagoio_operation_request(luaL_checkstring(L, 2), lua_toboolean(L, 3));
    luaL_argcheck(L, operation != NULL, 2, "unknown method");
    return start_row(L, operation, 4);
}

/* ---- a call that Lua moves: the events of tagoio.h ---- */

static call *check_alive(lua_State *L) {
    call *it = check_call(L, 1);
    luaL_argcheck(L, it->call != NULL, 1, "the call was dropped");
    return it;
}

/* call:want(): "begin", "wait", "rest" and the core.now() when that ends, or "done" */
static int want(lua_State *L) {
    static const char *const names[] = {"begin", "wait", "rest", "done"};
    const call *it = check_alive(L);
    lua_pushstring(L, names[tagoio_call_want(it->call, tagoio_host_now_ms())]);
    lua_pushnumber(L, (lua_Number)tagoio_call_retry_at_ms(it->call) / 1000);
    return 2;
}

static void push_headers(lua_State *L, const tagoio_request *request) {
    lua_createtable(L, 0, (int)request->header_count);
    for (size_t i = 0; i < request->header_count; i++) {
        set_text(L, request->headers[i].name, request->headers[i].value);
    }
}

/* call:begin(): what to send, as a table */
static int begin(lua_State *L) {
    const call *it = check_alive(L);
    int64_t now_ms = tagoio_host_now_ms();
    tagoio_request request;
    luaL_argcheck(L, tagoio_call_begin(it->call, now_ms, &request), 1,
                  "the call does not want to begin");
    tagoio_call_sending(it->call, now_ms); /* a transport has no queue */
    lua_createtable(L, 0, 7);
    set_text(L, "method", request.method);
    set_text(L, "url", request.url);
    set_number(L, "timeout", (double)request.timeout_ms / 1000);
    set_number(L, "connect_timeout", (double)request.connect_timeout_ms / 1000);
    set_number(L, "max_response_bytes", (double)request.max_response_bytes);
    push_headers(L, &request);
    lua_setfield(L, -2, "headers");
    if (request.body != NULL) {
        lua_pushlstring(L, request.body, request.body_bytes);
        lua_setfield(L, -2, "body");
    }
    return 1;
}

/* call:status(number) */
static int status(lua_State *L) {
    const call *it = check_alive(L);
    tagoio_call_status(it->call, (int)luaL_checkinteger(L, 2));
    return 0;
}

/* call:header(name, value) */
static int header(lua_State *L) {
    const call *it = check_alive(L);
    size_t name_bytes;
    size_t value_bytes;
    const char *name = luaL_checklstring(L, 2, &name_bytes);
    const char *value = luaL_checklstring(L, 3, &value_bytes);
    tagoio_call_header(it->call, name, name_bytes, value, value_bytes);
    return 0;
}

/* call:body(text) */
static int body(lua_State *L) {
    const call *it = check_alive(L);
    size_t bytes;
    const char *text = luaL_checklstring(L, 2, &bytes);
    tagoio_call_body(it->call, text, bytes);
    return 0;
}

/* call:complete(): the call knows whether a limit was passed */
static int complete(lua_State *L) {
    const call *it = check_alive(L);
    tagoio_now now = tagoio_driver_moment(it->driver);
    tagoio_call_complete(it->call, &now);
    return 0;
}

/* call:fail(text, sent [, kind]): of a kind that a transport may name, else network */
static int fail_call(lua_State *L) {
    const call *it = check_alive(L);
    tagoio_failure failure = {.reason = TAGOIO_FAILURE_LOST,
                              .text = luaL_checkstring(L, 2),
                              .verbatim = true,
                              .sent = lua_toboolean(L, 3)};
    const char *kind = luaL_optstring(L, 4, "network");
    luaL_argcheck(L, tagoio_failure_reason_from_kind(kind, &failure.reason), 4,
                  "unknown kind");
    tagoio_now now = tagoio_driver_moment(it->driver);
    tagoio_call_fail(it->call, &now, &failure);
    return 0;
}

/* ---- how a call ended ---- */

/* What is known of every call that is done, in a table. */
static void push_facts(lua_State *L, const tagoio_report *report) {
    lua_createtable(L, 0, 12);
    set_text(L, "request_id", report->request_id);
    set_count(L, "attempts", report->attempts);
    set_number(L, "elapsed", (double)report->elapsed_ms / 1000);
    set_number(L, "queued", (double)report->queued_ms / 1000);
    if (report->status != 0) {
        set_count(L, "status", report->status);
    }
}

/* The fields of an err table; absent is what was not known. */
static void push_failure(lua_State *L, const tagoio_push_json_context *writer,
                         const tagoio_report *report) {
    push_facts(L, report);
    set_text(L, "kind", tagoio_error_kind_name(report->kind));
    set_text(L, "message", report->message);
    set_text(L, "operation", report->operation);
    lua_pushboolean(L, report->maybe_applied);
    lua_setfield(L, -2, "maybe_applied");
    if (report->retry_after_s >= 0) {
        set_count(L, "retry_after", report->retry_after_s);
    }
    if (report->details != NULL) {
        tagoio_push_json(L, writer, report->details);
        lua_setfield(L, -2, "details");
    }
}

static tagoio_report check_done(lua_State *L, int index) {
    const call *made = check_call(L, index);
    luaL_argcheck(L, made->call != NULL, index, "the call was canceled");
    luaL_argcheck(L, tagoio_call_want(made->call, 0) == TAGOIO_DONE, index,
                  "the call is on its way");
    return tagoio_call_report(made->call);
}

/* client:result(call): the value of a success, else nil, message, fields */
static int result(lua_State *L) {
    client *it = luaL_checkudata(L, 1, client_name);
    tagoio_report report = check_done(L, 2);
    lua_settop(L, 2);
    tagoio_get_uservalue(L, 1);
    tagoio_push_json_context writer = {.keep_null = it->keep_null, .array_mt = 3};
    if (report.kind == TAGOIO_ERROR_NONE) {
        tagoio_push_json(L, &writer, report.result);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, report.message);
    push_failure(L, &writer, &report);
    return 3;
}

/* call:attempt(number): how an attempt ended, nil: it has not. A path is absent where
   the caller chose it: it may hold secrets. */
static int push_attempt(lua_State *L) {
    const call *it = check_call(L, 1);
    int number = (int)luaL_checkinteger(L, 2);
    const tagoio_attempt *attempt =
        it->call == NULL ? NULL : tagoio_call_attempt(it->call, number);
    if (attempt == NULL) {
        lua_pushnil(L);
        return 1;
    }
    const tagoio_operation *operation = tagoio_call_operation(it->call);
    lua_createtable(L, 0, 11);
    set_text(L, "operation", tagoio_operation_name(operation));
    set_text(L, "method", tagoio_operation_method(operation));
    set_text(L, "path", tagoio_operation_path(operation));
    set_text(L, "request_id",
             attempt->request_id[0] == '\0' ? NULL : attempt->request_id);
    set_count(L, "attempt", number);
    set_count(L, "bytes", (int64_t)attempt->body_bytes);
    set_number(L, "elapsed", (double)attempt->elapsed_ms / 1000);
    set_number(L, "queued", (double)attempt->queued_ms / 1000);
    if (attempt->status != 0) {
        set_count(L, "status", attempt->status);
    }
    if (attempt->kind != TAGOIO_ERROR_NONE) {
        set_text(L, "kind", tagoio_error_kind_name(attempt->kind));
    }
    if (attempt->retry_delay_ms >= 0) {
        set_number(L, "retry_in", (double)attempt->retry_delay_ms / 1000);
    }
    return 1;
}

/* call:facts(): of a success; headers is absent where there are none */
static int facts(lua_State *L) {
    tagoio_report report = check_done(L, 1);
    push_facts(L, &report);
    set_text(L, "message", report.message);
    if (report.headers != NULL) {
        tagoio_push_json(L, &(tagoio_push_json_context){.array_mt = 0}, report.headers);
        lua_setfield(L, -2, "headers");
    }
    return 1;
}

/* ---- a client ---- */

/* client:with(options): a client on the same connections, or nil, message, kind */
static int derive(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    const client *parent = check_client(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    tagoio_options options =
        read_options(L, 2, *tagoio_settings_options(parent->settings));
    client *it = push_client(L);
    it->keep_null = parent->keep_null;
    it->detached = parent->detached;
    set_value_options(L, 2, it, 1);
    it->driver = tagoio_driver_ref(parent->driver);
    it->settings = tagoio_settings_new(&options, parent->settings, &err);
    return it->settings != NULL ? 1 : fail(L, &err);
}

/* client:step(seconds): how many calls are on their way over these connections */
static int step(lua_State *L) {
    client *it = check_client(L, 1);
    double wait_s = luaL_checknumber(L, 2);
    int wait_ms = wait_s > 0 && wait_s <= 3600 ? (int)ceil(wait_s * 1000) : 0;
    lua_pushinteger(L, (lua_Integer)tagoio_driver_step(it->driver, wait_ms));
    return 1;
}

/* Shared by close, __gc and __close: any number of times, and on what is half made. */
static int close_client(lua_State *L) {
    client *it = luaL_checkudata(L, 1, client_name);
    if (it->settings != NULL) {
        tagoio_driver_cancel_all(it->driver, it->settings);
    }
    tagoio_settings_unref(it->settings);
    tagoio_driver_unref(it->driver);
    it->settings = NULL;
    it->driver = NULL;
    return 0;
}

static int is_closed(lua_State *L) {
    const client *it = luaL_checkudata(L, 1, client_name);
    lua_pushboolean(L, it->settings == NULL);
    return 1;
}

static const luaL_Reg client_methods[] = {
    {"start", start},         {"start_request", start_request},
    {"step", step},           {"result", result},
    {"with", derive},         {"close", close_client},
    {"is_closed", is_closed}, {NULL, NULL}};

static const luaL_Reg call_methods[] = {{"is_done", is_done},      {"want", want},
                                        {"begin", begin},          {"status", status},
                                        {"header", header},        {"body", body},
                                        {"complete", complete},    {"fail", fail_call},
                                        {"cancel", cancel_call},   {"facts", facts},
                                        {"attempt", push_attempt}, {NULL, NULL}};

static void set_functions(lua_State *L, const luaL_Reg *functions) {
    for (; functions->name != NULL; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

static void make_type(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction finalizer) {
    luaL_newmetatable(L, name);
    const luaL_Reg metamethods[] = {
        {"__gc", finalizer}, {"__close", finalizer}, {NULL, NULL}};
    set_functions(L, metamethods);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    set_functions(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

/* defaults(): the options that have one, by name */
static int defaults(lua_State *L) {
    tagoio_options options = tagoio_options_default();
    lua_createtable(L, 0, 7);
    set_number(L, "timeout", (double)options.timeout_ms / 1000);
    set_number(L, "attempt_timeout", (double)options.attempt_timeout_ms / 1000);
    set_number(L, "connect_timeout", (double)options.connect_timeout_ms / 1000);
    set_number(L, "max_retry_after", (double)options.max_retry_after_ms / 1000);
    set_count(L, "attempts", options.attempts);
    set_count(L, "max_response_bytes", (int64_t)options.max_response_bytes);
    set_count(L, "max_connections", default_max_connections);
    return 1;
}

void tagoio_client_open(lua_State *L) {
    make_type(L, client_name, client_methods, close_client);
    make_type(L, call_name, call_methods, drop_call);
    lua_pushcfunction(L, new_client);
    lua_setfield(L, -2, "client");
    lua_pushcfunction(L, defaults);
    lua_setfield(L, -2, "defaults");
}
