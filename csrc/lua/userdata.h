/* SPDX-License-Identifier: MIT */
/* The kinds of userdata: a pool of connections, a client, which makes calls, and a
   call, a handle on one. The Lua layer has checked options and the number of arguments;
   types of arguments are the core's to check. */
#ifndef TAGOIO_LUA_USERDATA_H
#define TAGOIO_LUA_USERDATA_H

#include "curl/pool.h"
#include "host/host.h"
#include "lua/compat.h"

#pragma GCC visibility push(hidden)

/* Owner before resource: each is pushed empty, with its metatable, before anything is
   acquired into it. */
typedef struct tagoio_pool_userdata {
    tagoio_pool *pool;
} tagoio_pool_userdata;

/* Its uservalue is the metatable of arrays. */
typedef struct tagoio_client_userdata {
    tagoio_settings *settings; /* NULL: closed */
    tagoio_pool *pool;         /* a reference; NULL: a transport moves its calls */
    tagoio_scope *scope;       /* of the pool */
    bool keep_null;
} tagoio_client_userdata;

typedef struct tagoio_call_userdata {
    tagoio_call *call; /* NULL: never begun, or closed */
    tagoio_pool *pool; /* a reference; NULL: a transport moves it */
} tagoio_call_userdata;

tagoio_pool_userdata *tagoio_check_pool(lua_State *L, int index);
tagoio_call_userdata *tagoio_check_call(lua_State *L, int index);
tagoio_call_userdata *tagoio_push_call(lua_State *L);

/* The row of an operation: of the userdata at index, or of the name that is there.
   Borrowed as long as that is on the stack. */
const tagoio_operation *tagoio_check_operation(lua_State *L, int index);

/* The core's report of a call that is done; raises for one that is not. */
tagoio_report tagoio_check_done(lua_State *L, int index);

/* nil, message, kind */
int tagoio_push_error(lua_State *L, const tagoio_error *err);

/* A member of the table at index; its string lives as long as it stays in the table. */
const char *tagoio_text_option(lua_State *L, int index, const char *name,
                               const char *default_value);
double tagoio_number_option(lua_State *L, int index, const char *name,
                            double default_value);

/* Pushes a userdata that is all zero, with its metatable. */
void *tagoio_push_userdata(lua_State *L, const char *type, size_t bytes);

/* Adds functions to the table on top of the stack. */
void tagoio_set_functions(lua_State *L, const luaL_Reg *functions);

/* Makes a metatable whose finalizer is __gc and __close. */
void tagoio_make_type(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction finalizer);

/* Each adds what it offers to the table on top of the stack. */
void tagoio_operation_open(lua_State *L);
void tagoio_pool_open(lua_State *L);
void tagoio_client_open(lua_State *L);
void tagoio_call_open(lua_State *L);

#pragma GCC visibility pop

#endif
