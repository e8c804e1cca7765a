/* SPDX-License-Identifier: MIT */
/* Calls of each retry class that share a client, and events in any order at any time. A
   model beside each call knows what was told it, and what may not happen: that a write
   that may have arrived is sent again, that a call begins too late, too soon or too
   often, that it never ends, that report and events differ. */
#include "core/settings.h"
#include "fuzz.h"
#include "support/play.h"

#include <string.h>

typedef struct model {
    tagoio_call *call;
    const tagoio_operation *row;
    int64_t started_ms;
    int64_t begun_ms;
    int64_t retry_at_ms; /* no earlier */
    int begun;           /* attempts that went out or may have */
    int paid;            /* those of them that count */
    bool out;
    bool queued;
    bool ambiguous; /* a write that may have arrived */
    bool retry_after;
    int status;
    bool success; /* what came is TagoIO's envelope */
} model;

enum { CALLS = 3 };

typedef struct world {
    tagoio_settings *settings;
    int64_t now_ms;
    int64_t closed_ms; /* the limiter asked for no request before */
    model models[CALLS];
} world;

static const char *const operations[][2] = {
    {"profile.list", "[]"},
    {"profile.edit", "[\"5f\", {}]"},
    {"profile.delete", "[\"5f\", {}]"},
    {"profile.create", "[{}]"},
    {"account.acceptTeamInvitation", "[\"t-12345678\"]"},
};

static bool is_write(const model *m) {
    return m->row->retry_class != TAGOIO_RETRY_CLASS_SAFE;
}

static bool is_repeatable(const model *m) {
    return m->row->retry_class == TAGOIO_RETRY_CLASS_SAFE ||
           m->row->retry_class == TAGOIO_RETRY_CLASS_IDEMPOTENT;
}

/* Of what came back with a status: the server did not do it, or said what came of it.
 */
static bool is_proof(const model *m) {
    return (m->status >= 400 && m->status < 500) || m->status == 501 ||
           m->status == 505 || (m->status == 503 && m->retry_after) || m->success;
}

/* ---- what must be true at any time ---- */

static void check_attempts(const model *m, const tagoio_report *r) {
    int64_t queued_ms = 0;
    int over = r->attempts - m->out;
    fuzz_check(r->attempts == m->begun);
    for (int i = 1; i <= over; i++) {
        const tagoio_attempt *attempt = tagoio_call_attempt(m->call, i);
        fuzz_check(attempt != NULL && attempt->number == i);
        fuzz_check(attempt->elapsed_ms >= attempt->queued_ms &&
                   attempt->queued_ms >= 0);
        fuzz_check(attempt->retry_delay_ms >= -1);
        fuzz_check(i == over || attempt->kind != TAGOIO_ERROR_NONE);
        queued_ms += attempt->queued_ms;
    }
    fuzz_check(tagoio_call_attempt(m->call, 0) == NULL);
    fuzz_check(tagoio_call_attempt(m->call, over + 1) == NULL);
    fuzz_check(queued_ms <= r->queued_ms);
}

static void check_done(const world *w, const model *m, const tagoio_report *r) {
    bool failed = r->kind != TAGOIO_ERROR_NONE;
    fuzz_check(failed == !m->success && (r->result != NULL) == m->success);
    fuzz_check((r->message != NULL) || !failed);
    fuzz_check(r->maybe_applied == (failed && m->ambiguous));
    fuzz_check(r->elapsed_ms >= 0 && r->elapsed_ms <= w->now_ms - m->started_ms);
    fuzz_check(r->attempts > 0 || (failed && !r->maybe_applied && r->status == 0));
}

static void check_call(const world *w, const model *m) {
    tagoio_want want = tagoio_call_want(m->call, w->now_ms);
    tagoio_report r = tagoio_call_report(m->call);
    int budget = w->settings->family->retry_budget;
    fuzz_check(budget >= 0 && budget <= 500);
    fuzz_check(m->out == (want == TAGOIO_WAIT));
    fuzz_check(want != TAGOIO_BACKOFF || tagoio_call_retry_at_ms(m->call) > w->now_ms);
    fuzz_check(m->paid <= tagoio_settings_options(w->settings)->attempts);
    fuzz_check(want == TAGOIO_DONE || !m->success);
    fuzz_check(want == TAGOIO_DONE || !m->ambiguous || m->out || is_repeatable(m));
    check_attempts(m, &r);
    if (want == TAGOIO_DONE) {
        check_done(w, m, &r);
    }
}

/* ---- events ---- */

static void begin(world *w, model *m) {
    const tagoio_options *o = tagoio_settings_options(w->settings);
    tagoio_request request = {.method = NULL};
    tagoio_want want = tagoio_call_want(m->call, w->now_ms);
    bool begins = tagoio_call_begin(m->call, w->now_ms, &request);
    fuzz_check(begins == (request.method != NULL));
    fuzz_check(!begins || want == TAGOIO_BEGIN);
    fuzz_check(begins || want != TAGOIO_BEGIN ||
               tagoio_call_want(m->call, w->now_ms) == TAGOIO_DONE);
    if (begins) {
        fuzz_check(!m->ambiguous || is_repeatable(m));
        fuzz_check(w->now_ms < m->started_ms + o->timeout_ms);
        fuzz_check(w->now_ms >= m->retry_at_ms && w->now_ms >= w->closed_ms);
        fuzz_check(request.timeout_ms >= 1 &&
                   request.timeout_ms <= o->attempt_timeout_ms);
        fuzz_check(request.timeout_ms <= m->started_ms + o->timeout_ms - w->now_ms);
        fuzz_check(request.connect_timeout_ms <= request.timeout_ms);
        fuzz_check(request.multiplex == is_repeatable(m));
        m->out = m->queued = true;
        m->retry_after = false;
        m->status = 0;
        m->begun++;
        m->begun_ms = w->now_ms;
    }
}

static void send(world *w, model *m) {
    bool sends = tagoio_call_sending(m->call, w->now_ms);
    fuzz_check(!sends || m->out);
    fuzz_check(!m->out || sends || (m->queued && w->now_ms < w->closed_ms));
    fuzz_check(!sends || !m->queued || w->now_ms >= w->closed_ms);
    if (m->out && !sends) {
        m->out = false;
        m->begun--;
    }
    m->queued = false;
}

/* An attempt has ended; the limiter, if it was one, closes the gate for everybody. */
static void ended(world *w, model *m, bool ambiguous, int64_t asked_s) {
    m->out = m->queued = false;
    m->ambiguous = m->ambiguous || (ambiguous && is_write(m));
    m->paid += asked_s <= 0;
    int64_t until = w->now_ms + (asked_s < 3600 ? asked_s : 3600) * 1000;
    if (asked_s > 0 && until > w->closed_ms) {
        w->closed_ms = until;
    }
    const tagoio_attempt *attempt = tagoio_call_attempt(m->call, m->begun);
    fuzz_check(attempt != NULL && attempt->status == m->status);
    fuzz_check(attempt->elapsed_ms == w->now_ms - m->begun_ms);
    if (attempt->retry_delay_ms >= 0) {
        m->retry_at_ms = w->now_ms + attempt->retry_delay_ms;
        fuzz_check(asked_s <= 0 || attempt->retry_delay_ms >= asked_s * 1000);
    } else {
        fuzz_check(tagoio_call_want(m->call, w->now_ms) == TAGOIO_DONE);
    }
}

static tagoio_now now_of(const world *w, fuzz_input *in) {
    return (tagoio_now){.now_ms = w->now_ms,
                        .wall_s = 1700000000 + w->now_ms / 1000,
                        .jitter = fuzz_below(in, 256) / 256.0};
}

/* Seconds that the limiter asks for; 0: it is none, or asks for nothing. */
static int64_t asked_s(const model *m, int64_t hint_s, const tagoio_now *now) {
    bool asks = m->status == 429 || (m->status == 503 && hint_s >= 0);
    return !asks ? 0 : hint_s >= 0 ? hint_s : 60 - now->wall_s % 60;
}

static int64_t respond(model *m, fuzz_input *in) {
    static const int statuses[] = {200, 204, 302, 400, 404, 408, 425, 429, 429, 500,
                                   501, 502, 503, 503, 504, 505, 524, 599, 429, 503};
    static const char *const hints[] = {"0",  "1",    "7",          "59",
                                        "61", "4000", "99999999999"};
    static const int64_t seconds[] = {0, 1, 7, 59, 61, 4000, (int64_t)1 << 31};
    int status = statuses[fuzz_below(in, 20)];
    unsigned hint = fuzz_below(in, 10);
    m->status = m->out ? status : m->status;
    fuzz_check(tagoio_call_status(m->call, status) == m->out);
    if (hint >= 7) {
        return -1;
    }
    m->retry_after = true;
    play_header(m->call, "Retry-After", hints[hint]);
    return seconds[hint];
}

static void complete(world *w, model *m, fuzz_input *in) {
    static const char *const bodies[] = {"{\"status\":true,\"result\":[]}",
                                         "{\"status\":true,\"result\":{}}",
                                         "{\"status\":false}", "nonsense", ""};
    tagoio_now now = now_of(w, in);
    int64_t hint_s = respond(m, in);
    unsigned choice = fuzz_below(in, 5);
    bool was_out = m->out;
    bool is_list = m->row->result == TAGOIO_RESULT_ARRAY;
    bool is_object = m->row->result == TAGOIO_RESULT_OBJECT;
    tagoio_call_body(m->call, bodies[choice], strlen(bodies[choice]));
    tagoio_call_complete(m->call, &now);
    if (was_out) {
        bool is_2xx = m->status < 300;
        m->success =
            is_2xx && ((choice == 0 && !is_object) || (choice == 1 && !is_list));
        bool refused = is_2xx && choice == 2;
        ended(w, m, !is_proof(m) && !refused, asked_s(m, hint_s, &now));
    }
}

static void fail(world *w, model *m, fuzz_input *in) {
    tagoio_now now = now_of(w, in);
    tagoio_failure failure = {.reason = (tagoio_failure_reason)fuzz_below(in, 11),
                              .text = "it broke"};
    failure.sent = !m->queued && fuzz_below(in, 3) > 0;
    bool has_status = failure.sent && fuzz_below(in, 2);
    int64_t hint_s = has_status ? respond(m, in) : -1;
    bool is_cut = failure.reason == TAGOIO_FAILURE_LOST ||
                  failure.reason == TAGOIO_FAILURE_TIMEOUT;
    bool was_out = m->out;
    tagoio_call_fail(m->call, &now, &failure);
    if (was_out) {
        bool says = is_cut && m->status >= 300; /* the status says more */
        ended(w, m, failure.sent && !(says && is_proof(m)),
              says ? asked_s(m, hint_s, &now) : 0);
    }
}

static void cancel(world *w, model *m) {
    bool was_done = tagoio_call_want(m->call, w->now_ms) == TAGOIO_DONE;
    tagoio_call_cancel(m->call, w->now_ms);
    fuzz_check(tagoio_call_want(m->call, w->now_ms) == TAGOIO_DONE);
    m->ambiguous = m->ambiguous || (m->out && !m->queued && is_write(m));
    m->out = m->queued = false;
    fuzz_check(was_done || tagoio_call_report(m->call).kind == TAGOIO_ERROR_CANCELED);
}

/* What a driver does next. */
static void go_on(world *w, model *m, fuzz_input *in) {
    switch (tagoio_call_want(m->call, w->now_ms)) {
    case TAGOIO_BEGIN:
        begin(w, m);
        send(w, m);
        break;
    case TAGOIO_BACKOFF:
        w->now_ms = tagoio_call_retry_at_ms(m->call);
        break;
    case TAGOIO_WAIT:
        if (fuzz_below(in, 2)) {
            fail(w, m, in);
        } else {
            complete(w, m, in);
        }
        break;
    case TAGOIO_DONE:
        break;
    }
}

static void event(world *w, fuzz_input *in) {
    model *m = &w->models[fuzz_below(in, CALLS)];
    switch (fuzz_below(in, 12)) {
    case 0:
        w->now_ms += fuzz_below(in, 256);
        break;
    case 1:
        w->now_ms += fuzz_below(in, 256) * 256;
        break;
    case 2:
        begin(w, m);
        break;
    case 3:
        fail(w, m, in);
        break;
    case 4:
        complete(w, m, in);
        break;
    case 5:
        send(w, m);
        break;
    case 6:
        if (fuzz_below(in, 4) == 3) {
            cancel(w, m);
        }
        break;
    default:
        go_on(w, m, in);
    }
    for (int i = 0; i < CALLS; i++) {
        check_call(w, &w->models[i]);
    }
}

/* Without further events each call ends, by waiting and failing. */
static void drain(world *w, model *m) {
    fuzz_input none = fuzz_open(NULL, 0);
    for (int steps = 0; tagoio_call_want(m->call, w->now_ms) != TAGOIO_DONE; steps++) {
        fuzz_check(steps < 5000);
        go_on(w, m, &none);
        check_call(w, m);
    }
}

static void start(world *w, model *m, fuzz_input *in) {
    const char *const *operation = operations[fuzz_below(in, 5)];
    json_t *arguments = play_json(operation[1]);
    *m = (model){.started_ms = w->now_ms, .retry_at_ms = INT64_MIN};
    m->row = tagoio_operation_find(operation[0]);
    m->call = tagoio_call_new(w->settings, operation[0], arguments, w->now_ms, NULL);
    fuzz_check(m->call != NULL);
    w->now_ms += fuzz_below(in, 256);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t times[] = {60000, 1, 200, 5000, 3600000};
    fuzz_input in = fuzz_open(data, size);
    tagoio_options options = play_options();
    options.attempts = 1 + (int)fuzz_below(&in, 5);
    options.timeout_ms = times[fuzz_below(&in, 5)];
    options.attempt_timeout_ms = times[fuzz_below(&in, 5)];
    options.max_retry_after_ms = times[fuzz_below(&in, 5)];
    world w = {.settings = play_settings(&options), .closed_ms = INT64_MIN};
    for (int i = 0; i < CALLS; i++) {
        start(&w, &w.models[i], &in);
    }
    while (in.at < in.end) {
        event(&w, &in);
    }
    for (int i = 0; i < CALLS; i++) {
        drain(&w, &w.models[i]);
        tagoio_call_unref(w.models[i].call);
    }
    tagoio_settings_unref(w.settings);
    return 0;
}
