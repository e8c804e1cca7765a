/* SPDX-License-Identifier: MIT */
/* How responses are read: from a status, header lines and a body to what the caller is
   told. Played through the public state machine, one attempt each. */
#include "support/check.h"
#include "support/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- successes ---- */

#define INFO   "profile.info", "[\"a\"]"
#define LIST   "profile.list", "[]"
#define EDIT   "profile.edit", "[\"a\", {}]"
#define CREATE "profile.create", "[{}]"

typedef struct success_row {
    const char *name;
    const char *operation;
    const char *arguments;
    const char *status;
    const char *body;
    const char *result; /* as JSON, sorted */
} success_row;

/* clang-format off */
static const success_row successes[] = {
    {"an object", INFO, "200", "{\"status\":true,\"result\":{\"a\":1}}", "{\"a\":1}"},
    {"an empty object", INFO, "200", "{\"status\":true,\"result\":{}}", "{}"},
    {"an array", LIST, "200", "{\"status\":true,\"result\":[{\"id\":\"x\"}]}", "[{\"id\":\"x\"}]"},
    {"an empty array", LIST, "200", "{\"status\":true,\"result\":[]}", "[]"},
    {"unknown members pass through", INFO, "200", "{\"status\":true,\"result\":{\"new\":[null]},\"more\":1}", "{\"new\":[null]}"},
    {"a message", EDIT, "200", "{\"status\":true,\"result\":\"Successfully Updated\"}", "\"Successfully Updated\""},
    {"an empty message", EDIT, "200", "{\"status\":true,\"result\":\"\"}", "\"\""},
    {"a write without a result", EDIT, "200", "{\"status\":true}", "true"},
    {"a write with null", EDIT, "200", "{\"status\":true,\"result\":null}", "true"},
    {"a write with false", EDIT, "200", "{\"status\":true,\"result\":false}", "true"},
    {"a write with true", EDIT, "200", "{\"status\":true,\"result\":true}", "true"},
    {"a write with 0", EDIT, "200", "{\"status\":true,\"result\":0}", "0"},
    {"a write with an object", EDIT, "200", "{\"status\":true,\"result\":{\"a\":1}}", "{\"a\":1}"},
    {"201", CREATE, "201", "{\"status\":true,\"result\":{\"id\":\"x\"}}", "{\"id\":\"x\"}"},
    {"202", CREATE, "202", "{\"status\":true,\"result\":{\"id\":\"x\"}}", "{\"id\":\"x\"}"},
    {"space around", LIST, "200", " \r\n{\"status\":true,\"result\":[]}\n", "[]"},
    {"the last of duplicate keys", LIST, "200", "{\"status\":false,\"status\":true,\"result\":[]}", "[]"},
    {"a NUL in a string", LIST, "200", "{\"status\":true,\"result\":[\"a\\u0000b\"]}", "[\"a\\u0000b\"]"},
    {"throttling in a result is none", LIST, "200", "{\"status\":true,\"result\":[\"Too many requests\"]}", "[\"Too many requests\"]"},
};
/* clang-format on */

static void test_successes(void) {
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(successes); i++) {
        const success_row *row = &successes[i];
        check_case("success: %s", row->name);
        tagoio_call *call = play_call(settings, row->operation, row->arguments);
        play_answer(call, &now, row->status, row->body);
        tagoio_report report = tagoio_call_report(call);
        check_text("none", tagoio_error_kind_name(report.kind));
        check_number(atoi(row->status), report.status);
        check_text(NULL, report.message);
        check_true(report.details == NULL);
        if (check_true(report.result != NULL)) {
            char *result = tagoio_json_encode(report.result, 0, NULL);
            check_text(row->result, result);
            free(result);
        }
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* ---- failures ---- */

typedef struct failure_row {
    const char *name;
    const char *operation;
    const char *arguments;
    const char *head; /* a status, or lines */
    const char *body;
    tagoio_error_kind kind;
    const char *message; /* all of it */
    const char *details; /* as JSON, NULL: none */
} failure_row;

#define SAYS(text)   "profile.info: " text
#define HTTP(status) " (HTTP " #status ", api.tago.io)"
#define DOUBT        "; it may have been applied"
#define LOGIN        "{\\\"otp_enabled\\\":true,\\\"otp_autosend\\\":\\\"email\\\"}"
#define PAST         "\nRetry-After: Tue, 14 Nov 2023 22:13:49 GMT"
#define RATE         "Too many requests (Retry-After: 90)"

/* clang-format off */
static const failure_row failures[] = {
    /* the four shapes of an error's body, and others */
    {"message", INFO, "401", "{\"status\":false,\"message\":\"Authorization Denied\"}", TAGOIO_ERROR_API, SAYS("Authorization Denied") HTTP(401), "{\"message\":\"Authorization Denied\",\"status\":false}"},
    {"result.message", INFO, "404", "{\"status\":false,\"result\":{\"message\":\"Profile not found\"}}", TAGOIO_ERROR_API, SAYS("Profile not found") HTTP(404), "{\"result\":{\"message\":\"Profile not found\"},\"status\":false}"},
    {"result is a string", INFO, "400", "{\"status\":false,\"result\":\"Invalid id\"}", TAGOIO_ERROR_API, SAYS("Invalid id") HTTP(400), "{\"result\":\"Invalid id\",\"status\":false}"},
    {"field_errors", INFO, "400", "{\"status\":false,\"message\":\"Invalid fields\",\"field_errors\":{\"name\":\"is required\",\"amount\":[1]}}", TAGOIO_ERROR_API, SAYS("Invalid fields: name: is required, amount: [1]") HTTP(400), "{\"field_errors\":{\"amount\":[1],\"name\":\"is required\"},\"message\":\"Invalid fields\",\"status\":false}"},
    {"field_errors that are empty", INFO, "400", "{\"message\":\"no\",\"field_errors\":{}}", TAGOIO_ERROR_API, SAYS("no") HTTP(400), "{\"field_errors\":{},\"message\":\"no\"}"},
    {"message before result", INFO, "400", "{\"message\":\"first\",\"result\":\"second\"}", TAGOIO_ERROR_API, SAYS("first") HTTP(400), "{\"message\":\"first\",\"result\":\"second\"}"},
    {"message null, result", INFO, "400", "{\"message\":null,\"result\":\"second\"}", TAGOIO_ERROR_API, SAYS("second") HTTP(400), "{\"message\":null,\"result\":\"second\"}"},
    {"message is JSON", INFO, "400", "{\"message\":\"" LOGIN "\"}", TAGOIO_ERROR_API, SAYS("two-factor authentication is on: pin_code and otp_type are needed (otp_autosend: email)") HTTP(400), "{\"message\":{\"otp_autosend\":\"email\",\"otp_enabled\":true}}"},
    {"message is JSON with a message", INFO, "400", "{\"message\":\"{\\\"message\\\":\\\"inner\\\"}\"}", TAGOIO_ERROR_API, SAYS("inner") HTTP(400), "{\"message\":{\"message\":\"inner\"}}"},
    {"result.message is JSON", INFO, "400", "{\"result\":{\"message\":\"" LOGIN "\",\"a\":1}}", TAGOIO_ERROR_API, SAYS("two-factor authentication is on: pin_code and otp_type are needed (otp_autosend: email)") HTTP(400), "{\"result\":{\"a\":1,\"message\":{\"otp_autosend\":\"email\",\"otp_enabled\":true}}}"},
    {"result is JSON", INFO, "400", "{\"result\":\"{\\\"a\\\":1}\"}", TAGOIO_ERROR_API, SAYS("a: 1") HTTP(400), "{\"result\":{\"a\":1}}"},
    {"message only begins like JSON", INFO, "400", "{\"message\":\"{x}\"}", TAGOIO_ERROR_API, SAYS("{x}") HTTP(400), "{\"message\":\"{x}\"}"},
    {"message only begins like JSON", INFO, "400", "{\"message\":\"{id} is unknown\"}", TAGOIO_ERROR_API, SAYS("{id} is unknown") HTTP(400), "{\"message\":\"{id} is unknown\"}"},
    {"message is an object with a letter", INFO, "400", "{\"message\":{\"message\":\"X\"}}", TAGOIO_ERROR_API, SAYS("X") HTTP(400), "{\"message\":{\"message\":\"X\"}}"},
    {"message is an object", INFO, "400", "{\"message\":{\"code\":7}}", TAGOIO_ERROR_API, SAYS("code: 7") HTTP(400), "{\"message\":{\"code\":7}}"},
    {"message is a number", INFO, "400", "{\"message\":12}", TAGOIO_ERROR_API, SAYS("12") HTTP(400), "{\"message\":12}"},
    {"message is an array", INFO, "400", "{\"message\":[\"a\",\"b\"]}", TAGOIO_ERROR_API, SAYS("[\"a\",\"b\"]") HTTP(400), "{\"message\":[\"a\",\"b\"]}"},
    {"message is an array of one", INFO, "400", "{\"message\":[\"a\"]}", TAGOIO_ERROR_API, SAYS("[\"a\"]") HTTP(400), "{\"message\":[\"a\"]}"},
    {"message is a control character", INFO, "400", "{\"message\":\"\\u0007\"}", TAGOIO_ERROR_API, SAYS(" ") HTTP(400), "{\"message\":\"\\u0007\"}"},
    {"message is NUL", INFO, "400", "{\"message\":\"\\u0000\"}", TAGOIO_ERROR_API, SAYS(" ") HTTP(400), "{\"message\":\"\\u0000\"}"},
    {"two factors, and one letter", INFO, "400", "{\"message\":{\"otp_enabled\":true,\"otp_autosend\":\"x\"}}", TAGOIO_ERROR_API, SAYS("two-factor authentication is on: pin_code and otp_type are needed (otp_autosend: x)") HTTP(400), "{\"message\":{\"otp_autosend\":\"x\",\"otp_enabled\":true}}"},
    {"two factors, and nothing sent", INFO, "400", "{\"message\":{\"otp_enabled\":true,\"otp_autosend\":\"\"}}", TAGOIO_ERROR_API, SAYS("two-factor authentication is on: pin_code and otp_type are needed") HTTP(400), "{\"message\":{\"otp_autosend\":\"\",\"otp_enabled\":true}}"},
    {"message is empty", INFO, "400", "{\"message\":\"\"}", TAGOIO_ERROR_API, SAYS("an error without a message") HTTP(400), "{\"message\":\"\"}"},
    {"message is empty, result", INFO, "400", "{\"message\":\"\",\"result\":\"why\"}", TAGOIO_ERROR_API, SAYS("why") HTTP(400), "{\"message\":\"\",\"result\":\"why\"}"},
    {"message is an empty object", INFO, "400", "{\"message\":{}}", TAGOIO_ERROR_API, SAYS("an error without a message") HTTP(400), "{\"message\":{}}"},
    {"no message", INFO, "400", "{\"status\":false}", TAGOIO_ERROR_API, SAYS("an error without a message") HTTP(400), "{\"status\":false}"},
    {"result.message is empty", INFO, "400", "{\"result\":{\"message\":\"\"}}", TAGOIO_ERROR_API, SAYS("an error without a message") HTTP(400), "{\"result\":{\"message\":\"\"}}"},
    {"result is empty", INFO, "400", "{\"result\":\"\"}", TAGOIO_ERROR_API, SAYS("an error without a message") HTTP(400), "{\"result\":\"\"}"},
    {"only field_errors", INFO, "400", "{\"field_errors\":{\"a\":\"b\"}}", TAGOIO_ERROR_API, SAYS("an error without a message: a: b") HTTP(400), "{\"field_errors\":{\"a\":\"b\"}}"},
    {"status true is no success", INFO, "403", "{\"status\":true,\"result\":{}}", TAGOIO_ERROR_API, SAYS("an error without a message") HTTP(403), "{\"result\":{},\"status\":true}"},
    {"a message of many lines", INFO, "400", "{\"message\":\"a\\nb\\tc\\u0000d\\u007fe\"}", TAGOIO_ERROR_API, SAYS("a b c d e") HTTP(400), "{\"message\":\"a\\nb\\tc\\u0000d\x7f" "e\"}"},
    /* 2xx that say no */
    {"200 and status false", INFO, "200", "{\"status\":false,\"message\":\"X\"}", TAGOIO_ERROR_API, SAYS("X") HTTP(200), "{\"message\":\"X\",\"status\":false}"},
    {"201 and status false", CREATE, "201", "{\"status\":false,\"result\":\"X\"}", TAGOIO_ERROR_API, "profile.create: X" HTTP(201), "{\"result\":\"X\",\"status\":false}"},
    /* bodies that are no JSON, under a status that is an error */
    {"empty body", INFO, "404", "", TAGOIO_ERROR_API, SAYS("an empty body") HTTP(404), NULL},
    {"a body of one blank", INFO, "404", " ", TAGOIO_ERROR_API, SAYS("an empty body") HTTP(404), NULL},
    {"blank body", INFO, "404", " \r\n", TAGOIO_ERROR_API, SAYS("an empty body") HTTP(404), NULL},
    {"an HTML page", INFO, "404", "<!DOCTYPE html>\n<html><head><TITLE>Not Found</Title>", TAGOIO_ERROR_API, SAYS("an HTML page, \"Not Found\"") HTTP(404), NULL},
    {"an HTML page without a title", INFO, "404", "\n<html><body>no</body></html>", TAGOIO_ERROR_API, SAYS("an HTML page") HTTP(404), NULL},
    {"an HTML page with a title, and something like one", INFO, "404", "<p>no title>this</p><title>Busy</title>", TAGOIO_ERROR_API, SAYS("an HTML page, \"Busy\"") HTTP(404), NULL},
    {"an HTML page with half a title", INFO, "404", "<html><title>no", TAGOIO_ERROR_API, SAYS("an HTML page") HTTP(404), NULL},
    {"plain text", INFO, "404", "404 page not found\nmore", TAGOIO_ERROR_API, SAYS("404 page not found") HTTP(404), NULL},
    {"a JSON string", INFO, "404", "\"not here\"", TAGOIO_ERROR_API, SAYS("\"not here\"") HTTP(404), "\"not here\""},
    {"a JSON array", INFO, "404", "[]", TAGOIO_ERROR_API, SAYS("[]") HTTP(404), "[]"},
    {"JSON null", INFO, "404", "null", TAGOIO_ERROR_API, SAYS("null") HTTP(404), "null"},
    {"half a JSON", INFO, "404", "{\"message\":", TAGOIO_ERROR_API, SAYS("{\"message\":") HTTP(404), NULL},
    /* 2xx that are not what TagoIO promises */
    {"200 empty", INFO, "200", "", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: an empty body") HTTP(200), NULL},
    {"204", EDIT, "204", "", TAGOIO_ERROR_PROTOCOL, "profile.edit: not a response of TagoIO: an empty body" HTTP(204) DOUBT, NULL},
    {"200 HTML", INFO, "200", "<html><title>Login</title>", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: an HTML page, \"Login\"") HTTP(200), NULL},
    {"200 and a byte order mark", INFO, "200", "\xef\xbb\xbf", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: it begins with a byte order mark") HTTP(200), NULL},
    {"200 and a byte order mark before JSON", INFO, "200", "\xef\xbb\xbf{}", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: it begins with a byte order mark") HTTP(200), NULL},
    {"200 and a letter", INFO, "200", "x", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: x") HTTP(200), NULL},
    {"200 and a brace", INFO, "200", "{", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: not JSON: line 1, column 1: premature end of input") HTTP(200), NULL},
    {"200 text", INFO, "200", "OK", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: OK") HTTP(200), NULL},
    {"200 null", INFO, "200", "null", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: JSON without a status of true or false") HTTP(200), "null"},
    {"200 []", LIST, "200", "[]", TAGOIO_ERROR_PROTOCOL, "profile.list: not a response of TagoIO: JSON without a status of true or false" HTTP(200), "[]"},
    {"200 \"x\"", INFO, "200", "\"x\"", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: JSON without a status of true or false") HTTP(200), "\"x\""},
    {"200 1", INFO, "200", "1", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: JSON without a status of true or false") HTTP(200), "1"},
    {"200 without a status", INFO, "200", "{\"result\":{}}", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: JSON without a status of true or false") HTTP(200), "{\"result\":{}}"},
    {"200 with status \"true\"", INFO, "200", "{\"status\":\"true\",\"result\":{}}", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: JSON without a status of true or false") HTTP(200), "{\"result\":{},\"status\":\"true\"}"},
    {"200 with status 1", INFO, "200", "{\"status\":1,\"result\":{}}", TAGOIO_ERROR_PROTOCOL, SAYS("not a response of TagoIO: JSON without a status of true or false") HTTP(200), "{\"result\":{},\"status\":1}"},
    {"a write whose response cannot be read", CREATE, "200", "{}", TAGOIO_ERROR_PROTOCOL, "profile.create: not a response of TagoIO: JSON without a status of true or false" HTTP(200) DOUBT, "{}"},
    /* results of the wrong type */
    {"info: array", INFO, "200", "{\"status\":true,\"result\":[]}", TAGOIO_ERROR_PROTOCOL, SAYS("the result is not an object") HTTP(200), "{\"result\":[],\"status\":true}"},
    {"info: string", INFO, "200", "{\"status\":true,\"result\":\"x\"}", TAGOIO_ERROR_PROTOCOL, SAYS("the result is not an object") HTTP(200), "{\"result\":\"x\",\"status\":true}"},
    {"info: null", INFO, "200", "{\"status\":true,\"result\":null}", TAGOIO_ERROR_PROTOCOL, SAYS("the result is not an object") HTTP(200), "{\"result\":null,\"status\":true}"},
    {"info: false", INFO, "200", "{\"status\":true,\"result\":false}", TAGOIO_ERROR_PROTOCOL, SAYS("the result is not an object") HTTP(200), "{\"result\":false,\"status\":true}"},
    {"info: missing", INFO, "200", "{\"status\":true}", TAGOIO_ERROR_PROTOCOL, SAYS("the result is not an object") HTTP(200), "{\"status\":true}"},
    {"list: object", LIST, "200", "{\"status\":true,\"result\":{}}", TAGOIO_ERROR_PROTOCOL, "profile.list: the result is not an array" HTTP(200), "{\"result\":{},\"status\":true}"},
    {"list: missing", LIST, "200", "{\"status\":true}", TAGOIO_ERROR_PROTOCOL, "profile.list: the result is not an array" HTTP(200), "{\"status\":true}"},
    {"create: missing", CREATE, "200", "{\"status\":true}", TAGOIO_ERROR_PROTOCOL, "profile.create: the result is not an object" HTTP(200) DOUBT, "{\"status\":true}"},
    /* statuses */
    {"a redirect", INFO, "HTTP/1.1 302 Found\nLocation: http://else.where/", "", TAGOIO_ERROR_PROTOCOL, SAYS("a redirect, which is never followed; check the region") HTTP(302), NULL},
    {"300", INFO, "300", "", TAGOIO_ERROR_PROTOCOL, SAYS("a redirect, which is never followed; check the region") HTTP(300), NULL},
    {"a redirect of a write", CREATE, "308", "", TAGOIO_ERROR_PROTOCOL, "profile.create: a redirect, which is never followed; check the region" HTTP(308) DOUBT, NULL},
    {"501", CREATE, "501", "{\"message\":\"X\"}", TAGOIO_ERROR_API, "profile.create: X" HTTP(501), "{\"message\":\"X\"}"},
    {"600 is like a 5xx", CREATE, "600", "{\"message\":\"X\"}", TAGOIO_ERROR_API, "profile.create: X" HTTP(600) DOUBT, "{\"message\":\"X\"}"},
    {"no status", INFO, "Server: x", "{\"status\":true,\"result\":{}}", TAGOIO_ERROR_PROTOCOL, SAYS("a response without a status (api.tago.io)"), "{\"result\":{},\"status\":true}"},
    {"a status that is no number", INFO, "HTTP/1.1 2x0 OK", "{\"status\":true,\"result\":{}}", TAGOIO_ERROR_PROTOCOL, SAYS("a response without a status (api.tago.io)"), "{\"result\":{},\"status\":true}"},
    {"a short status", INFO, "HTTP/1.1 20", "{\"status\":true,\"result\":{}}", TAGOIO_ERROR_PROTOCOL, SAYS("a response without a status (api.tago.io)"), "{\"result\":{},\"status\":true}"},
    {"only 100 Continue", INFO, "100", "", TAGOIO_ERROR_PROTOCOL, SAYS("a response without a status (api.tago.io)"), NULL},
    {"HTTP/2", INFO, "HTTP/2 401 ", "{\"message\":\"X\"}", TAGOIO_ERROR_API, SAYS("X") HTTP(401), "{\"message\":\"X\"}"},
    {"100, then 401", INFO, "HTTP/1.1 100 Continue\n\nHTTP/1.1 401 X", "{\"message\":\"X\"}", TAGOIO_ERROR_API, SAYS("X") HTTP(401), "{\"message\":\"X\"}"},
    {"429 over the limit", INFO, "429", "{\"status\":false,\"message\":\"" RATE "\"}", TAGOIO_ERROR_API, SAYS(RATE) HTTP(429), "{\"message\":\"" RATE "\",\"status\":false}"},
};
/* clang-format on */

static void check_details(const char *expected, const json_t *details) {
    char *text = details == NULL ? NULL : tagoio_json_encode(details, 0, NULL);
    check_text(expected, text);
    free(text);
}

static void test_failures(void) {
    tagoio_options options = play_options();
    options.attempts = 1;
    tagoio_settings *settings = play_settings(&options);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(failures); i++) {
        const failure_row *row = &failures[i];
        check_case("failure: %s", row->name);
        tagoio_call *call = play_call(settings, row->operation, row->arguments);
        play_answer(call, &now, row->head, row->body);
        tagoio_report report = tagoio_call_report(call);
        check_text(tagoio_error_kind_name(row->kind),
                   tagoio_error_kind_name(report.kind));
        check_text(row->operation, report.operation);
        check_text(row->message, report.message);
        check_details(row->details, report.details);
        check_true(report.result == NULL);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

static const struct {
    tagoio_failure_reason reason;
    const char *head;
    const char *message;
} faults[] = {
    {TAGOIO_FAILURE_RESOLVE, NULL, SAYS("name not found: said (api.tago.io)")},
    {TAGOIO_FAILURE_CONNECT, NULL, SAYS("no connection: said (api.tago.io)")},
    {TAGOIO_FAILURE_HANDSHAKE, NULL, SAYS("no TLS connection: said (api.tago.io)")},
    {TAGOIO_FAILURE_CERTIFICATE, NULL,
     SAYS("the certificate is not trusted: said (api.tago.io)")},
    {TAGOIO_FAILURE_LOST, NULL, SAYS("connection lost: said (api.tago.io)")},
    {TAGOIO_FAILURE_LOST, "200", SAYS("connection lost: said") HTTP(200)},
    {TAGOIO_FAILURE_LOST, "404", SAYS("connection lost: said") HTTP(404)},
    {TAGOIO_FAILURE_LOST, "100", SAYS("connection lost: said (api.tago.io)")},
    {TAGOIO_FAILURE_TIMEOUT, NULL, SAYS("said (api.tago.io)")},
    {TAGOIO_FAILURE_ENCODING, "200", SAYS("the body does not decode: said") HTTP(200)},
    {TAGOIO_FAILURE_BROKEN, NULL,
     SAYS("a response that is not HTTP: said (api.tago.io)")},
    {TAGOIO_FAILURE_TOO_LARGE, "200",
     SAYS("the response is too large: said") HTTP(200)},
    {TAGOIO_FAILURE_MEMORY, NULL, SAYS("said (api.tago.io)")},
    {TAGOIO_FAILURE_LOCAL, NULL, SAYS("the transfer failed: said (api.tago.io)")},
};

/* ---- faults ---- */

static void test_faults(void) {
    tagoio_options options = play_options();
    options.attempts = 1;
    tagoio_settings *settings = play_settings(&options);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(faults); i++) {
        check_case("reason %d%s%s", (int)faults[i].reason,
                   faults[i].head ? " after " : "",
                   faults[i].head ? faults[i].head : "");
        tagoio_call *call = play_call(settings, INFO);
        play_fault(call, &now, faults[i].head, faults[i].reason, true);
        tagoio_report report = tagoio_call_report(call);
        check_text(faults[i].message, report.message);
        check_true(report.details == NULL);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

static void test_fault_without_words(void) {
    static const struct {
        tagoio_failure_reason reason;
        const char *message;
    } rows[] = {
        {TAGOIO_FAILURE_TIMEOUT, SAYS("timeout (api.tago.io)")},
        {TAGOIO_FAILURE_MEMORY, SAYS("not enough memory (api.tago.io)")},
    };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(60 * 1000);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("reason %d without words", (int)rows[i].reason);
        tagoio_call *call = play_call(settings, INFO);
        play_begin(call, 0);
        tagoio_call_fail(call, &now,
                         &(tagoio_failure){.reason = rows[i].reason, .text = ""});
        check_text(rows[i].message, tagoio_call_report(call).message);
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* ---- headers ---- */

/* What a 400 with these header lines says: retry_after (-1: nothing), and request_id.
 */
typedef struct header_row {
    const char *name;
    const char *lines;
    const char *message;
    int64_t retry_after_s;
    const char *request_id;
} header_row;

#define LONG                                                                           \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                 \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static const header_row headers[] = {
    {"nothing", "Server: x", "no", -1, NULL},
    {"seconds", "Retry-After: 42", "no", 42, NULL},
    {"0", "Retry-After: 0", "no", 0, NULL},
    {"any case, no space", "retry-AFTER:42", "no", 42, NULL},
    {"space around", "Retry-After: \t42 \t\r", "no", 42, NULL},
    {"a date", "Retry-After: Tue, 14 Nov 2023 22:15:00 GMT", "no", 70, NULL},
    {"a past date", "Retry-After: Tue, 14 Nov 2023 22:13:49 GMT", "no", -1, NULL},
    {"a past date of a 429 means now", "HTTP/1.1 429 X" PAST, "no", 0, NULL},
    {"a past date of a 503 means now", "HTTP/1.1 503 X" PAST, "no", 0, NULL},
    {"a past date of a 500", "HTTP/1.1 500 X" PAST, "no", -1, NULL},
    {"this second as a date",
     "HTTP/1.1 429 X\nRetry-After: Tue, 14 Nov 2023 22:13:50 GMT", "no", 0, NULL},
    {"this second of a 400", "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT", "no", -1,
     NULL},
    {"-1 of a 429", "HTTP/1.1 429 X\nRetry-After: -1", "no", -1, NULL},
    {"a word of a 503", "HTTP/1.1 503 X\nRetry-After: soon", "no", -1, NULL},
    {"half a date", "Retry-After: Tue, 14 Nov 2023", "no", -1, NULL},
    {"-1", "Retry-After: -1", "no", -1, NULL},
    {"+1", "Retry-After: +1", "no", -1, NULL},
    {"a fraction", "Retry-After: 1.5", "no", -1, NULL},
    {"a word", "Retry-After: soon", "no", -1, NULL},
    {"empty", "Retry-After:", "no", -1, NULL},
    {"a day", "Retry-After: 86400", "no", 86400, NULL},
    {"2^31", "Retry-After: 2147483648", "no", 2147483648, NULL},
    {"2^31 + 1", "Retry-After: 2147483649", "no", 2147483648, NULL},
    {"2^64 + 1", "Retry-After: 18446744073709551617", "no", 2147483648, NULL},
    {"a value too long", "Retry-After: " LONG LONG, "no", -1, NULL},
    {"the last of two", "Retry-After: 420\nRetry-After: 7", "no", 7, NULL},
    {"another header", "X-Retry-After: 42", "no", -1, NULL},
    {"no header", "Retry-After 42", "no", -1, NULL},
    {"of an interim response", "HTTP/1.1 103 X\nRetry-After: 42\n\nHTTP/1.1 400 X",
     "no", -1, NULL},
    {"a trailer", "Server: x\n\nRetry-After: 42", "no", -1, NULL},
    {"of a 200 that cannot be read", "HTTP/1.1 200 X\nRetry-After: 42", "no", 42, NULL},
    {"the message", "Server: x", "Too many requests (Retry-After: 8)", 8, NULL},
    {"the header before it", "Retry-After: 9", "slow (Retry-After: 8)", 9, NULL},
    {"the message if the header is bad", "Retry-After: -1", "no (Retry-After: 8)", 8,
     NULL},
    {"no space in the message", "Server: x", "no (Retry-After:8)", 8, NULL},
    {"four digits", "Server: x", "no (Retry-After: 9999)", 9999, NULL},
    {"five digits", "Server: x", "no (Retry-After: 10000)", -1, NULL},
    {"-8 in the message", "Server: x", "no (Retry-After: -8)", -1, NULL},
    {"8s in the message", "Server: x", "no (Retry-After: 8s)", -1, NULL},
    {"nothing in the message", "Server: x", "no (Retry-After: )", -1, NULL},
    {"cut in the message", "Server: x", "no (Retry-After: 8", -1, NULL},
    {"X-Request-Id", "X-Request-Id: ab-12", "no", -1, "ab-12"},
    {"x-amz-cf-id", "x-amz-cf-id: q==", "no", -1, "q=="},
    {"cf-ray", "CF-Ray: 7d-GRU", "no", -1, "7d-GRU"},
    {"the first of two", "cf-ray: one\nx-request-id: two", "no", -1, "one"},
    {"the first of two, of a letter", "cf-ray: 1\nx-request-id: two", "no", -1, "1"},
    {"an id of an interim response", "HTTP/1.1 103 X\ncf-ray: one\n\nHTTP/1.1 400 X",
     "no", -1, NULL},
    {"an id in a trailer", "Server: x\n\ncf-ray: one", "no", -1, NULL},
    {"control bytes in an id", "cf-ray: a\x1b[1mb", "no", -1, "a [1mb"},
    {"an id of 127 bytes", "cf-ray: " LONG, "no", -1, LONG},
    {"an id of 128 bytes", "cf-ray: " LONG "f", "no", -1, NULL},
    {"an empty id", "cf-ray: ", "no", -1, NULL},
};

static void test_headers(void) {
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(headers); i++) {
        const header_row *row = &headers[i];
        tagoio_settings *settings = play_settings(NULL);
        check_case("header: %s", row->name);
        char head[600];
        char body[200];
        bool whole = strncmp(row->lines, "HTTP/", 5) == 0;
        snprintf(head, sizeof head, "%s%s", whole ? "" : "HTTP/1.1 400 X\n",
                 row->lines);
        snprintf(body, sizeof body, "{\"message\":\"%s\"}", row->message);
        tagoio_call *call = play_call(settings, INFO);
        play_answer(call, &now, head, body);
        tagoio_report report = tagoio_call_report(call);
        check_number(row->retry_after_s, report.retry_after_s);
        check_text(row->request_id, report.request_id);
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
    }
}

/* Of what comes before it and behind it nothing counts. */
static void test_status(void) {
    static const struct {
        const char *name;
        int statuses[3];
        int status;
    } rows[] = {
        {"an informational response before it", {103, 404}, 404},
        {"two of them", {100, 103, 404}, 404},
        {"another status behind it", {500, 200}, 500},
        {"an informational one behind it", {500, 100}, 500},
        {"none that can be read", {0, 200}, 0},
    };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("status: %s", rows[i].name);
        tagoio_call *call = play_call(settings, CREATE);
        play_begin(call, 0);
        check_true(play_header(call, "cf-ray", "early"));
        for (int j = 0; j < 3 && (j == 0 || rows[i].statuses[j] != 0); j++) {
            check_true(tagoio_call_status(call, rows[i].statuses[j]));
        }
        check_true(play_header(call, "cf-ray", "q"));
        tagoio_call_body(call, "{\"message\":\"no\"}", strlen("{\"message\":\"no\"}"));
        check_true(tagoio_call_status(call, 200));
        check_true(play_header(call, "Retry-After", "9"));
        tagoio_call_complete(call, &now);
        tagoio_report report = tagoio_call_report(call);
        check_number(rows[i].status, report.status);
        check_text("q", report.request_id);
        check_number(-1, report.retry_after_s);
        check_true(report.kind ==
                   (report.status == 0 ? TAGOIO_ERROR_PROTOCOL : TAGOIO_ERROR_API));
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* The headers that a request to any endpoint gives back. */
static void test_kept_headers(void) {
    check_case("headers that are kept: neither an interim response's nor a trailer's");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    tagoio_call *call =
        tagoio_call_new_row(settings, tagoio_operation_request("GET", true),
                            play_json("[[\"a\"]]"), 0, NULL);
    play_begin(call, 0);
    play_head(call, "HTTP/1.1 103 X\nA: 1\n\nHTTP/1.1 200 X\nB: \t2 \r\nno header\n"
                    "C-c: 3\nD:\nc-C: 4\n: 5");
    tagoio_call_body(call, "{}", 2);
    play_head(call, "E: 6");
    tagoio_call_complete(call, &now);
    char *kept = tagoio_json_encode(tagoio_call_report(call).headers, 0, NULL);
    check_text("{\"b\":\"2\",\"c-c\":\"3, 4\",\"d\":\"\",\"no header\":\"\"}", kept);
    free(kept);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* Names are compared with their lengths: a NUL is a byte like any other. */
static void test_name_with_nul(void) {
    check_case(
        "a NUL in a header's name reads past the end of the names it is compared to");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    static const char name[] = "Retry-After\0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    tagoio_call *call = play_call(settings, INFO);
    play_begin(call, 0);
    play_head(call, "HTTP/1.1 429 X");
    check_true(tagoio_call_header(call, name, sizeof name - 1, "7", 1));
    tagoio_call_complete(call, &now);
    check_number(-1, tagoio_call_report(call).retry_after_s);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* ---- limits ---- */

/* Reports headers or a body until they are refused or count was reached. */
static bool flood(tagoio_call *call, bool head, const char *piece, int count) {
    bool taken = true;
    for (int i = 0; i < count && taken; i++) {
        taken = head ? play_head(call, piece)
                     : tagoio_call_body(call, piece, strlen(piece));
    }
    return taken;
}

/* A piece so often that it just fits, then one byte more. */
static void test_transfer_limits(void) {
    static const struct {
        const char *name;
        bool head;
        const char *piece;
        int fits;
        const char *message;
    } rows[] = {
        {"header bytes", true, "0123: 56", 8192, SAYS("headers of more than 64 KiB")},
        {"interim responses", true, "HTTP/1.1 100", 4681,
         SAYS("headers of more than 64 KiB")},
        {"body bytes", false, "0123456789", 1000,
         SAYS("a response of more than max_response_bytes")},
    };
    tagoio_options options = play_options();
    options.max_response_bytes = 10000;
    tagoio_settings *settings = play_settings(&options);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("limit: %s", rows[i].name);
        tagoio_call *call = play_call(settings, INFO);
        play_begin(call, 0);
        check_true(flood(call, rows[i].head, rows[i].piece, rows[i].fits));
        check_true(!flood(call, rows[i].head, "0123456789", 1));
        tagoio_call_fail(
            call, &now,
            &(tagoio_failure){.reason = TAGOIO_FAILURE_LOCAL, .sent = true});
        tagoio_report report = tagoio_call_report(call);
        check_text("protocol", tagoio_error_kind_name(report.kind));
        check_number(1, report.attempts);
        check_within(rows[i].message, report.message);
        tagoio_call_unref(call);
    }
    check_case("limit: the next call works");
    tagoio_call *call = play_call(settings, LIST);
    play_answer(call, &now, "200", "{\"status\":true,\"result\":[]}");
    check_true(tagoio_call_report(call).kind == TAGOIO_ERROR_NONE);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* A limit is of one response, not of all attempts. */
static void test_limits_start_anew(void) {
    check_case("limit: a second attempt starts anew");
    tagoio_options options = play_options();
    options.max_response_bytes = 50;
    tagoio_settings *settings = play_settings(&options);
    tagoio_now now = play_now(0);
    tagoio_call *call = play_call(settings, LIST);
    play_begin(call, 0);
    play_head(call, "HTTP/1.1 503 X\nRetry-After: 0\ncf-ray: one");
    check_true(flood(call, true, "0123: 56", 8000));
    check_true(flood(call, false, "0123456789", 5));
    tagoio_call_complete(call, &now);
    play_begin(call, 0);
    play_head(call, "HTTP/1.1 200 X");
    check_true(flood(call, true, "0123: 56", 8000));
    check_true(flood(call, false, "{\"status\":true,\"result\":[]}", 1));
    tagoio_call_complete(call, &now);
    tagoio_report report = tagoio_call_report(call);
    check_true(report.kind == TAGOIO_ERROR_NONE);
    check_number(2, report.attempts);
    check_number(-1, report.retry_after_s);
    check_text(NULL, report.request_id);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* "[" so often, and as often "]", with commas between what is in the innermost. */
static char *nested(int depth, int values) {
    size_t bytes = (size_t)(depth + values) * 2 + 100;
    char *text = malloc(bytes);
    if (text == NULL) {
        exit(2);
    }
    char *at = text + sprintf(text, "{\"status\":true,\"result\":");
    memset(at, '[', (size_t)depth);
    at += depth;
    for (int i = 0; i < values; i++) {
        *at++ = '1';
        *at++ = ',';
    }
    at -= values > 0;
    memset(at, ']', (size_t)depth);
    at += depth;
    memcpy(at, "}", sizeof "}");
    return text;
}

static void test_json_limits(void) {
    static const struct {
        int depth; /* of the result; the response's object is one more */
        int values;
        const char *message; /* NULL: it fits */
    } rows[] = {
        {127, 1, NULL},
        {128, 1,
         "profile.list: not a response of TagoIO: JSON nested more than 128 deep"},
        {100000, 1,
         "profile.list: not a response of TagoIO: JSON nested more than 128 deep"},
        {1, 1000000, NULL},
        {1, 2000000,
         "profile.list: not a response of TagoIO: JSON of more than 2000000 values"},
    };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("limit: depth %d, %d values", rows[i].depth, rows[i].values);
        char *body = nested(rows[i].depth, rows[i].values);
        tagoio_call *call = play_call(settings, LIST);
        play_answer(call, &now, "200", body);
        tagoio_report report = tagoio_call_report(call);
        check_true((report.kind == TAGOIO_ERROR_PROTOCOL) == (rows[i].message != NULL));
        if (rows[i].message != NULL) {
            check_within(rows[i].message, report.message);
        }
        tagoio_call_unref(call);
        free(body);
    }
    tagoio_settings_unref(settings);
}

/* An error's text is cut, but never in the middle of a character: what comes first,
   then 400 characters of 2 bytes. */
static void test_long_messages(void) {
    static const struct {
        const char *first;
        int kept;
    } rows[] = {{"", 510}, {"a", 511}, {"ab", 510}};
    for (int i = 0; i < check_count(rows); i++) {
        check_case("a long message is cut between two characters: row %d", i);
        char body[1000] = "{\"message\":\"";
        strcat(body, rows[i].first);
        for (int n = 0; n < 400; n++) {
            strcat(body, "\xc3\xa9");
        }
        strcat(body, "\"}");
        tagoio_settings *settings = play_settings(NULL);
        tagoio_now now = play_now(0);
        tagoio_call *call = play_call(settings, INFO);
        play_answer(call, &now, "400", body);
        const char *message = tagoio_call_report(call).message;
        const char *rest = "\xc3\xa9 (HTTP 400, api.tago.io)";
        size_t around = strlen("profile.info: ") + strlen(rest) - 2;
        check_within(rest, message);
        check_number(rows[i].kept, (int64_t)(strlen(message) - around));
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
    }
}

/* In pieces of one byte, cut in the middle of names and characters. */
static void test_pieces(void) {
    check_case("a body in pieces of one byte");
    static const char body[] = "{\"status\":true,\"result\":[\"\xc3\xa9\"]}";
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    tagoio_call *call = play_call(settings, LIST);
    play_begin(call, 0);
    play_head(call, "HTTP/1.1 200 OK");
    for (size_t i = 0; body[i] != '\0'; i++) {
        check_true(tagoio_call_body(call, &body[i], 1));
        check_true(tagoio_call_body(call, NULL, 0));
    }
    tagoio_call_complete(call, &now);
    check_true(json_array_size(tagoio_call_report(call).result) == 1);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_message_parts(void) {
    check_case("the message counts attempts and names host and port");
    tagoio_options options = play_options();
    options.base_url = "http://127.0.0.1:8080/prefix";
    tagoio_settings *settings = play_settings(&options);
    tagoio_call *call = play_call(settings, EDIT);
    for (int i = 0; i < 3; i++) {
        tagoio_now now = play_now(i * 1000);
        play_answer(call, &now, "502", "<title>Bad Gateway</title>");
    }
    check_text("profile.edit: an HTML page, \"Bad Gateway\" (HTTP 502, 127.0.0.1:8080, "
               "3 attempts)" DOUBT,
               tagoio_call_report(call).message);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

int main(void) {
    static const check_test tests[] = {
        test_successes,       test_failures,
        test_faults,          test_fault_without_words,
        test_headers,         test_status,
        test_kept_headers,    test_name_with_nul,
        test_transfer_limits, test_limits_start_anew,
        test_json_limits,     test_long_messages,
        test_pieces,          test_message_parts,
    };
    return check_run(tests, check_count(tests));
}
