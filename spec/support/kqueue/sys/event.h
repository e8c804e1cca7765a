/* SPDX-License-Identifier: MIT */
/* As much of kqueue as csrc/curl/poller.c uses, for Linux: the names and types of
   FreeBSD's manual, kqueue(2). kqueue.c has the functions. */
#ifndef TAGOIO_SPEC_KQUEUE_H
#define TAGOIO_SPEC_KQUEUE_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ  (-1)
#define EVFILT_WRITE (-2)

#define EV_ADD    0x0001
#define EV_DELETE 0x0002
#define EV_ERROR  0x4000
#define EV_EOF    0x8000

struct kevent {
    uintptr_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    int64_t data;
    void *udata;
};

#define EV_SET(event, ident_, filter_, flags_, fflags_, data_, udata_)                 \
    (*(event) = (struct kevent){                                                       \
         .ident = (ident_),                                                            \
         .filter = (filter_),                                                          \
         .flags = (flags_),                                                            \
         .fflags = (fflags_),                                                          \
         .data = (data_),                                                              \
         .udata = (udata_),                                                            \
     })

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int change_count,
           struct kevent *events, int event_count, const struct timespec *timeout);

#endif
