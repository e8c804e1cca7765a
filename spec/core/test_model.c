/* SPDX-License-Identifier: MIT */
/* Every order of events, to a bounded depth, over the real call, retry policy and gate
   under an invented clock. What may have reached TagoIO is known here by itself, so
   that the core's own table is not asked about it. MODEL_DEPTH=n looks n events
   further. */
#include "support/check.h"
#include "support/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CALLS = 2, MAX_DEPTH = 64, MAX_CHOICES = 80, STATES_SEEN = 1 << 20 };
enum { DEADLINE_MS = 60 * 1000, LONG_MS = 2 * 3600 * 1000, DRAIN_STEPS = 200 };

/* ---- what may happen to a request ---- */

typedef enum trace { NOT_RUN, MAY_HAVE_RUN, HAS_RUN } trace;

typedef struct outcome {
    const char *name;
    const char *head; /* NULL: no status came */
    const char *body;
    trace trace;
    int asked_ms; /* the wait that the server asks for */
    bool fails;   /* the transfer, for the reason that follows */
    tagoio_failure_reason reason;
    bool sent;
} outcome;

#define OK       "{\"status\":true,\"result\":{}}"
#define NO       "{\"status\":false,\"message\":\"no\"}"
#define TOO_MANY "{\"status\":false,\"message\":\"Too many requests (Retry-After: 2)\"}"
#define LIMITED  "HTTP/1.1 429 X\nRetry-After: 2"
#define FOREVER  "HTTP/1.1 429 X\nRetry-After: 3000"
#define BUSY     "HTTP/1.1 503 X\nRetry-After: 2"

/* The first few are those of two calls at once. */
static const outcome outcomes[] = {
    {"200", "200", OK, HAS_RUN, 0, false, 0, true},
    {"429 for 2 s", LIMITED, NO, NOT_RUN, 2000, false, 0, true},
    {"lost, sent", NULL, "", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_LOST, true},
    {"lost, not sent", NULL, "", NOT_RUN, 0, true, TAGOIO_FAILURE_LOST, false},
    {"late, not sent", NULL, "", NOT_RUN, 0, true, TAGOIO_FAILURE_TIMEOUT, false},
    {"late, sent", NULL, "", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_TIMEOUT, true},
    {"200, status false", "200", NO, NOT_RUN, 0, false, 0, true},
    {"200, too many", "200", TOO_MANY, NOT_RUN, 2000, false, 0, true},
    {"200, not JSON", "200", "<html>", MAY_HAVE_RUN, 0, false, 0, true},
    {"200, cut", "200", "{", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_LOST, true},
    {"302", "302", "", MAY_HAVE_RUN, 0, false, 0, true},
    {"400", "400", NO, NOT_RUN, 0, false, 0, true},
    {"404", "404", NO, NOT_RUN, 0, false, 0, true},
    {"408", "408", NO, NOT_RUN, 0, false, 0, true},
    {"408, cut", "408", "{", NOT_RUN, 0, true, TAGOIO_FAILURE_LOST, true},
    {"425", "425", NO, NOT_RUN, 0, false, 0, true},
    {"429 until the minute is over", "429", NO, NOT_RUN, 10000, false, 0, true},
    {"429 for 50 minutes", FOREVER, NO, NOT_RUN, 3000000, false, 0, true},
    {"500", "500", NO, MAY_HAVE_RUN, 0, false, 0, true},
    {"500, cut", "500", "{", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_LOST, true},
    {"501", "501", NO, NOT_RUN, 0, false, 0, true},
    {"503", "503", NO, MAY_HAVE_RUN, 0, false, 0, true},
    {"503 for 2 s", BUSY, NO, NOT_RUN, 2000, false, 0, true},
    {"504", "504", NO, MAY_HAVE_RUN, 0, false, 0, true},
    {"507", "507", NO, MAY_HAVE_RUN, 0, false, 0, true},
    {"no status", NULL, "", MAY_HAVE_RUN, 0, false, 0, true},
    {"no name", NULL, "", NOT_RUN, 0, true, TAGOIO_FAILURE_RESOLVE, false},
    {"no connection", NULL, "", NOT_RUN, 0, true, TAGOIO_FAILURE_CONNECT, false},
    {"handshake", NULL, "", NOT_RUN, 0, true, TAGOIO_FAILURE_HANDSHAKE, false},
    {"certificate", NULL, "", NOT_RUN, 0, true, TAGOIO_FAILURE_CERTIFICATE, false},
    {"not HTTP", NULL, "", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_BROKEN, true},
    {"200, bad encoding", "200", "", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_ENCODING,
     true},
    {"200, too large", "200", "", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_TOO_LARGE,
     true},
    {"memory, sent", NULL, "", MAY_HAVE_RUN, 0, true, TAGOIO_FAILURE_MEMORY, true},
    {"memory, not sent", NULL, "", NOT_RUN, 0, true, TAGOIO_FAILURE_MEMORY, false},
};

enum { SUCCESS = 0, LOST_NOT_SENT = 3, LATE_NOT_SENT = 4 };

/* ---- what is called ---- */

typedef struct operation {
    const char *name;
    const char *arguments;
    bool writes;
    bool repeats; /* a second execution has no effect */
} operation;

static const operation read_info = {"profile.info", "[\"p\"]", false, true};
static const operation edit = {"profile.edit", "[\"p\",{\"name\":\"n\"}]", true, true};
static const operation create = {"profile.create", "[{\"name\":\"n\"}]", true, false};
static const operation erase = {"profile.delete",
                                "[\"p\",{\"password\":\"w\",\"pin_code\":\"1\","
                                "\"otp_type\":\"email\"}]",
                                true, false};

typedef struct scope {
    const char *name;
    const operation *calls[MAX_CALLS];
    int count;
    int outcomes;
    int depth;
    int attempts;
} scope;

/* ---- one path ---- */

typedef enum event_kind {
    BEGIN,
    SEND,
    END,
    CANCEL,
    DROP,
    WHEN_DUE,
    NEARLY,
    TOO_LATE
} event_kind;

static const char *const event_names[] = {[BEGIN] = "begins",
                                          [SEND] = "is sent",
                                          [END] = "ends with",
                                          [CANCEL] = "cancel",
                                          [DROP] = "drop",
                                          [WHEN_DUE] = "the next is due",
                                          [NEARLY] = "1 ms before the deadline",
                                          [TOO_LATE] = "the deadline"};

typedef struct event {
    event_kind kind;
    int call;
    const outcome *outcome;
} event;

/* A call, and what is known of it without asking it. */
typedef struct tracked {
    tagoio_call *call;
    const operation *operation;
    bool out;
    bool queued; /* out, but not sent */
    int attempts;
    int counted;   /* of those, after which the server asked for no wait */
    bool may_have; /* run, in an attempt before the last or in that */
    bool ended;
    tagoio_report report; /* at its end */
} tracked;

typedef struct path {
    const scope *scope;
    tagoio_settings *settings;
    tracked calls[MAX_CALLS];
    int64_t now_ms;
    int64_t asked_until_ms;
    event events[MAX_DEPTH];
    int length;
} path;

static struct {
    long paths;
    long events;
    long states;
    bool broken;
    unsigned char seen[STATES_SEEN / 8];
} search;

/* The first violation ends the search, with the events that led there. */
static bool must(const path *p, bool holds, const char *what) {
    if (!holds && !search.broken) {
        search.broken = true;
        check_true_at(__FILE__, __LINE__, false, what);
        for (int i = 0; i < p->length; i++) {
            const event *e = &p->events[i];
            printf("  %d. call %d: %s %s\n", i + 1, e->call + 1, event_names[e->kind],
                   e->outcome != NULL ? e->outcome->name : "");
        }
    }
    return holds;
}

static void start(path *p, const scope *s) {
    tagoio_options options = play_options();
    options.attempts = s->attempts;
    options.timeout_ms = DEADLINE_MS;
    *p = (path){.scope = s, .settings = play_settings(&options)};
    for (int i = 0; i < s->count; i++) {
        const operation *o = s->calls[i];
        p->calls[i] = (tracked){.call = play_call(p->settings, o->name, o->arguments),
                                .operation = o};
    }
}

static bool is_done(const path *p, const tracked *t) {
    return t->call == NULL || tagoio_call_want(t->call, p->now_ms) == TAGOIO_DONE;
}

/* ---- what must hold when a call is done ---- */

static void must_have_attempts(const path *p, const tracked *t, tagoio_report report) {
    int64_t queued_ms = 0;
    must(p, report.attempts == t->attempts, "each attempt is reported, and no other");
    must(p, tagoio_call_attempt(t->call, report.attempts + 1) == NULL,
         "there is no attempt past the last");
    for (int n = 1; n <= report.attempts; n++) {
        const tagoio_attempt *attempt = tagoio_call_attempt(t->call, n);
        if (attempt == NULL || attempt->number != n) {
            must(p, false, "attempts are in order");
            return;
        }
        queued_ms += attempt->queued_ms;
        must(p, n == report.attempts || attempt->retry_delay_ms >= 0,
             "a retry has a delay");
        must(p, n == report.attempts || attempt->kind != TAGOIO_ERROR_NONE,
             "a success is not retried");
        must(p, attempt->retry_delay_ms >= 0 || attempt->kind == report.kind,
             "the last attempt and the call end alike");
    }
    must(p, queued_ms <= report.queued_ms, "attempts wait no longer than their call");
}

static void must_be_reported(const path *p, tracked *t) {
    tagoio_report report = tagoio_call_report(t->call);
    bool failed = report.kind != TAGOIO_ERROR_NONE;
    if (!t->ended) {
        t->ended = true;
        t->report = report;
        must(p, report.elapsed_ms == p->now_ms, "a call ends at its last event");
    }
    must_have_attempts(p, t, report);
    must(p,
         report.kind == t->report.kind && report.elapsed_ms == t->report.elapsed_ms &&
             report.retry_after_s == t->report.retry_after_s,
         "a call ends once");
    must(p, report.maybe_applied == (failed && t->operation->writes && t->may_have),
         "maybe_applied is said exactly of a failed write that may have run");
    must(p, failed ? report.result == NULL : json_is_object(report.result),
         "a success has a result, a failure none");
    must(p, !failed || report.message != NULL, "a failure has a message");
    must(p, report.attempts > 0 || failed, "nothing succeeds unsent");
}

/* ---- events ---- */

static void begin(path *p, tracked *t) {
    tagoio_request request;
    bool backs_off = tagoio_call_retry_at_ms(t->call) > p->now_ms;
    if (!tagoio_call_begin(t->call, p->now_ms, &request)) {
        must(p, is_done(p, t), "a call that cannot begin is done");
        must(p, p->now_ms >= DEADLINE_MS || backs_off,
             "it ends for want of time alone");
        return;
    }
    t->attempts++;
    t->counted++;
    t->out = t->queued = true;
    must(p, !(t->operation->writes && !t->operation->repeats && t->may_have),
         "a write that may have run does not begin again");
    must(p, t->counted <= p->scope->attempts,
         "there are no more attempts than allowed");
    must(p, !backs_off && p->now_ms >= p->asked_until_ms, "no request before its time");
    must(p, p->now_ms + request.timeout_ms <= DEADLINE_MS, "no attempt is too long");
}

static void send_request(path *p, tracked *t) {
    bool goes = tagoio_call_sending(t->call, p->now_ms);
    must(p, goes == (p->now_ms >= p->asked_until_ms),
         "a queued request waits as long as the server asked, and no other one does");
    t->out = goes;
    t->queued = false;
    t->attempts -= !goes;
    t->counted -= !goes;
}

/* What did not leave is sent again. A wait that was asked for costs no attempt; with
   the jitter it is a twentieth longer. */
static bool is_worth_waiting(const path *p, const tracked *t, const outcome *o) {
    int64_t left_ms = DEADLINE_MS - p->now_ms;
    if (o == &outcomes[LOST_NOT_SENT]) {
        return t->counted < p->scope->attempts && left_ms > 1000;
    }
    return p->scope->attempts > 1 && o->asked_ms > 0 &&
           o->asked_ms + o->asked_ms / 20 < left_ms && o->asked_ms <= 60 * 1000;
}

static void end(path *p, tracked *t, const outcome *o) {
    tagoio_now now = play_now(p->now_ms);
    t->out = t->queued = false;
    t->may_have = t->may_have || o->trace != NOT_RUN;
    if (o->asked_ms > 0) {
        int64_t until_ms = p->now_ms + o->asked_ms;
        t->counted--;
        p->asked_until_ms = until_ms > p->asked_until_ms ? until_ms : p->asked_until_ms;
    }
    if (o->head != NULL) {
        play_head(t->call, o->head);
    }
    tagoio_call_body(t->call, o->body, strlen(o->body));
    if (o->fails) {
        tagoio_call_fail(
            t->call, &now,
            &(tagoio_failure){.reason = o->reason, .text = "said", .sent = o->sent});
    } else {
        tagoio_call_complete(t->call, &now);
    }
    must(p, o->trace != HAS_RUN || is_done(p, t), "what has run is not retried");
    must(p, !is_worth_waiting(p, t, o) || !is_done(p, t),
         "a wait that fits is waited for");
}

static void cancel(path *p, tracked *t) {
    t->may_have = t->may_have || (t->out && !t->queued);
    t->out = t->queued = false;
    tagoio_call_cancel(t->call, p->now_ms);
    must(p, is_done(p, t), "what is canceled is done");
    must(p, tagoio_call_report(t->call).kind == TAGOIO_ERROR_CANCELED,
         "what is canceled says so");
}

/* As a pool does whose process was forked, or ends. */
static void drop(tracked *t) {
    tagoio_call_unref(t->call);
    t->call = NULL;
}

/* When the next of those who wait is due; INT64_MAX: nobody waits. */
static int64_t next_due_ms(path *p) {
    int64_t soonest_ms = INT64_MAX;
    for (int i = 0; i < p->scope->count; i++) {
        const tracked *t = &p->calls[i];
        if (t->call != NULL && tagoio_call_want(t->call, p->now_ms) == TAGOIO_BACKOFF) {
            int64_t due_ms = tagoio_call_retry_at_ms(t->call);
            must(p, due_ms > p->now_ms && due_ms < DEADLINE_MS,
                 "who waits is due, before the deadline");
            soonest_ms = due_ms < soonest_ms ? due_ms : soonest_ms;
        }
    }
    return soonest_ms;
}

static void apply(path *p, event e) {
    tracked *t = &p->calls[e.call];
    p->events[p->length++] = e;
    search.events++;
    switch (e.kind) {
    case BEGIN:
        begin(p, t);
        break;
    case SEND:
        send_request(p, t);
        break;
    case END:
        end(p, t, e.outcome);
        break;
    case CANCEL:
        cancel(p, t);
        break;
    case DROP:
        drop(t);
        break;
    case WHEN_DUE:
        p->now_ms = next_due_ms(p);
        break;
    case NEARLY:
        p->now_ms = DEADLINE_MS - 1;
        break;
    case TOO_LATE:
        p->now_ms = DEADLINE_MS;
        break;
    }
    if (t->call != NULL && is_done(p, t)) {
        must_be_reported(p, t);
    }
}

/* ---- the search ---- */

typedef struct choices {
    event events[MAX_CHOICES];
    int count;
} choices;

static void add(choices *c, event_kind kind, int call, const outcome *o) {
    c->events[c->count++] = (event){kind, call, o};
}

/* Where nothing else can happen first: a call is not seen while it is on its way. */
static void add_choices_of(const path *p, int call, choices *c) {
    const tracked *t = &p->calls[call];
    if (is_done(p, t)) {
        return;
    }
    if (t->queued) {
        add(c, SEND, call, NULL);
        add(c, END, call, &outcomes[LATE_NOT_SENT]);
    } else if (t->out) {
        for (int i = 0; i < p->scope->outcomes; i++) {
            add(c, END, call, &outcomes[i]);
        }
    } else if (tagoio_call_want(t->call, p->now_ms) == TAGOIO_BEGIN) {
        add(c, BEGIN, call, NULL);
    }
    add(c, CANCEL, call, NULL);
    add(c, DROP, call, NULL);
}

static choices choices_of(path *p) {
    choices c = {.count = 0};
    for (int i = 0; i < p->scope->count; i++) {
        add_choices_of(p, i, &c);
    }
    if (c.count > 0 && next_due_ms(p) != INT64_MAX) {
        add(&c, WHEN_DUE, 0, NULL);
    }
    if (c.count > 0 && p->now_ms < DEADLINE_MS - 1) {
        add(&c, NEARLY, 0, NULL);
    }
    if (c.count > 0 && p->now_ms < DEADLINE_MS) {
        add(&c, TOO_LATE, 0, NULL);
    }
    return c;
}

static uint64_t mixed(uint64_t hash, int64_t value) {
    return (hash ^ (uint64_t)value) * 0x9e3779b97f4a7c15u;
}

/* Counts the states that differ in something that can be asked. */
static void note_state(const path *p) {
    uint64_t hash = mixed((uint64_t)(uintptr_t)p->scope, p->now_ms);
    for (int i = 0; i < p->scope->count; i++) {
        const tracked *t = &p->calls[i];
        hash = mixed(hash, t->call == NULL ? -1 : t->attempts * 8 + t->counted);
        if (t->call != NULL) {
            hash = mixed(hash, tagoio_call_want(t->call, p->now_ms) * 8 + t->may_have);
            hash = mixed(hash, tagoio_call_retry_at_ms(t->call));
            hash = mixed(hash, tagoio_call_report(t->call).kind * 2 + t->queued);
        }
    }
    uint64_t bit = hash >> 44;
    if ((search.seen[bit / 8] >> bit % 8 & 1) == 0) {
        search.seen[bit / 8] = (unsigned char)(search.seen[bit / 8] | 1 << bit % 8);
        search.states++;
    }
}

/* A driver that does what each call wants, to which everything succeeds. */
static void drain(path *p) {
    int steps = 0;
    for (int i = 0; i < p->scope->count; i++) {
        tracked *t = &p->calls[i];
        while (!is_done(p, t) && !search.broken && steps++ < DRAIN_STEPS) {
            tagoio_want want = tagoio_call_want(t->call, p->now_ms);
            if (want == TAGOIO_BACKOFF) {
                p->now_ms = tagoio_call_retry_at_ms(t->call);
            } else if (want == TAGOIO_BEGIN) {
                begin(p, t);
            } else if (t->queued) {
                send_request(p, t);
            } else {
                end(p, t, &outcomes[SUCCESS]);
            }
        }
        must(p, is_done(p, t), "no call waits for ever");
        if (t->call != NULL && is_done(p, t)) {
            must_be_reported(p, t);
        }
    }
}

/* No event changes a call that is done. */
static void must_stay_done(path *p, tracked *t) {
    tagoio_request request;
    tagoio_now later = play_now(p->now_ms + LONG_MS);
    must(p,
         !tagoio_call_begin(t->call, later.now_ms, &request) &&
             !tagoio_call_sending(t->call, later.now_ms) &&
             !tagoio_call_status(t->call, 200) &&
             !play_header(t->call, "X-Request-Id", "late") &&
             !tagoio_call_body(t->call, OK, strlen(OK)),
         "a call that is done takes nothing");
    tagoio_call_complete(t->call, &later);
    tagoio_call_fail(t->call, &later,
                     &(tagoio_failure){.reason = TAGOIO_FAILURE_LOST, .text = "late"});
    tagoio_call_cancel(t->call, later.now_ms);
    must_be_reported(p, t);
}

/* Nobody is left in the gate's line: of two new calls, at a limit, the first is due
   when it ends and the second right after it. */
static void must_leave_no_trace(const path *p) {
    int64_t now_ms = p->now_ms + LONG_MS;
    tagoio_now now = play_now(now_ms);
    json_t *arguments = play_json("[]");
    tagoio_call *first = tagoio_call_new(p->settings, "profile.list",
                                         json_incref(arguments), now_ms, NULL);
    tagoio_call *second =
        tagoio_call_new(p->settings, "profile.list", arguments, now_ms, NULL);
    must(p, tagoio_call_retry_at_ms(second) <= now_ms, "an old limit delays nobody");
    play_answer(first, &now, LIMITED, NO);
    if (p->scope->attempts > 1) {
        must(p, tagoio_call_retry_at_ms(first) == now_ms + 2100, "the first is first");
        must(p, tagoio_call_retry_at_ms(second) == now_ms + 2105, "the second is next");
    }
    tagoio_call_unref(first);
    tagoio_call_unref(second);
}

/* Goes the way that the choices so far say, then each first one. */
static int walk(const scope *s, int depth, int taken[], int of[]) {
    path p;
    int length = 0;
    start(&p, s);
    note_state(&p);
    while (length < depth && !search.broken) {
        choices c = choices_of(&p);
        if (c.count == 0) {
            break;
        }
        of[length] = c.count;
        apply(&p, c.events[taken[length++]]);
        note_state(&p);
    }
    drain(&p);
    for (int i = 0; i < s->count; i++) {
        if (p.calls[i].call != NULL) {
            must_stay_done(&p, &p.calls[i]);
            drop(&p.calls[i]);
        }
    }
    must_leave_no_trace(&p);
    tagoio_settings_unref(p.settings);
    search.paths++;
    return length;
}

static int further(void) {
    const char *depth = getenv("MODEL_DEPTH");
    return depth != NULL ? atoi(depth) : 0;
}

/* Each path once: the last choice that has a next one takes it. */
static void explore(const scope *s) {
    int taken[MAX_DEPTH] = {0};
    int of[MAX_DEPTH] = {0};
    int depth = s->depth + further();
    bool more = true;
    check_case("%s, %d events", s->name, depth);
    check_true(depth <= MAX_DEPTH);
    while (more && !search.broken) {
        int at = walk(s, depth, taken, of);
        memset(taken + at, 0, (size_t)(MAX_DEPTH - at) * sizeof *taken);
        while (at > 0 && taken[at - 1] + 1 == of[at - 1]) {
            taken[--at] = 0;
        }
        more = at > 0;
        if (more) {
            taken[at - 1]++;
        }
    }
    check_true(!search.broken);
}

static void test_one_call(void) {
    static const scope scopes[] = {
        {"a read", {&read_info}, 1, check_count(outcomes), 11, 3},
        {"an edit", {&edit}, 1, check_count(outcomes), 11, 3},
        {"a create", {&create}, 1, check_count(outcomes), 11, 3},
        {"a delete", {&erase}, 1, check_count(outcomes), 11, 3},
        {"an edit in one attempt", {&edit}, 1, check_count(outcomes), 11, 1},
        {"a create in two attempts", {&create}, 1, check_count(outcomes), 11, 2},
    };
    for (int i = 0; i < check_count(scopes); i++) {
        explore(&scopes[i]);
    }
}

static void test_two_calls(void) {
    static const scope scopes[] = {
        {"a create beside a create", {&create, &create}, 2, 3, 8, 3},
        {"a create beside a read", {&create, &read_info}, 2, 3, 8, 3},
        {"an edit beside a create in one attempt", {&edit, &create}, 2, 3, 8, 1},
    };
    for (int i = 0; i < check_count(scopes); i++) {
        explore(&scopes[i]);
    }
}

int main(void) {
    const check_test tests[] = {test_one_call, test_two_calls};
    int result = check_run(tests, check_count(tests));
    fprintf(stderr, "%ld paths, %ld events, %ld states\n", search.paths, search.events,
            search.states);
    return result;
}
