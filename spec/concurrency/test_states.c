/* SPDX-License-Identifier: MIT */
/* A program that embeds Lua, as a server does: several states in several threads, and
   states that end while calls are on their way. The module is found through LUA_PATH
   and LUA_CPATH. It includes the C library, threads and Lua. */
#define _POSIX_C_SOURCE 200809L

#include "support/check.h"

#include <dirent.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Runs code in a state of its own, which is then closed. False, and what is wrong is
   printed, when it raises. */
static bool run(const char *code) {
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        return false;
    }
    luaL_openlibs(L);
    bool done = luaL_loadstring(L, code) == 0 && lua_pcall(L, 0, 0, 0) == 0;
    if (!done) {
        printf("%s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    return done;
}

/* ---- the module's code ---- */

/* Whether a library with such a path is in this process; true where nobody says. */
static bool is_loaded(const char *path) {
    char line[4096];
    bool found = false;
    FILE *file = fopen("/proc/self/maps", "r");
    if (file == NULL) {
        return true;
    }
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = strstr(line, path) != NULL;
    }
    fclose(file);
    return found;
}

static void test_code_stays(void) {
    check_case("the module's code stays when the last state has ended");
    check_true(run("require('tagoio.core')"));
    check_true(is_loaded("/tagoio/core.so"));
}

/* ---- threads ---- */

enum { THREADS = 4, STATES_EACH = 3 };

static const char busy_code[] =
    "local tagoio = require('tagoio')\n"
    "local client = assert(tagoio.new({\n"
    "  token = os.getenv('EMULATOR_TOKEN'),\n"
    "  region = { api = os.getenv('EMULATOR_HTTPS') },\n"
    "  ca_file = os.getenv('EMULATOR_CA'),\n"
    "  proxy = false,\n"
    "}))\n"
    "for _ = 1, 5 do\n"
    "  for _, profile in ipairs(assert(client.profile.list())) do\n"
    "    assert(assert(client.profile.info(profile.id)).info.id == profile.id)\n"
    "  end\n"
    "  local _, message, err = client.profile.info('unknown')\n"
    "  assert(err.status == 404, message)\n"
    "  local text = assert(tagoio.encode({ 1.5, { a = 'b' } }))\n"
    "  assert(tagoio.decode(text)[2].a == 'b')\n"
    "end\n";

static void *keep_busy(void *data) {
    bool *done = data;
    *done = true;
    for (int i = 0; i < STATES_EACH; i++) {
        *done = run(busy_code) && *done;
    }
    return NULL;
}

static void test_threads(void) {
    check_case("several states in several threads");
    pthread_t threads[THREADS];
    bool done[THREADS];
    for (int i = 0; i < THREADS; i++) {
        check_true(pthread_create(&threads[i], NULL, keep_busy, &done[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        check_true(pthread_join(threads[i], NULL) == 0);
        check_true(done[i]);
    }
}

/* ---- ends ---- */

static int count_threads(void) {
    int count = -2; /* . and .. */
    DIR *folder = opendir("/proc/self/task");
    if (folder == NULL) {
        return -1;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* A name that is looked up for two seconds, by a thread of libcurl's. */
static const char stuck_code[] = "local core = require('tagoio.core')\n"
                                 "local options = { token = 'p-0000', base_url = "
                                 "'https://api.slow.test', proxy = '' }\n"
                                 "local pool = assert(core.pool(options))\n"
                                 "client = assert(core.client(options, pool))\n"
                                 "call = assert(client:start('profile.list'))\n"
                                 "for _ = 1, 3 do assert(pool:step(0.05) == 1) end\n";

static void test_stuck_resolver(void) {
    check_case("a state ends while a name is looked up, and the look-up after it");
    int before = count_threads();
    check_true(run(stuck_code));
    check_true(count_threads() > before); /* libcurl 8.20 starts more than one */
    while (count_threads() > before) {
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
}

/* The client is the first to be finalized, then its calls; or the other way round. */
static void test_calls_in_flight(void) {
    check_case("a state ends with calls in flight");
    check_true(
        run("local core = require('tagoio.core')\n"
            "local options = { token = os.getenv('EMULATOR_TOKEN'), proxy = '',\n"
            "  base_url = os.getenv('EMULATOR_HTTP') }\n"
            "local pool = assert(core.pool(options))\n"
            "client, calls = assert(core.client(options, pool)), {}\n"
            "for i = 1, 100 do\n"
            "  calls[i] = assert(client:start('profile.list'))\n"
            "end\n"
            "assert(pool:step(0) > 0)\n"));
    check_true(
        run("local core = require('tagoio.core')\n"
            "local options = { token = os.getenv('EMULATOR_TOKEN'), proxy = '',\n"
            "  base_url = os.getenv('EMULATOR_HTTP') }\n"
            "kept = {}\n"
            "for i = 1, 10 do\n"
            "  local pool = assert(core.pool(options))\n"
            "  kept[i] = assert(core.client(options, pool))\n"
            "  kept[-i] = assert(kept[i]:start('profile.list'))\n"
            "  pool:step(0)\n"
            "  kept[i + 10] = i % 2 == 0 and pool\n"
            "end\n"));
}

int main(void) {
    const check_test tests[] = {test_code_stays, test_threads, test_calls_in_flight,
                                test_stuck_resolver};
    return check_run(tests, check_count(tests));
}
