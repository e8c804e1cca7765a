/* SPDX-License-Identifier: MIT */
/* The functions encode, decode and mark, and what both directions share. */
#include "lua/json.h"
#include "lua/push_json.h"
#include "lua/to_json.h"
#include "lua/userdata.h"

#include <stdlib.h>

static const char markers_name[] = "tagoio.markers";
static const char array_mt_name[] = "tagoio.array_mt";
static const char json_box_name[] = "tagoio.json";

/* Raises where the stack cannot grow. lua_checkstack does not say whether that is for
   want of memory or because the stack is as large as it may be: as much memory as the
   largest stack takes cannot be had in the first case, which raises. */
void tagoio_check_stack(lua_State *L, int slots) {
    if (!lua_checkstack(L, slots)) {
        lua_newuserdata(L, TAGOIO_LARGEST_STACK_BYTES);
        lua_pop(L, 1);
        luaL_checkstack(L, slots, "no room to convert a value");
    }
}

/* Owns JSON and its text across Lua calls that may raise. */
typedef struct json_box {
    json_t *json;
    char *text;
} json_box;

static void empty(json_box *box) {
    json_decref(box->json);
    free(box->text);
    *box = (json_box){NULL, NULL};
}

static int free_box(lua_State *L) {
    empty(luaL_checkudata(L, 1, json_box_name));
    return 0;
}

/* encode(value, indent): text, or nil, message, kind */
static int encode(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    size_t indent = (size_t)luaL_checkinteger(L, 2);
    json_box *box = tagoio_push_userdata(L, json_box_name, sizeof *box);
    tagoio_to_json_context context = {.L = L,
                                      .operation = "encode",
                                      .argument = "value",
                                      .verb = "encoded",
                                      .refusal = TAGOIO_ERROR_INVALID};
    tagoio_to_json_prepare(&context);
    box->json = tagoio_to_json(&context, 1, &err);
    if (box->json == NULL) {
        return tagoio_push_error(L, &err);
    }
    box->text = tagoio_json_encode(box->json, indent, &err);
    if (box->text == NULL) {
        return tagoio_push_error(L, &err);
    }
    lua_pushstring(L, box->text);
    empty(box);
    return 1;
}

/* decode(text, keep_null, array_mt): value, or nil, message, kind */
static int decode(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    size_t bytes;
    const char *text = luaL_checklstring(L, 1, &bytes);
    luaL_checktype(L, 3, LUA_TTABLE);
    json_box *box = tagoio_push_userdata(L, json_box_name, sizeof *box);
    box->json = tagoio_json_decode(text, bytes, &err);
    if (box->json == NULL) {
        return tagoio_push_error(L, &err);
    }
    tagoio_push_json_context context = {.keep_null = lua_toboolean(L, 2),
                                        .array_mt = 3};
    tagoio_push_json(L, &context, box->json);
    empty(box);
    return 1;
}

/* mark(value): a table with this metatable, or this light userdata, is an array */
static int mark(lua_State *L) {
    tagoio_push_markers(L);
    lua_pushvalue(L, 1);
    lua_pushboolean(L, true);
    lua_rawset(L, -3);
    return 0;
}

void tagoio_push_markers(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, markers_name);
}

void tagoio_push_array_mt(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, array_mt_name);
}

static const luaL_Reg functions[] = {
    {"encode", encode}, {"decode", decode}, {"mark", mark}, {NULL, NULL}};

/* Pushes the registry's table of that name, made by `make` at the first time: one state
   has one, however often it loads the module. It is kept once it is complete, because
   making it may raise. */
static void push_kept_table(lua_State *L, const char *name, void (*make)(lua_State *)) {
    lua_getfield(L, LUA_REGISTRYINDEX, name);
    if (lua_istable(L, -1)) {
        return;
    }
    lua_pop(L, 1);
    make(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, name);
}

static void make_markers(lua_State *L) {
    lua_newtable(L);
    lua_newtable(L); /* markers mt */
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

static void make_array_mt(lua_State *L) {
    lua_newtable(L);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__jsontype");
}

void tagoio_json_open(lua_State *L) {
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    tagoio_make_type(L, json_box_name, no_methods, free_box);
    push_kept_table(L, markers_name, make_markers);
    lua_pop(L, 1);
    push_kept_table(L, array_mt_name, make_array_mt);
    lua_setfield(L, -2, "array_mt"); /* core */

    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    tagoio_set_functions(L, functions);
}
