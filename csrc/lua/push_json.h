/* SPDX-License-Identifier: MIT */
/* JSON to Lua values. */
#ifndef TAGOIO_LUA_PUSH_JSON_H
#define TAGOIO_LUA_PUSH_JSON_H

#include "lua/compat.h"
#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* How results look in Lua. */
typedef struct tagoio_push_json_context {
    bool keep_null; /* members that are null; elements always stay */
    int array_mt;   /* stack index of the metatable that arrays get */
} tagoio_push_json_context;

/* Pushes a value, which somebody else owns: this may raise. */
void tagoio_push_json(lua_State *L, const tagoio_push_json_context *self,
                      json_t *value);

#pragma GCC visibility pop

#endif
