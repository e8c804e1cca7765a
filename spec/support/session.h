/* SPDX-License-Identifier: MIT */
/* The core and the libcurl pool as a C program uses them, on the emulator that
   EMULATOR_HTTP and the like name. */
#ifndef TAGOIO_SPEC_SESSION_H
#define TAGOIO_SPEC_SESSION_H

#include "curl/pool.h"

typedef struct session {
    tagoio_pool *pool;
    tagoio_scope *scope;
    tagoio_settings *settings;
} session;

/* A variable of the environment, "" where there is none. */
const char *session_variable(const char *name);

/* One attempt a call, at most 4 connections. */
session session_open(const char *base_url);
void session_close(const session *it);

tagoio_call *session_start(const session *it, const char *operation, json_t *arguments);

/* Until nothing is on its way. */
void session_finish(const session *it);

/* A call from start to end. The report's pointers live as long as it: free it after
   them. */
tagoio_call *session_perform(const session *it, const char *operation,
                             json_t *arguments);

#endif
