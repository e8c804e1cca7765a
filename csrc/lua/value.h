/* SPDX-License-Identifier: MIT */
/* Lua values to JSON and back, by raw access: no metamethod runs. */
#ifndef TAGOIO_LUA_VALUE_H
#define TAGOIO_LUA_VALUE_H

#include "lua/compat.h"
#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Reads Lua values. Errors begin with the operation, then the path to the bad value. */
typedef struct tagoio_to_json_context {
    lua_State *L;
    const char *operation;     /* "profile.edit" */
    const char *argument;      /* "body" */
    const char *verb;          /* "sent": function cannot be sent */
    tagoio_error_kind refusal; /* of a value without a JSON form: invalid or misuse */
    int markers;               /* stack index, set by prepare */
} tagoio_to_json_context;

/* Pushes what outcome needs, and makes room for the deepest value. May raise. */
void tagoio_to_json_prepare(tagoio_to_json_context *reader);

/* The value at a positive index as new JSON; nil is null. Never raises. NULL with an
   error of kind invalid, misuse or memory. */
json_t *tagoio_to_json(const tagoio_to_json_context *reader, int index,
                       tagoio_error *err);

/* How results look in Lua. */
typedef struct tagoio_push_json_context {
    bool keep_null; /* members that are null; elements always stay */
    int array_mt;   /* stack index of the metatable that arrays get */
} tagoio_push_json_context;

/* Pushes a value, which somebody else owns: this may raise. */
void tagoio_push_json(lua_State *L, const tagoio_push_json_context *writer,
                      const json_t *value);

/* array_mt, array, decode, encode, mark and null into the table on top of the stack. */
void tagoio_value_open(lua_State *L);

/* Pushes the metatable that arrays get by default. */
void tagoio_value_push_array_mt(lua_State *L);

#pragma GCC visibility pop

#endif
