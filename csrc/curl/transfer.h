/* SPDX-License-Identifier: MIT */
/* One request in libcurl's hands: its easy handle, and what became of it. */
#ifndef TAGOIO_CURL_TRANSFER_H
#define TAGOIO_CURL_TRANSFER_H

#include "curl/driver.h"
#include "curl/libcurl.h"
#include "curl/sockets.h"

#pragma GCC visibility push(hidden)

/* A call that a driver holds. It has an easy handle while it is in the multi handle. */
typedef struct tagoio_transfer {
    struct tagoio_transfer *next;
    tagoio_call *call; /* a reference */
    CURL *easy;
    tagoio_sockets *sockets;       /* of its driver */
    tagoio_connection *connection; /* that the request goes out on; NULL: none yet */
    struct curl_slist *headers;
    tagoio_request request;
    int64_t begun_ms; /* of the attempt */
    int64_t added_ms; /* to the multi handle */
    int64_t expires_ms;
    bool fired;     /* a request was about to go out */
    bool multiplex; /* it may share a connection with others */
    bool reuses;    /* the connection carried other requests before */
    bool refused;   /* such a one could not be used: nothing was sent */
    bool fresh;     /* so it goes out on a new one */
    bool answered;  /* a response has begun */
    bool ahead;     /* one came that was not the request's */
    bool interim;   /* it is a 1xx response: another one follows */
    bool head_open; /* the head of a response has begun, and not ended */
    char error[CURL_ERROR_SIZE];
    char timeout[120];
} tagoio_transfer;

/* A handle for any request of a driver, whose sockets are remembered; NULL: memory, or
   an option that libcurl refuses. */
CURL *tagoio_transfer_easy(const tagoio_driver_options *options,
                           tagoio_sockets *sockets);

/* Points t->easy at this request; it may share a connection with others where shares is
   true. Whatever the code, detach must follow. */
CURLcode tagoio_transfer_attach(tagoio_transfer *t, int64_t now_ms, bool shares);

/* The request has its response: whether it can be another's, because one more waits
   behind it on a connection where none did when the request went out. */
bool tagoio_transfer_is_crossed(const tagoio_transfer *t);

/* Leaves t->easy without a pointer into t, and the connection; after the handle left
   the multi handle. */
void tagoio_transfer_detach(tagoio_transfer *t);

/* What the core is told of a request that ended with this code, before detach. */
tagoio_failure tagoio_transfer_failure(tagoio_transfer *t, CURLcode code,
                                       int64_t now_ms, int max_connections);

#pragma GCC visibility pop

#endif
