/* SPDX-License-Identifier: MIT */
/* What is kept of each attempt of a call. */
#include "support/check.h"
#include "support/play.h"

#include <string.h>

static void test_each_attempt_is_kept(void) {
    check_case("a failed attempt, a success");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    tagoio_now at = play_now(1000);
    check_true(tagoio_call_attempt(call, 1) == NULL);
    play_begin(call, 900);
    play_head(call, "HTTP/1.1 503 Busy\nX-Request-Id: r-1 " PLAY_TOKEN "\n\n");
    tagoio_call_body(call, "soon", 4);
    check_true(tagoio_call_attempt(call, 1) == NULL);
    tagoio_call_complete(call, &at);

    const tagoio_attempt *first = tagoio_call_attempt(call, 1);
    check_number(TAGOIO_ERROR_API, first->kind);
    check_number(503, first->status);
    check_number(4, (int64_t)first->body_bytes);
    check_number(100, first->elapsed_ms);
    check_number(50, first->retry_delay_ms);
    check_text("r-1 ***", first->request_id);
    check_true(tagoio_call_attempt(call, 2) == NULL);

    at = play_now(2000);
    play_answer(call, &at, "200", "{\"status\":true,\"result\":[]}");
    const tagoio_attempt *second = tagoio_call_attempt(call, 2);
    check_number(TAGOIO_ERROR_NONE, second->kind);
    check_number(200, second->status);
    check_number(-1, second->retry_delay_ms);
    check_text("", second->request_id);
    tagoio_report report = tagoio_call_report(call);
    check_text(NULL, report.request_id);
    check_text("profile.list", report.operation);
    check_text("GET", report.method);
    check_text("/profile", report.path);
    check_true(tagoio_call_attempt(call, 0) == NULL);
    check_true(tagoio_call_attempt(call, 3) == NULL);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_canceled_attempt(void) {
    check_case("an attempt that is canceled has ended; one that never began is none");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    play_begin(call, 100);
    tagoio_call_cancel(call, 300);
    check_number(TAGOIO_ERROR_CANCELED, tagoio_call_attempt(call, 1)->kind);
    check_number(200, tagoio_call_attempt(call, 1)->elapsed_ms);
    check_number(-1, tagoio_call_attempt(call, 1)->retry_delay_ms);
    tagoio_call_unref(call);

    call = play_call(settings, "profile.list", "[]");
    tagoio_call_cancel(call, 300);
    check_true(tagoio_call_attempt(call, 1) == NULL);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* A transport knows best what happened: its words stand alone, under its kind. */
static void test_reported(void) {
    static const struct {
        const char *kind;
        tagoio_error_kind expected;
    } rows[] = {
        {"connect", TAGOIO_ERROR_CONNECT},
        {"tls", TAGOIO_ERROR_TLS},
        {"timeout", TAGOIO_ERROR_TIMEOUT},
        {"network", TAGOIO_ERROR_NETWORK},
    };
    tagoio_failure_reason reason = TAGOIO_FAILURE_LOCAL;
    for (int i = 0; i < check_count(rows); i++) {
        check_case("a transport reports %s in its own words", rows[i].kind);
        tagoio_options options = play_options();
        options.attempts = 1;
        tagoio_settings *settings = play_settings(&options);
        tagoio_call *call = play_call(settings, "profile.list", "[]");
        tagoio_now now = play_now(0);
        check_true(tagoio_failure_reason_from_kind(rows[i].kind, &reason));
        play_begin(call, 0);
        tagoio_call_fail(
            call, &now,
            &(tagoio_failure){.reason = reason, .text = "refused", .verbatim = true});
        tagoio_report report = tagoio_call_report(call);
        check_number(rows[i].expected, report.kind);
        check_text("profile.list: refused (api.tago.io)", report.message);
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
    }
    check_case("other kinds are not a transport's");
    check_true(!tagoio_failure_reason_from_kind("api", &reason));
    check_true(!tagoio_failure_reason_from_kind("", &reason));
    check_true(!tagoio_failure_reason_from_kind("memory", &reason));
}

/* What a caller or a server wrote, as a message shows it. */
static void test_printable(void) {
    static const struct {
        const char *text;
        size_t size;
        const char *shown;
    } rows[] = {
        {"a key", 60, "a key"},
        {"two\nlines\r\tand \x7f", 60, "two lines  and  "},
        {"\x1b[31mred", 60, " [31mred"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 60,
         "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc2\x85 and \xe2\x80\xa8", 60, "  and  "},
        {"\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", 60, "??????????"},
        {"\xe2\x82", 60, "??"},
        {"\xef\xbb\xbfmark, \xe2\x80\x8bno width, \xe2\x80\xaeturned", 60,
         " mark,  no width,  turned"},
        {"\xc2\xa0\xc2\xae\xe2\x80\x94\xe2\x81\x9f", 60,
         "\xc2\xa0\xc2\xae\xe2\x80\x94\xe2\x81\x9f"},
        {"abc\xc3\xa4", 6, "abc\xc3\xa4"},
        {"abc\xc3\xa4", 5, "abc"},
        {"abcdef", 4, "abc"},
        {"a", 1, ""},
        {"", 1, ""},
    };
    for (int i = 0; i < check_count(rows); i++) {
        char shown[60];
        check_case("printable: row %d", i);
        size_t length =
            tagoio_printable(shown, rows[i].size, rows[i].text, strlen(rows[i].text));
        check_text(rows[i].shown, shown);
        check_number((int64_t)strlen(shown), (int64_t)length);
    }
}

int main(void) {
    const check_test tests[] = {test_each_attempt_is_kept, test_canceled_attempt,
                                test_reported, test_printable};
    return check_run(tests, check_count(tests));
}
