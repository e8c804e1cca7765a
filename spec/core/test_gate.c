/* SPDX-License-Identifier: MIT */
/* The gate of a rate limit, through the public state machine under an invented clock:
   who waits, in what order it goes on, and what cannot wait that long. */
#include "core/gate.h"
#include "support/check.h"
#include "support/play.h"

#include <stdio.h>

enum { SECOND = 1000, CALLS = 100 };

#define LIST       "profile.list", "[]"
#define OK         "{\"status\":true,\"result\":[]}"
#define NO         "{\"status\":false,\"message\":\"no\"}"
#define LIMITED    "HTTP/1.1 429 X\nRetry-After: 2"
#define LIMITED_44 "HTTP/1.1 429 X\nRetry-After: 44"
#define BUSY       "HTTP/1.1 503 X\nRetry-After: 2"

static tagoio_settings *derived(tagoio_settings *parent, const char *token) {
    tagoio_options options = play_options();
    options.token = token;
    return tagoio_settings_new(&options, parent, NULL);
}

/* A call is made, sent and refused: jitter is a half, so that 2 s become 2.1 s. */
static tagoio_call *refused(tagoio_settings *settings, const char *head) {
    tagoio_call *call = play_call(settings, LIST);
    tagoio_now now = play_now(0);
    play_answer(call, &now, head, NO);
    return call;
}

static void test_who_waits(void) {
    tagoio_settings *settings = play_settings(NULL);
    tagoio_settings *same = derived(settings, PLAY_TOKEN);
    tagoio_settings *other = derived(settings, "p-another-token");
    tagoio_settings *cousin = derived(other, PLAY_TOKEN);
    tagoio_settings *stranger = play_settings(NULL);
    const struct {
        const char *name;
        tagoio_settings *settings;
        bool waits;
    } rows[] = {
        {"the same client", settings, true},
        {"a derived one with the same token", same, true},
        {"one derived from another token's, with the same token", cousin, true},
        {"a derived one with another token", other, false},
        {"one that is not derived", stranger, false},
    };
    tagoio_call *first = refused(settings, LIMITED);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("after a 429: %s", rows[i].name);
        tagoio_call *call = play_call(rows[i].settings, LIST);
        check_true(tagoio_call_want(call, 0) ==
                   (rows[i].waits ? TAGOIO_BACKOFF : TAGOIO_BEGIN));
        check_true(tagoio_call_want(call, 2200) == TAGOIO_BEGIN);
        tagoio_call_unref(call);
    }
    tagoio_call_unref(first);
    tagoio_settings_unref(settings);
    tagoio_settings_unref(same);
    tagoio_settings_unref(other);
    tagoio_settings_unref(cousin);
    tagoio_settings_unref(stranger);
}

static void test_client_for_each_request(void) {
    check_case("a 429 was forgotten with the last client of its token");
    tagoio_settings *parent = play_settings(NULL);
    tagoio_settings *one = derived(parent, "p-another-token");
    tagoio_call_unref(refused(one, LIMITED));
    tagoio_settings_unref(one);
    one = derived(parent, "p-another-token");
    tagoio_call *call = play_call(one, LIST);
    check_true(tagoio_call_want(call, 2099) == TAGOIO_BACKOFF);
    check_true(tagoio_call_want(call, 2100) == TAGOIO_BEGIN);
    tagoio_call_unref(call);
    tagoio_settings_unref(parent);
    tagoio_settings_unref(one);
}

/* Token number i is refused until 1000 + i, and its last client goes. */
static void close_unused(tagoio_gates *gates, int i) {
    char token[16];
    snprintf(token, sizeof token, "token %d", i);
    tagoio_gate *gate = tagoio_gates_ref(gates, token);
    tagoio_gate_close(gate, 1000 + i, 1000 + i);
    tagoio_gate_unref(gates, gate);
}

static bool is_in_use(const tagoio_gates *gates) {
    for (int i = 0; i < TAGOIO_GATE_BUCKETS; i++) {
        if (gates->in_use[i] != NULL) {
            return true;
        }
    }
    return false;
}

static void test_many(void) {
    enum { TOKENS = 2000 };
    tagoio_gates gates = {.unused = NULL};
    tagoio_gate *used[TOKENS];
    check_case("each of many tokens has one gate, which goes with its last client");
    for (int i = 0; i < 2 * TOKENS; i++) {
        char token[16];
        snprintf(token, sizeof token, "token %d", i % TOKENS);
        tagoio_gate *gate = tagoio_gates_ref(&gates, token);
        check_true(i < TOKENS || gate == used[i % TOKENS]);
        check_true(i < 1 || gate != used[(i - 1) % TOKENS]);
        used[i % TOKENS] = gate;
    }
    for (int i = 0; i < 2 * TOKENS; i++) {
        tagoio_gate_unref(&gates, used[i % TOKENS]);
    }
    check_true(!is_in_use(&gates));
}

static void test_unused(void) {
    tagoio_gates gates = {.unused = NULL};
    check_case("a gate that was never closed goes with its last client");
    tagoio_gate_unref(&gates, tagoio_gates_ref(&gates, "open"));
    check_number(0, gates.unused_count);
    check_case("of too many that were, the one that opens first is forgotten");
    close_unused(&gates, 1);
    close_unused(&gates, 0);
    for (int i = 2; i <= TAGOIO_MAX_UNUSED_GATES; i++) {
        close_unused(&gates, i);
    }
    check_number(TAGOIO_MAX_UNUSED_GATES, gates.unused_count);
    tagoio_gates_forget(&gates, 1000);
    check_number(TAGOIO_MAX_UNUSED_GATES, gates.unused_count);
    check_case("one that is used again is in use, and kept again");
    close_unused(&gates, TAGOIO_MAX_UNUSED_GATES / 2);
    check_true(!is_in_use(&gates));
    check_number(TAGOIO_MAX_UNUSED_GATES, gates.unused_count);
    check_case("they are forgotten when they open");
    tagoio_gates_forget(&gates, 1001);
    check_number(TAGOIO_MAX_UNUSED_GATES - 1, gates.unused_count);
    tagoio_gates_forget(&gates, 1000 + TAGOIO_MAX_UNUSED_GATES);
    check_number(0, gates.unused_count);
    check_case("and with the last of the family");
    close_unused(&gates, 1);
    tagoio_gates_forget(&gates, INT64_MAX);
    check_true(!is_in_use(&gates) && gates.unused == NULL);
}

static void test_what_closes(void) {
    static const struct {
        const char *head;
        const char *body;
        bool closes;
    } rows[] = {
        {LIMITED, NO, true},
        {"429", NO, true},
        {"429", "{\"message\":\"Too many requests (Retry-After: 2)\"}", true},
        {"200", "{\"status\":false,\"message\":\"Too many requests\"}", true},
        {BUSY, NO, true},
        {"503", NO, false},
        {"HTTP/1.1 500 X\nRetry-After: 2", NO, false},
        {"HTTP/1.1 429 X\nRetry-After: 0", NO, false},
        {"200", OK, false},
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("what closes the gate: row %d", i);
        tagoio_settings *settings = play_settings(NULL);
        tagoio_call *call = play_call(settings, LIST);
        tagoio_call *other = play_call(settings, LIST);
        tagoio_now now = play_now(0);
        play_answer(call, &now, rows[i].head, rows[i].body);
        check_true(tagoio_call_want(other, 0) ==
                   (rows[i].closes ? TAGOIO_BACKOFF : TAGOIO_BEGIN));
        tagoio_call_unref(call);
        tagoio_call_unref(other);
        tagoio_settings_unref(settings);
    }
}

/* Of the calls that may begin at a time, the first in the line; -1: none may. */
static int next_of(tagoio_call *const calls[], int count, int64_t now_ms) {
    int found = -1;
    for (int i = 0; i < count; i++) {
        if (tagoio_call_want(calls[i], now_ms) == TAGOIO_BEGIN && found < 0) {
            found = i;
        }
    }
    return found;
}

static void test_order(void) {
    check_case("who waited goes on in order, and one after the other");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *calls[CALLS];
    calls[0] = refused(settings, LIMITED);
    for (int i = 1; i < CALLS; i++) {
        calls[i] = play_call(settings, LIST);
    }
    check_number(-1, next_of(calls, CALLS, 2099));
    int64_t now = 2100;
    for (int i = 0; i < CALLS; i++) {
        check_number(now, tagoio_call_retry_at_ms(calls[i]));
        check_number(i, next_of(calls, CALLS, now));
        play_begin(calls[i], now);
        check_number(-1, next_of(calls, CALLS, now));
        now += 5;
    }
    check_case("who comes when all have gone waits no more");
    tagoio_call *late = play_call(settings, LIST);
    tagoio_call *later = play_call(settings, LIST);
    check_true(tagoio_call_want(later, now) == TAGOIO_BEGIN);
    tagoio_call_unref(late);
    tagoio_call_unref(later);
    for (int i = 0; i < CALLS; i++) {
        tagoio_call_unref(calls[i]);
    }
    tagoio_settings_unref(settings);
}

/* A limit of 20 in a window of 2 s, which begins with each even second. */
typedef struct window {
    int64_t from_ms;
    int passed;
    int refused;
} window;

static void answer(tagoio_call *call, window *w, int64_t now_ms) {
    tagoio_now now = play_now(now_ms);
    int64_t from_ms = now_ms / (2 * SECOND) * (2 * SECOND);
    if (w->from_ms != from_ms) {
        *w = (window){.from_ms = from_ms};
    }
    if (w->passed < 20) {
        w->passed++;
        play_head(call, "200");
        tagoio_call_body(call, OK, sizeof OK - 1);
    } else {
        w->refused++;
        play_head(call, LIMITED);
    }
    tagoio_call_complete(call, &now);
}

static void test_a_hundred(void) {
    check_case("100 calls against 20 in 2 s, 16 on their way: few are refused");
    enum { AT_ONCE = 16 };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *calls[CALLS];
    for (int i = 0; i < CALLS; i++) {
        calls[i] = play_call(settings, LIST);
    }
    window w = {.from_ms = 0};
    int done = 0;
    for (int64_t now = 0; now < 60 * SECOND && done < CALLS; now++) {
        tagoio_call *out[AT_ONCE];
        int count = 0;
        for (int i = 0; i < CALLS && count < AT_ONCE; i++) {
            if (play_begin(calls[i], now).method != NULL) {
                out[count++] = calls[i];
            }
        }
        for (int i = 0; i < count; i++) {
            answer(out[i], &w, now);
            done += tagoio_call_want(out[i], now) == TAGOIO_DONE;
        }
        check_true(w.refused <= AT_ONCE);
    }
    check_number(CALLS, done);
    for (int i = 0; i < CALLS; i++) {
        check_true(tagoio_call_report(calls[i]).kind == TAGOIO_ERROR_NONE);
        tagoio_call_unref(calls[i]);
    }
    tagoio_settings_unref(settings);
}

static void test_open_again(void) {
    check_case("when the last of those who waited has passed, all others pass at once");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *waited = refused(settings, LIMITED);
    int64_t opens_ms = tagoio_call_retry_at_ms(waited);
    tagoio_now now = play_now(opens_ms);
    play_answer(waited, &now, "200", OK);
    tagoio_call *first = play_call(settings, LIST);
    tagoio_call *second = play_call(settings, LIST);
    check_true(tagoio_call_want(second, opens_ms) == TAGOIO_BEGIN);
    check_true(play_begin(first, opens_ms).method != NULL);
    check_true(play_begin(second, opens_ms).method != NULL);
    tagoio_call_unref(waited);
    tagoio_call_unref(first);
    tagoio_call_unref(second);
    tagoio_settings_unref(settings);
}

static void test_same_token(void) {
    check_case("the same token has the same gate, wherever it is written");
    static const char one[] = "1token";
    static const char two[] = "2token";
    tagoio_gates gates = {.unused = NULL};
    tagoio_gate *gate = tagoio_gates_ref(&gates, one + 1);
    tagoio_gate *again = tagoio_gates_ref(&gates, two + 1);
    check_true(gate == again);
    tagoio_gate_unref(&gates, gate);
    tagoio_gate_unref(&gates, again);
}

static void test_queue(void) {
    check_case("a request in the driver's queue is not sent once the gate is closed");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *queued = play_call(settings, LIST);
    tagoio_call *call = play_call(settings, LIST);
    tagoio_request request;
    tagoio_now now = play_now(100);
    check_true(tagoio_call_begin(queued, 0, &request));
    play_answer(call, &now, LIMITED, NO);
    check_true(!tagoio_call_sending(queued, 100));
    check_true(tagoio_call_want(queued, 100) == TAGOIO_BACKOFF);
    check_number(2200, tagoio_call_retry_at_ms(queued)); /* in line before the other */
    check_number(2205, tagoio_call_retry_at_ms(call));
    tagoio_call *third = play_call(settings, LIST);
    check_number(2210, tagoio_call_retry_at_ms(third));
    tagoio_call_cancel(call, 100); /* which leaves the line */
    check_number(2205, tagoio_call_retry_at_ms(third));
    tagoio_call_unref(third);
    check_true(tagoio_call_attempt(queued, 1) == NULL);
    now = play_now(2200);
    play_answer(queued, &now, "200", OK);
    check_number(1, tagoio_call_report(queued).attempts);
    check_number(100, tagoio_call_report(queued).queued_ms);
    tagoio_call_unref(call);
    tagoio_call_unref(queued);
    tagoio_settings_unref(settings);
}

/* ---- what cannot wait ---- */

static void check_failure(tagoio_call *call, tagoio_error_kind kind,
                          const char *message) {
    tagoio_report report = tagoio_call_report(call);
    check_text(tagoio_error_kind_name(kind), tagoio_error_kind_name(report.kind));
    check_text(message, report.message);
    check_true(!report.maybe_applied);
    tagoio_call_unref(call);
}

static void test_refused_for_long(void) {
    tagoio_options options = play_options();
    check_case("a wait past the deadline is named, with what is left");
    options.timeout_ms = 12 * SECOND;
    tagoio_settings *settings = play_settings(&options);
    check_failure(refused(settings, LIMITED_44), TAGOIO_ERROR_API,
                  "profile.list: no (HTTP 429, asked to wait 44 s; timeout leaves "
                  "12 s, api.tago.io)");
    check_case("so it is for a call that has not been sent, and never will be");
    tagoio_call *call = play_call(settings, LIST);
    check_true(tagoio_call_want(call, 0) == TAGOIO_BEGIN);
    check_true(play_begin(call, 1000).method == NULL);
    check_number(0, tagoio_call_report(call).attempts);
    check_number(43, tagoio_call_report(call).retry_after_s);
    check_failure(call, TAGOIO_ERROR_TIMEOUT,
                  "profile.list: not sent (asked to wait 43 s; timeout leaves 11 s, "
                  "api.tago.io)");
    tagoio_settings_unref(settings);

    check_case("a wait over max_retry_after is named");
    options = play_options();
    options.max_retry_after_ms = 10 * SECOND;
    settings = play_settings(&options);
    check_failure(refused(settings, LIMITED_44), TAGOIO_ERROR_API,
                  "profile.list: no (HTTP 429, asked to wait 44 s; max_retry_after is "
                  "10 s, api.tago.io)");
    call = play_call(settings, LIST);
    play_begin(call, 1000);
    check_failure(
        call, TAGOIO_ERROR_TIMEOUT,
        "profile.list: not sent (asked to wait 43 s; max_retry_after is 10 s, "
        "api.tago.io)");
    check_case("one of just max_retry_after is waited for");
    call = play_call(settings, LIST);
    check_true(tagoio_call_want(call, 34 * SECOND) == TAGOIO_BACKOFF);
    play_begin(call, 34 * SECOND - 1);
    check_number(11, tagoio_call_report(call).retry_after_s);
    check_failure(
        call, TAGOIO_ERROR_TIMEOUT,
        "profile.list: not sent (asked to wait 11 s; max_retry_after is 10 s, "
        "api.tago.io)");
    tagoio_settings_unref(settings);
}

static void test_closed_again(void) {
    check_case("a wait that grows past the deadline ends the call that waits");
    tagoio_options options = play_options();
    options.timeout_ms = 12 * SECOND;
    tagoio_settings *settings = play_settings(&options);
    tagoio_call *call = play_call(settings, LIST);
    tagoio_call *other = play_call(settings, LIST);
    tagoio_now now = play_now(0);
    play_begin(other, 0);
    play_answer(call, &now, LIMITED, NO);
    check_true(tagoio_call_want(call, 0) == TAGOIO_BACKOFF);
    play_answer(other, &now, LIMITED_44, NO);
    check_true(tagoio_call_want(call, 0) == TAGOIO_BEGIN);
    check_true(play_begin(call, 0).method == NULL);
    check_failure(
        call, TAGOIO_ERROR_API,
        "profile.list: no (HTTP 429, asked to wait 44 s; timeout leaves 12 s, "
        "api.tago.io)");
    tagoio_call_unref(other);
    tagoio_settings_unref(settings);
}

static void test_deadline(void) {
    tagoio_settings *settings = play_settings(NULL);
    check_case("a deadline that a wait does not fit is named, with what is left");
    tagoio_call *call = play_call(settings, LIST);
    tagoio_now now = play_now(0);
    tagoio_call_set_deadline(call, 12 * SECOND);
    play_answer(call, &now, LIMITED_44, NO);
    check_failure(call, TAGOIO_ERROR_API,
                  "profile.list: no (HTTP 429, asked to wait 44 s; deadline leaves "
                  "12 s, api.tago.io)");
    check_case("one that is later than the timeout, or than another, changes nothing");
    call = play_call(settings, LIST);
    tagoio_call_set_deadline(call, 50 * SECOND);
    tagoio_call_set_deadline(call, 3600 * SECOND);
    check_number(5 * SECOND, play_begin(call, 45 * SECOND).timeout_ms);
    tagoio_call_unref(call);
    check_case("nor is waited for what comes just when it is over");
    call = play_call(settings, LIST);
    int64_t due_ms = tagoio_call_retry_at_ms(call);
    tagoio_call_set_deadline(call, due_ms + 1);
    check_true(tagoio_call_want(call, 0) == TAGOIO_BACKOFF);
    tagoio_call_set_deadline(call, due_ms);
    check_true(tagoio_call_want(call, 0) == TAGOIO_BEGIN);
    tagoio_call_unref(call);
    check_case("a call that begins after it is not sent");
    call = play_call(settings, LIST);
    tagoio_call_set_deadline(call, 0);
    check_true(play_begin(call, 0).method == NULL);
    check_number(0, tagoio_call_report(call).attempts);
    check_number(-1, tagoio_call_report(call).retry_after_s);
    check_failure(call, TAGOIO_ERROR_TIMEOUT,
                  "profile.list: not sent: the deadline has passed (api.tago.io)");
    for (int late_ms = -1; late_ms < 1; late_ms++) {
        check_case("one that is ended by it says so: %d ms", late_ms);
        tagoio_settings *free = play_settings(NULL);
        call = play_call(free, LIST);
        tagoio_call_set_deadline(call, 12 * SECOND);
        now = play_now(12 * SECOND + late_ms);
        play_begin(call, 0);
        tagoio_call_fail(call, &now,
                         &(tagoio_failure){.reason = TAGOIO_FAILURE_TIMEOUT,
                                           .text = "after 12 s",
                                           .sent = true});
        check_failure(call, TAGOIO_ERROR_TIMEOUT,
                      late_ms < 0 ? "profile.list: after 12 s (api.tago.io)"
                                  : "profile.list: after 12 s (the deadline has "
                                    "passed, api.tago.io)");
        tagoio_settings_unref(free);
    }
    check_case("a server that asks for no wait when it is over is not named");
    tagoio_settings *alone = play_settings(NULL);
    call = play_call(alone, LIST);
    play_begin(call, 0);
    play_head(call, "HTTP/1.1 503 X\nRetry-After: 0");
    tagoio_call_body(call, NO, sizeof NO - 1);
    now = play_now(60 * SECOND);
    tagoio_call_complete(call, &now);
    check_failure(call, TAGOIO_ERROR_API, "profile.list: no (HTTP 503, api.tago.io)");
    tagoio_settings_unref(alone);
    check_case("and one that waited for longer than its timeout names that");
    call = play_call(settings, LIST);
    tagoio_call_set_deadline(call, 60 * SECOND);
    play_begin(call, 60 * SECOND);
    check_failure(call, TAGOIO_ERROR_TIMEOUT,
                  "profile.list: not sent: the timeout has passed (api.tago.io)");
    tagoio_settings_unref(settings);
}

static void test_one_attempt(void) {
    check_case("with one attempt allowed a 429 is final");
    tagoio_options options = play_options();
    options.attempts = 1;
    tagoio_settings *settings = play_settings(&options);
    check_failure(refused(settings, LIMITED), TAGOIO_ERROR_API,
                  "profile.list: no (HTTP 429, api.tago.io)");
    tagoio_settings_unref(settings);
}

static void test_budget(void) {
    check_case("a wait that was asked for costs no retry budget");
    tagoio_options options = play_options();
    options.timeout_ms = 3600 * SECOND;
    tagoio_settings *settings = play_settings(&options);
    tagoio_call *call = play_call(settings, LIST);
    for (int i = 0; i < 200; i++) {
        tagoio_now now = play_now(i * 3 * SECOND);
        play_answer(call, &now, LIMITED, NO);
    }
    check_true(tagoio_call_want(call, 700 * SECOND) == TAGOIO_BEGIN);
    check_true(tagoio_call_attempt(call, 200) != NULL);
    check_number(2100, tagoio_call_attempt(call, 200)->retry_delay_ms);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);

    check_case("an exhausted retry budget is named");
    options.attempts = TAGOIO_MAX_ATTEMPTS;
    settings = play_settings(&options);
    for (int i = 0; i < 2; i++) {
        call = play_call(settings, LIST);
        for (int n = 0; n < TAGOIO_MAX_ATTEMPTS; n++) {
            tagoio_now now = play_now(n == 0 ? 0 : tagoio_call_retry_at_ms(call));
            play_answer(call, &now, "503", NO);
        }
        if (i == 0) {
            tagoio_call_unref(call);
        }
    }
    check_failure(call, TAGOIO_ERROR_API,
                  "profile.list: no (HTTP 503, the retry budget is spent, api.tago.io, "
                  "2 attempts)");
    tagoio_settings_unref(settings);
}

int main(void) {
    const check_test tests[] = {test_client_for_each_request,
                                test_unused,
                                test_many,
                                test_who_waits,
                                test_what_closes,
                                test_order,
                                test_a_hundred,
                                test_open_again,
                                test_same_token,
                                test_queue,
                                test_refused_for_long,
                                test_closed_again,
                                test_deadline,
                                test_one_attempt,
                                test_budget};
    return check_run(tests, check_count(tests));
}
