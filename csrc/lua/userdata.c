/* SPDX-License-Identifier: MIT */
/* What the kinds of userdata share: errors, options, metatables. */
#include "lua/userdata.h"

#include <string.h>

void *tagoio_push_userdata(lua_State *L, const char *type, size_t bytes) {
    void *self = memset(lua_newuserdata(L, bytes), 0, bytes);
    luaL_getmetatable(L, type);
    lua_setmetatable(L, -2);
    return self;
}

int tagoio_push_error(lua_State *L, const tagoio_error *err) {
    lua_pushnil(L);
    lua_pushstring(L, err->message);
    lua_pushstring(L, tagoio_error_kind_name(err->kind));
    return 3;
}

const char *tagoio_text_option(lua_State *L, int index, const char *name,
                               const char *default_value) {
    lua_getfield(L, index, name); /* stays in the table, so its string lives */
    const char *text = lua_isnil(L, -1) ? default_value : lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

double tagoio_number_option(lua_State *L, int index, const char *name,
                            double default_value) {
    lua_getfield(L, index, name);
    double number = lua_isnil(L, -1) ? default_value : lua_tonumber(L, -1);
    lua_pop(L, 1);
    return number;
}

void tagoio_set_functions(lua_State *L, const luaL_Reg *functions) {
    for (; functions->name != NULL; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

void tagoio_make_type(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction finalizer) {
    luaL_newmetatable(L, name);
    const luaL_Reg metamethods[] = {
        {"__gc", finalizer}, {"__close", finalizer}, {NULL, NULL}};
    tagoio_set_functions(L, metamethods);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    tagoio_set_functions(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
