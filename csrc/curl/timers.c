/* SPDX-License-Identifier: MIT */
/* A binary heap of timers that know their positions. */
#include "curl/timers.h"

#include <stdlib.h>

bool tagoio_timers_reserve(tagoio_timers *timers, size_t count) {
    if (count <= timers->capacity) {
        return true;
    }
    size_t capacity = 2 * count;
    tagoio_timer **heap = realloc(timers->heap, capacity * sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    timers->heap = heap;
    timers->capacity = capacity;
    return true;
}

static void put(tagoio_timers *timers, size_t position, tagoio_timer *timer) {
    timers->heap[position - 1] = timer;
    timer->position = position;
}

static tagoio_timer *at(const tagoio_timers *timers, size_t position) {
    return timers->heap[position - 1];
}

/* Puts timer where position is free, or above it. */
static void rise(tagoio_timers *timers, size_t position, tagoio_timer *timer) {
    while (position > 1 && at(timers, position / 2)->due_ms > timer->due_ms) {
        put(timers, position, at(timers, position / 2));
        position /= 2;
    }
    put(timers, position, timer);
}

/* Puts timer where position is free, or below it. */
static void sink(tagoio_timers *timers, size_t position, tagoio_timer *timer) {
    size_t child;
    while ((child = position * 2) <= timers->count) {
        if (child < timers->count &&
            at(timers, child + 1)->due_ms < at(timers, child)->due_ms) {
            child++;
        }
        if (at(timers, child)->due_ms >= timer->due_ms) {
            break;
        }
        put(timers, position, at(timers, child));
        position = child;
    }
    put(timers, position, timer);
}

void tagoio_timers_set(tagoio_timers *timers, tagoio_timer *timer, int64_t due_ms) {
    tagoio_timers_clear(timers, timer);
    timer->due_ms = due_ms;
    rise(timers, ++timers->count, timer);
}

void tagoio_timers_clear(tagoio_timers *timers, tagoio_timer *timer) {
    size_t position = timer->position;
    if (position == 0) {
        return;
    }
    tagoio_timer *last = at(timers, timers->count--);
    timer->position = 0;
    if (last == timer) {
        return;
    }
    if (last->due_ms < timer->due_ms) {
        rise(timers, position, last);
    } else {
        sink(timers, position, last);
    }
}

tagoio_timer *tagoio_timers_first(const tagoio_timers *timers) {
    return timers->count > 0 ? timers->heap[0] : NULL;
}

void tagoio_timers_free(tagoio_timers *timers) {
    free(timers->heap);
    *timers = (tagoio_timers){.heap = NULL};
}
