/* SPDX-License-Identifier: MIT */
/* The gate of a rate limit. A server that refuses a request for a while closes it for
   all calls of clients that are derived from one another and have the same token: they
   share the limit. Who waits is in a line, and passes in its order. The time is an
   argument. It includes tagoio.h. */
#ifndef TAGOIO_CORE_GATE_H
#define TAGOIO_CORE_GATE_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Shared by reference count. */
typedef struct tagoio_gate tagoio_gate;

enum { TAGOIO_MAX_UNUSED_GATES = 256, TAGOIO_GATE_BUCKETS = 256 };

/* The gates of a family of clients, one for each token. Zero-initialised it is empty. A
   gate that was closed outlives its last reference: a program may derive a client for
   each request. When too many are kept, the one that opens first is forgotten. */
typedef struct tagoio_gates {
    tagoio_gate *in_use[TAGOIO_GATE_BUCKETS]; /* by token */
    tagoio_gate *unused;                      /* the first one to open */
    int unused_count;
} tagoio_gates;

/* A reference to the gate of a token, a new one if need be; NULL: memory. */
tagoio_gate *tagoio_gates_ref(tagoio_gates *gates, const char *token);
void tagoio_gate_unref(tagoio_gates *gates, tagoio_gate *gate);

/* Those that nobody uses and that are open by then are forgotten; INT64_MAX: all. */
void tagoio_gates_forget(tagoio_gates *gates, int64_t now_ms);

/* The server wants no request until asked_ms; the gate opens at opens_ms, which is that
   or a little later. What is earlier than the gate's own time changes nothing. */
void tagoio_gate_close(tagoio_gate *gate, int64_t asked_ms, int64_t opens_ms);

/* The last time that a server asked for; INT64_MIN: none did. */
int64_t tagoio_gate_asked_ms(const tagoio_gate *gate);

/* A place at the end of the line; who has one passes, or leaves. */
int64_t tagoio_gate_enter(tagoio_gate *gate);
void tagoio_gate_leave(tagoio_gate *gate);

/* Who has passed and was refused has its old place again. */
void tagoio_gate_return(tagoio_gate *gate);

/* When the one with this place may pass, as far as is known now: it changes when the
   gate closes. TAGOIO_GATE_FRONT: one without a place, which goes first. */
enum { TAGOIO_GATE_FRONT = -1 };
int64_t tagoio_gate_due_ms(const tagoio_gate *gate, int64_t place);

/* One passes, with a place in the line or without. */
void tagoio_gate_pass(tagoio_gate *gate, bool has_place, int64_t now_ms);

#pragma GCC visibility pop

#endif
