/* SPDX-License-Identifier: MIT */
/* The driver that moves calls with libcurl. It knows nothing of Lua, and its users
   nothing of libcurl. Not thread-safe: one thread at a time. */
#ifndef TAGOIO_CURL_DRIVER_H
#define TAGOIO_CURL_DRIVER_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Connections to one server, and the calls that are on their way over them. Shared by
   reference count. After a fork the child's copy drops what is the parent's, and makes
   its own. */
typedef struct tagoio_driver tagoio_driver;

typedef struct tagoio_driver_options {
    const char
        *base_url; /* https, or http to this machine; no user, query or fragment */
    const char *ca_file; /* NULL: as the environment says, else libcurl's own */
    const char *proxy; /* NULL: as the environment says; "": none. Never to loopback */
    int max_connections; /* requests at once; more wait for their turn */
    bool detached; /* somebody else moves the calls: any libcurl will do, and what only
                      it would use is not looked at */
} tagoio_driver_options;

/* NULL with an error of kind misuse (an option, whose name the message begins with),
   invalid (the environment, a file of certificates, or libcurl is too old) or memory.
   Nothing of libcurl's is made before the first call. */
tagoio_driver *tagoio_driver_new(const tagoio_driver_options *options,
                                 tagoio_error *err);
tagoio_driver *tagoio_driver_ref(tagoio_driver *driver);

/* With the last reference, calls that are on their way are canceled. */
void tagoio_driver_unref(tagoio_driver *driver);

/* The base URL without a slash at its end; borrowed until the driver is freed. */
const char *tagoio_driver_base_url(const tagoio_driver *driver);

/* Takes a call on; the driver holds a reference until it is done. False: memory. */
bool tagoio_driver_start(tagoio_driver *driver, tagoio_call *call, tagoio_error *err);

/* Moves every call, waiting at most wait_ms for something to happen. How many calls are
   still on their way. */
size_t tagoio_driver_step(tagoio_driver *driver, int wait_ms);

/* Cancels one call; nothing happens to one that this driver does not hold. */
void tagoio_driver_cancel(tagoio_driver *driver, tagoio_call *call);

/* Cancels the calls that were made with these settings. */
void tagoio_driver_cancel_all(tagoio_driver *driver, const tagoio_settings *settings);

/* Time and jitter for the events of a call that somebody else moves. */
tagoio_now tagoio_driver_moment(tagoio_driver *driver);

/* The clock that calls live by, in milliseconds; its zero means nothing. */
int64_t tagoio_host_now_ms(void);

#pragma GCC visibility pop

#endif
