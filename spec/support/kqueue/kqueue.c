/* SPDX-License-Identifier: MIT */
/* kqueue on epoll, for one queue of a test: as there, each filter of a descriptor is
   an event of its own, and to delete one that was not added is an error. */
#include <sys/event.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

enum { descriptors = 256 };

static uint32_t watched[descriptors]; /* EPOLLIN, EPOLLOUT */

int kqueue(void) { return epoll_create1(0); }

static int change(int queue, const struct kevent *what) {
    int descriptor = (int)what->ident;
    uint32_t filter = what->filter == EVFILT_READ ? EPOLLIN : EPOLLOUT;
    uint32_t before = watched[descriptor];
    if ((what->flags & EV_DELETE) != 0 && (before & filter) == 0) {
        errno = ENOENT;
        return -1;
    }
    uint32_t after = (what->flags & EV_ADD) != 0 ? before | filter : before & ~filter;
    struct epoll_event event = {.events = after, .data.fd = descriptor};
    int how = before == 0 ? EPOLL_CTL_ADD : after == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    watched[descriptor] = after;
    return epoll_ctl(queue, how, descriptor, &event);
}

/* The events of one descriptor, one a filter. How many. */
static int add_events(const struct epoll_event *ready, struct kevent *events) {
    static const struct {
        uint32_t bit;
        int16_t filter;
    } filters[] = {{EPOLLIN, EVFILT_READ}, {EPOLLOUT, EVFILT_WRITE}};
    bool broken = (ready->events & (EPOLLHUP | EPOLLERR)) != 0;
    int count = 0;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        bool is_watched = (watched[ready->data.fd] & filters[i].bit) != 0;
        if (is_watched && (broken || (ready->events & filters[i].bit) != 0)) {
            EV_SET(&events[count++], (uintptr_t)ready->data.fd, filters[i].filter,
                   broken ? EV_EOF : 0, 0, 0, NULL);
        }
    }
    return count;
}

int kevent(int queue, const struct kevent *changes, int change_count,
           struct kevent *events, int event_count, const struct timespec *timeout) {
    for (int i = 0; i < change_count; i++) {
        if (change(queue, &changes[i]) != 0) {
            return -1;
        }
    }
    int count = 0;
    if (event_count >= 2) {
        struct epoll_event ready[descriptors];
        int wait_ms = (int)(timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000);
        int found = epoll_wait(queue, ready, event_count / 2, wait_ms);
        for (int i = 0; i < found; i++) {
            count += add_events(&ready[i], events + count);
        }
    }
    return count;
}
