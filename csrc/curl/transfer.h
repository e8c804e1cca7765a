/* SPDX-License-Identifier: MIT */
/* One request in libcurl's hands: its easy handle, and what became of it. */
#ifndef TAGOIO_CURL_TRANSFER_H
#define TAGOIO_CURL_TRANSFER_H

#include "curl/libcurl.h"
#include "curl/list.h"
#include "curl/pool.h"
#include "curl/sockets.h"
#include "curl/timers.h"

#pragma GCC visibility push(hidden)

typedef struct tagoio_transfer tagoio_transfer;

/* An easy handle, for one request after another. */
typedef struct tagoio_handle {
    CURL *easy;
    struct curl_slist *headers; /* of the last request: those of the next one, mostly */
    tagoio_transfer *transfer;  /* whose request it carries now */
    tagoio_sockets *sockets;    /* of its pool */
    char error[CURL_ERROR_SIZE]; /* libcurl empties it before a request */
} tagoio_handle;

/* A call that a pool has taken on. It has a handle while it is in the multi handle. */
struct tagoio_transfer {
    tagoio_link in_list;  /* of the pool */
    tagoio_link in_scope; /* until it is done */
    tagoio_link in_retried;
    tagoio_timer timer; /* of its backoff, or of its attempt */
    tagoio_call *call;  /* a reference */
    tagoio_handle *handle;
    tagoio_connection *connection; /* that the request goes out on; NULL: none yet */
    tagoio_request request;
    int64_t begun_ms;     /* of the attempt */
    int64_t added_ms;     /* to the multi handle */
    bool request_started; /* a request was about to go out */
    bool multiplex;       /* it may share a connection with others */
    bool reuses;          /* it has one that carried other requests before */
    bool refused; /* such a one could not be used: the request goes out on a new one */
    bool response_started;
    bool ahead;       /* a response came that was not the request's */
    bool interim;     /* it is a 1xx response: another one follows */
    bool header_open; /* the header of a response has begun, and not ended */
    char timeout[120];
};

/* A handle for any request of a pool, whose sockets are remembered; NULL: memory, or
   an option that libcurl refuses. */
tagoio_handle *tagoio_handle_new(const tagoio_pool_options *options,
                                 tagoio_sockets *sockets);
void tagoio_handle_free(tagoio_handle *handle);

/* Whether its request may share a connection with others. */
bool tagoio_transfer_may_share(const tagoio_transfer *t);

/* A new attempt, whose request is t->request. */
void tagoio_transfer_begin(tagoio_transfer *t, int64_t now_ms);

/* Points t->handle at this request; it may share a connection with others where
   multiplex is true. forget_names: what libcurl remembers of names does not count.
   Whatever the code, detach must follow. */
CURLcode tagoio_transfer_attach(tagoio_transfer *t, int64_t now_ms, bool multiplex,
                                bool forget_names);

/* How the request really ended, where libcurl says that it ended with this code. */
CURLcode tagoio_transfer_verdict(tagoio_transfer *t, CURLcode code);

/* Leaves t->handle without a pointer into t, and the connection; after the handle left
   the multi handle. */
void tagoio_transfer_detach(tagoio_transfer *t);

/* After a fork: what it points to is the parent's. */
void tagoio_transfer_abandon(tagoio_transfer *t);

/* What the core is told of a request that ended with this code, before detach;
   max_connections is what it waited for, 0: for something else. */
tagoio_failure tagoio_transfer_failure(tagoio_transfer *t, CURLcode code,
                                       int64_t now_ms, int max_connections);

#pragma GCC visibility pop

#endif
