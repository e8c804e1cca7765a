/* SPDX-License-Identifier: MIT */
/* Many sockets in one descriptor, by epoll or kqueue. */
#define _GNU_SOURCE /* EPOLL_CLOEXEC */

#include "curl/poller.h"

#include <unistd.h>

enum { most_at_once = 64 };

static int smaller(int a, int b) { return a < b ? a : b; }

#if defined(__linux__) && !defined(TAGOIO_KQUEUE)

#include <sys/epoll.h>

int tagoio_poller_new(void) { return epoll_create1(EPOLL_CLOEXEC); }

void tagoio_poller_abandon(int poller) { close(poller); }

bool tagoio_poller_watch(int poller, int socket, bool read, bool write, bool known) {
    struct epoll_event event = {.events = (read ? (unsigned)EPOLLIN : 0u) |
                                          (write ? (unsigned)EPOLLOUT : 0u),
                                .data.fd = socket};
    return epoll_ctl(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) ==
           0;
}

void tagoio_poller_forget(int poller, int socket) {
    epoll_ctl(poller, EPOLL_CTL_DEL, socket, &(struct epoll_event){.events = 0});
}

int tagoio_poller_wait(int poller, tagoio_ready *ready, int capacity, int wait_ms) {
    struct epoll_event events[most_at_once];
    int count = epoll_wait(poller, events, smaller(capacity, most_at_once), wait_ms);
    for (int i = 0; i < count; i++) {
        bool broken = (events[i].events & (EPOLLERR | EPOLLHUP)) != 0;
        ready[i] = (tagoio_ready){
            .socket = events[i].data.fd,
            .readable = broken || (events[i].events & EPOLLIN) != 0,
            .writable = broken || (events[i].events & EPOLLOUT) != 0,
        };
    }
    return count > 0 ? count : 0;
}

#else

#include <fcntl.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/time.h>

int tagoio_poller_new(void) {
    int poller = kqueue();
    if (poller >= 0) {
        fcntl(poller, F_SETFD, FD_CLOEXEC);
    }
    return poller;
}

/* A kqueue is not inherited: its number may be another descriptor of the child's. */
void tagoio_poller_abandon(int poller) { (void)poller; }

/* One filter of a socket on or off; off is no error where it was not on. */
static bool set_filter(int poller, int socket, int16_t filter, bool on) {
    struct kevent change;
    EV_SET(&change, (uintptr_t)socket, filter, on ? EV_ADD : EV_DELETE, 0, 0, NULL);
    return kevent(poller, &change, 1, NULL, 0, NULL) == 0 || !on;
}

bool tagoio_poller_watch(int poller, int socket, bool read, bool write, bool known) {
    (void)known;
    return set_filter(poller, socket, EVFILT_READ, read) &&
           set_filter(poller, socket, EVFILT_WRITE, write);
}

void tagoio_poller_forget(int poller, int socket) {
    set_filter(poller, socket, EVFILT_READ, false);
    set_filter(poller, socket, EVFILT_WRITE, false);
}

int tagoio_poller_wait(int poller, tagoio_ready *ready, int capacity, int wait_ms) {
    struct kevent events[most_at_once];
    struct timespec wait = {.tv_sec = wait_ms / 1000,
                            .tv_nsec = (long)(wait_ms % 1000) * 1000000};
    int count = kevent(poller, NULL, 0, events, smaller(capacity, most_at_once), &wait);
    for (int i = 0; i < count; i++) {
        bool broken = (events[i].flags & (EV_EOF | EV_ERROR)) != 0;
        ready[i] = (tagoio_ready){
            .socket = (int)events[i].ident,
            .readable = broken || events[i].filter == EVFILT_READ,
            .writable = broken || events[i].filter == EVFILT_WRITE,
        };
    }
    return count > 0 ? count : 0;
}

#endif
