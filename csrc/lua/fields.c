/* SPDX-License-Identifier: MIT */
/* The members of err tables, info tables and events. A field is a row here, and nothing
   else in csrc/lua. */
#include "lua/fields.h"

#include <stddef.h>

typedef enum field_type {
    TEXT,       /* const char *; NULL is absent */
    CHARACTERS, /* an array of char; "" is absent */
    NUMBER,     /* int */
    STATUS,     /* int; 0 is absent */
    BYTES,      /* size_t */
    DURATION,   /* int64_t in ms, in Lua seconds; -1 is absent */
    SECONDS,    /* int64_t; -1 is absent */
    BOOLEAN,
    KIND, /* tagoio_error_kind; none is absent */
    JSON  /* json_t *; NULL is absent */
} field_type;

typedef struct field {
    const char *name;
    field_type type;
    size_t offset;
} field;

#define OF_REPORT(name, type, member)                                                  \
    { name, type, offsetof(tagoio_report, member) }
#define OF_ATTEMPT(name, type, member)                                                 \
    { name, type, offsetof(tagoio_attempt, member) }

/* Of every call that is done. */
static const field common_fields[] = {
    OF_REPORT("status", STATUS, status),
    OF_REPORT("attempts", NUMBER, attempts),
    OF_REPORT("elapsed", DURATION, elapsed_ms),
    OF_REPORT("queued", DURATION, queued_ms),
    OF_REPORT("message", TEXT, message),
    OF_REPORT("request_id", TEXT, request_id),
    {NULL, TEXT, 0},
};

static const field failure_fields[] = {
    OF_REPORT("kind", KIND, kind),
    OF_REPORT("operation", TEXT, operation),
    OF_REPORT("maybe_applied", BOOLEAN, maybe_applied),
    OF_REPORT("retry_after", SECONDS, retry_after_s),
    OF_REPORT("details", JSON, details),
    {NULL, TEXT, 0},
};

static const field success_fields[] = {
    OF_REPORT("headers", JSON, headers),
    {NULL, TEXT, 0},
};

/* The call that an attempt is of. The path is absent where the caller chose it: it may
   hold secrets. */
static const field origin_fields[] = {
    OF_REPORT("operation", TEXT, operation),
    OF_REPORT("method", TEXT, method),
    OF_REPORT("path", TEXT, path),
    {NULL, TEXT, 0},
};

static const field attempt_fields[] = {
    OF_ATTEMPT("attempt", NUMBER, number),
    OF_ATTEMPT("kind", KIND, kind),
    OF_ATTEMPT("status", STATUS, status),
    OF_ATTEMPT("bytes", BYTES, body_bytes),
    OF_ATTEMPT("elapsed", DURATION, elapsed_ms),
    OF_ATTEMPT("queued", DURATION, queued_ms),
    OF_ATTEMPT("retry_in", DURATION, retry_delay_ms),
    OF_ATTEMPT("request_id", CHARACTERS, request_id),
    {NULL, TEXT, 0},
};

/* ---- pushing ---- */

static void push_count(lua_State *L, int64_t count, bool absent) {
    if (absent) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, (lua_Integer)count);
    }
}

static void push_duration(lua_State *L, int64_t ms) {
    if (ms < 0) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, (lua_Number)ms / 1000);
    }
}

static void push_tree(lua_State *L, const tagoio_push_json_context *context,
                      json_t *tree) {
    if (tree == NULL) {
        lua_pushnil(L);
    } else {
        tagoio_push_json(L, context, tree);
    }
}

/* The value at an address; nil when it is absent. */
static void push_value(lua_State *L, const tagoio_push_json_context *context,
                       field_type type, const void *at) {
    switch (type) {
    case TEXT:
        lua_pushstring(L, *(const char *const *)at); /* of NULL nil */
        break;
    case CHARACTERS:
        lua_pushstring(L, *(const char *)at != '\0' ? at : NULL);
        break;
    case NUMBER:
        push_count(L, *(const int *)at, false);
        break;
    case STATUS:
        push_count(L, *(const int *)at, *(const int *)at == 0);
        break;
    case BYTES:
        push_count(L, (int64_t) * (const size_t *)at, false);
        break;
    case DURATION:
        push_duration(L, *(const int64_t *)at);
        break;
    case SECONDS:
        push_count(L, *(const int64_t *)at, *(const int64_t *)at < 0);
        break;
    case BOOLEAN:
        lua_pushboolean(L, *(const bool *)at);
        break;
    case KIND: {
        tagoio_error_kind kind = *(const tagoio_error_kind *)at;
        lua_pushstring(L,
                       kind == TAGOIO_ERROR_NONE ? NULL : tagoio_error_kind_name(kind));
        break;
    }
    case JSON:
        push_tree(L, context, *(json_t *const *)at);
        break;
    }
}

static void set_fields(lua_State *L, const tagoio_push_json_context *context,
                       const field *fields, const void *record) {
    for (; fields->name != NULL; fields++) {
        push_value(L, context, fields->type, (const char *)record + fields->offset);
        lua_setfield(L, -2, fields->name);
    }
}

void tagoio_set_err(lua_State *L, const tagoio_push_json_context *context,
                    const tagoio_report *report) {
    set_fields(L, context, common_fields, report);
    set_fields(L, context, failure_fields, report);
}

void tagoio_set_info(lua_State *L, const tagoio_push_json_context *context,
                     const tagoio_report *report) {
    set_fields(L, context, common_fields, report);
    set_fields(L, context, success_fields, report);
}

void tagoio_set_event(lua_State *L, const tagoio_report *report,
                      const tagoio_attempt *attempt) {
    set_fields(L, NULL, origin_fields, report);
    set_fields(L, NULL, attempt_fields, attempt);
}
