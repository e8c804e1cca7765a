/* SPDX-License-Identifier: MIT */
/* Headers of the program's own: which are sent, which are refused, and that what they
   say is a secret. */
#include "support/check.h"
#include "support/play.h"

#include <stdio.h>
#include <string.h>

/* A call with these headers, which belong to it then. */
static tagoio_call *call_with(tagoio_headers *headers) {
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    check_true(tagoio_call_take_headers(call, headers));
    tagoio_settings_unref(settings);
    return call;
}

static void check_added(tagoio_headers *headers, const char *name, const char *value) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_headers_add(headers, name, value, &err));
    check_text("", err.message);
}

static void test_sent(void) {
    static const tagoio_header sent[] = {
        {"token", PLAY_TOKEN},
        {"User-Agent", "TagoIO-SDK|C|" TAGOIO_VERSION " (External)"},
        {"Accept", "application/json"},
        {"X-Trace-Id", "a\tb \xc3\xa9"},
        {"azAZ09", "2"},
        {"!#$%&'*+-.^_`|~", "3"},
    };
    check_case("the program's own headers follow ours, in the order they were added");
    tagoio_headers headers = {.items = NULL};
    for (int i = 3; i < check_count(sent); i++) {
        check_added(&headers, sent[i].name, sent[i].value);
    }
    tagoio_call *call = call_with(&headers);
    check_number(0, (int64_t)headers.count);
    tagoio_request request = play_begin(call, 0);
    check_number(check_count(sent), (int64_t)request.header_count);
    for (size_t i = 0; i < request.header_count; i++) {
        check_text(sent[i].name, request.headers[i].name);
        check_text(sent[i].value, request.headers[i].value);
    }
    tagoio_call_unref(call);
}

#define NO_NAME  " cannot be set: this is not the name of a header"
#define NO_VALUE " must be a string that is not empty, without blanks around it"
#define NO_LINE  " must be a string without line breaks and other control characters"
#define TWICE    " is there twice: its case does not matter"
#define X10      "xxxxxxxxxx"
#define X60      X10 X10 X10 X10 X10 X10

static void test_refused(void) {
    static const struct {
        const char *name;
        const char *value;
        const char *message; /* behind headers["NAME"] */
    } rows[] = {
        {"Accept", "x", " cannot be set: requests and responses are JSON"},
        {"TOKEN", "x", " cannot be set: use the option token"},
        {"User-Agent", "x", " cannot be set: use the option user_agent"},
        {"", "x", NO_NAME},
        {"a b", "x", NO_NAME},
        {"a/", "x", NO_NAME},
        {"a:", "x", NO_NAME},
        {"a@", "x", NO_NAME},
        {"a[", "x", NO_NAME},
        {"a{", "x", NO_NAME},
        {"x", "", NO_VALUE},
        {"x", " a", NO_VALUE},
        {"x", "a\t", NO_VALUE},
        {"x", "a\nb", NO_LINE},
        {"x",
         "a\x1f"
         "b",
         NO_LINE},
        {"x", "a\x7f", NO_LINE},
        {"X-Is-There", "x", TWICE},
        {"x-second", "x", TWICE},
        {X60 "x", "", NO_VALUE},
    };
    tagoio_headers headers = {.items = NULL};
    check_added(&headers, "x-is-there", "1");
    check_added(&headers, "x-second", "2");
    for (int i = 0; i < check_count(rows); i++) {
        check_case("refused: \"%s\" \"%s\"", rows[i].name, rows[i].value);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        check_true(!tagoio_headers_add(&headers, rows[i].name, rows[i].value, &err));
        check_number(TAGOIO_ERROR_MISUSE, err.kind);
        char message[200];
        snprintf(message, sizeof message, "headers[\"%.60s\"]%s", rows[i].name,
                 rows[i].message);
        check_text(message, err.message);
        check_number(2, (int64_t)headers.count);
    }
    tagoio_headers_clear(&headers);
}

/* Adds so many of one byte each in name and value, then one of so many bytes. */
static bool fits(int count, size_t bytes) {
    static char value[TAGOIO_MAX_HEADERS_BYTES + 1];
    static const char names[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    tagoio_headers headers = {.items = NULL};
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    for (int i = 0; i < count; i++) {
        const char name[] = {names[i], '\0'};
        check_added(&headers, name, "x");
    }
    memset(value, 'x', bytes - 1);
    value[bytes - 1] = '\0';
    bool ok = tagoio_headers_add(&headers, "_", value, &err);
    check_text(ok ? "" : "headers must be at most 32, of 16384 bytes together",
               err.message);
    tagoio_headers_clear(&headers);
    return ok;
}

static void test_limits(void) {
    check_case("32 headers");
    check_true(fits(TAGOIO_MAX_HEADERS - 1, 2));
    check_true(!fits(TAGOIO_MAX_HEADERS, 2));
    check_case("16 KiB, names and values together");
    check_true(fits(0, TAGOIO_MAX_HEADERS_BYTES));
    check_true(!fits(0, TAGOIO_MAX_HEADERS_BYTES + 1));
    check_true(fits(2, TAGOIO_MAX_HEADERS_BYTES - 4));
    check_true(!fits(2, TAGOIO_MAX_HEADERS_BYTES - 3));
}

/* What a message shows when the server sends back what a header said. */
static void test_secrets(void) {
    static const struct {
        const char *name;
        const char *value;
        const char *said;
        const char *shown;
    } rows[] = {
        {"x-pass", "seven seas", "no seven seas", "no ***"},
        {"Authorization", "Bearer s3cr3t", "no s3cr3t", "no ***"},
        {"Cookie", "one=s3cr3t", "no s3cr3t", "no ***"},
        {"COOKIE", "a=; flag; one=s3cr3t;two=o2her;", "s3cr3t, o2her", "***, ***"},
        {"cookie", "flag=on; longflag; one=s3cr3t", "longflag", "longflag"},
        {"x-cookie", "one=s3cr3t", "no s3cr3t", "no s3cr3t"},
    };
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("%s: %s is a secret", rows[i].name, rows[i].value);
        tagoio_headers headers = {.items = NULL};
        check_added(&headers, "x-first", "1");
        check_added(&headers, rows[i].name, rows[i].value);
        tagoio_call *call = call_with(&headers);
        play_answer(call, &now, "400", rows[i].said);
        char message[200];
        snprintf(message, sizeof message, "profile.list: %s (HTTP 400, api.tago.io)",
                 rows[i].shown);
        check_text(message, tagoio_call_report(call).message);
        tagoio_call_unref(call);
    }
}

int main(void) {
    static const check_test tests[] = {test_sent, test_refused, test_limits,
                                       test_secrets};
    return check_run(tests, check_count(tests));
}
