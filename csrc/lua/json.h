/* SPDX-License-Identifier: MIT */
/* The functions encode and decode, and what both directions share. */
#ifndef TAGOIO_LUA_JSON_H
#define TAGOIO_LUA_JSON_H

#include "lua/compat.h"

#pragma GCC visibility push(hidden)

/* Adds array_mt, decode, encode, mark and null to the table on top of the stack. */
void tagoio_json_open(lua_State *L);

/* Pushes the metatable that arrays get by default. */
void tagoio_push_array_mt(lua_State *L);

/* Pushes the table whose keys mark arrays: metatables, and light userdata for empty
   ones. */
void tagoio_push_markers(lua_State *L);

/* Makes room on the stack, or raises. */
void tagoio_check_stack(lua_State *L, int slots);

#pragma GCC visibility pop

#endif
