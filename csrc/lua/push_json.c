/* SPDX-License-Identifier: MIT */
/* JSON to Lua values. It may raise, and holds nothing. */
#include "lua/push_json.h"
#include "lua/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 2^63, which the largest integers are rounded to, is none itself. */
static bool fits_double(json_int_t number) {
    double rounded = (double)number;
    return rounded < 0x1p63 && (json_int_t)rounded == number;
}

static void push_integer(lua_State *L, json_int_t number) {
    if (!TAGOIO_HAS_INTEGERS && !fits_double(number)) {
        char digits[24];
        snprintf(digits, sizeof digits, "%" PRId64, (int64_t)number);
        lua_pushstring(L, digits);
    } else if (!TAGOIO_HAS_INTEGERS) {
        lua_pushnumber(L, (lua_Number)number);
    } else {
        lua_pushinteger(L, (lua_Integer)number);
    }
}

static int clamp(size_t count) { return count > 1u << 20 ? 1 << 20 : (int)count; }

static void push_value(lua_State *L, const tagoio_push_json_context *self,
                       json_t *value);

static void push_array(lua_State *L, const tagoio_push_json_context *self,
                       json_t *array) {
    size_t length = json_array_size(array);
    lua_createtable(L, clamp(length), 0);
    for (size_t i = 0; i < length; i++) {
        push_value(L, self, json_array_get(array, i));
        lua_rawseti(L, -2, (int)(i + 1));
    }
    lua_pushvalue(L, self->array_mt);
    lua_setmetatable(L, -2);
}

static void push_object(lua_State *L, const tagoio_push_json_context *self,
                        json_t *object) {
    lua_createtable(L, 0, clamp(json_object_size(object)));
    void *at = json_object_iter(object);
    for (; at != NULL; at = json_object_iter_next(object, at)) {
        json_t *value = json_object_iter_value(at);
        if (self->keep_null || !json_is_null(value)) {
            const char *key = json_object_iter_key(at);
            lua_pushlstring(L, key, strlen(key)); /* else Lua looks in a cache first */
            push_value(L, self, value);
            lua_rawset(L, -3);
        }
    }
}

static void push_value(lua_State *L, const tagoio_push_json_context *self,
                       json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        push_object(L, self, value);
        break;
    case JSON_ARRAY:
        push_array(L, self, value);
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        push_integer(L, json_integer_value(value));
        break;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(value));
        break;
    case JSON_NULL:
        lua_pushlightuserdata(L, NULL);
        break;
    }
}

void tagoio_push_json(lua_State *L, const tagoio_push_json_context *self,
                      json_t *value) {
    /* A table and a key for each level, and what is set in the innermost one. A message
       of an error that is JSON itself was decoded where it stands, two levels down. */
    tagoio_check_stack(L, 2 * (TAGOIO_MAX_JSON_DEPTH + 2) + 4);
    push_value(L, self, value);
}
