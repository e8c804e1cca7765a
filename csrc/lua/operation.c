/* SPDX-License-Identifier: MIT */
/* Rows of operations: our own as tables, and the userdata of those that programs
   describe. */
#include "lua/to_json.h"
#include "lua/userdata.h"

static const char operation_name[] = "tagoio.operation";

/* Empty until the row is made. */
typedef struct operation_userdata {
    const tagoio_operation *row;
} operation_userdata;

static const tagoio_operation *check_row(lua_State *L, int index) {
    const operation_userdata *self = luaL_checkudata(L, index, operation_name);
    luaL_argcheck(L, self->row != NULL, index, "the operation is closed");
    return self->row;
}

const tagoio_operation *tagoio_check_operation(lua_State *L, int index) {
    if (lua_type(L, index) == LUA_TUSERDATA) {
        return check_row(L, index);
    }
    const tagoio_operation *row = tagoio_operation_find(luaL_checkstring(L, index));
    luaL_argcheck(L, row != NULL, index, "unknown operation");
    return row;
}

static const char *argument_name(const tagoio_operation *row, size_t index) {
    return tagoio_operation_argument(row, index).name;
}

/* The names that a function gives one after the other, as a list. */
static void push_names(lua_State *L, const tagoio_operation *row,
                       const char *(*name_at)(const tagoio_operation *, size_t)) {
    const char *name;
    lua_newtable(L);
    for (int i = 0; (name = name_at(row, (size_t)i)) != NULL; i++) {
        lua_pushstring(L, name);
        lua_rawseti(L, -2, i + 1);
    }
}

/* operations(): the names of our operations, in documented order, of their arguments
 * and of the keys of their queries */
static int operations(lua_State *L) {
    lua_newtable(L);
    const tagoio_operation *row;
    for (size_t i = 0; (row = tagoio_operation_at(i)) != NULL; i++) {
        lua_createtable(L, 0, 3); /* list row */
        lua_pushstring(L, tagoio_operation_name(row));
        lua_setfield(L, -2, "name");
        push_names(L, row, argument_name);
        lua_setfield(L, -2, "arguments");
        push_names(L, row, tagoio_operation_query_key);
        lua_setfield(L, -2, "query");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* operation(name, description): a row, or nil, message, kind */
static int new_operation(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_to_json_context reader = {.L = L,
                                     .operation = luaL_checkstring(L, 1),
                                     .argument = "row",
                                     .verb = "described",
                                     .refusal = TAGOIO_ERROR_MISUSE};
    luaL_checktype(L, 2, LUA_TTABLE);
    tagoio_to_json_prepare(&reader);
    operation_userdata *self = tagoio_push_userdata(L, operation_name, sizeof *self);
    json_t *description = tagoio_to_json(&reader, 2, &err);
    if (description != NULL) {
        self->row = tagoio_operation_new(reader.operation, description, &err);
        json_decref(description);
    }
    return self->row != NULL ? 1 : tagoio_push_error(L, &err);
}

/* operation:arguments(): their names, in order */
static int arguments(lua_State *L) {
    push_names(L, check_row(L, 1), argument_name);
    return 1;
}

static int to_string(lua_State *L) {
    lua_pushstring(L, tagoio_operation_name(check_row(L, 1)));
    return 1;
}

static int close_operation(lua_State *L) {
    operation_userdata *self = luaL_checkudata(L, 1, operation_name);
    tagoio_operation_unref(self->row);
    self->row = NULL;
    return 0;
}

static const luaL_Reg methods[] = {{"arguments", arguments}, {NULL, NULL}};

void tagoio_operation_open(lua_State *L) {
    tagoio_make_type(L, operation_name, methods, close_operation);
    luaL_getmetatable(L, operation_name);
    lua_pushcfunction(L, to_string);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
    lua_pushcfunction(L, operations);
    lua_setfield(L, -2, "operations");
    lua_pushcfunction(L, new_operation);
    lua_setfield(L, -2, "operation");
}
