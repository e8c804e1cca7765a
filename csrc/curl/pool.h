/* SPDX-License-Identifier: MIT */
/* The pool: connections to one server, and the calls that are on their way over them.
   It moves calls with libcurl, and its users know nothing of libcurl. Not thread-safe:
   one thread at a time. */
#ifndef TAGOIO_CURL_POOL_H
#define TAGOIO_CURL_POOL_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Shared by reference count. After a fork the child's copy drops what is the parent's,
   and makes its own. */
typedef struct tagoio_pool tagoio_pool;

typedef struct tagoio_pool_options {
    const char
        *base_url; /* https, or http to this machine; no user, query or fragment */
    const char *ca_file; /* NULL: as the environment says, else libcurl's own */
    const char *proxy; /* NULL: as the environment says; "": none. Never to loopback */
    int max_connections; /* requests at once; more wait for their turn */
} tagoio_pool_options;

/* NULL with an error of kind misuse (an option, whose name the message begins with),
   invalid (the environment, a file of certificates, or libcurl is too old) or memory.
   Nothing of libcurl's is made before the first call. */
tagoio_pool *tagoio_pool_new(const tagoio_pool_options *options, tagoio_error *err);
tagoio_pool *tagoio_pool_ref(tagoio_pool *pool);

/* With the last reference, calls that are on their way are canceled. */
void tagoio_pool_unref(tagoio_pool *pool);

/* The base URL without a slash at its end; borrowed until the pool is freed. */
const char *tagoio_pool_base_url(const tagoio_pool *pool);

/* One client of the pool: calls that are canceled together. With the last one of a pool
   its connections are closed. */
typedef struct tagoio_scope tagoio_scope;
tagoio_scope *tagoio_scope_new(tagoio_pool *pool); /* NULL: memory */

/* Cancels what is on its way. NULL is allowed. */
void tagoio_scope_free(tagoio_scope *scope);

/* Takes a call on; the pool holds a reference until it is done and taken from the list
   of those that are. Constant time. False: memory. */
bool tagoio_pool_start(tagoio_pool *pool, tagoio_scope *scope, tagoio_call *call,
                       tagoio_error *err);

/* Requests may share connections where the server speaks HTTP/2, as they do once calls
   have overlapped: for programs that make many, before the first one is on its way. */
void tagoio_pool_multiplex(tagoio_pool *pool);

/* Acts on what is ready and due, and waits at most wait_ms where nothing is. How many
   calls are on their way. With nothing ready it costs one system call, however many
   there are. A signal ends the wait. */
size_t tagoio_pool_step(tagoio_pool *pool, int wait_ms);

/* The next call of which an attempt has ended since this was last asked, as a reference
   for the caller; NULL: none. One that is done is told once, and leaves the pool. */
tagoio_call *tagoio_pool_next_event(tagoio_pool *pool);

/* When it last acted on something, by the clock of tagoio_host_now_ms. */
int64_t tagoio_pool_moved_ms(const tagoio_pool *pool);

/* Cancels a call, which is done then. Nothing happens to one that is not on its way
   here. Constant time but for what libcurl takes, and the logarithm of a timer. */
void tagoio_pool_cancel(tagoio_pool *pool, tagoio_call *call);
void tagoio_scope_cancel(tagoio_scope *scope);

/* Cancels a call that nobody asks for any more: it will not be among those done. */
void tagoio_pool_forget(tagoio_pool *pool, tagoio_call *call);

/* For event loops: a descriptor that is readable when a step has something to do (-1:
   out of descriptors), and in how many milliseconds one is due without it (-1: none,
   0: now). The descriptor is the pool's, and after a fork another one. */
int tagoio_pool_fd(tagoio_pool *pool);
int64_t tagoio_pool_timeout_ms(tagoio_pool *pool);

#pragma GCC visibility pop

#endif
