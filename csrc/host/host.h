/* SPDX-License-Identifier: MIT */
/* What the core takes as arguments, read from this machine: the clocks, jitter, and
   whether the process was forked. The only code that reads them. And that our code
   stays where it is. */
#ifndef TAGOIO_HOST_HOST_H
#define TAGOIO_HOST_HOST_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Milliseconds of a clock that never goes back; its zero means nothing. */
int64_t tagoio_host_now_ms(void);

/* The time and new jitter, for an event of a call. */
tagoio_now tagoio_host_now(void);

/* A number that differs between a process and the children it forks. Cheaper than
   getpid(), which is a system call. Forks are counted from the first call on. */
unsigned tagoio_host_process(void);

/* A library that our code is in is not unloaded from now on. */
void tagoio_host_stay_loaded(void);

#pragma GCC visibility pop

#endif
