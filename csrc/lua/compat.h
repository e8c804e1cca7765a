/* SPDX-License-Identifier: MIT */
/* What differs between Lua 5.1 to 5.5 and LuaJIT. The binding uses what all of them
   have, and the names below. */
#ifndef TAGOIO_LUA_COMPAT_H
#define TAGOIO_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen                     lua_objlen
#define tagoio_set_uservalue(L, index) lua_setfenv(L, index)
#define tagoio_get_uservalue(L, index) lua_getfenv(L, index)
#elif LUA_VERSION_NUM < 504
#define tagoio_set_uservalue(L, index) lua_setuservalue(L, index)
#define tagoio_get_uservalue(L, index) lua_getuservalue(L, index)
#else
#define tagoio_set_uservalue(L, index) lua_setiuservalue(L, index, 1)
#define tagoio_get_uservalue(L, index) lua_getiuservalue(L, index, 1)
#endif

/* Of 5.1 and LuaJIT far below a megabyte; else a million slots of 16 bytes. */
#if LUA_VERSION_NUM < 502
#define TAGOIO_LARGEST_STACK_BYTES ((size_t)1 << 20)
#else
#define TAGOIO_LARGEST_STACK_BYTES ((size_t)1 << 24)
#endif

#if LUA_VERSION_NUM < 503
#define lua_isinteger(L, index) 0
/* Where every number is a double, a whole one may be too large for it. */
#define TAGOIO_HAS_INTEGERS 0
#else
#define TAGOIO_HAS_INTEGERS 1
#endif

#endif
