/* SPDX-License-Identifier: MIT */
/* The clocks, jitter, the count of forks and our place in memory, by POSIX, getentropy
   and dladdr. */
#define _GNU_SOURCE /* getentropy, dladdr */

#include "host/host.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/random.h>
#include <time.h>

/* ---- the clocks ---- */

static int64_t clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t tagoio_host_now_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

/* ---- forks ---- */

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static volatile unsigned forks;

static void count_fork(void) { forks++; }

/* A handler that cannot be registered for want of memory is not: then a child takes its
   parent's connections for its own until it runs another program, as without us. */
static void watch_forks(void) { pthread_atfork(NULL, NULL, count_fork); }

unsigned tagoio_host_process(void) {
    pthread_once(&watch_once, watch_forks);
    return forks;
}

/* ---- memory ---- */

void tagoio_host_stay_loaded(void) {
    Dl_info info;
    if (dladdr((void *)&forks, &info) != 0) {
        dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

/* ---- jitter ---- */

/* The retries of many clients must spread, nothing more. */
static double new_jitter(void) {
    uint64_t bits;
    if (getentropy(&bits, sizeof bits) != 0) {
        /* Times the golden ratio: clocks that are close give numbers that are not. */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        bits = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u;
    }
    return (double)(bits >> 11) / 9007199254740992.0; /* 2^53 */
}

tagoio_now tagoio_host_now(void) {
    return (tagoio_now){.now_ms = tagoio_host_now_ms(),
                        .wall_s = clock_ms(CLOCK_REALTIME) / 1000,
                        .jitter = new_jitter()};
}
