/* SPDX-License-Identifier: MIT */
/* What is repeated, when, and at what cost: a table and one pure function. */
#ifndef TAGOIO_CORE_POLICY_H
#define TAGOIO_CORE_POLICY_H

#include "core/operation.h"

#pragma GCC visibility push(hidden)

/* Why an attempt did not succeed, as far as it matters for a repetition. */
typedef enum tagoio_cause {
    TAGOIO_CAUSE_RESOLVE,
    TAGOIO_CAUSE_CONNECT,
    TAGOIO_CAUSE_HANDSHAKE,
    TAGOIO_CAUSE_CERTIFICATE,
    TAGOIO_CAUSE_LOST_UNSENT,
    TAGOIO_CAUSE_LOST_SENT,
    TAGOIO_CAUSE_TIMEOUT_UNSENT,
    TAGOIO_CAUSE_TIMEOUT_SENT,
    TAGOIO_CAUSE_CUT_SUCCESS, /* a 2xx whose body broke off */
    TAGOIO_CAUSE_UNREADABLE,  /* a 2xx, or no HTTP at all, that makes no sense */
    TAGOIO_CAUSE_LOCAL,
    TAGOIO_CAUSE_REDIRECT,
    TAGOIO_CAUSE_DENIED,       /* 4xx, or status false */
    TAGOIO_CAUSE_LATE_REQUEST, /* 408 */
    TAGOIO_CAUSE_TOO_EARLY,    /* 425 */
    TAGOIO_CAUSE_THROTTLED,    /* 429, or the message of one */
    TAGOIO_CAUSE_SERVER,       /* 500 502 504 520-524 529 530, 503 without a time */
    TAGOIO_CAUSE_BUSY,         /* 503 with Retry-After */
    TAGOIO_CAUSE_NOT_DONE,     /* 501 505: refused for good */
    TAGOIO_CAUSE_OTHER_5XX
} tagoio_cause;

typedef struct tagoio_rule {
    const char *repeated; /* the classes that are: S, I, D, N */
    bool once;            /* at most one repetition for this cause */
    bool fresh;           /* on a new connection */
    bool ambiguous;       /* a write that was sent may have happened */
    int base_ms;          /* of the growing rest */
    int cost;             /* in tokens of the quota */
} tagoio_rule;

tagoio_rule tagoio_policy_rule(tagoio_cause cause);

/* The cause that an HTTP status is. */
tagoio_cause tagoio_policy_status(int status, bool has_retry_after);

/* Tokens that a client may spend on repetitions before successes give some back. */
enum { TAGOIO_FULL_QUOTA = 500 };

typedef struct tagoio_situation {
    tagoio_cause cause;
    tagoio_class repeat;
    int attempts; /* made so far */
    int attempts_allowed;
    bool once_used;  /* this call was repeated for this cause before */
    int quota;       /* tokens left */
    int64_t hint_ms; /* the wait that the server asked for, -1: none */
    int64_t max_hint_ms;
    int64_t left_ms; /* until the deadline */
    int64_t wall_s;
    double chance;
} tagoio_situation;

/* How long to rest before the next attempt; -1: there is none. */
int64_t tagoio_policy_rest_ms(const tagoio_situation *situation);

#pragma GCC visibility pop

#endif
