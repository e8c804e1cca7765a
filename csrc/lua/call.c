/* SPDX-License-Identifier: MIT */
/* The userdata of a call: a handle on what a pool moves, or what a transport moves. */
#include "lua/fields.h"
#include "lua/userdata.h"

#include <string.h>

static const char call_name[] = "tagoio.call";

tagoio_call_userdata *tagoio_check_call(lua_State *L, int index) {
    return luaL_checkudata(L, index, call_name);
}

tagoio_call_userdata *tagoio_push_call(lua_State *L) {
    return tagoio_push_userdata(L, call_name, sizeof(tagoio_call_userdata));
}

/* call:cancel(): it is done then, and has a result; nothing when it is done already */
static int cancel(lua_State *L) {
    const tagoio_call_userdata *self = tagoio_check_call(L, 1);
    if (self->call != NULL && self->pool != NULL) {
        tagoio_pool_cancel(self->pool, self->call);
    } else if (self->call != NULL) {
        tagoio_call_cancel(self->call, tagoio_host_now_ms());
    }
    return 0;
}

/* Shared by __gc and __close: any number of times. */
static int close_call(lua_State *L) {
    tagoio_call_userdata *self = tagoio_check_call(L, 1);
    if (self->call != NULL) {
        if (self->pool != NULL) {
            tagoio_pool_forget(self->pool, self->call);
        }
        tagoio_call_unref(self->call);
        tagoio_pool_unref(self->pool);
        *self = (tagoio_call_userdata){.call = NULL};
    }
    return 0;
}

/* call:id(): a number that no other call has while this one is on its way */
static int id(lua_State *L) {
    lua_pushnumber(L, (lua_Number)(uintptr_t)tagoio_check_call(L, 1)->call);
    return 1;
}

static int is_done(lua_State *L) {
    const tagoio_call_userdata *self = tagoio_check_call(L, 1);
    lua_pushboolean(L, self->call == NULL ||
                           tagoio_call_want(self->call, 0) == TAGOIO_DONE);
    return 1;
}

/* ---- a call that Lua moves: the events of tagoio.h ---- */

static tagoio_call_userdata *check_alive(lua_State *L) {
    tagoio_call_userdata *self = tagoio_check_call(L, 1);
    luaL_argcheck(L, self->call != NULL, 1, "the call is closed");
    return self;
}

/* call:want(): "begin", "wait", "backoff" or "done", and the core.now() when a backoff
   ends */
static int want(lua_State *L) {
    static const char *const names[] = {"begin", "wait", "backoff", "done"};
    tagoio_call_userdata *self = check_alive(L);
    lua_pushstring(L, names[tagoio_call_want(self->call, tagoio_host_now_ms())]);
    lua_pushnumber(L, (lua_Number)tagoio_call_retry_at_ms(self->call) / 1000);
    return 2;
}

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double number) {
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

static void push_headers(lua_State *L, const tagoio_request *request) {
    lua_createtable(L, 0, (int)request->header_count);
    for (size_t i = 0; i < request->header_count; i++) {
        set_text(L, request->headers[i].name, request->headers[i].value);
    }
}

/* call:begin(): what to send, as a table; nil: nothing, it would be too late, or a
   finalizer has just canceled the call */
static int begin(lua_State *L) {
    tagoio_call_userdata *self = check_alive(L);
    int64_t now_ms = tagoio_host_now_ms();
    tagoio_request request;
    tagoio_want want = tagoio_call_want(self->call, now_ms);
    luaL_argcheck(L, want == TAGOIO_BEGIN || want == TAGOIO_DONE, 1,
                  "the call does not want to begin");
    if (want == TAGOIO_DONE || !tagoio_call_begin(self->call, now_ms, &request) ||
        !tagoio_call_sending(self->call, now_ms)) { /* a transport has no queue */
        lua_pushnil(L);
        return 1;
    }
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
    tagoio_call_userdata *self = check_alive(L);
    tagoio_call_status(self->call, (int)luaL_checkinteger(L, 2));
    return 0;
}

/* call:header(name, value) */
static int header(lua_State *L) {
    tagoio_call_userdata *self = check_alive(L);
    size_t name_bytes;
    size_t value_bytes;
    const char *name = luaL_checklstring(L, 2, &name_bytes);
    const char *value = luaL_checklstring(L, 3, &value_bytes);
    tagoio_call_header(self->call, name, name_bytes, value, value_bytes);
    return 0;
}

/* call:body(text) */
static int body(lua_State *L) {
    tagoio_call_userdata *self = check_alive(L);
    size_t bytes;
    const char *text = luaL_checklstring(L, 2, &bytes);
    tagoio_call_body(self->call, text, bytes);
    return 0;
}

/* call:complete(): the call knows whether a limit was passed */
static int complete(lua_State *L) {
    tagoio_call_userdata *self = check_alive(L);
    tagoio_now now = tagoio_host_now();
    tagoio_call_complete(self->call, &now);
    return 0;
}

/* call:fail(text, sent [, kind]): of a kind that a transport may name, else network */
static int fail_call(lua_State *L) {
    tagoio_call_userdata *self = check_alive(L);
    tagoio_failure failure = {.reason = TAGOIO_FAILURE_LOST,
                              .text = luaL_checkstring(L, 2),
                              .verbatim = true,
                              .sent = lua_toboolean(L, 3)};
    const char *kind = luaL_optstring(L, 4, "network");
    luaL_argcheck(L, tagoio_failure_reason_from_kind(kind, &failure.reason), 4,
                  "unknown kind");
    tagoio_now now = tagoio_host_now();
    tagoio_call_fail(self->call, &now, &failure);
    return 0;
}

/* ---- how a call ended ---- */

tagoio_report tagoio_check_done(lua_State *L, int index) {
    const tagoio_call_userdata *self = tagoio_check_call(L, index);
    luaL_argcheck(L, self->call != NULL, index, "the call was canceled");
    luaL_argcheck(L, tagoio_call_want(self->call, 0) == TAGOIO_DONE, index,
                  "the call is on its way");
    return tagoio_call_report(self->call);
}

/* call:attempt(number): how an attempt ended, nil: it has not */
static int push_attempt(lua_State *L) {
    const tagoio_call_userdata *self = tagoio_check_call(L, 1);
    int number = (int)luaL_checkinteger(L, 2);
    const tagoio_attempt *attempt =
        self->call == NULL ? NULL : tagoio_call_attempt(self->call, number);
    if (attempt == NULL) {
        lua_pushnil(L);
        return 1;
    }
    tagoio_report report = tagoio_call_report(self->call);
    lua_createtable(L, 0, 12);
    tagoio_set_event(L, &report, attempt);
    return 1;
}

/* call:facts(): of a success; headers is absent where there are none */
static int facts(lua_State *L) {
    tagoio_report report = tagoio_check_done(L, 1);
    lua_createtable(L, 0, 8);
    tagoio_set_info(L, &(tagoio_push_json_context){.array_mt = 0}, &report);
    return 1;
}

static const luaL_Reg methods[] = {
    {"id", id},         {"is_done", is_done},   {"want", want},
    {"begin", begin},   {"status", status},     {"header", header},
    {"body", body},     {"complete", complete}, {"fail", fail_call},
    {"cancel", cancel}, {"facts", facts},       {"attempt", push_attempt},
    {NULL, NULL}};

void tagoio_call_open(lua_State *L) {
    tagoio_make_type(L, call_name, methods, close_call);
}
