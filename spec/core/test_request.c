/* SPDX-License-Identifier: MIT */
/* Requests to any endpoint: what they send, what they refuse, how their responses are
   read; and what is known of a success beside its result. */
#include "support/check.h"
#include "support/play.h"

#include <stdlib.h>
#include <string.h>

static tagoio_call *try_request(tagoio_settings *settings, const char *method,
                                bool idempotent, const char *arguments,
                                tagoio_error *err) {
    *err = (tagoio_error){.kind = TAGOIO_ERROR_NONE};
    const tagoio_operation *row = tagoio_operation_request(method, idempotent);
    return tagoio_call_new_row(settings, row, play_json(arguments), 0, err);
}

static tagoio_call *need_request(tagoio_settings *settings, const char *method,
                                 bool idempotent, const char *arguments) {
    tagoio_error err;
    tagoio_call *call = try_request(settings, method, idempotent, arguments, &err);
    check_text("", err.message);
    if (call == NULL) {
        exit(2);
    }
    return call;
}

typedef struct request_row {
    const char *method;
    const char *arguments; /* path, query, body */
    const char *path;
    const char *body; /* NULL: none */
} request_row;

/* clang-format off */
static const request_row requests[] = {
    {"GET", "[[\"status\"]]", "/status", NULL},
    {"GET", "[[\"profile\", \"5f\", \"backup\"], {\"orderBy\": \"created_at,desc\"}]", "/profile/5f/backup?orderBy=created_at%2Cdesc", NULL},
    {"GET", "[[\"a/b ?x#y\", \"%2e%2e\", \"...\"], null, null]", "/a%2Fb%20%3Fx%23y/%252e%252e/...", NULL},
    {"GET", "[[\"a\"], {\"f\": {\"tags\": [{\"key\": \"k\"}, 0.1]}}]", "/a?f%5Btags%5D%5B0%5D%5Bkey%5D=k&f%5Btags%5D%5B1%5D=0.1", NULL},
    {"GET", "[[\"a\"], {\"on\": false}]", "/a?on=false", NULL},
    {"GET", "[[\"a\"], {\"b c\": null}]", "/a?b%20c=", NULL},
    {"GET", "[[\"a\"], {}]", "/a", NULL},
    {"GET", "[[\"a\"], {\"c\": 1, \"a\": 2, \"b\": {\"y\": 3, \"x\": 4}}]", "/a?a=2&b%5Bx%5D=4&b%5By%5D=3&c=1", NULL},
    {"POST", "[[\"a\"]]", "/a", NULL},
    {"POST", "[[\"account\", \"allocation\"], null, [{\"profile\": \"5f\", \"sms\": 3}]]", "/account/allocation", "[{\"profile\":\"5f\",\"sms\":3}]"},
    {"PUT", "[[\"a\"], {\"b\": 1}, {\"c\": null}]", "/a?b=1", "{\"c\":null}"},
    {"PATCH", "[[\"a\"], null, {}]", "/a", "{}"},
    {"DELETE", "[[\"a\"], null, {\"password\": \"correct\"}]", "/a", "{\"password\":\"correct\"}"},
};
/* clang-format on */

static void test_requests(void) {
    tagoio_settings *settings = play_settings(NULL);
    size_t before = strlen(PLAY_URL);
    for (int i = 0; i < check_count(requests); i++) {
        const request_row *row = &requests[i];
        check_case("%s %s", row->method, row->arguments);
        tagoio_call *call = need_request(settings, row->method, false, row->arguments);
        tagoio_request request = play_begin(call, 0);
        check_text(row->method, request.method);
        check_true(strncmp(PLAY_URL, request.url, before) == 0);
        check_text(row->path, request.url + before);
        bool announced = row->body == NULL && row->method[0] == 'P';
        check_text(announced ? "" : row->body, request.body);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* clang-format off */
static const struct {
    const char *arguments;
    tagoio_error_kind kind;
    const char *message; /* behind "request.POST: " */
} refusals[] = {
    {"[]", TAGOIO_ERROR_MISUSE, "path must be a list of strings (got nothing)"},
    {"[[]]", TAGOIO_ERROR_MISUSE, "path must be a list of strings (got a list)"},
    {"[\"a/b\"]", TAGOIO_ERROR_MISUSE, "path must be a list of strings (got a string)"},
    {"[{\"a\": \"b\"}]", TAGOIO_ERROR_MISUSE, "path must be a list of strings (got a table)"},
    {"[[\"a\", 5]]", TAGOIO_ERROR_MISUSE, "path[2] must be a string (got a number)"},
    {"[[\"a\", null]]", TAGOIO_ERROR_MISUSE, "path[2] must be a string (got nothing)"},
    {"[[\"a\", \"\"]]", TAGOIO_ERROR_INVALID, "path[2] must not be empty"},
    {"[[\"..\", \"a\"]]", TAGOIO_ERROR_INVALID, "path[1] must not be . or .., which paths drop"},
    {"[[\"a\\u0000\"]]", TAGOIO_ERROR_INVALID, "path[1] must not hold a control byte"},
    {"[[\"a\"], [1]]", TAGOIO_ERROR_MISUSE, "query must be a table with keys (got a list)"},
    {"[[\"a\"], \"b=1\"]", TAGOIO_ERROR_MISUSE, "query must be a table with keys (got a string)"},
    {"[[\"a\"], null, \"b\"]", TAGOIO_ERROR_MISUSE, "body must be a table (got a string)"},
    {"[[\"a\"], null, 1]", TAGOIO_ERROR_MISUSE, "body must be a table (got a number)"},
};
/* clang-format on */

static void test_refusals(void) {
    tagoio_settings *settings = play_settings(NULL);
    for (int i = 0; i < check_count(refusals); i++) {
        check_case("refused: %s", refusals[i].arguments);
        tagoio_error err;
        tagoio_call *call =
            try_request(settings, "POST", false, refusals[i].arguments, &err);
        check_true(call == NULL);
        check_text(tagoio_error_kind_name(refusals[i].kind),
                   tagoio_error_kind_name(err.kind));
        check_true(strncmp(err.message, "request.POST: ", 14) == 0);
        check_text(refusals[i].message, err.message + 14);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* "[[...]]" or "{"a":{"a":...}}" around a number, in the query of a request. */
static void check_depth(char open, int depth, bool fits) {
    check_case("a query of %d times %c", depth, open);
    json_t *value = json_integer(1);
    for (int i = 0; i < depth; i++) {
        value = open == '[' ? json_pack("[o]", value) : json_pack("{s:o}", "a", value);
    }
    tagoio_settings *settings = play_settings(NULL);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    json_t *arguments = json_pack("[[s], {s:o}]", "a", "q", value);
    tagoio_call *call = tagoio_call_new_row(
        settings, tagoio_operation_request("GET", false), arguments, 0, &err);
    check_true((call != NULL) == fits);
    check_text(fits ? "" : "request.GET: query is nested too deep", err.message);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_depth(void) {
    check_depth('[', TAGOIO_MAX_JSON_DEPTH - 1, true);
    check_depth('[', TAGOIO_MAX_JSON_DEPTH, false);
    check_depth('{', TAGOIO_MAX_JSON_DEPTH - 1, true);
    check_depth('{', TAGOIO_MAX_JSON_DEPTH, false);
}

/* Whether a request is repeated after a response that leaves open what happened. */
static void test_classes(void) {
    static const struct {
        const char *method;
        bool idempotent;
        bool retried;
    } rows[] = {
        {"GET", false, true},    {"GET", true, true},   {"POST", false, false},
        {"POST", true, true},    {"PUT", false, false}, {"PUT", true, true},
        {"PATCH", false, false}, {"PATCH", true, true}, {"DELETE", false, false},
        {"DELETE", true, true},
    };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("%s, idempotent %d", rows[i].method, rows[i].idempotent);
        tagoio_call *call =
            need_request(settings, rows[i].method, rows[i].idempotent, "[[\"a\"]]");
        check_true(play_begin(call, 0).multiplex == rows[i].retried);
        play_answer(call, &now, "502", "{}");
        bool done = tagoio_call_want(call, 0) == TAGOIO_DONE;
        check_true(done == !rows[i].retried);
        check_true(!done || tagoio_call_report(call).maybe_applied);
        tagoio_call_unref(call);
    }
    check_case("no other method");
    check_true(tagoio_operation_request("HEAD", false) == NULL);
    check_true(tagoio_operation_request("get", true) == NULL);
    tagoio_settings_unref(settings);
}

/* ---- responses ---- */

/* clang-format off */
static const struct {
    const char *name;
    const char *body;
    tagoio_error_kind kind;
    const char *result; /* as JSON; NULL: none */
    const char *message;
} responses[] = {
    {"a result", "{\"status\":true,\"result\":[1]}", TAGOIO_ERROR_NONE, "[1]", NULL},
    {"no result", "{\"status\":true}", TAGOIO_ERROR_NONE, "true", NULL},
    {"a warning of one letter", "{\"status\":true,\"result\":{},\"message\":\"X\"}", TAGOIO_ERROR_NONE, "{}", "X"},
    {"an empty warning", "{\"status\":true,\"result\":{},\"message\":\"\"}", TAGOIO_ERROR_NONE, "{}", NULL},
    {"a warning", "{\"status\":true,\"result\":{},\"message\":\"Soon\\ngone\"}", TAGOIO_ERROR_NONE, "{}", "Soon gone"},
    {"a warning with the token", "{\"status\":true,\"result\":{},\"message\":\"not " PLAY_TOKEN "\"}", TAGOIO_ERROR_NONE, "{}", "not ***"},
    {"a warning that is none", "{\"status\":true,\"result\":{},\"message\":\"\"}", TAGOIO_ERROR_NONE, "{}", NULL},
    {"no envelope", "{\"message\":\"Queued\",\"backup_id\":\"b\"}", TAGOIO_ERROR_NONE, "{\"backup_id\":\"b\",\"message\":\"Queued\"}", NULL},
    {"an empty object", "{}", TAGOIO_ERROR_NONE, "{}", NULL},
    {"status false", "{\"status\":false,\"message\":\"No\"}", TAGOIO_ERROR_API, NULL, "request.POST: No (HTTP 200, api.tago.io)"},
    {"another status", "{\"status\":\"queued\"}", TAGOIO_ERROR_PROTOCOL, NULL, "request.POST: not a response of TagoIO: JSON without a status of true or false (HTTP 200, api.tago.io); it may have been applied"},
    {"an array", "[]", TAGOIO_ERROR_PROTOCOL, NULL, "request.POST: not a response of TagoIO: JSON without a status of true or false (HTTP 200, api.tago.io); it may have been applied"},
    {"no JSON", "", TAGOIO_ERROR_PROTOCOL, NULL, "request.POST: not a response of TagoIO: an empty body (HTTP 200, api.tago.io); it may have been applied"},
};
/* clang-format on */

static void test_answers(void) {
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(responses); i++) {
        check_case("response: %s", responses[i].name);
        tagoio_call *call = need_request(settings, "POST", false, "[[\"a\"]]");
        play_answer(call, &now, "200", responses[i].body);
        tagoio_report report = tagoio_call_report(call);
        char *result =
            report.result == NULL ? NULL : tagoio_json_encode(report.result, 0, NULL);
        check_text(tagoio_error_kind_name(responses[i].kind),
                   tagoio_error_kind_name(report.kind));
        check_text(responses[i].result, result);
        check_text(responses[i].message, report.message);
        free(result);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

static void test_operations_are_stricter(void) {
    check_case("an operation takes no response without an envelope");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    tagoio_call *call = play_call(settings, "profile.edit", "[\"a\", {}]");
    play_answer(call, &now, "200", "{\"message\":\"Queued\"}");
    check_text("protocol", tagoio_error_kind_name(tagoio_call_report(call).kind));
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_heads(void) {
    static const char body[] = "{\"status\":true,\"result\":[]}";
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);

    check_case("the headers of the last response are kept");
    tagoio_call *call = need_request(settings, "GET", false, "[[\"a\"]]");
    play_answer(call, &now, "HTTP/1.1 502 X\nOld: 1\n", "");
    now = play_now(tagoio_call_retry_at_ms(call));
    play_answer(call, &now,
                "HTTP/1.1 103 X\nLink: 2\n\nHTTP/1.1 201 X\nA: 3\nCF-Ray: q", body);
    tagoio_report report = tagoio_call_report(call);
    check_number(2, (int64_t)json_object_size(report.headers));
    check_text("3", json_string_value(json_object_get(report.headers, "a")));
    check_text("q", json_string_value(json_object_get(report.headers, "cf-ray")));
    check_number(201, report.status);
    check_number(2, report.attempts);
    check_text("q", report.request_id);
    tagoio_call_unref(call);

    check_case("an operation keeps none, but the id of the request");
    call = play_call(settings, "profile.list", "[]");
    play_answer(call, &now, "HTTP/1.1 200 X\nA: 3\nCF-Ray: q", body);
    report = tagoio_call_report(call);
    check_true(report.headers == NULL);
    check_text("q", report.request_id);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_secret_segments(void) {
    static const struct {
        const char *path;
        const char *said;
        const char *shown;
    } rows[] = {
        {"[[\"profile\", \"5f\", \"token\", \"p-secret\"]]", "no p-secret in profile",
         "no *** in profile"},
        {"[[\"token\", \"p-secret\", \"other\"]]", "p-secret other", "*** other"},
        {"[[\"profile\", \"visible\"]]", "no visible", "no visible"},
    };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("secrets of %s", rows[i].path);
        tagoio_call *call = need_request(settings, "DELETE", false, rows[i].path);
        play_answer(call, &now, "404", rows[i].said);
        check_within(rows[i].shown, tagoio_call_report(call).message);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

int main(void) {
    static const check_test tests[] = {
        test_requests, test_refusals,        test_depth,
        test_classes,  test_answers,         test_operations_are_stricter,
        test_heads,    test_secret_segments,
    };
    return check_run(tests, check_count(tests));
}
