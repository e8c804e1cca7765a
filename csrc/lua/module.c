/* SPDX-License-Identifier: MIT */
/* The module tagoio.core, what the Lua layer is made of. Not for programs: it may
   change with every release. */
#define _POSIX_C_SOURCE 200809L

#include "host/host.h"
#include "lua/fields.h"
#include "lua/json.h"
#include "lua/userdata.h"

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/utsname.h>

/* platform(): "linux/x86_64" */
static int platform(lua_State *L) {
    struct utsname names;
    if (uname(&names) != 0) {
        lua_pushliteral(L, "unknown/unknown");
        return 1;
    }
    for (char *at = names.sysname; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    }
    lua_pushfstring(L, "%s/%s", names.sysname, names.machine);
    return 1;
}

/* printable(text): as a part of a message, one line and not a long one */
static int printable(lua_State *L) {
    char line[100];
    size_t bytes;
    const char *text = luaL_checklstring(L, 1, &bytes);
    size_t length = tagoio_printable(line, sizeof line, text, bytes);
    lua_pushlstring(L, line, length);
    return 1;
}

/* now(): seconds of a clock that never goes back; its zero means nothing */
static int now(lua_State *L) {
    lua_pushnumber(L, (lua_Number)tagoio_host_now_ms() / 1000);
    return 1;
}

/* sleep(seconds, descriptor...): a signal ends it early, and a descriptor that is
   readable */
static int sleep_seconds(lua_State *L) {
    enum { most = 64 };
    struct pollfd descriptors[most];
    double wait_ms = ceil(luaL_checknumber(L, 1) * 1000);
    int count = 0;
    while (count < most && !lua_isnone(L, count + 2)) {
        int descriptor = (int)luaL_checkinteger(L, count + 2);
        descriptors[count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
    }
    if (wait_ms > 0) {
        poll(descriptors, (nfds_t)count, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX);
    }
    return 0;
}

/* parse_date(text): seconds since 1970, whole where they are; nil when it is no date */
static int parse_date(lua_State *L) {
    size_t bytes;
    const char *text = luaL_checklstring(L, 1, &bytes);
    double seconds;
    if (strlen(text) != bytes || !tagoio_date_parse(text, &seconds)) {
        lua_pushnil(L);
    } else if (TAGOIO_HAS_INTEGERS && (double)(int64_t)seconds == seconds) {
        lua_pushinteger(L, (lua_Integer)seconds);
    } else {
        lua_pushnumber(L, seconds);
    }
    return 1;
}

/* format_date(seconds): text, or nil and what is wrong with the number */
static int format_date(lua_State *L) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    char text[TAGOIO_DATE_BYTES];
    if (!tagoio_date_format(luaL_checknumber(L, 1), text, &err)) {
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        return 2;
    }
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg functions[] = {{"platform", platform},
                                     {"printable", printable},
                                     {"now", now},
                                     {"sleep", sleep_seconds},
                                     {"parse_date", parse_date},
                                     {"format_date", format_date},
                                     {NULL, NULL}};

__attribute__((__visibility__("default"))) int luaopen_tagoio_core(lua_State *L);

int luaopen_tagoio_core(lua_State *L) {
    json_object_seed(0); /* here, where no other thread is at it */
    /* At its end LuaJIT unloads us before it finalizes what finalizers have made. */
    tagoio_host_stay_loaded();
    lua_newtable(L);
    tagoio_set_functions(L, functions);
    lua_pushliteral(L, TAGOIO_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushinteger(L, TAGOIO_MAX_TOKEN_BYTES);
    lua_setfield(L, -2, "max_token_bytes");
    tagoio_json_open(L);
    tagoio_operation_open(L);
    tagoio_pool_open(L);
    tagoio_call_open(L);
    tagoio_client_open(L);
    return 1;
}
