/* SPDX-License-Identifier: MIT */
/* Out of memory at every allocation of a call, once and from then on: it says so, leaks
   nothing, and the next call works. jansson's allocations fail everywhere; those of the
   core where a program may replace malloc. */
#include "support/check.h"
#include "support/memory.h"
#include "support/play.h"

#include <stdlib.h>
#include <string.h>

/* ---- how memory fails ---- */

typedef struct failure_mode {
    const char *name;
    bool kinds[MEMORY_KINDS];
    long failures;
} failure_mode;

static const failure_mode none = {"none", {false}, 0};

static const failure_mode modes[] = {
    {"once", {[MEMORY_C] = true, [MEMORY_JSON] = true}, 1},
    {"twice running", {[MEMORY_C] = true, [MEMORY_JSON] = true}, 2},
    {"from then on", {[MEMORY_C] = true, [MEMORY_JSON] = true}, MEMORY_FOR_EVER},
    {"jansson from then on", {[MEMORY_JSON] = true}, MEMORY_FOR_EVER},
};

static const failure_mode *const once = &modes[0];
static const failure_mode *const from_then_on = &modes[2];

static void fail_after(long successes, const failure_mode *mode) {
    memory_fail_after(mode->kinds, successes, mode->failures);
}

static long balance(void) {
    return memory_balance(MEMORY_C) + memory_balance(MEMORY_JSON);
}

/* ---- calls ---- */

typedef struct script {
    const char *name;
    const char *operation; /* or a method, of a request to any endpoint */
    const char *arguments;
    int lost; /* attempts that fail before the response comes */
    const char *head;
    const char *body;
    tagoio_error_kind kind;
    const char *result; /* of a success, as JSON */
} script;

#define SECRET "p-a/1\\\"x"

static const script scripts[] = {
    {"a read", "profile.list", "[]", 0, "HTTP/1.1 200 OK",
     "{\"status\":true,\"result\":[{\"id\":\"5bbe3d1d4d3ad10021e1d2a1\",\"n\":[1,0.5,"
     "null,"
     "9007199254740993]}]}",
     TAGOIO_ERROR_NONE,
     "[{\"id\":\"5bbe3d1d4d3ad10021e1d2a1\",\"n\":[1,0.5,null,9007199254740993]}]"},
    {"a read with a query", "profile.tokenList",
     "[\"a\", {\"page\": 2, \"filter\": {\"token\": [\"" SECRET "\", 123456], "
     "\"tags\": [{\"key\": true}]}, \"orderBy\": [\"name\", \"desc\"]}]",
     0, "HTTP/1.1 200 OK", "{\"status\":true,\"result\":[]}", TAGOIO_ERROR_NONE, "[]"},
    {"a read with a date", "profile.auditLog",
     "[\"a\", {\"start_date\": 5, \"limit\": 1}]", 0, "HTTP/1.1 200 OK",
     "{\"status\":true,\"result\":{}}", TAGOIO_ERROR_NONE, "{}"},
    {"a write with a date and secrets", "profile.tokenCreate",
     "[\"a\", {\"expire_time\": 5, \"password\": \"" SECRET
     "\", \"pin_code\": 123456}]",
     0, "HTTP/1.1 201 X", "{\"status\":true,\"result\":{\"id\":\"x\"}}",
     TAGOIO_ERROR_NONE, "{\"id\":\"x\"}"},
    {"a write of one member", "profile.addTeamMember", "[\"a\", \"b@c.d\"]", 0,
     "HTTP/1.1 200 OK", "{\"status\":true,\"result\":\"User\"}", TAGOIO_ERROR_NONE,
     "\"User\""},
    {"a success after two failures", "profile.edit", "[\"a\", {\"name\": \"b\"}]", 2,
     "HTTP/1.1 200 OK", "{\"status\":true}", TAGOIO_ERROR_NONE, "true"},
    {"an error that echoes secrets", "profile.tokenDelete", "[\"a\", \"" SECRET "\"]",
     0, "HTTP/1.1 404 X\nx-request-id: r-" PLAY_TOKEN,
     "{\"message\":\"no " SECRET "\",\"" SECRET "\":[\"" SECRET "\",1,0.5]}",
     TAGOIO_ERROR_API, NULL},
    {"a text that echoes a secret", "profile.tokenDelete", "[\"a\", \"" SECRET "\"]", 0,
     "HTTP/1.1 404 X", "no \"" SECRET "\"", TAGOIO_ERROR_API, NULL},
    {"an error whose message is JSON", "profile.info", "[\"a\"]", 0, "HTTP/1.1 400 X",
     "{\"message\":\"{\\\"a\\\":[1]}\",\"field_errors\":{\"b\":{}}}", TAGOIO_ERROR_API,
     NULL},
    {"an error whose inner message is JSON", "account.login", "[{}]", 0,
     "HTTP/1.1 401 X", "{\"result\":{\"message\":\"{\\\"otp_enabled\\\":true}\"}}",
     TAGOIO_ERROR_API, NULL},
    {"a warning beside a token", "account.tokenCreate", "[{}]", 0, "HTTP/1.1 200 OK",
     "{\"status\":true,\"result\":{\"token\":\"" SECRET "\"},\"message\":\"Soon " SECRET
     "\"}",
     TAGOIO_ERROR_NONE, "{\"token\":\"" SECRET "\"}"},
    {"an HTML page", "profile.info", "[\"a\"]", 0, "HTTP/1.1 200 OK",
     "<title>Page</title>", TAGOIO_ERROR_PROTOCOL, NULL},
    {"any endpoint, and a warning", "POST",
     "[[\"token\", \"" SECRET "\"], {\"a\": {\"b\": 1}}, [{\"password\": \"" SECRET
     "\"}]]",
     0, "HTTP/1.1 200 OK\nx-request-id: r-" PLAY_TOKEN "\nserver: x",
     "{\"status\":true,\"result\":{},\"message\":\"Soon\"}", TAGOIO_ERROR_NONE, "{}"},
    {"a text that echoes a secret of a list", "POST",
     "[[\"a\"], null, [{\"password\": \"p-a-in-a-list\"}]]", 0, "HTTP/1.1 404 X",
     "no p-a-in-a-list", TAGOIO_ERROR_API, NULL},
    {"a lost connection", "profile.info", "[\"a\"]", 3, NULL, NULL,
     TAGOIO_ERROR_NETWORK, NULL},
};

typedef struct outcome {
    tagoio_error err; /* when there is no call */
    tagoio_settings *settings;
    tagoio_call *call;
} outcome;

/* One attempt that fails, or the one that is answered. */
static void attempt(const script *s, tagoio_call *call, int number, int64_t now_ms) {
    tagoio_now now = play_now(now_ms);
    tagoio_failure failure = {
        .reason = TAGOIO_FAILURE_LOST, .text = "reset", .sent = true};
    play_begin(call, now_ms);
    if (number < s->lost) {
        tagoio_call_fail(call, &now, &failure);
        return;
    }
    size_t half = strlen(s->body) / 2;
    if (play_head(call, s->head) && tagoio_call_body(call, s->body, half) &&
        tagoio_call_body(call, s->body + half, strlen(s->body) - half)) {
        tagoio_call_complete(call, &now);
    } else {
        tagoio_call_fail(call, &now, &failure);
    }
}

/* The call with a header of the program's own, whose value is a secret too. NULL, and
   the call is gone, when that fails. */
static tagoio_call *add_header(tagoio_call *call, tagoio_error *err) {
    tagoio_headers headers = {.items = NULL};
    if (call == NULL ||
        (tagoio_headers_add(&headers, "x-a", SECRET, err) &&
         tagoio_headers_add(&headers, "x-b", SECRET, err) &&
         (tagoio_call_take_headers(call, &headers) || tagoio_error_memory(err)))) {
        return call;
    }
    tagoio_headers_clear(&headers);
    tagoio_call_unref(call);
    return NULL;
}

/* *failed: an allocation did. */
static outcome run(const script *s, long successes, const failure_mode *mode,
                   bool *failed) {
    outcome it = {.err = {.kind = TAGOIO_ERROR_NONE}};
    tagoio_options options = play_options();
    json_t *arguments = play_json(s->arguments);
    fail_after(successes, mode);
    it.settings = tagoio_settings_new(&options, NULL, &it.err);
    if (it.settings == NULL) {
        json_decref(arguments);
    } else {
        const tagoio_operation *row = tagoio_operation_request(s->operation, false);
        it.call =
            row == NULL
                ? tagoio_call_new(it.settings, s->operation, arguments, 0, &it.err)
                : tagoio_call_new_row(it.settings, row, arguments, 0, &it.err);
        it.call = add_header(it.call, &it.err);
    }
    int64_t now = 0;
    for (int number = 0;
         it.call != NULL && tagoio_call_want(it.call, now) == TAGOIO_BEGIN; number++) {
        attempt(s, it.call, number, now);
        now = tagoio_call_retry_at_ms(it.call);
    }
    *failed = memory_fail_no_more() > 0;
    return it;
}

static void check_success(const script *s, const tagoio_report *report) {
    json_t *expected = play_json(s->result);
    check_true(json_equal(report->result, expected));
    json_decref(expected);
    check_true(report->message == NULL || strstr(report->message, "p-a") == NULL);
    /* A warning is there, or that there was one. */
    check_true((report->message != NULL) == (strstr(s->body, "Soon") != NULL));
}

/* What needs no memory is there without: the id, and the kind of the last attempt. */
static void check_facts(const script *s, const tagoio_call *call) {
    tagoio_report report = tagoio_call_report(call);
    bool has_id = s->head != NULL && strstr(s->head, "x-request-id") != NULL;
    check_text(has_id && report.status != 0 ? "r-***" : NULL, report.request_id);
    check_number(report.kind, tagoio_call_attempt(call, report.attempts)->kind);
}

/* whole: what is reported where no allocation fails. */
static void check_outcome(const script *s, const outcome *it,
                          const tagoio_report *whole) {
    if (it->call == NULL) {
        check_text("memory", tagoio_error_kind_name(it->err.kind));
        check_within("not enough memory", it->err.message);
        return;
    }
    tagoio_report report = tagoio_call_report(it->call);
    check_true(tagoio_call_want(it->call, 0) == TAGOIO_DONE);
    check_true(report.kind == s->kind || report.kind == TAGOIO_ERROR_MEMORY);
    check_facts(s, it->call);
    if (report.kind == TAGOIO_ERROR_NONE) {
        check_success(s, &report);
        return;
    }
    check_true(report.result == NULL);
    if (report.message != NULL) { /* else the next check fails */
        check_true(strstr(report.message, "p-a") == NULL);
    }
    if (report.kind == TAGOIO_ERROR_MEMORY) {
        check_within("not enough memory", report.message);
    } else {
        check_text(whole->message, report.message);
        check_true(report.details == whole->details ||
                   json_equal(report.details, whole->details));
    }
}

/* With so many allocations before the first that fails. False: none failed. */
static bool check_run_of(const script *s, long successes, const failure_mode *mode,
                         const tagoio_report *whole) {
    bool failed;
    long before = balance();
    outcome it = run(s, successes, mode, &failed);
    check_outcome(s, &it, whole);
    if (!failed && it.call != NULL) {
        tagoio_error_kind kind = tagoio_call_report(it.call).kind;
        check_text(tagoio_error_kind_name(s->kind), tagoio_error_kind_name(kind));
    }
    tagoio_call_unref(it.call);
    tagoio_settings_unref(it.settings);
    check_number(0, balance() - before);
    return failed;
}

static void test_calls(void) {
    for (int i = 0; i < check_count(scripts); i++) {
        const script *s = &scripts[i];
        bool failed;
        outcome it = run(s, 0, &none, &failed);
        tagoio_report whole = tagoio_call_report(it.call);
        for (int mode = 0; mode < check_count(modes); mode++) {
            check_case("%s, %s", s->name, modes[mode].name);
            long successes = 0;
            while (check_run_of(s, successes, &modes[mode], &whole)) {
                check_run_of(s, 0, &none, &whole); /* the next call works */
                successes++;
            }
        }
        tagoio_call_unref(it.call);
        tagoio_settings_unref(it.settings);
    }
}

/* The settings live on: a call without memory leaves nothing behind in them. */
static void test_same_client(void) {
    check_case("the next call of the same client");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    bool failed = true;
    for (long successes = 0; failed; successes++) {
        json_t *arguments = play_json("[\"a\"]");
        fail_after(successes, from_then_on);
        tagoio_call *call =
            tagoio_call_new(settings, "profile.info", arguments, 0, NULL);
        if (call != NULL) {
            play_answer(call, &now, "400", "{\"message\":\"no\"}");
        }
        failed = memory_fail_no_more() > 0;
        tagoio_call_unref(call);
        call = play_call(settings, "profile.info", "[\"a\"]");
        play_answer(call, &now, "200", "{\"status\":true,\"result\":{}}");
        check_true(tagoio_call_report(call).kind == TAGOIO_ERROR_NONE);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* What the server asks to wait for costs no attempt: three are allowed, ten are made.
 */
static void test_free_attempts(void) {
    check_case("room for attempts that cost none");
    bool failed = true;
    int without_room = 0;
    for (long successes = 0; failed; successes++) {
        long before = balance();
        tagoio_settings *settings = play_settings(NULL);
        tagoio_call *call = play_call(settings, "profile.list", "[]");
        fail_after(successes, once);
        for (int i = 0; i < 10 && tagoio_call_want(call, i * 3000) == TAGOIO_BEGIN;
             i++) {
            tagoio_now now = play_now(i * 3000);
            play_answer(call, &now, "HTTP/1.1 429 X\nRetry-After: 2", "{}");
        }
        failed = memory_fail_no_more() > 0;
        tagoio_report report = tagoio_call_report(call);
        bool done = tagoio_call_want(call, 0) == TAGOIO_DONE;
        check_text(done ? "memory" : "none", tagoio_error_kind_name(report.kind));
        check_true(tagoio_call_attempt(call, done ? report.attempts : 10) != NULL);
        without_room += done && report.status == 429;
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
        check_number(before, balance());
    }
    check_true(memory_all_failures(MEMORY_C) == 0 || without_room > 0);
}

static void test_cancel(void) {
    check_case("canceled without memory");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.info", "[\"a\"]");
    play_begin(call, 0);
    fail_after(0, from_then_on);
    tagoio_call_cancel(call, 0);
    memory_fail_no_more();
    tagoio_report report = tagoio_call_report(call);
    check_true(report.kind == TAGOIO_ERROR_CANCELED ||
               report.kind == TAGOIO_ERROR_MEMORY);
    check_true(report.message != NULL);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_failed_attempt(void) {
    check_case("a write that fails without memory for why says what there is");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.create", "[{}]");
    tagoio_now now = play_now(0);
    play_begin(call, 0);
    fail_after(0, once);
    tagoio_call_fail(call, &now,
                     &(tagoio_failure){
                         .reason = TAGOIO_FAILURE_LOST, .text = "reset", .sent = true});
    bool failed = memory_fail_no_more() > 0;
    check_text(failed ? "profile.create: not enough memory (api.tago.io); it may have "
                        "been applied"
                      : "profile.create: connection lost: reset (api.tago.io); it may "
                        "have been applied",
               tagoio_call_report(call).message);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* There and back. */
static void check_json(const char *text) {
    check_case("JSON there and back: %s", text);
    bool failed = true;
    for (long successes = 0; failed; successes++) {
        long before = balance();
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        fail_after(successes, once);
        json_t *value = tagoio_json_decode(text, strlen(text), &err);
        char *again = value == NULL ? NULL : tagoio_json_encode(value, 0, &err);
        failed = memory_fail_no_more() > 0;
        check_text(failed ? NULL : text, again);
        check_true(!failed || err.kind == TAGOIO_ERROR_MEMORY);
        json_decref(value);
        free(again);
        check_number(before, balance());
    }
}

static void test_json(void) {
    check_json("[[],{},0.5,1,true,null]");
    check_json("{\"a\":[\"b\",{}]}");
    check_json("[\"a string that is longer than jansson's first buffer of 16 bytes\"]");
    check_json("{\"a key that is longer than the first buffer of 16 bytes\":[]}");
    check_json("[9.007199254740994e28,9007199254740993]");
    check_json("[\"\\n\"]"); /* an escape is the first thing in the first string */
    check_json("[\"\\u0001\"]");
    check_json("\"\"");
    check_json("{\"\":1}");
}

/* A message is whole, or says that there was no memory for it. */
static void test_refusal(void) {
    check_case("a refused key without memory");
    tagoio_settings *settings = play_settings(NULL);
    bool failed = true;
    for (long successes = 0; failed; successes++) {
        long before = balance();
        json_t *arguments = play_json("[\"a\", {\"pages\": 2}]");
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        fail_after(successes, once);
        check_true(tagoio_call_new(settings, "profile.tokenList", arguments, 0, &err) ==
                   NULL);
        failed = memory_fail_no_more() > 0;
        bool out_of_memory = failed && err.kind == TAGOIO_ERROR_MEMORY;
        check_text(out_of_memory
                       ? "not enough memory"
                       : "profile.tokenList: query.pages: unknown key; allowed: "
                         "page, amount, fields, filter, orderBy",
                   err.message);
        check_number(before, balance());
    }
    tagoio_settings_unref(settings);
}

#define LONG50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG150 LONG50 LONG50 LONG50

/* A row is whole, or says that there was no memory for it. */
static void test_description(void) {
    check_case("a description without memory");
    json_t *description = play_json(
        "{\"method\": \"PUT\", \"path\": \"/a/" LONG150 "/{b}/{c}\", \"body\": true,"
        " \"query\": {\"page\": [\"count\", 1], \"list\": [\"list\", [\"a\"]]},"
        " \"secret\": [\"c\"]}");
    bool failed = true;
    for (long successes = 0; failed; successes++) {
        long before = balance();
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        fail_after(successes, once);
        const tagoio_operation *row = tagoio_operation_new("a.b", description, &err);
        failed = memory_fail_no_more() > 0;
        check_true((row == NULL) == failed);
        check_text(failed ? "memory" : "none", tagoio_error_kind_name(err.kind));
        tagoio_operation_unref(row);
        check_number(before, balance());
    }
    json_decref(description);
}

/* What is taken is freed, and what has passed is forgotten, before the client is. */
static void test_balance(void) {
    check_case("the arguments of an operation that is not known are taken");
    long at_first = balance();
    tagoio_settings *settings = play_settings(NULL);
    long before = balance();
    json_t *arguments = play_json("[\"a\"]");
    check_true(tagoio_call_new(settings, "profile.none", arguments, 0, NULL) == NULL);
    check_number(0, balance() - before);

    check_case("so is a value behind which there is more");
    check_true(tagoio_json_decode("[1] x", 5, NULL) == NULL);
    check_number(0, balance() - before);

    check_case("the text of a response is freed when it has been read");
    tagoio_call *read = play_call(settings, "profile.list", "[]");
    tagoio_now now = play_now(0);
    play_begin(read, 0);
    play_head(read, "200");
    static const char body[] = "{\"status\":true,\"result\":[]}";
    tagoio_call_body(read, body, strlen(body));
    long with_text = memory_balance(MEMORY_C);
    tagoio_call_complete(read, &now);
    check_true(memory_all_failures(MEMORY_C) == 0 ||
               memory_balance(MEMORY_C) < with_text);
    tagoio_call_unref(read);

    check_case("a row that is described is freed with its last call");
    json_t *description = play_json("{\"method\": \"GET\", \"path\": \"/a\"}");
    before = balance();
    const tagoio_operation *row = tagoio_operation_new("a.b", description, NULL);
    tagoio_call *last = tagoio_call_new_row(settings, row, json_array(), 0, NULL);
    tagoio_operation_unref(row);
    check_text("a.b", tagoio_call_report(last).operation);
    tagoio_call_unref(last);
    check_number(0, balance() - before);
    json_decref(description);

    check_case(
        "the rate limit of a token that nobody has is forgotten when it is over");
    before = balance();
    tagoio_options options = play_options();
    options.token = "another";
    tagoio_settings *derived = tagoio_settings_new(&options, settings, NULL);
    tagoio_call *call = play_call(derived, "profile.list", "[]");
    play_answer(call, &now, "HTTP/1.1 429 X\nRetry-After: 2", "{}");
    tagoio_call_unref(call);
    tagoio_settings_unref(derived);
    check_true(balance() > before);
    tagoio_call_unref(
        tagoio_call_new(settings, "profile.list", json_array(), 10000, NULL));
    check_number(0, balance() - before);

    check_case("what derived clients share is freed with the last of them");
    derived = tagoio_settings_new(&options, settings, NULL);
    tagoio_settings_unref(settings);
    play_answer(call = play_call(derived, "profile.list", "[]"), &now, "200", body);
    tagoio_call_unref(call);
    tagoio_settings_unref(derived);
    check_number(0, balance() - at_first);
}

#define WATCHED "a-secret-that-is-watched"

/* Wherever a call puts a secret: settings, headers, URL, body, response, messages. What
   is long makes a buffer grow that holds it already. */
static void test_wiped(void) {
    static const struct {
        const char *operation;
        const char *arguments;
        const char *head;
        const char *body;
    } rows[] = {
        {"profile.tokenDelete", "[\"" WATCHED "\", \"" WATCHED "\"]", "404",
         "no " WATCHED LONG150},
        {"profile.edit", "[\"a\", {\"a\": \"" WATCHED "\", \"b\": \"" LONG150 "\"}]",
         "HTTP/1.1 400 X\nx-request-id: " WATCHED,
         "{\"message\": \"no " WATCHED LONG150 "\", \"" WATCHED "\": \"ab\"}"},
        {"profile.tokenList", "[\"a\", {\"filter\": {\"token\": \"" WATCHED "\"}}]",
         "200", "{\"status\": true, \"result\": [], \"message\": \"" WATCHED "\"}"},
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("secrets are wiped before memory is freed: %s", rows[i].operation);
        memory_watch(WATCHED);
        tagoio_options options = play_options();
        options.token = WATCHED;
        tagoio_settings *settings = play_settings(&options);
        tagoio_call *call = play_call(settings, rows[i].operation, rows[i].arguments);
        tagoio_headers headers = {.items = NULL};
        check_true(tagoio_headers_add(&headers, "x-a", WATCHED, NULL));
        check_true(tagoio_call_take_headers(call, &headers));
        tagoio_now now = play_now(0);
        play_answer(call, &now, rows[i].head, rows[i].body);
        check_true(tagoio_call_want(call, 0) == TAGOIO_DONE);
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
        check_number(0, memory_watch_no_more());
    }
}

static void test_failures(void) {
    check_case("allocations did fail");
    check_true(memory_all_failures(MEMORY_JSON) > 100);
    check_true(memory_all_failures(MEMORY_C) > 100);
}

int main(void) {
    memory_take_over();
    static const check_test tests[] = {
        test_calls,          test_same_client, test_free_attempts, test_cancel,
        test_failed_attempt, test_refusal,     test_description,   test_json,
        test_balance,        test_wiped,       test_failures};
    return check_run(tests, check_count(tests));
}
