/* SPDX-License-Identifier: MIT */
/* The gate of a rate limit: a time, and a line of which only the length is known. Gates
   that nobody uses wait in a second list until they open. */
#include "core/gate.h"

#include <stdlib.h>
#include <string.h>

/* Those who waited pass one after the other, and not all in the same millisecond. */
static const int64_t spread_ms = 5;

struct tagoio_gate {
    int references;
    tagoio_gate *next; /* in the list that it is in */
    char *token;
    int64_t asked_ms;
    int64_t opens_ms;   /* for the first in the line */
    int64_t next_place; /* of the next one who enters */
    int64_t gone;       /* those who entered and are no longer in the line */
    bool spreads;       /* until those who waited have passed */
    int64_t last_place; /* of those; -1: it was not opened yet */
};

static tagoio_gate *gate_new(const char *token) {
    tagoio_gate *gate = malloc(sizeof *gate);
    char *copy = tagoio_string_copy(token);
    if (gate == NULL || copy == NULL) {
        tagoio_string_free(copy);
        free(gate);
        return NULL;
    }
    *gate = (tagoio_gate){.token = copy, .asked_ms = INT64_MIN, .opens_ms = INT64_MIN};
    return gate;
}

static void gate_free(tagoio_gate *gate) {
    tagoio_string_free(gate->token);
    free(gate);
}

/* The list of those in use that has a token's gate, by the hash FNV-1a: there may be a
   client for each of many thousand tokens. */
static tagoio_gate **bucket(tagoio_gates *gates, const char *token) {
    uint32_t hash = 2166136261u;
    for (; *token != '\0'; token++) {
        hash = (hash ^ (unsigned char)*token) * 16777619u;
    }
    return &gates->in_use[hash % TAGOIO_GATE_BUCKETS];
}

/* Where a list has the gate of a token, or its end. */
static tagoio_gate **find(tagoio_gate **at, const char *token) {
    while (*at != NULL && strcmp((*at)->token, token) != 0) {
        at = &(*at)->next;
    }
    return at;
}

/* The gate at this place, NULL at the end of a list. */
static tagoio_gate *detach(tagoio_gate **at) {
    tagoio_gate *gate = *at;
    if (gate != NULL) {
        *at = gate->next;
    }
    return gate;
}

static tagoio_gate *remove_unused(tagoio_gates *gates, tagoio_gate **at) {
    tagoio_gate *gate = detach(at);
    if (gate != NULL) {
        gates->unused_count--;
    }
    return gate;
}

tagoio_gate *tagoio_gates_ref(tagoio_gates *gates, const char *token) {
    tagoio_gate **list = bucket(gates, token);
    tagoio_gate *gate = *find(list, token);
    if (gate == NULL) {
        gate = remove_unused(gates, find(&gates->unused, token));
        gate = gate != NULL ? gate : gate_new(token);
        if (gate == NULL) {
            return NULL;
        }
        gate->next = *list;
        *list = gate;
    }
    gate->references++;
    return gate;
}

/* Keeps a gate that nobody uses, in the order of opening. */
static void keep(tagoio_gates *gates, tagoio_gate *gate) {
    tagoio_gate **at = &gates->unused;
    while (*at != NULL && (*at)->opens_ms <= gate->opens_ms) {
        at = &(*at)->next;
    }
    gate->next = *at;
    *at = gate;
    if (++gates->unused_count > TAGOIO_MAX_UNUSED_GATES) {
        gate_free(remove_unused(gates, &gates->unused));
    }
}

void tagoio_gate_unref(tagoio_gates *gates, tagoio_gate *gate) {
    if (gate == NULL || --gate->references > 0) {
        return;
    }
    detach(find(bucket(gates, gate->token), gate->token));
    if (gate->asked_ms > INT64_MIN) { /* it was closed: nobody knows here until when */
        keep(gates, gate);
    } else {
        gate_free(gate);
    }
}

void tagoio_gates_forget(tagoio_gates *gates, int64_t now_ms) {
    while (gates->unused != NULL && gates->unused->opens_ms <= now_ms) {
        gate_free(remove_unused(gates, &gates->unused));
    }
}

static int64_t later_of(int64_t a, int64_t b) { return a > b ? a : b; }

void tagoio_gate_close(tagoio_gate *gate, int64_t asked_ms, int64_t opens_ms) {
    gate->asked_ms = later_of(gate->asked_ms, asked_ms);
    if (opens_ms > gate->opens_ms) {
        gate->opens_ms = opens_ms;
        gate->spreads = true;
        gate->last_place = -1;
    }
}

int64_t tagoio_gate_asked_ms(const tagoio_gate *gate) { return gate->asked_ms; }

int64_t tagoio_gate_enter(tagoio_gate *gate) { return gate->next_place++; }

void tagoio_gate_leave(tagoio_gate *gate) { gate->gone++; }

void tagoio_gate_return(tagoio_gate *gate) { gate->gone--; }

int64_t tagoio_gate_due_ms(const tagoio_gate *gate, int64_t place) {
    int64_t before = gate->spreads ? later_of(place - gate->gone, 0) : 0;
    return gate->opens_ms + before * spread_ms;
}

void tagoio_gate_pass(tagoio_gate *gate, bool has_place, int64_t now_ms) {
    gate->gone += has_place;
    if (!gate->spreads) {
        return;
    }
    if (gate->last_place < 0) {
        gate->last_place = gate->next_place;
    }
    gate->opens_ms = now_ms + spread_ms;
    if (gate->gone >= gate->last_place) {
        gate->spreads = false;
        gate->opens_ms = now_ms;
    }
}
