/* SPDX-License-Identifier: MIT */
/* The userdata of a pool of connections. */
#include "lua/userdata.h"

#include <math.h>

static const char pool_name[] = "tagoio.pool";

tagoio_pool_userdata *tagoio_check_pool(lua_State *L, int index) {
    return luaL_checkudata(L, index, pool_name);
}

/* pool(options): a pool, or nil, message, kind */
static int new_pool(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    luaL_checktype(L, 1, LUA_TTABLE);
    tagoio_pool_options options = {
        .base_url = tagoio_text_option(L, 1, "base_url", NULL),
        .ca_file = tagoio_text_option(L, 1, "ca_file", NULL),
        .proxy = tagoio_text_option(L, 1, "proxy", NULL),
        .max_connections = (int)tagoio_number_option(L, 1, "max_connections", 64),
    };
    tagoio_pool_userdata *self = tagoio_push_userdata(L, pool_name, sizeof *self);
    self->pool = tagoio_pool_new(&options, &err);
    return self->pool != NULL ? 1 : tagoio_push_error(L, &err);
}

static int close_pool(lua_State *L) {
    tagoio_pool_userdata *self = tagoio_check_pool(L, 1);
    tagoio_pool_unref(self->pool);
    self->pool = NULL;
    return 0;
}

static tagoio_pool *check_open(lua_State *L) {
    tagoio_pool_userdata *self = tagoio_check_pool(L, 1);
    luaL_argcheck(L, self->pool != NULL, 1, "the pool is closed");
    return self->pool;
}

/* pool:multiplex(): requests may share connections from now on */
static int multiplex(lua_State *L) {
    tagoio_pool_multiplex(check_open(L));
    return 0;
}

/* pool:step(seconds): how many calls are on their way, and for how many seconds nothing
   has moved. It waits for an hour at most. */
static int step(lua_State *L) {
    tagoio_pool *pool = check_open(L);
    double wait_s = luaL_checknumber(L, 2);
    int wait_ms = wait_s > 0 ? (int)ceil(fmin(wait_s, 3600) * 1000) : 0;
    lua_pushinteger(L, (lua_Integer)tagoio_pool_step(pool, wait_ms));
    int64_t still_ms = tagoio_host_now_ms() - tagoio_pool_moved_ms(pool);
    lua_pushnumber(L, (lua_Number)still_ms / 1000);
    return 2;
}

/* pool:next_event(): the id of a call of which an attempt has ended, and whether it is
   done, which is told once; nothing: no more */
static int next_event(lua_State *L) {
    tagoio_call *call = tagoio_pool_next_event(check_open(L));
    if (call == NULL) {
        return 0;
    }
    lua_pushnumber(L, (lua_Number)(uintptr_t)call);
    lua_pushboolean(L, tagoio_call_want(call, 0) == TAGOIO_DONE);
    tagoio_call_unref(call);
    return 2;
}

/* pool:pollfd(): a descriptor, or nil, message */
static int pollfd(lua_State *L) {
    int descriptor = tagoio_pool_fd(check_open(L));
    if (descriptor < 0) {
        lua_pushnil(L);
        lua_pushliteral(L, "out of descriptors");
        return 2;
    }
    lua_pushinteger(L, descriptor);
    return 1;
}

/* pool:timeout(): seconds until a step is due, whatever the descriptor says; or nil */
static int timeout(lua_State *L) {
    int64_t timeout_ms = tagoio_pool_timeout_ms(check_open(L));
    if (timeout_ms < 0) {
        return 0;
    }
    lua_pushnumber(L, (lua_Number)timeout_ms / 1000);
    return 1;
}

static const luaL_Reg methods[] = {{"multiplex", multiplex},   {"step", step},
                                   {"next_event", next_event}, {"pollfd", pollfd},
                                   {"timeout", timeout},       {NULL, NULL}};

void tagoio_pool_open(lua_State *L) {
    tagoio_make_type(L, pool_name, methods, close_pool);
    lua_pushcfunction(L, new_pool);
    lua_setfield(L, -2, "pool");
}
