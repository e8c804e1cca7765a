/* SPDX-License-Identifier: MIT */
/* Lua values to JSON, by raw access. It never raises, so that it may hold what it
   builds. */
#include "lua/to_json.h"
#include "lua/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where a value is: a chain from the inside out, on the C stack. */
typedef struct location {
    const struct location *outer;
    const char *key; /* NULL: an element */
    size_t index;
    int depth;
    const void *table; /* which one it is, if it is one */
} location;

static void add_path(char *path, size_t size, const location *at) {
    if (at->outer == NULL) {
        return;
    }
    add_path(path, size, at->outer);
    size_t length = strlen(path);
    if (at->key != NULL) {
        char key[64]; /* of the caller's own, so it may be anything */
        tagoio_printable(key, sizeof key, at->key, strlen(at->key));
        snprintf(path + length, size - length, ".%s", key);
    } else {
        snprintf(path + length, size - length, "[%zu]", at->index);
    }
}

static json_t *refuse(const tagoio_to_json_context *self, const location *at,
                      tagoio_error_kind kind, const char *problem, tagoio_error *err) {
    char path[200] = "";
    if (err != NULL && err->kind == TAGOIO_ERROR_NONE) {
        add_path(path, sizeof path, at);
        err->kind = kind;
        tagoio_printable(path, sizeof path, path, strlen(path)); /* where it was cut */
        snprintf(err->message, sizeof err->message, "%s: %s%s: %s", self->operation,
                 self->argument, path, problem);
    }
    return NULL;
}

static json_t *refuse_type(const tagoio_to_json_context *self, const location *at,
                           int index, tagoio_error *err) {
    char problem[64];
    snprintf(problem, sizeof problem, "%s cannot be %s",
             lua_typename(self->L, lua_type(self->L, index)), self->verb);
    return refuse(self, at, self->refusal, problem, err);
}

static json_t *out_of_memory(tagoio_error *err) {
    tagoio_error_memory(err);
    return NULL;
}

static json_t *convert_string(const tagoio_to_json_context *self, int index,
                              const location *at, tagoio_error *err) {
    size_t bytes;
    const char *string = lua_tolstring(self->L, index, &bytes);
    if (!tagoio_is_utf8(string, bytes)) {
        return refuse(self, at, TAGOIO_ERROR_INVALID, "a string that is not UTF-8",
                      err);
    }
    json_t *json = json_stringn_nocheck(string, bytes);
    return json != NULL ? json : out_of_memory(err);
}

static json_t *convert_number(const tagoio_to_json_context *self, int index,
                              const location *at, tagoio_error *err) {
    json_t *json;
    if (lua_isinteger(self->L, index)) {
        json = json_integer((json_int_t)lua_tointeger(self->L, index));
    } else {
        double number = lua_tonumber(self->L, index);
        if (isnan(number) || isinf(number)) {
            return refuse(self, at, TAGOIO_ERROR_INVALID,
                          "NaN and infinity are not JSON", err);
        }
        bool whole = number == floor(number) && fabs(number) < 0x1p63;
        json = whole ? json_integer((json_int_t)number) : json_real(number);
    }
    return json != NULL ? json : out_of_memory(err);
}

typedef enum shape { OBJECT, ARRAY, MIXED, SPARSE } shape;

/* What a marker says: a value in the table of markers, or dkjson's __jsontype. */
static bool is_marked_array(const tagoio_to_json_context *self, int index,
                            bool *is_object) {
    lua_State *L = self->L;
    *is_object = false;
    if (!lua_getmetatable(L, index)) {
        return false;
    }
    lua_pushvalue(L, -1);
    lua_rawget(L, self->markers);
    bool is_array = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, self->markers + 1); /* "__jsontype" */
    lua_rawget(L, -2);
    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *type = lua_tostring(L, -1);
        is_array = is_array || strcmp(type, "array") == 0;
        *is_object = strcmp(type, "object") == 0;
    }
    lua_pop(L, 2);
    return is_array;
}

static bool is_index(lua_State *L, int index, size_t *largest) {
    double number = lua_tonumber(L, index);
    if (lua_type(L, index) != LUA_TNUMBER || number < 1 || number >= 0x1p31 ||
        number != floor(number)) {
        return false;
    }
    *largest = number > (double)*largest ? (size_t)number : *largest;
    return true;
}

static shape shape_of(const tagoio_to_json_context *self, int index, size_t *length) {
    lua_State *L = self->L;
    bool is_object;
    bool marked = is_marked_array(self, index, &is_object);
    size_t indices = 0;
    size_t others = 0;
    *length = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (is_index(L, -1, length)) {
            indices++;
        } else {
            others++;
        }
    }
    if (indices == 0 && (others > 0 || !marked)) {
        return marked ? MIXED : OBJECT;
    }
    if (others > 0 || is_object) {
        return MIXED;
    }
    return indices == *length ? ARRAY : SPARSE;
}

static json_t *convert_value(const tagoio_to_json_context *self, int index,
                             const location *at, tagoio_error *err);

/* Moves what was read into its container. */
static bool append(json_t *array, json_t *element_take, tagoio_error *err) {
    if (element_take == NULL) {
        return false;
    }
    return json_array_append_new(array, element_take) == 0 || tagoio_error_memory(err);
}

static json_t *convert_array(const tagoio_to_json_context *self, int index,
                             size_t length, const location *at, tagoio_error *err) {
    lua_State *L = self->L;
    json_t *array = json_array();
    bool ok = array != NULL || tagoio_error_memory(err);
    for (size_t i = 1; ok && i <= length; i++) {
        location inner = {.outer = at, .index = i, .depth = at->depth + 1};
        lua_rawgeti(L, index, (int)i);
        ok = append(array, convert_value(self, lua_gettop(L), &inner, err), err);
        lua_pop(L, 1);
    }
    if (!ok) {
        json_decref(array);
        return NULL;
    }
    return array;
}

/* The key at stack index top-1 and the value on top. */
static bool convert_member(const tagoio_to_json_context *self, json_t *object,
                           const location *at, tagoio_error *err) {
    lua_State *L = self->L;
    int top = lua_gettop(L);
    if (lua_type(L, top - 1) != LUA_TSTRING) {
        return refuse(self, at, TAGOIO_ERROR_INVALID, "a key that is not a string",
                      err) != NULL;
    }
    size_t bytes;
    location inner = {.outer = at, .depth = at->depth + 1};
    inner.key = lua_tolstring(L, top - 1, &bytes);
    if (strlen(inner.key) != bytes) {
        return refuse(self, &inner, TAGOIO_ERROR_INVALID, "a key with a NUL byte",
                      err) != NULL;
    }
    if (!tagoio_is_utf8(inner.key, bytes)) {
        return refuse(self, &inner, TAGOIO_ERROR_INVALID, "a string that is not UTF-8",
                      err) != NULL;
    }
    json_t *value = convert_value(self, top, &inner, err);
    if (value == NULL) {
        return false;
    }
    return json_object_set_new_nocheck(object, inner.key, value) == 0 ||
           tagoio_error_memory(err);
}

static json_t *convert_object(const tagoio_to_json_context *self, int index,
                              const location *at, tagoio_error *err) {
    lua_State *L = self->L;
    json_t *object = json_object();
    bool ok = object != NULL || tagoio_error_memory(err);
    int top = lua_gettop(L);
    lua_pushnil(L);
    while (ok && lua_next(L, index) != 0) {
        ok = convert_member(self, object, at, err);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool is_inside_itself(const location *at) {
    for (const location *outer = at->outer; outer != NULL; outer = outer->outer) {
        if (outer->table == at->table) {
            return true;
        }
    }
    return false;
}

static json_t *convert_table(const tagoio_to_json_context *self, int index,
                             const location *outside, tagoio_error *err) {
    location here = *outside;
    const location *at = &here;
    size_t length;
    here.table = lua_topointer(self->L, index);
    if (is_inside_itself(at)) {
        return refuse(self, at, TAGOIO_ERROR_INVALID, "a table inside itself", err);
    }
    if (at->depth >= TAGOIO_MAX_JSON_DEPTH) {
        return refuse(self, at, TAGOIO_ERROR_INVALID, "nested deeper than 128 levels",
                      err);
    }
    switch (shape_of(self, index, &length)) {
    case ARRAY:
        return convert_array(self, index, length, at, err);
    case OBJECT:
        return convert_object(self, index, at, err);
    case MIXED:
        return refuse(self, at, TAGOIO_ERROR_INVALID,
                      "a table with indices and other keys is neither array nor object",
                      err);
    case SPARSE:
        break;
    }
    return refuse(self, at, TAGOIO_ERROR_INVALID,
                  "an array with holes (use tagoio.null)", err);
}

/* null, or a marker of an empty array such as cjson has. */
static json_t *convert_pointer(const tagoio_to_json_context *self, int index,
                               const location *at, tagoio_error *err) {
    lua_State *L = self->L;
    if (lua_touserdata(L, index) == NULL) {
        return json_null();
    }
    lua_pushvalue(L, index);
    lua_rawget(L, self->markers);
    bool is_array = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (!is_array) {
        return refuse_type(self, at, index, err);
    }
    json_t *array = json_array();
    return array != NULL ? array : out_of_memory(err);
}

static json_t *convert_value(const tagoio_to_json_context *self, int index,
                             const location *at, tagoio_error *err) {
    switch (lua_type(self->L, index)) {
    case LUA_TNIL:
        return json_null();
    case LUA_TBOOLEAN:
        return json_boolean(lua_toboolean(self->L, index));
    case LUA_TNUMBER:
        return convert_number(self, index, at, err);
    case LUA_TSTRING:
        return convert_string(self, index, at, err);
    case LUA_TTABLE:
        return convert_table(self, index, at, err);
    case LUA_TLIGHTUSERDATA:
        return convert_pointer(self, index, at, err);
    default:
        return refuse_type(self, at, index, err);
    }
}

void tagoio_to_json_prepare(tagoio_to_json_context *self) {
    lua_State *L = self->L;
    /* A key and a value for each level, and what one level needs beside them. */
    tagoio_check_stack(L, 2 * TAGOIO_MAX_JSON_DEPTH + 16);
    tagoio_push_markers(L);
    self->markers = lua_gettop(L);
    lua_pushliteral(L, "__jsontype");
}

json_t *tagoio_to_json(const tagoio_to_json_context *self, int index,
                       tagoio_error *err) {
    return convert_value(self, index, &(location){.outer = NULL}, err);
}
