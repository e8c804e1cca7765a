/* SPDX-License-Identifier: MIT */
/* A program that embeds Lua and runs out of memory, in Lua's allocator or in C's: it
   runs spec/torture/memory.lua, which says after how many allocations, and looks at
   what comes of it. It includes the C library and Lua. */
#include "support/check.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#if defined(__GLIBC__) && !defined(SANITIZED)
#define REPLACES_MALLOC 1
#else
#define REPLACES_MALLOC 0
#endif

/* ---- allocators that fail ---- */

typedef enum allocator { NONE, OF_LUA, OF_C } allocator;

static struct {
    allocator failing;
    long left;    /* allocations that still succeed */
    bool once;    /* only one fails */
    size_t least; /* smaller blocks are always had */
    long failures;
    bool passing; /* Lua's own allocator is at work */
} memory;

static bool refuses(allocator which, size_t bytes) {
    if (memory.failing != which || bytes < memory.least ||
        (which == OF_C && memory.passing)) {
        return false;
    }
    if (memory.left > 0) {
        memory.left--;
        return false;
    }
    memory.failures++;
    memory.failing = memory.once ? NONE : memory.failing;
    return true;
}

/* The allocator of a state before ours was put in front of it. */
typedef struct original {
    lua_Alloc function;
    void *data;
} original;

/* Lua relies on blocks that can always shrink. */
static void *allocate_for_lua(void *data, void *block, size_t before, size_t bytes) {
    const original *it = data;
    if (bytes > 0 && (block == NULL || bytes > before) && refuses(OF_LUA, bytes)) {
        return NULL;
    }
    memory.passing = true;
    void *result = it->function(it->data, block, before, bytes);
    memory.passing = false;
    return result;
}

#if REPLACES_MALLOC
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);

__attribute__((__visibility__("default"))) void *malloc(size_t bytes) {
    return refuses(OF_C, bytes) ? NULL : __libc_malloc(bytes);
}

__attribute__((__visibility__("default"))) void *calloc(size_t count, size_t bytes) {
    return refuses(OF_C, count * bytes) ? NULL : __libc_calloc(count, bytes);
}

__attribute__((__visibility__("default"))) void *realloc(void *block, size_t bytes) {
    return refuses(OF_C, bytes) ? NULL : __libc_realloc(block, bytes);
}
#endif

/* ---- what the script is given ---- */

/* fail_after("lua" or "C", successes, once [, least]) */
static int fail_after(lua_State *L) {
    bool in_lua = strcmp(luaL_checkstring(L, 1), "lua") == 0;
    memory.left = (long)luaL_checkinteger(L, 2);
    memory.once = lua_toboolean(L, 3);
    memory.least = (size_t)luaL_optinteger(L, 4, 0);
    memory.failures = 0;
    memory.failing = in_lua ? OF_LUA : OF_C;
    return 0;
}

/* fail_no_more(): how many allocations have failed */
static int fail_no_more(lua_State *L) {
    memory.failing = NONE;
    lua_pushinteger(L, memory.failures);
    return 1;
}

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
                                     {"case", begin_case},
                                     {"check", check},
                                     {"run_in_new_state", run_in_new_state},
                                     {NULL, NULL}};

/* Runs code, or the file of that name, in a state of its own. */
static bool run(const char *code, bool is_file) {
    original it;
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        return false;
    }
    luaL_openlibs(L);
    it.function = lua_getallocf(L, &it.data);
    lua_setallocf(L, allocate_for_lua, &it);
    for (const luaL_Reg *at = functions; at->name != NULL; at++) {
        lua_register(L, at->name, at->func);
    }
    lua_pushboolean(L, REPLACES_MALLOC);
    lua_setglobal(L, "malloc_fails");
    int status = is_file ? luaL_loadfile(L, code) : luaL_loadstring(L, code);
    bool done = status == 0 && lua_pcall(L, 0, 0, 0) == 0;
    memory.failing = NONE;
    if (!done) {
        printf("%s\n", lua_tostring(L, -1));
    }
    lua_setallocf(L, it.function, it.data);
    lua_close(L);
    return done;
}

static void test_script(void) { check_true(run("spec/torture/memory.lua", true)); }

int main(void) {
    const check_test tests[] = {test_script};
    return check_run(tests, check_count(tests));
}
