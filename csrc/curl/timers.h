/* SPDX-License-Identifier: MIT */
/* Timers in a heap: the next one is at hand, setting and clearing take logarithmic
   time. Each lives inside what it is the timer of. */
#ifndef TAGOIO_CURL_TIMERS_H
#define TAGOIO_CURL_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Zero-initialised, it is not set. */
typedef struct tagoio_timer {
    int64_t due_ms;
    size_t position; /* in the heap, from 1 on; 0: not set */
} tagoio_timer;

/* Zero-initialised, it is empty. */
typedef struct tagoio_timers {
    tagoio_timer **heap;
    size_t count;
    size_t capacity;
} tagoio_timers;

/* Makes room for as many timers, so that setting one cannot fail. False: memory. */
bool tagoio_timers_reserve(tagoio_timers *timers, size_t count);

/* Sets a timer, which may be set already, to another time. */
void tagoio_timers_set(tagoio_timers *timers, tagoio_timer *timer, int64_t due_ms);

/* Nothing happens to a timer that is not set. */
void tagoio_timers_clear(tagoio_timers *timers, tagoio_timer *timer);

/* The one that is due first; NULL: none is set. */
tagoio_timer *tagoio_timers_first(const tagoio_timers *timers);

void tagoio_timers_free(tagoio_timers *timers);

#pragma GCC visibility pop

#endif
