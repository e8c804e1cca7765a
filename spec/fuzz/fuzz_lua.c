/* SPDX-License-Identifier: MIT */
/* Lua values to JSON and back, in a Lua state. What can be encoded is told by a judge
   of our own, and comes back equal; text that is decoded and encoded is the text again.
 */
#include "fuzz.h"
#include "lua/push_json.h"
#include "lua/to_json.h"

#include <lualib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int luaopen_tagoio_core(lua_State *L);

/* Stack of the state: core, encode, decode, array_mt, a table of our own that is a
   metatable, marked; one that has __jsontype "object". */
enum { CORE = 1, ENCODE, DECODE, ARRAY_MT, MARKED_MT, OBJECT_MT, SHARED };

static lua_State *state_new(void) {
    lua_State *L = luaL_newstate();
    luaL_requiref(L, "tagoio.core", luaopen_tagoio_core, 0);
    lua_getfield(L, CORE, "encode");
    lua_getfield(L, CORE, "decode");
    lua_getfield(L, CORE, "array_mt");
    lua_getfield(L, CORE, "mark");
    lua_newtable(L); /* mark mt */
    lua_insert(L, -2);
    lua_pushvalue(L, MARKED_MT);
    lua_call(L, 1, 0);
    lua_newtable(L);
    lua_pushliteral(L, "object");
    lua_setfield(L, OBJECT_MT, "__jsontype");
    return L;
}

/* ---- making a value ---- */

static void push_value(lua_State *L, fuzz_input *in, int depth);

static void push_table(lua_State *L, fuzz_input *in, int depth) {
    unsigned kind = fuzz_below(in, 16);
    unsigned count = fuzz_below(in, 5);
    lua_newtable(L);
    if (kind == 15) { /* inside something, perhaps inside itself */
        lua_pushvalue(L, -1);
        lua_replace(L, SHARED);
    }
    for (unsigned i = 1; i <= count; i++) {
        if (kind < 6) {
            lua_pushinteger(L, (lua_Integer)i);
        } else {
            push_value(L, in, kind == 14 ? 0 : -1);
        }
        push_value(L, in, depth - 1);
        bool is_key = !lua_isnil(L, -2) &&
                      (lua_type(L, -2) != LUA_TNUMBER || !isnan(lua_tonumber(L, -2)));
        lua_pushvalue(L, is_key ? -2 : -1);
        lua_replace(L, -3);
        if (is_key) {
            lua_rawset(L, -3);
        } else {
            lua_pop(L, 2);
        }
    }
    int mt = (int)fuzz_below(in, 12);
    if (mt >= 1 && mt <= 3) {
        lua_pushvalue(L, ARRAY_MT + mt - 1);
        lua_setmetatable(L, -2);
    }
}

/* Below zero: a key, mostly a string. */
static void push_value(lua_State *L, fuzz_input *in, int depth) {
    unsigned choice =
        depth < 0 ? 5 + (fuzz_below(in, 8) == 7) : fuzz_below(in, depth > 0 ? 16 : 9);
    double strange[] = {NAN, INFINITY, -0.0, 0x1p63, -0x1p63, 0x1p53};
    fuzz_string text;
    switch (choice) {
    case 0:
        lua_pushlightuserdata(L, fuzz_below(in, 8) == 7 ? (void *)in : NULL);
        break;
    case 1:
        lua_pushboolean(L, (int)fuzz_below(in, 2));
        break;
    case 2:
        lua_pushinteger(L, (lua_Integer)fuzz_int64(in));
        break;
    case 3:
        lua_pushnumber(L, fuzz_double(in));
        break;
    case 4:
    case 5:
        text = fuzz_text(in, true);
        if (text.length > 0 && fuzz_below(in, 32) == 31) {
            text.bytes[text.length / 2] ^= (char)0x80; /* perhaps not UTF-8 */
        }
        lua_pushlstring(L, text.bytes, text.length);
        break;
    case 6:
        lua_pushnumber(L, strange[fuzz_below(in, 6)]);
        break;
    case 7:
        lua_pushinteger(L, (lua_Integer)fuzz_below(in, 4));
        break;
    case 8:
        lua_pushvalue(L, (int)fuzz_below(in, 2) ? SHARED : ENCODE);
        break;
    default:
        push_table(L, in, depth);
    }
}

/* ---- judging it ---- */

static bool is_good_string(lua_State *L, int index, bool is_key) {
    size_t bytes;
    if (lua_type(L, index) != LUA_TSTRING) {
        return false;
    }
    const char *text = lua_tolstring(L, index, &bytes);
    json_t *json = json_stringn(text, bytes); /* jansson's own look at UTF-8 */
    json_decref(json);
    return json != NULL && (!is_key || strlen(text) == bytes);
}

/* Arrays are 1 to n; without elements, what is marked. */
static bool is_array(lua_State *L, int index, bool *mixed) {
    lua_Integer count = 0;
    lua_Integer others = 0;
    int mt = !lua_getmetatable(L, index)      ? 0
             : lua_rawequal(L, -1, ARRAY_MT)  ? ARRAY_MT
             : lua_rawequal(L, -1, MARKED_MT) ? MARKED_MT
                                              : OBJECT_MT;
    lua_pop(L, mt != 0);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        lua_Number number = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
        bool is_index = number >= 1 && number < 0x1p31 && number == floor(number);
        count += is_index;
        others += !is_index;
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        others += lua_isnil(L, -1); /* a hole */
        lua_pop(L, 1);
    }
    bool marked = mt == ARRAY_MT || mt == MARKED_MT;
    *mixed = (count > 0 && (others > 0 || mt == OBJECT_MT)) || (marked && others > 0);
    return count > 0 || marked;
}

static bool is_good(lua_State *L, int index, int depth) {
    bool ok = true;
    bool mixed;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
        return true;
    case LUA_TLIGHTUSERDATA:
        return lua_touserdata(L, index) == NULL;
    case LUA_TNUMBER:
        return isfinite(lua_tonumber(L, index));
    case LUA_TSTRING:
        return is_good_string(L, index, false);
    case LUA_TTABLE:
        break;
    default:
        return false;
    }
    bool array = is_array(L, index, &mixed);
    if (mixed || depth == TAGOIO_MAX_JSON_DEPTH) { /* so deep: inside itself */
        return false;
    }
    luaL_checkstack(L, 8, NULL);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        ok = ok && (array || is_good_string(L, -2, true)) &&
             is_good(L, lua_gettop(L), depth + 1);
    }
    return ok;
}

/* 1.0 comes back as 1, nil as null. */
static void check_same_plain(lua_State *L, int a, int b) {
    lua_Number number = lua_type(L, a) == LUA_TNUMBER ? lua_tonumber(L, a) : 0.5;
    bool whole = number == floor(number) && fabs(number) < 0x1p63;
    if (lua_isnil(L, a)) {
        fuzz_check(lua_islightuserdata(L, b) && lua_touserdata(L, b) == NULL);
        return;
    }
    fuzz_check(lua_rawequal(L, a, b));
    fuzz_check(lua_isinteger(L, b) == (whole || lua_isinteger(L, a)));
}

/* What was decoded equals what was encoded, and its arrays, no other tables, are
 * marked.
 */
static void check_same(lua_State *L, int a, int b) {
    if (lua_type(L, a) != LUA_TTABLE || lua_type(L, b) != LUA_TTABLE) {
        check_same_plain(L, a, b);
        return;
    }
    bool mixed;
    bool array = is_array(L, a, &mixed);
    fuzz_check(lua_getmetatable(L, b) == array);
    fuzz_check(!array || lua_rawequal(L, -1, ARRAY_MT));
    lua_pop(L, array);
    int members = 0;
    luaL_checkstack(L, 8, NULL);
    for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 2)) {
        int top = lua_gettop(L);
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        check_same(L, top, top + 1);
        members++;
    }
    for (lua_pushnil(L); lua_next(L, b); lua_pop(L, 1)) {
        members--;
    }
    fuzz_check(members == 0);
}

/* ---- there and back ---- */

/* Pushes what comes of decode(text, true, array_mt). */
static void decode(lua_State *L, const char *text, size_t bytes) {
    lua_pushvalue(L, DECODE);
    lua_pushlstring(L, text, bytes);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, ARRAY_MT);
    fuzz_check(lua_pcall(L, 3, 1, 0) == LUA_OK);
}

/* Pushes a text, or nil and a message. */
static bool encode(lua_State *L, int index) {
    lua_pushvalue(L, ENCODE);
    lua_pushvalue(L, index);
    lua_pushinteger(L, 0);
    fuzz_check(lua_pcall(L, 2, 2, 0) == LUA_OK);
    return lua_isstring(L, -2);
}

static void check_value(lua_State *L, fuzz_input *in) {
    lua_pushnil(L); /* SHARED */
    push_value(L, in, 5);
    int value = lua_gettop(L);
    bool ok = encode(L, value);
    bool expected = is_good(L, value, 0);
    fuzz_check(lua_gettop(L) == value + 2);
    fuzz_check(ok == expected);
    if (ok) {
        size_t bytes;
        const char *text = lua_tolstring(L, value + 1, &bytes);
        decode(L, text, bytes);
        check_same(L, value, lua_gettop(L));
    } else {
        const char *message = lua_tostring(L, -1);
        fuzz_check(message != NULL && strncmp(message, "encode: value", 13) == 0);
        fuzz_check(tagoio_is_utf8(message, strlen(message)));
    }
    lua_settop(L, OBJECT_MT);
}

/* A real that is whole is an integer for Lua. */
static json_t *wholes(json_t *value) {
    size_t i;
    const char *key;
    json_t *inner;
    double number = json_real_value(value);
    if (json_is_real(value) && number == floor(number) && fabs(number) < 0x1p63) {
        return json_integer((json_int_t)number);
    }
    json_array_foreach(value, i, inner) { json_array_set_new(value, i, wholes(inner)); }
    json_object_foreach(value, key, inner) {
        json_object_set_new(value, key, wholes(inner));
    }
    return json_incref(value);
}

static void check_text(lua_State *L, fuzz_input *in) {
    json_t *made = fuzz_json(in, 6);
    json_t *value = wholes(made);
    char *text = tagoio_json_encode(value, 0, NULL);
    fuzz_check(text != NULL);
    decode(L, text, strlen(text));
    fuzz_check(encode(L, lua_gettop(L)));
    fuzz_check(strcmp(lua_tostring(L, -2), text) == 0);
    json_decref(made);
    json_decref(value);
    free(text);
    lua_settop(L, OBJECT_MT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lua_State *L = state_new();
    fuzz_input in = fuzz_open(data, size);
    bool is_text = fuzz_below(&in, 4) == 3;
    if (is_text) {
        check_text(L, &in);
    } else {
        check_value(L, &in);
    }
    fuzz_check(lua_gettop(L) == OBJECT_MT);
    lua_close(L);
    return 0;
}
