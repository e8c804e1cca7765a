/* SPDX-License-Identifier: MIT */
/* What is retried, when, and at what cost: a table and one pure function. */
#ifndef TAGOIO_CORE_RETRY_H
#define TAGOIO_CORE_RETRY_H

#include "core/operation.h"

#pragma GCC visibility push(hidden)

/* Why an attempt did not succeed, as far as it matters for a retry. */
typedef enum tagoio_retry_reason {
    TAGOIO_REASON_RESOLVE,
    TAGOIO_REASON_CONNECT,
    TAGOIO_REASON_HANDSHAKE,
    TAGOIO_REASON_CERTIFICATE,
    TAGOIO_REASON_LOST_NOT_SENT,
    TAGOIO_REASON_LOST_SENT,
    TAGOIO_REASON_TIMEOUT_NOT_SENT,
    TAGOIO_REASON_TIMEOUT_SENT,
    TAGOIO_REASON_CUT_SUCCESS, /* a 2xx whose body broke off */
    TAGOIO_REASON_UNREADABLE,  /* a 2xx, or no HTTP at all, that makes no sense */
    TAGOIO_REASON_LOCAL,
    TAGOIO_REASON_REDIRECT,
    TAGOIO_REASON_DENIED,       /* 4xx, or status false */
    TAGOIO_REASON_LATE_REQUEST, /* 408 */
    TAGOIO_REASON_TOO_EARLY,    /* 425 */
    TAGOIO_REASON_THROTTLED,    /* 429, or the message of one */
    TAGOIO_REASON_SERVER,       /* 500 502 504 520-524 529 530, 503 without a time */
    TAGOIO_REASON_BUSY,         /* 503 with Retry-After */
    TAGOIO_REASON_NOT_DONE,     /* 501 505: refused for good */
    TAGOIO_REASON_OTHER_5XX
} tagoio_retry_reason;

typedef struct tagoio_retry_rule {
    unsigned retried; /* the classes that are: tagoio_retry_class, or-ed */
    bool once;        /* at most one retry for this reason */
    bool fresh;       /* on a new connection */
    bool ambiguous;   /* a write that was sent may have happened */
    int base_ms;      /* of the delay, which doubles */
    int cost;         /* in the budget's units */
} tagoio_retry_rule;

tagoio_retry_rule tagoio_retry_rule_of(tagoio_retry_reason reason);

/* The budget of a client: each retry has a cost, and successes give it back. */
enum { TAGOIO_RETRY_CAPACITY = 500 };

typedef struct tagoio_retry_context {
    tagoio_retry_reason reason;
    tagoio_retry_class retry_class;
    int attempts; /* made so far, of those that count */
    int attempts_allowed;
    bool already_retried; /* this call was retried for this reason before */
    int budget;           /* what is left of it */
    int64_t hint_ms;      /* the delay that the server asked for, -1: none */
    int64_t max_hint_ms;
    int64_t left_ms;           /* until the deadline */
    const char *deadline_name; /* the option that it is from */
    int64_t wall_s;
    double jitter;
} tagoio_retry_context;

/* A wait that was longer than something allows. */
typedef struct tagoio_retry_limit {
    const char *name; /* the option that does not; static, NULL: none */
    int64_t wait_ms;
    int64_t allowed_ms;
} tagoio_retry_limit;

typedef struct tagoio_retry_decision {
    int64_t delay_ms; /* before the next attempt; -1: there is none */
    int64_t asked_ms; /* of that, what the server asked for: it costs nothing; else 0 */
    bool over_budget; /* there is none because the budget is spent */
    tagoio_retry_limit limit; /* or because of this */
} tagoio_retry_decision;

tagoio_retry_decision tagoio_retry_decide(const tagoio_retry_context *c);

#pragma GCC visibility pop

#endif
