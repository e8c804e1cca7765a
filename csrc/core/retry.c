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
    /*                                  classes once  fresh  ambiguous base cost */
    [TAGOIO_REASON_RESOLVE]          = {ALL,  false, false, false,  100,  5},
    [TAGOIO_REASON_CONNECT]          = {ALL,  false, false, false,  100,  5},
    /* A protocol mismatch is permanent: one more try is enough to know. */
    [TAGOIO_REASON_HANDSHAKE]        = {ALL,  true,  true,  false,  100,  5},
    [TAGOIO_REASON_CERTIFICATE]      = {NONE, false, false, false,    0,  0},
    [TAGOIO_REASON_LOST_NOT_SENT]    = {ALL,  false, true,  false,  100,  5},
    [TAGOIO_REASON_LOST_SENT]        = {SI,   false, true,  true,   100,  5},
    [TAGOIO_REASON_TIMEOUT_NOT_SENT] = {ALL,  false, true,  false,  100, 10},
    [TAGOIO_REASON_TIMEOUT_SENT]     = {SI,   false, true,  true,   100, 10},
    /* The status line proves that a write was applied. */
    [TAGOIO_REASON_CUT_SUCCESS]      = {S,    false, true,  true,   100,  5},
    /* A captive portal or the wrong address: the next response will be the same. */
    [TAGOIO_REASON_UNREADABLE]       = {NONE, false, false, true,     0,  0},
    [TAGOIO_REASON_LOCAL]            = {NONE, false, false, true,     0,  0},
    [TAGOIO_REASON_REDIRECT]         = {NONE, false, false, true,     0,  0},
    [TAGOIO_REASON_DENIED]           = {NONE, false, false, false,    0,  0},
    /* The server says that it never got the whole request, or did not process it. */
    [TAGOIO_REASON_LATE_REQUEST]     = {ALL,  true,  true,  false,  100,  5},
    [TAGOIO_REASON_TOO_EARLY]        = {ALL,  true,  true,  false,    0,  5},
    /* The limiter stands before the operation. */
    [TAGOIO_REASON_THROTTLED]        = {ALL,  false, false, false, 1000,  5},
    /* It may have run partly; proxies say 502 to 504 while the server still runs. */
    [TAGOIO_REASON_SERVER]           = {SI,   false, false, true,   100,  5},
    [TAGOIO_REASON_BUSY]             = {ALL,  false, false, false, 1000,  5},
    [TAGOIO_REASON_NOT_DONE]         = {NONE, false, false, false,    0,  0},
    [TAGOIO_REASON_OTHER_5XX]        = {NONE, false, false, true,     0,  0},
};
/* clang-format on */

static const int64_t longest_backoff_ms = 20 * 1000;
static const int64_t longest_hint_jitter_ms = 1000;

tagoio_retry_rule tagoio_retry_rule_of(tagoio_retry_reason reason) {
    return rules[reason];
}

/* TagoIO counts requests by the minute of the clock (its rate limit page). */
static int64_t next_minute_ms(int64_t wall_s) { return (60 - wall_s % 60) * 1000; }

/* The wait that a server asks for, 0: none. A limiter that names no time means the next
   minute. */
static int64_t asked_ms(const tagoio_retry_context *c) {
    if (c->reason != TAGOIO_REASON_THROTTLED && c->reason != TAGOIO_REASON_BUSY) {
        return 0;
    }
    return c->hint_ms >= 0 ? c->hint_ms : next_minute_ms(c->wall_s);
}

static int64_t hint_jitter_ms(const tagoio_retry_context *c, int64_t hint_ms) {
    int64_t longest = hint_ms / 10;
    if (longest > longest_hint_jitter_ms) {
        longest = longest_hint_jitter_ms;
    }
    return (int64_t)(c->jitter * (double)longest);
}

static int64_t backoff_ms(const tagoio_retry_context *c) {
    int64_t longest = rules[c->reason].base_ms;
    for (int i = 1; i < c->attempts && longest < longest_backoff_ms; i++) {
        longest *= 2;
    }
    if (longest > longest_backoff_ms) {
        longest = longest_backoff_ms;
    }
    return (int64_t)(c->jitter * (double)longest);
}

static bool is_retried(const tagoio_retry_context *c, bool costs) {
    const tagoio_retry_rule *rule = &rules[c->reason];
    /* Who allows one attempt wants no second one, whatever it costs. */
    bool has_attempts =
        c->attempts_allowed > 1 && (!costs || c->attempts < c->attempts_allowed);
    return (rule->retried & c->retry_class) != 0 && has_attempts &&
           !(rule->once && c->already_retried);
}

tagoio_retry_decision tagoio_retry_decide(const tagoio_retry_context *c) {
    int64_t asked = asked_ms(c);
    int64_t hint = asked > 0 ? asked : c->hint_ms;
    int64_t delay = hint >= 0 ? hint + hint_jitter_ms(c, hint) : backoff_ms(c);
    tagoio_retry_decision none = {.delay_ms = -1, .asked_ms = asked};
    if (!is_retried(c, asked == 0)) {
        return none;
    }
    none.over_budget = asked == 0 && rules[c->reason].cost > c->budget;
    if (none.over_budget) {
        return none;
    }
    if (hint > c->max_hint_ms) {
        none.limit = (tagoio_retry_limit){"max_retry_after", hint, c->max_hint_ms};
        return none;
    }
    if (delay >= c->left_ms) {
        if (hint > 0) {
            none.limit = (tagoio_retry_limit){c->deadline_name, hint, c->left_ms};
        }
        return none;
    }
    return (tagoio_retry_decision){.delay_ms = delay, .asked_ms = asked};
}
