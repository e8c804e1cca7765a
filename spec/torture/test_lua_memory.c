/* SPDX-License-Identifier: MIT */
/* A program that embeds Lua and the module, and runs out of memory: in Lua's allocator,
   in ours, in jansson's or in libcurl's. The scripts beside it say after how many
   allocations, and look at what comes of it. With TORTURE=full in its environment they
   try each allocation, and tell of each case; else they are quick. */
#include "support/check.h"
#include "support/memory.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const scripts[] = {
    "spec/torture/memory.lua",
    "spec/torture/calls.lua",
    "spec/torture/transfers.lua",
};

static const char *const kinds[] = {
    [MEMORY_LUA] = "Lua",
    [MEMORY_C] = "C",
    [MEMORY_JSON] = "jansson",
    [MEMORY_CURL] = "libcurl",
    NULL,
};

/* ---- what the scripts are given ---- */

static memory_kind check_kind(lua_State *L, int index) {
    return (memory_kind)luaL_checkoption(L, index, NULL, kinds);
}

/* fail_after(kind, successes [, failures [, least]]): without failures, for ever;
   blocks of fewer bytes than least are always had */
static int fail_after(lua_State *L) {
    bool failing[MEMORY_KINDS] = {false};
    failing[check_kind(L, 1)] = true;
    long successes = (long)luaL_checkinteger(L, 2);
    long failures = lua_isnoneornil(L, 3) ? MEMORY_FOR_EVER : (long)lua_tointeger(L, 3);
    size_t least = (size_t)luaL_optinteger(L, 4, 0);
    memory_fail_after(failing, successes, failures);
    memory_fail_from(least);
    return 0;
}

/* fail_no_more(): how many allocations have failed */
static int fail_no_more(lua_State *L) {
    lua_pushinteger(L, memory_fail_no_more());
    return 1;
}

/* balance(kind): how many blocks are in use */
static int balance(lua_State *L) {
    lua_pushinteger(L, memory_balance(check_kind(L, 1)));
    return 1;
}

/* case(title): checks that follow belong to it */
static int begin_case(lua_State *L) {
    check_case("%s", luaL_checkstring(L, 1));
    return 0;
}

/* check(condition, what) */
static int check(lua_State *L) {
    if (!check_true(lua_toboolean(L, 1))) {
        printf("    %s\n", luaL_checkstring(L, 2));
    }
    return 0;
}

static bool run(const char *code, bool is_file);

/* run_in_new_state(code) */
static int run_in_new_state(lua_State *L) {
    check_true(run(luaL_checkstring(L, 1), false));
    return 0;
}

static const luaL_Reg functions[] = {{"fail_after", fail_after},
                                     {"fail_no_more", fail_no_more},
                                     {"balance", balance},
                                     {"case", begin_case},
                                     {"check", check},
                                     {"run_in_new_state", run_in_new_state},
                                     {NULL, NULL}};

/* ---- states ---- */

static lua_State *new_state(void) {
#if LUA_VERSION_NUM >= 505
    return lua_newstate(memory_allocate_for_lua, NULL, 0);
#else
    return lua_newstate(memory_allocate_for_lua, NULL);
#endif
}

/* The module whose memory can fail comes before the one that programs use. */
static const char first_code[] =
    "package.cpath = os.getenv('BUILD') .. '/torture/?.so;' .. package.cpath\n"
    "if package.loaded.jit then jit.off() end"; /* the compiler does not survive it */

/* Runs code, or the file of that name, in a state of its own, which leaves nothing. */
static bool run(const char *code, bool is_file) {
    long before = memory_balance(MEMORY_LUA);
    lua_State *L = new_state();
    if (L == NULL) {
        return false;
    }
    luaL_openlibs(L);
    for (const luaL_Reg *at = functions; at->name != NULL; at++) {
        lua_register(L, at->name, at->func);
    }
    bool done = luaL_dostring(L, first_code) == 0 &&
                (is_file ? luaL_loadfile(L, code) : luaL_loadstring(L, code)) == 0 &&
                lua_pcall(L, 0, 0, 0) == 0;
    memory_fail_no_more();
    if (!done) {
        printf("%s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    check_number(before, memory_balance(MEMORY_LUA));
    return done;
}

static void test_scripts(void) {
    for (int i = 0; i < check_count(scripts); i++) {
        check_case("%s", scripts[i]);
        check_true(run(scripts[i], true));
        check_case("%s leaves nothing behind", scripts[i]);
        check_number(0, memory_balance(MEMORY_C));
        check_number(0, memory_balance(MEMORY_JSON));
        check_number(0, memory_balance(MEMORY_CURL));
    }
}

static void print_failures(void) {
    printf("allocations that failed:");
    for (int i = 0; i < MEMORY_KINDS; i++) {
        printf(" %s %ld", kinds[i], memory_all_failures((memory_kind)i));
    }
    printf("; spared because libcurl does not survive it: %ld\n", memory_spared());
}

int main(void) {
    const check_test tests[] = {test_scripts, print_failures};
    memory_take_over();
    return check_run(tests, check_count(tests));
}
