/* SPDX-License-Identifier: MIT */
/* The retry policy. A write is retried only with proof that the first one had no
   effect, or when a second one has none. */
#include "core/retry.h"

enum {
    NONE = 0,
    S = TAGOIO_RETRY_CLASS_SAFE,
    SI = S | TAGOIO_RETRY_CLASS_IDEMPOTENT,
    ALL = SI | TAGOIO_RETRY_CLASS_DESTRUCTIVE | TAGOIO_RETRY_CLASS_NEVER
};

/* clang-format off */
static const tagoio_retry_rule rules[] = {
    /*                                 classes once  fresh  ambiguous base cost */
    [TAGOIO_REASON_RESOLVE]         = {ALL,  false, false, false,  100,  5},
    [TAGOIO_REASON_CONNECT]         = {ALL,  false, false, false,  100,  5},
    /* A protocol mismatch is permanent: one more try is enough to know. */
    [TAGOIO_REASON_HANDSHAKE]       = {ALL,  true,  true,  false,  100,  5},
    [TAGOIO_REASON_CERTIFICATE]     = {NONE, false, false, false,    0,  0},
    [TAGOIO_REASON_LOST_UNSENT]     = {ALL,  false, true,  false,  100,  5},
    [TAGOIO_REASON_LOST_SENT]       = {SI,   false, true,  true,   100,  5},
    [TAGOIO_REASON_TIMEOUT_UNSENT]  = {ALL,  false, true,  false,  100, 10},
    [TAGOIO_REASON_TIMEOUT_SENT]    = {SI,   false, true,  true,   100, 10},
    /* The status line proves that a write was applied. */
    [TAGOIO_REASON_CUT_SUCCESS]     = {S,    false, true,  true,   100,  5},
    /* A captive portal or the wrong address: the next response will be the same. */
    [TAGOIO_REASON_UNREADABLE]      = {NONE, false, false, true,     0,  0},
    [TAGOIO_REASON_LOCAL]           = {NONE, false, false, true,     0,  0},
    [TAGOIO_REASON_REDIRECT]        = {NONE, false, false, true,     0,  0},
    [TAGOIO_REASON_DENIED]          = {NONE, false, false, false,    0,  0},
    /* The server says that it never got the whole request, or did not process it. */
    [TAGOIO_REASON_LATE_REQUEST]    = {ALL,  true,  true,  false,  100,  5},
    [TAGOIO_REASON_TOO_EARLY]       = {ALL,  true,  true,  false,    0,  5},
    /* The limiter stands before the operation. */
    [TAGOIO_REASON_THROTTLED]       = {ALL,  false, false, false, 1000,  5},
    /* It may have run partly; proxies say 502 to 504 while the server still runs. */
    [TAGOIO_REASON_SERVER]          = {SI,   false, false, true,   100,  5},
    [TAGOIO_REASON_BUSY]            = {ALL,  false, false, false, 1000,  5},
    [TAGOIO_REASON_NOT_DONE]        = {NONE, false, false, false,    0,  0},
    [TAGOIO_REASON_OTHER_5XX]       = {NONE, false, false, true,     0,  0},
};
/* clang-format on */

static const int64_t longest_backoff_ms = 20 * 1000;
static const int64_t longest_hint_jitter_ms = 1000;

tagoio_retry_rule tagoio_retry_rule_of(tagoio_retry_reason reason) {
    return rules[reason];
}

/* TagoIO counts requests by the minute of the clock (its rate limit page). */
static int64_t next_minute_ms(int64_t wall_s) { return (60 - wall_s % 60) * 1000; }

static int64_t delay_of(const tagoio_retry_context *c, const tagoio_retry_rule *rule) {
    int64_t hint = c->hint_ms;
    if (hint < 0 && c->reason == TAGOIO_REASON_THROTTLED) {
        hint = next_minute_ms(c->wall_s);
    }
    if (hint >= 0) {
        int64_t jitter = hint / 10;
        if (jitter > longest_hint_jitter_ms) {
            jitter = longest_hint_jitter_ms;
        }
        return hint > c->max_hint_ms ? -1
                                     : hint + (int64_t)(c->jitter * (double)jitter);
    }
    int64_t longest = rule->base_ms;
    for (int i = 1; i < c->attempts && longest < longest_backoff_ms; i++) {
        longest *= 2;
    }
    if (longest > longest_backoff_ms) {
        longest = longest_backoff_ms;
    }
    return (int64_t)(c->jitter * (double)longest);
}

int64_t tagoio_retry_delay_ms(const tagoio_retry_context *c) {
    const tagoio_retry_rule *rule = &rules[c->reason];
    if ((rule->retried & c->retry_class) == 0 || c->attempts >= c->attempts_allowed ||
        (rule->once && c->already_retried) || rule->cost > c->budget) {
        return -1;
    }
    int64_t delay_ms = delay_of(c, rule);
    return delay_ms >= 0 && delay_ms < c->left_ms ? delay_ms : -1;
}
