/* SPDX-License-Identifier: MIT */
/* The sockets of a pool's connections: which one a request goes out on, and whether it
   may. Nothing here moves a transfer. */
#ifndef TAGOIO_CURL_SOCKETS_H
#define TAGOIO_CURL_SOCKETS_H

#include "curl/libcurl.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* An open connection, or a closed one that a transfer still points to. */
typedef struct tagoio_connection tagoio_connection;

/* Where a connection is in a list. */
struct tagoio_bucket_link;

enum { TAGOIO_SOCKET_BUCKETS = 256 }; /* some connections each, where there are many */

/* All of a pool's. It must outlive the pool's easy handles and its multi handle, which
   report to it until they are freed. Zero is empty. */
typedef struct tagoio_sockets {
    struct tagoio_bucket_link *by_descriptor[TAGOIO_SOCKET_BUCKETS];
    struct tagoio_bucket_link *by_port[TAGOIO_SOCKET_BUCKETS]; /* the local one */
    struct tagoio_bucket_link *portless; /* not asked for it yet */
    struct tagoio_bucket_link *closed;   /* to which a transfer still points */
} tagoio_sockets;

/* Has libcurl open and close the sockets of this handle through us. */
void tagoio_sockets_watch(tagoio_sockets *sockets, CURL *easy);

/* The connection between these addresses, as the pre-request callback names them, with
   one user more. NULL: it is not known, for want of memory when it was opened. */
tagoio_connection *tagoio_sockets_join(tagoio_sockets *sockets, const char *remote,
                                       const char *local, int local_port);

/* The user goes; NULL is allowed. With its last one a retired connection is shut down.
 */
void tagoio_connection_leave(tagoio_connection *connection);

/* After a fork: what was opened is the parent's, and nobody will report its end. */
void tagoio_sockets_abandon(tagoio_sockets *sockets);

/* Whether one more request may go out on a connection that carried others before. Not
   when it is unknown or retired, and over HTTP/1 not when something is there to be
   read: the response to no request of ours, or the connection's end. Over HTTP/2 input
   is ordinary, and a response names its request. */
bool tagoio_connection_is_reusable(tagoio_connection *connection);

/* Responses on it name no request: it speaks HTTP/1. */
void tagoio_connection_set_serial(tagoio_connection *connection);

/* Whether it speaks HTTP/1 and has another user. libcurl 7.88 lets requests that may
   share an HTTP/2 connection join such a one, and mixes up their responses. */
bool tagoio_connection_is_taken(const tagoio_connection *connection);

/* Whether what comes now on a connection that was reusable has been sent before the
   other side had a byte of the request. False where the system does not say. */
bool tagoio_connection_is_ahead(const tagoio_connection *connection);

/* Whether another response waits behind one that is complete, or did when the next user
   wanted to join. The end of TLS or TCP is none. */
bool tagoio_connection_has_response(const tagoio_connection *connection);

/* It went silent: no other request goes out on it. NULL is allowed. */
void tagoio_connection_retire(tagoio_connection *connection);

#pragma GCC visibility pop

#endif
