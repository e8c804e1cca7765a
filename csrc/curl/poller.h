/* SPDX-License-Identifier: MIT */
/* Many sockets in one descriptor that is readable when one of them is ready: epoll on
   Linux, kqueue on macOS and the BSDs. It includes neither libcurl nor the core. */
#ifndef TAGOIO_CURL_POLLER_H
#define TAGOIO_CURL_POLLER_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

typedef struct tagoio_ready {
    int socket;
    bool readable; /* or closed, or failed */
    bool writable;
} tagoio_ready;

/* A descriptor, closed with close(); -1: out of descriptors or memory. */
int tagoio_poller_new(void);

/* In the child of a fork, in place of close: some kernels give it no copy. */
void tagoio_poller_abandon(int poller);

/* What to watch a socket for; known: it is watched already. False: out of memory. */
bool tagoio_poller_watch(int poller, int socket, bool read, bool write, bool known);
void tagoio_poller_forget(int poller, int socket);

/* Waits at most wait_ms (0: not at all) until sockets are ready. How many; 0 also when
   a signal came. */
int tagoio_poller_wait(int poller, tagoio_ready *ready, int capacity, int wait_ms);

#pragma GCC visibility pop

#endif
