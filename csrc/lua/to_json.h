/* SPDX-License-Identifier: MIT */
/* Lua values to JSON, by raw access: no metamethod runs. */
#ifndef TAGOIO_LUA_TO_JSON_H
#define TAGOIO_LUA_TO_JSON_H

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

/* Pushes what reading needs, and makes room for the deepest value. May raise. */
void tagoio_to_json_prepare(tagoio_to_json_context *self);

/* The value at a positive index as new JSON; nil is null. Never raises. NULL with an
   error of kind invalid, misuse or memory. */
json_t *tagoio_to_json(const tagoio_to_json_context *self, int index,
                       tagoio_error *err);

#pragma GCC visibility pop

#endif
