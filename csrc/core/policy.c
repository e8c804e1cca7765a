/* SPDX-License-Identifier: MIT */
/* The retry policy. A write is repeated only with proof that the first one had no
   effect, or when a second one has none. */
#include "core/policy.h"

#include <string.h>

/* clang-format off */
static const tagoio_rule rules[] = {
    /*                                repeated once   fresh  ambiguous base cost */
    [TAGOIO_CAUSE_RESOLVE]         = {"SIDN", false, false, false,  100,  5},
    [TAGOIO_CAUSE_CONNECT]         = {"SIDN", false, false, false,  100,  5},
    /* A protocol mismatch is permanent: one more try is enough to know. */
    [TAGOIO_CAUSE_HANDSHAKE]       = {"SIDN", true,  true,  false,  100,  5},
    [TAGOIO_CAUSE_CERTIFICATE]     = {"",     false, false, false,    0,  0},
    [TAGOIO_CAUSE_LOST_UNSENT]     = {"SIDN", false, true,  false,  100,  5},
    [TAGOIO_CAUSE_LOST_SENT]       = {"SI",   false, true,  true,   100,  5},
    [TAGOIO_CAUSE_TIMEOUT_UNSENT]  = {"SIDN", false, true,  false,  100, 10},
    [TAGOIO_CAUSE_TIMEOUT_SENT]    = {"SI",   false, true,  true,   100, 10},
    /* The status line proves that a write was applied. */
    [TAGOIO_CAUSE_CUT_SUCCESS]     = {"S",    false, true,  true,   100,  5},
    /* A captive portal or the wrong address: the next answer will be the same. */
    [TAGOIO_CAUSE_UNREADABLE]      = {"",     false, false, true,     0,  0},
    [TAGOIO_CAUSE_LOCAL]           = {"",     false, false, true,     0,  0},
    [TAGOIO_CAUSE_REDIRECT]        = {"",     false, false, true,     0,  0},
    [TAGOIO_CAUSE_DENIED]          = {"",     false, false, false,    0,  0},
    /* The server says that it never got the whole request, or did not process it. */
    [TAGOIO_CAUSE_LATE_REQUEST]    = {"SIDN", true,  true,  false,  100,  5},
    [TAGOIO_CAUSE_TOO_EARLY]       = {"SIDN", true,  true,  false,    0,  5},
    /* The limiter stands before the operation. */
    [TAGOIO_CAUSE_THROTTLED]       = {"SIDN", false, false, false, 1000,  5},
    /* It may have run partly; proxies say 502 to 504 while the server still runs. */
    [TAGOIO_CAUSE_SERVER]          = {"SI",   false, false, true,   100,  5},
    [TAGOIO_CAUSE_BUSY]            = {"SIDN", false, false, false, 1000,  5},
    [TAGOIO_CAUSE_NOT_DONE]        = {"",     false, false, false,    0,  0},
    [TAGOIO_CAUSE_OTHER_5XX]       = {"",     false, false, true,     0,  0},
};
/* clang-format on */

static const char class_letters[] = {
    [TAGOIO_CLASS_SAFE] = 'S',
    [TAGOIO_CLASS_IDEMPOTENT] = 'I',
    [TAGOIO_CLASS_DESTRUCTIVE] = 'D',
    [TAGOIO_CLASS_NEVER] = 'N',
};

static const int64_t longest_growing_rest_ms = 20 * 1000;
static const int64_t longest_hint_jitter_ms = 1000;

tagoio_rule tagoio_policy_rule(tagoio_cause cause) { return rules[cause]; }

tagoio_cause tagoio_policy_status(int status, bool has_retry_after) {
    switch (status) {
    case 408:
        return TAGOIO_CAUSE_LATE_REQUEST;
    case 425:
        return TAGOIO_CAUSE_TOO_EARLY;
    case 429:
        return TAGOIO_CAUSE_THROTTLED;
    case 503:
        return has_retry_after ? TAGOIO_CAUSE_BUSY : TAGOIO_CAUSE_SERVER;
    case 500:
    case 502:
    case 504:
    case 529:
    case 530:
        return TAGOIO_CAUSE_SERVER;
    case 501:
    case 505:
        return TAGOIO_CAUSE_NOT_DONE;
    default:
        break;
    }
    if (status >= 520 && status <= 524) {
        return TAGOIO_CAUSE_SERVER;
    }
    return status >= 500   ? TAGOIO_CAUSE_OTHER_5XX
           : status >= 400 ? TAGOIO_CAUSE_DENIED
           : status >= 300 ? TAGOIO_CAUSE_REDIRECT
                           : TAGOIO_CAUSE_UNREADABLE;
}

/* TagoIO counts requests by the minute of the clock (its rate limit page). */
static int64_t next_minute_ms(int64_t wall_s) { return (60 - wall_s % 60) * 1000; }

static int64_t rest_ms(const tagoio_situation *s, const tagoio_rule *rule) {
    int64_t hint = s->hint_ms;
    if (hint < 0 && s->cause == TAGOIO_CAUSE_THROTTLED) {
        hint = next_minute_ms(s->wall_s);
    }
    if (hint >= 0) {
        int64_t jitter = hint / 10;
        if (jitter > longest_hint_jitter_ms) {
            jitter = longest_hint_jitter_ms;
        }
        return hint > s->max_hint_ms ? -1
                                     : hint + (int64_t)(s->chance * (double)jitter);
    }
    int64_t longest = rule->base_ms;
    for (int i = 1; i < s->attempts && longest < longest_growing_rest_ms; i++) {
        longest *= 2;
    }
    if (longest > longest_growing_rest_ms) {
        longest = longest_growing_rest_ms;
    }
    return (int64_t)(s->chance * (double)longest);
}

int64_t tagoio_policy_rest_ms(const tagoio_situation *s) {
    const tagoio_rule *rule = &rules[s->cause];
    if (strchr(rule->repeated, class_letters[s->repeat]) == NULL ||
        s->attempts >= s->attempts_allowed || (rule->once && s->once_used) ||
        rule->cost > s->quota) {
        return -1;
    }
    int64_t rest = rest_ms(s, rule);
    return rest >= 0 && rest < s->left_ms ? rest : -1;
}
