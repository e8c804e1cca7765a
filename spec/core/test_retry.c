/* SPDX-License-Identifier: MIT */
/* What is retried, when and at what cost, for each class of operations: played through
   the public state machine under an invented clock and jitter. */
#include "core/operation.h"
#include "support/check.h"
#include "support/play.h"

#include <stdlib.h>

enum { ANSWER = -1, CLASSES = 4, SECOND = 1000, HOUR = 3600 * SECOND };

/* Of each class: its letter and an operation that stands for it. */
static const struct {
    char letter;
    tagoio_retry_class retry_class;
    const char *operation;
    const char *arguments;
} classes[CLASSES] = {
    {'S', TAGOIO_RETRY_CLASS_SAFE, "profile.list", "[]"},
    {'I', TAGOIO_RETRY_CLASS_IDEMPOTENT, "profile.edit", "[\"a\", {\"name\": \"b\"}]"},
    {'D', TAGOIO_RETRY_CLASS_DESTRUCTIVE, "profile.delete", "[\"a\", {}]"},
    {'N', TAGOIO_RETRY_CLASS_NEVER, "profile.create", "[{\"name\": \"b\"}]"},
};

/* What happens at every attempt: a response, or a reason after the head (if there is
   one). What comes of it for S, I, D and N, with three attempts allowed: how often it
   is retried, and whether the error says that it may have been applied. */
typedef struct event {
    int reason; /* or ANSWER */
    bool sent;
    const char *head;
    const char *body;
} event;

/* What happens at every attempt, and what comes of it for S, I, D and N when three
   attempts are allowed: how often it is retried (*: as often as the server asks for a
   wait), whether the error says that it may have been applied, and the delays. */
typedef struct condition {
    const char *name;
    event event;
    const char *retried;
    const char *maybe_applied;
    tagoio_error_kind kind;
    int64_t delays_ms[2];
} condition;

#define NO       "{\"status\":false,\"message\":\"no\"}"
#define SLOW     "{\"status\":false,\"message\":\"Too many requests (Retry-After: 8)\"}"
#define MANY     "{\"status\":false,\"message\":\"Too many requests\"}"
#define PAGE     "<html><title>502</title></html>"
#define AFTER_2  "\nRetry-After: 2"
#define IN_20_S  "\nRetry-After: Tue, 14 Nov 2023 22:14:10 GMT"
#define PAST     "\nRetry-After: Tue, 14 Nov 2023 22:13:49 GMT"
#define AFTER_90 "\nRetry-After: 90"

/* clang-format off */
static const condition conditions[] = {
    {"name not found", {TAGOIO_FAILURE_RESOLVE, false, NULL, NULL}, "2222", "----", TAGOIO_ERROR_CONNECT, {50, 100}},
    {"connection refused", {TAGOIO_FAILURE_CONNECT, false, NULL, NULL}, "2222", "----", TAGOIO_ERROR_CONNECT, {50, 100}},
    {"connect timeout", {TAGOIO_FAILURE_TIMEOUT, false, NULL, NULL}, "2222", "----", TAGOIO_ERROR_TIMEOUT, {50, 100}},
    {"handshake broken", {TAGOIO_FAILURE_HANDSHAKE, false, NULL, NULL}, "1111", "----", TAGOIO_ERROR_TLS, {50}},
    {"handshake code after sending", {TAGOIO_FAILURE_HANDSHAKE, true, NULL, NULL}, "2200", "-+++", TAGOIO_ERROR_TLS, {50, 100}},
    {"certificate", {TAGOIO_FAILURE_CERTIFICATE, false, NULL, NULL}, "0000", "----", TAGOIO_ERROR_TLS, {0}},
    {"lost before sending", {TAGOIO_FAILURE_LOST, false, NULL, NULL}, "2222", "----", TAGOIO_ERROR_NETWORK, {50, 100}},
    {"lost after sending", {TAGOIO_FAILURE_LOST, true, NULL, NULL}, "2200", "-+++", TAGOIO_ERROR_NETWORK, {50, 100}},
    {"lost after 100 Continue", {TAGOIO_FAILURE_LOST, true, "100", NULL}, "2200", "-+++", TAGOIO_ERROR_NETWORK, {50, 100}},
    {"timeout awaiting the response", {TAGOIO_FAILURE_TIMEOUT, true, NULL, NULL}, "2200", "-+++", TAGOIO_ERROR_TIMEOUT, {50, 100}},
    {"200 truncated", {TAGOIO_FAILURE_LOST, true, "200", NULL}, "2000", "-+++", TAGOIO_ERROR_NETWORK, {50, 100}},
    {"201 truncated", {TAGOIO_FAILURE_LOST, true, "201", NULL}, "2000", "-+++", TAGOIO_ERROR_NETWORK, {50, 100}},
    {"200 stalled", {TAGOIO_FAILURE_TIMEOUT, true, "200", NULL}, "2000", "-+++", TAGOIO_ERROR_TIMEOUT, {50, 100}},
    {"404 truncated", {TAGOIO_FAILURE_LOST, true, "404", NULL}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"408 truncated", {TAGOIO_FAILURE_LOST, true, "408", NULL}, "1111", "----", TAGOIO_ERROR_API, {50}},
    {"429 truncated", {TAGOIO_FAILURE_LOST, true, "HTTP/2 429" AFTER_2, NULL}, "****", "----", TAGOIO_ERROR_API, {2100, 2100}},
    {"500 truncated", {TAGOIO_FAILURE_LOST, true, "500", NULL}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"500 stalled", {TAGOIO_FAILURE_TIMEOUT, true, "500", NULL}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"503 truncated", {TAGOIO_FAILURE_LOST, true, "503", NULL}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"503 with a time truncated", {TAGOIO_FAILURE_LOST, true, "HTTP/1.1 503 X" AFTER_2, NULL}, "****", "----", TAGOIO_ERROR_API, {2100, 2100}},
    {"299 truncated", {TAGOIO_FAILURE_LOST, true, "299", NULL}, "2000", "-+++", TAGOIO_ERROR_NETWORK, {50, 100}},
    {"300 truncated", {TAGOIO_FAILURE_LOST, true, "300", NULL}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"302 truncated", {TAGOIO_FAILURE_LOST, true, "302", NULL}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"399 truncated", {TAGOIO_FAILURE_LOST, true, "399", NULL}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"200 and no JSON", {ANSWER, true, "200", "{\"status\":tr"}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"200 and HTML", {ANSWER, true, "200", PAGE}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"200 and empty", {ANSWER, true, "200", ""}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"200 without a status", {ANSWER, true, "200", "{\"result\":{}}"}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"too large", {TAGOIO_FAILURE_TOO_LARGE, true, "200", NULL}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"bad content encoding", {TAGOIO_FAILURE_ENCODING, true, "200", NULL}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"no HTTP", {TAGOIO_FAILURE_BROKEN, true, NULL, NULL}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"408", {ANSWER, true, "408", NO}, "1111", "----", TAGOIO_ERROR_API, {50}},
    {"425", {ANSWER, true, "425", NO}, "1111", "----", TAGOIO_ERROR_API, {0}},
    {"429 with a header", {ANSWER, true, "HTTP/1.1 429 X" AFTER_2, NO}, "****", "----", TAGOIO_ERROR_API, {2100, 2100}},
    {"429 with a message", {ANSWER, true, "429", SLOW}, "****", "----", TAGOIO_ERROR_API, {8400, 8400}},
    {"429 with both: the header", {ANSWER, true, "HTTP/1.1 429 X" AFTER_2, SLOW}, "****", "----", TAGOIO_ERROR_API, {2100, 2100}},
    {"429 with neither", {ANSWER, true, "429", PAGE}, "****", "----", TAGOIO_ERROR_API, {10500, 10500}},
    {"429 and a wait over the limit", {ANSWER, true, "HTTP/1.1 429 X" AFTER_90, NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"200 throttled", {ANSWER, true, "200", SLOW}, "****", "----", TAGOIO_ERROR_API, {8400, 8400}},
    {"200 throttled without a time", {ANSWER, true, "200", MANY}, "****", "----", TAGOIO_ERROR_API, {10500, 10500}},
    {"403 throttled", {ANSWER, true, "403", SLOW}, "****", "----", TAGOIO_ERROR_API, {8400, 8400}},
    {"500", {ANSWER, true, "500", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"502", {ANSWER, true, "502", PAGE}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"503 with a time", {ANSWER, true, "HTTP/1.1 503 X" AFTER_2, NO}, "****", "----", TAGOIO_ERROR_API, {2100, 2100}},
    {"503 with a date", {ANSWER, true, "HTTP/1.1 503 X" IN_20_S, NO}, "****", "----", TAGOIO_ERROR_API, {20500, 20500}},
    {"503 with a past date", {ANSWER, true, "HTTP/1.1 503 X" PAST, NO}, "2222", "----", TAGOIO_ERROR_API, {0, 0}},
    {"503 and a wait over the limit", {ANSWER, true, "HTTP/1.1 503 X" AFTER_90, NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"503 bare", {ANSWER, true, "503", ""}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"504", {ANSWER, true, "504", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"520", {ANSWER, true, "520", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"521", {ANSWER, true, "521", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"522", {ANSWER, true, "522", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"523", {ANSWER, true, "523", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"524", {ANSWER, true, "524", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"529", {ANSWER, true, "529", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"530", {ANSWER, true, "530", NO}, "2200", "-+++", TAGOIO_ERROR_API, {50, 100}},
    {"501", {ANSWER, true, "501", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"505", {ANSWER, true, "505", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"506", {ANSWER, true, "506", NO}, "0000", "-+++", TAGOIO_ERROR_API, {0}},
    {"507", {ANSWER, true, "507", NO}, "0000", "-+++", TAGOIO_ERROR_API, {0}},
    {"508", {ANSWER, true, "508", NO}, "0000", "-+++", TAGOIO_ERROR_API, {0}},
    {"510", {ANSWER, true, "510", NO}, "0000", "-+++", TAGOIO_ERROR_API, {0}},
    {"511", {ANSWER, true, "511", NO}, "0000", "-+++", TAGOIO_ERROR_API, {0}},
    {"525", {ANSWER, true, "525", NO}, "0000", "-+++", TAGOIO_ERROR_API, {0}},
    {"599", {ANSWER, true, "599", NO}, "0000", "-+++", TAGOIO_ERROR_API, {0}},
    {"400", {ANSWER, true, "400", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"401", {ANSWER, true, "401", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"402", {ANSWER, true, "402", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"403", {ANSWER, true, "403", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"404", {ANSWER, true, "404", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"405", {ANSWER, true, "405", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"409", {ANSWER, true, "409", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"410", {ANSWER, true, "410", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"412", {ANSWER, true, "412", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"413", {ANSWER, true, "413", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"414", {ANSWER, true, "414", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"415", {ANSWER, true, "415", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"422", {ANSWER, true, "422", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"423", {ANSWER, true, "423", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"431", {ANSWER, true, "431", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"451", {ANSWER, true, "451", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"301", {ANSWER, true, "301", ""}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"302", {ANSWER, true, "302", ""}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"304", {ANSWER, true, "304", ""}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"307", {ANSWER, true, "307", ""}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"308", {ANSWER, true, "308", ""}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"399", {ANSWER, true, "399", ""}, "0000", "-+++", TAGOIO_ERROR_PROTOCOL, {0}},
    {"200 with status false", {ANSWER, true, "200", NO}, "0000", "----", TAGOIO_ERROR_API, {0}},
    {"local reason before sending", {TAGOIO_FAILURE_LOCAL, false, NULL, NULL}, "0000", "----", TAGOIO_ERROR_NETWORK, {0}},
    {"local reason after sending", {TAGOIO_FAILURE_LOCAL, true, NULL, NULL}, "0000", "-+++", TAGOIO_ERROR_NETWORK, {0}},
    {"no memory before sending", {TAGOIO_FAILURE_MEMORY, false, NULL, NULL}, "0000", "----", TAGOIO_ERROR_MEMORY, {0}},
    {"no memory after sending", {TAGOIO_FAILURE_MEMORY, true, NULL, NULL}, "0000", "-+++", TAGOIO_ERROR_MEMORY, {0}},
};
/* clang-format on */

static void play(tagoio_call *call, const event *e, int64_t now_ms, double jitter) {
    tagoio_now now = play_now(now_ms);
    now.jitter = jitter;
    if (e->reason == ANSWER) {
        play_answer(call, &now, e->head, e->body);
    } else {
        play_fault(call, &now, e->head, (tagoio_failure_reason)e->reason, e->sent);
    }
}

static void check_condition(const condition *c, int class) {
    check_case("%s, %c", c->name, classes[class].letter);
    bool is_free = c->retried[class] == '*';
    tagoio_options options = play_options();
    options.timeout_ms = HOUR;
    tagoio_settings *settings = play_settings(&options);
    tagoio_call *call =
        play_call(settings, classes[class].operation, classes[class].arguments);
    int64_t now = 0;
    int retried = 0;
    play(call, &c->event, now, 0.5);
    while (tagoio_call_want(call, now) != TAGOIO_DONE && retried < (is_free ? 9 : 2)) {
        check_number(now + c->delays_ms[retried % 2], tagoio_call_retry_at_ms(call));
        now = tagoio_call_retry_at_ms(call);
        play(call, &c->event, now, 0.5);
        retried++;
    }
    check_true(tagoio_call_want(call, now) == (is_free ? TAGOIO_BACKOFF : TAGOIO_DONE));
    tagoio_call_cancel(call, is_free ? now : 0);
    tagoio_report report = tagoio_call_report(call);
    check_number(is_free ? 9 : c->retried[class] - '0', retried);
    check_number(retried + 1, report.attempts);
    check_true(report.maybe_applied == (c->maybe_applied[class] == '+'));
    tagoio_error_kind kind = is_free ? TAGOIO_ERROR_CANCELED : c->kind;
    check_text(tagoio_error_kind_name(kind), tagoio_error_kind_name(report.kind));
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_conditions(void) {
    for (int i = 0; i < check_count(conditions); i++) {
        for (int class = 0; class < CLASSES; class ++) {
            check_condition(&conditions[i], class);
        }
    }
}

static void test_classes(void) {
    static const struct {
        const char *operation;
        char letter;
    } rows[] = {
        {"profile.info", 'S'},
        {"profile.list", 'S'},
        {"profile.summary", 'S'},
        {"profile.usageStatisticList", 'S'},
        {"profile.auditLog", 'S'},
        {"profile.auditLogQuery", 'S'},
        {"profile.tokenList", 'S'},
        {"profile.teamList", 'S'},
        {"profile.edit", 'I'},
        {"profile.tokenDelete", 'I'},
        {"profile.deleteTeamMember", 'I'},
        {"profile.delete", 'D'},
        {"profile.transferTokenToAnotherProfile", 'D'},
        {"profile.create", 'N'},
        {"profile.tokenCreate", 'N'},
        {"profile.addTeamMember", 'N'},
        {"profile.serviceEdit", 'N'},
        {"account.login", 'D'},
        {"account.requestLoginPINCode", 'N'},
        {"account.tokenCreate", 'N'},
        {"account.acceptTeamInvitation", 'I'},
        {"account.declineTeamInvitation", 'I'},
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("%s is of class %c", rows[i].operation, rows[i].letter);
        const tagoio_operation *row = tagoio_operation_find(rows[i].operation);
        check_true(row != NULL);
        if (row != NULL) {
            check_number(rows[i].letter, "SI.D...N"[row->retry_class - 1]);
        }
    }
    check_case("no other operation");
    check_true(tagoio_operation_at((size_t)check_count(rows)) == NULL);
}

/* ---- delays ---- */

/* The delay after the nth failure of a read in a row; -1: there is none. */
typedef struct delay_row {
    const char *name;
    const char *head; /* of a response, NULL: the connection is refused */
    int nth;
    double jitter;
    int64_t timeout_ms;
    int64_t max_retry_after_ms;
    int64_t retry_delay_ms;
} delay_row;

#define UNTIL(seconds) "HTTP/1.1 429 X\nRetry-After: " #seconds

static const delay_row delay_rows[] = {
    {"jitter 0", NULL, 1, 0, HOUR, HOUR, 0},
    {"nearly 1", NULL, 1, 0.9999, HOUR, HOUR, 99},
    {"the second doubles", NULL, 2, 0.9999, HOUR, HOUR, 199},
    {"the third doubles", NULL, 3, 0.5, HOUR, HOUR, 200},
    {"the eighth", NULL, 8, 0.5, HOUR, HOUR, 6400},
    {"the ninth meets the cap", NULL, 9, 0.5, HOUR, HOUR, 10000},
    {"nearly 1 under the cap", NULL, 9, 0.9999, HOUR, HOUR, 19998},
    {"the fiftieth", NULL, 50, 0.5, HOUR, HOUR, 10000},
    {"the ninetieth", NULL, 90, 0, HOUR, HOUR, 0},
    {"a hint, jitter 0", UNTIL(8), 1, 0, HOUR, HOUR, 8000},
    {"a hint, nearly 1", UNTIL(8), 1, 0.9999, HOUR, HOUR, 8799},
    {"a hint does not grow", UNTIL(8), 5, 0, HOUR, HOUR, 8000},
    {"jitter above a hint has a cap", UNTIL(30), 1, 0.9999, HOUR, HOUR, 30999},
    {"a hint of 0", UNTIL(0), 1, 0.9999, HOUR, HOUR, 0},
    {"a hint at the limit", UNTIL(60), 1, 0, HOUR, 60 * SECOND, 60000},
    {"a hint over the limit", UNTIL(61), 1, 0, HOUR, 60 * SECOND, -1},
    {"no hint is allowed", UNTIL(1), 1, 0, HOUR, 0, -1},
    {"a day is over every limit", UNTIL(86400), 1, 0, HOUR, HOUR, -1},
    {"so is a number past all sizes", UNTIL(99999999999999999999), 1, 0, HOUR, HOUR,
     -1},
    {"a hint at the deadline", UNTIL(8), 1, 0, 8000, HOUR, -1},
    {"a hint before the deadline", UNTIL(8), 1, 0, 8001, HOUR, 8000},
    {"jitter past the deadline", UNTIL(8), 1, 0.5, 8400, HOUR, -1},
    {"no hint: the next minute", "429", 1, 0, HOUR, HOUR, 10000},
    {"no hint: jitter", "429", 1, 0.9999, HOUR, HOUR, 10999},
    {"a next minute over the limit", "429", 1, 0, HOUR, 9999, -1},
    {"a next minute past the deadline", "429", 1, 0, 10000, HOUR, -1},
    {"-1 is not a hint", UNTIL(-1), 1, 0, HOUR, HOUR, 10000},
    {"garbage is not a hint", UNTIL(soon), 1, 0, HOUR, HOUR, 10000},
    {"a hint of 500", "HTTP/1.1 500 X\nRetry-After: 3", 1, 0, HOUR, HOUR, 3000},
    {"a hint of 408", "HTTP/1.1 408 X\nRetry-After: 3", 1, 0, HOUR, HOUR, 3000},
    {"425 at once", "425", 1, 0.9999, HOUR, HOUR, 0},
    {"the deadline is a delay away", NULL, 1, 0.5, 50, HOUR, -1},
    {"the deadline is 1 ms further", NULL, 1, 0.5, 51, HOUR, 50},
};

static void fail_read(tagoio_call *call, const char *head, int64_t now_ms,
                      double jitter) {
    int reason = head == NULL ? (int)TAGOIO_FAILURE_CONNECT : ANSWER;
    play(call, &(event){.reason = reason, .head = head, .body = NO}, now_ms, jitter);
}

static void test_delays(void) {
    for (int i = 0; i < check_count(delay_rows); i++) {
        const delay_row *row = &delay_rows[i];
        check_case("delay: %s", row->name);
        tagoio_options options = play_options();
        options.attempts = TAGOIO_MAX_ATTEMPTS;
        options.timeout_ms = row->timeout_ms;
        options.max_retry_after_ms = row->max_retry_after_ms;
        tagoio_settings *settings = play_settings(&options);
        tagoio_call *call = play_call(settings, "profile.list", "[]");
        int64_t now = 0;
        for (int n = 1; n < row->nth; n++) {
            fail_read(call, row->head, now, 0);
            now = tagoio_call_retry_at_ms(call);
        }
        fail_read(call, row->head, now, row->jitter);
        bool done = tagoio_call_want(call, now) == TAGOIO_DONE;
        check_number(row->retry_delay_ms,
                     done ? -1 : tagoio_call_retry_at_ms(call) - now);
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
    }
}

/* ---- attempts and deadlines ---- */

/* How many attempts a call makes that always fails. */
static int attempts_of(tagoio_settings *settings, const event *e, double jitter) {
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    int64_t now = 0;
    while (tagoio_call_want(call, now) != TAGOIO_DONE) {
        play(call, e, now, jitter);
        now = tagoio_call_retry_at_ms(call);
    }
    int attempts = tagoio_call_report(call).attempts;
    tagoio_call_unref(call);
    return attempts;
}

static const event refused = {.reason = TAGOIO_FAILURE_CONNECT};
static const event unavailable = {.reason = ANSWER, .head = "503", .body = NO};
static const event late = {.reason = TAGOIO_FAILURE_TIMEOUT, .sent = true};

static void test_attempts(void) {
    for (int allowed = 1; allowed <= 5; allowed++) {
        check_case("%d attempts", allowed);
        tagoio_options options = play_options();
        options.attempts = allowed;
        tagoio_settings *settings = play_settings(&options);
        check_number(allowed, attempts_of(settings, &refused, 0.5));
        tagoio_settings_unref(settings);
    }
    check_case("the deadline beats attempts");
    tagoio_options options = play_options();
    options.attempts = TAGOIO_MAX_ATTEMPTS;
    options.timeout_ms = SECOND; /* delays of 50, 100, 200 and 400 ms; not of 800 */
    tagoio_settings *settings = play_settings(&options);
    check_number(5, attempts_of(settings, &refused, 0.5));
    tagoio_settings_unref(settings);
}

static void test_attempt_time(void) {
    static const struct {
        const char *name;
        int64_t now_ms;
        int64_t expected_ms;
        int64_t connect_ms;
    } rows[] = {
        {"an attempt has its own time", 0, 3000, 2500},
        {"until the deadline is nearer", 8000, 2000, 2000},
        {"just before the deadline", 9999, 1, 1},
    };
    tagoio_options options = play_options();
    options.timeout_ms = 10000;
    options.attempt_timeout_ms = 3000;
    options.connect_timeout_ms = 2500;
    tagoio_settings *settings = play_settings(&options);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("%s", rows[i].name);
        tagoio_call *call = play_call(settings, "profile.list", "[]");
        tagoio_request request = play_begin(call, rows[i].now_ms);
        check_number(rows[i].expected_ms, request.timeout_ms);
        check_number(rows[i].connect_ms, request.connect_timeout_ms);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* One retry each, but not one in all. */
static void test_once(void) {
    check_case("408 and 425 are retried once each");
    tagoio_options options = play_options();
    options.attempts = 10;
    tagoio_settings *settings = play_settings(&options);
    tagoio_call *call = play_call(settings, "profile.create", "[{}]");
    static const char *const heads[] = {"408", "425", "408"};
    for (int i = 0; i < check_count(heads); i++) {
        check_true(tagoio_call_want(call, i * SECOND) == TAGOIO_BEGIN);
        fail_read(call, heads[i], i * SECOND, 0);
    }
    check_true(tagoio_call_want(call, HOUR) == TAGOIO_DONE);
    check_number(3, tagoio_call_report(call).attempts);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* ---- the retry budget ---- */

static tagoio_settings *patient_settings(void) {
    tagoio_options options = play_options();
    options.attempts = TAGOIO_MAX_ATTEMPTS;
    return play_settings(&options);
}

/* Fails some times, then succeeds. */
static void succeed_after(tagoio_settings *settings, const event *e, int failures) {
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    tagoio_now now = play_now(0);
    for (int i = 0; i < failures; i++) {
        play(call, e, 0, 0);
    }
    play_answer(call, &now, "200", "{\"status\":true,\"result\":[]}");
    check_true(tagoio_call_report(call).kind == TAGOIO_ERROR_NONE);
    tagoio_call_unref(call);
}

/* A budget of 500, 5 of it for 1 retry: 99 in the first call, 1 in the second. */
static void spend_all(tagoio_settings *settings) {
    check_number(100, attempts_of(settings, &refused, 0));
    check_number(2, attempts_of(settings, &refused, 0));
    check_number(1, attempts_of(settings, &refused, 0));
}

static void test_budget_costs(void) {
    check_case("a budget of 500 is 100 retries");
    tagoio_settings *settings = patient_settings();
    spend_all(settings);
    tagoio_settings_unref(settings);

    check_case("or 50 after timeouts");
    settings = patient_settings();
    check_number(51, attempts_of(settings, &late, 0));
    check_number(1, attempts_of(settings, &unavailable, 0));
    tagoio_settings_unref(settings);

    check_case("a budget of 5 is too small after a timeout");
    settings = patient_settings();
    check_number(100, attempts_of(settings, &unavailable, 0));
    check_number(1, attempts_of(settings, &late, 0));
    check_number(2, attempts_of(settings, &unavailable, 0));
    tagoio_settings_unref(settings);

    check_case("a wait that the server asks for costs nothing");
    settings = patient_settings();
    tagoio_options options = play_options();
    options.token = "p-that-has-a-limit-of-its-own";
    tagoio_settings *limited = tagoio_settings_new(&options, settings, NULL);
    tagoio_call *call = play_call(limited, "profile.list", "[]");
    for (int i = 0; i < 20; i++) {
        tagoio_now now = play_now(i * 2 * SECOND);
        play_answer(call, &now, "HTTP/1.1 429 X\nRetry-After: 1", NO);
    }
    check_number(20, tagoio_call_report(call).attempts);
    tagoio_call_unref(call);
    tagoio_settings_unref(limited);
    spend_all(settings);
    tagoio_settings_unref(settings);
}

static void test_budget_refunds(void) {
    check_case("a success gives 1 back");
    tagoio_settings *settings = patient_settings();
    spend_all(settings);
    for (int i = 0; i < 4; i++) {
        succeed_after(settings, &refused, 0);
    }
    check_number(1, attempts_of(settings, &refused, 0));
    succeed_after(settings, &refused, 0);
    check_number(2, attempts_of(settings, &refused, 0));
    tagoio_settings_unref(settings);

    check_case("a success after a retry gives back what the last retry cost");
    settings = patient_settings();
    for (int i = 0; i < 200; i++) {
        succeed_after(settings, &refused, 1);
        succeed_after(settings, &late, 1);
    }
    spend_all(settings);
    tagoio_settings_unref(settings);

    check_case("a second retry is not given back");
    settings = patient_settings();
    for (int i = 0; i < 99; i++) {
        succeed_after(settings, &refused, 2);
    }
    check_number(2, attempts_of(settings, &refused, 0));
    tagoio_settings_unref(settings);
}

static void test_budget_owners(void) {
    check_case("the budget never exceeds 500");
    tagoio_settings *settings = patient_settings();
    for (int i = 0; i < 1007; i++) {
        succeed_after(settings, &refused, 0);
    }
    spend_all(settings);

    check_case("derived settings share the retry budget");
    tagoio_options options = play_options();
    tagoio_settings *derived = tagoio_settings_new(&options, settings, NULL);
    if (check_true(derived != NULL)) {
        check_number(1, attempts_of(derived, &refused, 0));
    }
    tagoio_settings_unref(settings);
    check_number(1, attempts_of(derived, &refused, 0));
    tagoio_settings_unref(derived);

    check_case("other settings have their own");
    settings = patient_settings();
    check_number(100, attempts_of(settings, &refused, 0));
    tagoio_settings_unref(settings);
}

/* ---- what the next attempt knows ---- */

/* How often calls are retried, once each, until the budget of 500 is spent. */
static int retries_of(const event *e) {
    tagoio_options options = play_options();
    options.attempts = 2;
    tagoio_settings *settings = play_settings(&options);
    int retries = 0;
    for (int i = 0; i < 110; i++) {
        retries += attempts_of(settings, e, 0) - 1;
    }
    tagoio_settings_unref(settings);
    return retries;
}

static void test_next_attempt(void) {
    static const struct {
        const char *name;
        event after;
        bool fresh;
        int longest_ms; /* the pause before it */
        int retries;    /* in all; 0: it costs nothing */
    } rows[] = {
        {"lost after sending", {TAGOIO_FAILURE_LOST, true, NULL, NULL}, true, 99, 100},
        {"lost before sending",
         {TAGOIO_FAILURE_LOST, false, NULL, NULL},
         true,
         99,
         100},
        {"timeout", {TAGOIO_FAILURE_TIMEOUT, true, NULL, NULL}, true, 99, 50},
        {"connect timeout", {TAGOIO_FAILURE_TIMEOUT, false, NULL, NULL}, true, 99, 50},
        {"200 truncated", {TAGOIO_FAILURE_LOST, true, "200", NULL}, true, 99, 100},
        {"408", {ANSWER, true, "408", NO}, true, 99, 100},
        {"425", {ANSWER, true, "425", NO}, true, 0, 100},
        {"name not found", {TAGOIO_FAILURE_RESOLVE, false, NULL, NULL}, false, 99, 100},
        {"connection refused",
         {TAGOIO_FAILURE_CONNECT, false, NULL, NULL},
         false,
         99,
         100},
        {"handshake", {TAGOIO_FAILURE_HANDSHAKE, false, NULL, NULL}, true, 99, 100},
        {"503", {ANSWER, true, "503", NO}, false, 99, 100},
        {"503, at once", {ANSWER, true, "HTTP/1.1 503 X" PAST, NO}, false, 0, 100},
        {"429, at once", {ANSWER, true, "HTTP/1.1 429 X" PAST, NO}, false, 0, 100},
        {"429", {ANSWER, true, "HTTP/1.1 429 X" AFTER_2, NO}, false, 2199, 0},
    };
    for (int i = 0; i < check_count(rows); i++) {
        tagoio_settings *settings = play_settings(NULL);
        check_case("%s connection after %s, its pause and its cost",
                   rows[i].fresh ? "a fresh" : "any", rows[i].name);
        tagoio_call *call = play_call(settings, "profile.list", "[]");
        check_true(!play_begin(call, 0).fresh_connection);
        play(call, &rows[i].after, 0, 0.999999);
        check_number(rows[i].longest_ms, tagoio_call_retry_at_ms(call));
        tagoio_request request = play_begin(call, tagoio_call_retry_at_ms(call));
        check_true(request.fresh_connection == rows[i].fresh);
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
        check_true(rows[i].retries == 0 ||
                   retries_of(&rows[i].after) == rows[i].retries);
    }
    tagoio_settings *settings = play_settings(NULL);
    check_case("fresh no more when the next one lives");
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    play(call, &rows[0].after, 0, 0);
    play(call, &unavailable, 0, 0);
    check_true(!play_begin(call, 0).fresh_connection);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static const struct {
    const char *name;
    event first;
    const char *second;
    bool maybe_applied;
} ambiguous[] = {
    {"404 after a lost response", {TAGOIO_FAILURE_LOST, true, NULL, NULL}, "404", true},
    {"409 after a lost response", {TAGOIO_FAILURE_LOST, true, NULL, NULL}, "409", true},
    {"400 after a timeout", {TAGOIO_FAILURE_TIMEOUT, true, NULL, NULL}, "400", true},
    {"404 after 502", {ANSWER, true, "502", PAGE}, "404", true},
    {"404 after a refused connection",
     {TAGOIO_FAILURE_CONNECT, false, NULL, NULL},
     "404",
     false},
    {"404 after 429", {ANSWER, true, "429", SLOW}, "404", false},
    {"404 after 503 with a time",
     {ANSWER, true, "HTTP/1.1 503 X" AFTER_2, NO},
     "404",
     false},
};

/* Two attempts of a tokenDelete: what the second one's error says of both. */
static void test_ambiguous_before(void) {
    for (int i = 0; i < check_count(ambiguous); i++) {
        tagoio_settings *settings = play_settings(NULL);
        check_case("tokenDelete: %s", ambiguous[i].name);
        tagoio_call *call =
            play_call(settings, "profile.tokenDelete", "[\"a\", \"p-1234\"]");
        play(call, &ambiguous[i].first, 0, 0);
        fail_read(call, ambiguous[i].second, tagoio_call_retry_at_ms(call), 0);
        tagoio_report report = tagoio_call_report(call);
        check_number(2, report.attempts);
        check_number(atoi(ambiguous[i].second), report.status);
        check_true(report.maybe_applied == ambiguous[i].maybe_applied);
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
    }
    tagoio_settings *settings = play_settings(NULL);
    check_case("tokenDelete: a success after a lost response");
    tagoio_call *call =
        play_call(settings, "profile.tokenDelete", "[\"a\", \"p-1234\"]");
    play(call, &ambiguous[0].first, 0, 0);
    tagoio_now now = play_now(0);
    play_answer(call, &now, "200", "{\"status\":true}");
    check_true(tagoio_call_report(call).kind == TAGOIO_ERROR_NONE);
    check_true(!tagoio_call_report(call).maybe_applied);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* ---- the machine ---- */

/* Where a call stands when it is canceled, and what its report says then. */
typedef struct cancel_row {
    const char *name;
    const char *operation;
    const char *arguments;
    const event *before; /* NULL: nothing happened */
    bool begun;
    tagoio_error_kind kind;
    int attempts;
    bool maybe_applied;
    bool queued; /* it was begun, and has not left the driver's queue */
} cancel_row;

static const event lost = {.reason = TAGOIO_FAILURE_LOST, .sent = true};
static const event denied = {.reason = ANSWER, .head = "401", .body = NO};
static const event fine = {
    .reason = ANSWER, .head = "200", .body = "{\"status\":true,\"result\":[]}"};

static const cancel_row cancel_rows[] = {
    {"a read that is ready", "profile.list", "[]", NULL, false, TAGOIO_ERROR_CANCELED,
     0, false, false},
    {"a write that is ready", "profile.create", "[{}]", NULL, false,
     TAGOIO_ERROR_CANCELED, 0, false, false},
    {"a read under way", "profile.list", "[]", NULL, true, TAGOIO_ERROR_CANCELED, 1,
     false, false},
    {"a write under way", "profile.create", "[{}]", NULL, true, TAGOIO_ERROR_CANCELED,
     1, true, false},
    {"a write in the driver's queue", "profile.create", "[{}]", NULL, true,
     TAGOIO_ERROR_CANCELED, 1, false, true},
    {"a read in backoff", "profile.list", "[]", &lost, false, TAGOIO_ERROR_CANCELED, 1,
     false, false},
    {"a write in backoff that was lost", "profile.edit", "[\"a\", {}]", &lost, false,
     TAGOIO_ERROR_CANCELED, 1, true, false},
    {"a write in backoff that was refused", "profile.edit", "[\"a\", {}]", &refused,
     false, TAGOIO_ERROR_CANCELED, 1, false, false},
    {"a second attempt", "profile.edit", "[\"a\", {}]", &refused, true,
     TAGOIO_ERROR_CANCELED, 2, true, false},
    {"a success", "profile.list", "[]", &fine, false, TAGOIO_ERROR_NONE, 1, false,
     false},
    {"a failure", "profile.list", "[]", &denied, false, TAGOIO_ERROR_API, 1, false,
     false},
};

static void test_cancel(void) {
    tagoio_settings *settings = play_settings(NULL);
    for (int i = 0; i < check_count(cancel_rows); i++) {
        const cancel_row *row = &cancel_rows[i];
        check_case("cancel %s", row->name);
        tagoio_call *call = play_call(settings, row->operation, row->arguments);
        if (row->before != NULL) {
            play(call, row->before, 0, 0.5);
        }
        if (row->queued) {
            tagoio_request request;
            check_true(tagoio_call_begin(call, 100, &request));
        } else if (row->begun) {
            play_begin(call, 100);
        }
        tagoio_call_cancel(call, 700);
        tagoio_call_cancel(call, 900);
        check_true(tagoio_call_want(call, 700) == TAGOIO_DONE);
        tagoio_report report = tagoio_call_report(call);
        check_text(tagoio_error_kind_name(row->kind),
                   tagoio_error_kind_name(report.kind));
        check_number(row->attempts, report.attempts);
        check_true(report.maybe_applied == row->maybe_applied);
        if (row->kind == TAGOIO_ERROR_CANCELED) {
            check_number(700, report.elapsed_ms);
            check_within("canceled", report.message);
        }
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* Every event but begin, none of which is due. */
static void disturb(tagoio_call *call) {
    tagoio_now now = play_now(5);
    check_true(!tagoio_call_status(call, 404));
    check_true(!play_header(call, "cf-ray", "q"));
    check_true(!tagoio_call_body(call, "{}", 2));
    tagoio_call_complete(call, &now);
    tagoio_call_sending(call, 7);
    tagoio_call_fail(call, &now,
                     &(tagoio_failure){.reason = TAGOIO_FAILURE_LOST, .text = ""});
}

static void test_early_events(void) {
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    check_case("events before the first attempt");
    disturb(call);
    check_true(tagoio_call_want(call, 0) == TAGOIO_BEGIN);
    check_number(0, tagoio_call_report(call).attempts);
    check_number(0, tagoio_call_report(call).queued_ms);

    check_case("begin while a response is under way");
    check_true(play_begin(call, 0).method != NULL);
    check_true(play_begin(call, 0).method == NULL);
    check_true(tagoio_call_want(call, 0) == TAGOIO_WAIT);
    check_number(1, tagoio_call_report(call).attempts);

    check_case("events during a backoff");
    play(call, &unavailable, 0, 0.5);
    disturb(call);
    play_begin(call, 49);
    check_true(tagoio_call_want(call, 49) == TAGOIO_BACKOFF);
    check_number(50, tagoio_call_retry_at_ms(call));
    check_number(1, tagoio_call_report(call).attempts);
    check_true(tagoio_call_want(call, 50) == TAGOIO_BEGIN);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_late_events(void) {
    const event *ends[] = {&fine, &denied};
    tagoio_settings *settings = play_settings(NULL);
    for (int i = 0; i < check_count(ends); i++) {
        check_case("events after %s", ends[i]->head);
        tagoio_call *call = play_call(settings, "profile.list", "[]");
        play(call, ends[i], 40, 0);
        tagoio_report before = tagoio_call_report(call);
        disturb(call);
        play_begin(call, 90);
        disturb(call);
        tagoio_call_cancel(call, 90);
        tagoio_report after = tagoio_call_report(call);
        check_true(tagoio_call_want(call, 90) == TAGOIO_DONE);
        check_true(after.kind == before.kind && after.result == before.result);
        check_true(after.message == before.message && after.status == before.status);
        check_number(1, after.attempts);
        check_number(40, after.elapsed_ms);
        check_number(0, after.queued_ms);
        check_true(!after.maybe_applied);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

static void test_times(void) {
    check_case("a report adds up the times of all attempts");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call =
        tagoio_call_new(settings, "profile.list", json_array(), 400, NULL);
    tagoio_failure failure = {.reason = TAGOIO_FAILURE_TIMEOUT, .text = "t"};
    tagoio_request request;
    for (int64_t now_ms = 1000; now_ms <= 3000; now_ms += 1000) {
        tagoio_now now = play_now(now_ms);
        check_true(tagoio_call_begin(call, now_ms - 500, &request));
        if (now_ms < 3000) { /* the last one never leaves the queue */
            tagoio_call_sending(call, now_ms - 300);
        }
        tagoio_call_fail(call, &now, &failure);
    }
    tagoio_report report = tagoio_call_report(call);
    check_number(3, report.attempts);
    check_number(900, report.queued_ms);
    check_number(2600, report.elapsed_ms);
    check_number(-1, report.retry_after_s);
    check_number(0, report.status);
    check_number(200, tagoio_call_attempt(call, 1)->queued_ms);
    check_number(500, tagoio_call_attempt(call, 3)->queued_ms);
    tagoio_call_unref(call);

    check_case("a success knows how long it was queued");
    call = play_call(settings, "profile.list", "[]");
    tagoio_call_sending(call, 7); /* too early */
    check_true(tagoio_call_begin(call, 100, &request));
    check_true(!tagoio_call_begin(call, 100, &request));
    tagoio_call_sending(call, 140);
    tagoio_call_sending(call, 170); /* it has left the queue already */
    tagoio_now later = play_now(200);
    play_answer(call, &later, "200",
                "{\"status\":true,\"result\":[]}"); /* begun already */
    check_number(40, tagoio_call_report(call).queued_ms);
    check_number(40, tagoio_call_attempt(call, 1)->queued_ms);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_shared_call(void) {
    check_case("a call outlives its settings and one of two references");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    tagoio_settings_unref(settings);
    check_true(tagoio_call_ref(call) == call);
    tagoio_call_unref(call);
    play(call, &fine, 0, 0);
    check_true(tagoio_call_report(call).kind == TAGOIO_ERROR_NONE);
    tagoio_call_unref(call);
}

int main(void) {
    static const check_test tests[] = {
        test_conditions,   test_classes,          test_delays,
        test_attempts,     test_attempt_time,     test_once,
        test_budget_costs, test_budget_refunds,   test_budget_owners,
        test_next_attempt, test_ambiguous_before, test_cancel,
        test_early_events, test_late_events,      test_times,
        test_shared_call,
    };
    return check_run(tests, check_count(tests));
}
