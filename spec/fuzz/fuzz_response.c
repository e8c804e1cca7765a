/* SPDX-License-Identifier: MIT */
/* A response to each operation: "OPERATION STATUS\n", lines of headers, an empty line,
   a body. However the body is split the call ends the same, and it succeeds if and only
   if jansson sees TagoIO's envelope. */
#include "fuzz.h"
#include "support/play.h"

#include <stdlib.h>
#include <string.h>

enum { most_body_bytes = 1500 };

static tagoio_call *call_new(const tagoio_operation *row, bool keep_headers) {
    tagoio_options options = play_options();
    options.attempts = 1;
    options.max_response_bytes = most_body_bytes;
    options.keep_headers = keep_headers;
    tagoio_settings *settings = play_settings(&options);
    json_t *arguments = json_array();
    for (size_t i = 0; row->arguments[i].name != NULL; i++) {
        tagoio_location location = row->arguments[i].location;
        bool is_text = location == TAGOIO_LOCATION_PATH ||
                       location == TAGOIO_LOCATION_SECRET_PATH ||
                       location == TAGOIO_LOCATION_MEMBER;
        json_array_append_new(
            arguments, is_text                                ? json_string("5f2a")
                       : location == TAGOIO_LOCATION_SEGMENTS ? play_json("[\"x\"]")
                       : location == TAGOIO_LOCATION_BODY     ? json_object()
                                                              : json_null());
    }
    tagoio_call *call = tagoio_call_new_row(settings, row, arguments, 0, NULL);
    fuzz_check(call != NULL);
    tagoio_settings_unref(settings);
    return call;
}

/* Each line up to the empty one is a header; what follows is the body. */
static const char *play_headers(tagoio_call *call, const char *at, const char *end) {
    bool ok = true;
    while (at < end && *at != '\n') {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end != NULL ? line_end : end;
        const char *colon = memchr(at, ':', (size_t)(line_end - at));
        const char *value = colon != NULL ? colon + 1 : line_end;
        size_t name_bytes = colon != NULL ? (size_t)(colon - at) : 0;
        ok = ok && tagoio_call_header(call, at, name_bytes, value,
                                      (size_t)(line_end - value));
        at = line_end + (line_end < end);
    }
    return at + (at < end);
}

/* In one piece, or in pieces of which seed says the sizes. */
static void play_body(tagoio_call *call, const char *at, const char *end,
                      unsigned seed) {
    bool ok = true;
    while (ok && at < end) {
        size_t left = (size_t)(end - at);
        size_t count = seed == 0 ? left : seed % 7 == 0 ? left / 2 : seed % 5;
        count = count < left ? count : left;
        ok = tagoio_call_body(call, at, count);
        at += count;
        seed = seed * 1664525u + 1013904223u;
        seed += seed == 0;
    }
}

/* TagoIO's envelope, or any object for a request without one. */
static bool is_success(const tagoio_operation *row, int status, const char *body,
                       size_t count) {
    json_t *value = json_loadb(body, count, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    const json_t *result = json_object_get(value, "result");
    const json_t *said = json_object_get(value, "status");
    bool is_shape = row->result == TAGOIO_RESULT_OBJECT  ? json_is_object(result)
                    : row->result == TAGOIO_RESULT_ARRAY ? json_is_array(result)
                                                         : true;
    bool is_bare = row->result == TAGOIO_RESULT_ANY && json_is_object(value) && !said;
    bool has_nul = memchr(body, '\0', count) != NULL; /* jansson skips some */
    bool ok = status >= 200 && status < 300 && count <= most_body_bytes && !has_nul &&
              fuzz_depth(value) <= TAGOIO_MAX_JSON_DEPTH &&
              (is_bare || (json_is_true(said) && is_shape));
    json_decref(value);
    return ok;
}

static void check_message(const char *message, const char *operation, bool failed) {
    fuzz_check(message != NULL || !failed);
    if (message != NULL) {
        size_t count = strlen(message);
        fuzz_check(tagoio_is_utf8(message, count) && count > 0);
        fuzz_check(count < 2 * TAGOIO_MAX_MESSAGE_BYTES);
        for (size_t i = 0; i < count; i++) {
            fuzz_check((unsigned char)message[i] >= 32 && message[i] != 127);
        }
        fuzz_check(!failed || strncmp(message, operation, strlen(operation)) == 0);
        fuzz_check(strstr(message, PLAY_TOKEN) == NULL);
    }
}

static void check_details(const json_t *details) {
    char *text = details != NULL ? tagoio_json_encode(details, 0, NULL) : NULL;
    fuzz_check((text == NULL) == (details == NULL));
    fuzz_check(text == NULL || strstr(text, PLAY_TOKEN) == NULL);
    free(text);
}

static void check_report(const tagoio_call *call, int status, bool success) {
    tagoio_report r = tagoio_call_report(call);
    const tagoio_attempt *attempt = tagoio_call_attempt(call, 1);
    bool failed = r.kind != TAGOIO_ERROR_NONE;
    fuzz_check(tagoio_call_want(call, 0) == TAGOIO_DONE);
    fuzz_check(failed != success);
    fuzz_check(r.status == (status >= 200 ? status : 0));
    fuzz_check(r.kind == TAGOIO_ERROR_API || r.kind == TAGOIO_ERROR_PROTOCOL ||
               !failed);
    fuzz_check((r.result != NULL) == success && (r.details == NULL || failed));
    fuzz_check(!success || (!json_is_null(r.result) && !json_is_false(r.result)));
    fuzz_check(r.attempts == 1 && attempt->kind == r.kind &&
               attempt->status == r.status);
    fuzz_check(!tagoio_call_attempt(call, 2) && attempt->retry_delay_ms == -1);
    fuzz_check(r.retry_after_s >= -1 && (failed || r.retry_after_s == -1));
    bool is_read =
        strcmp(r.method, "GET") == 0 && strstr(r.operation, "Invitation") == NULL;
    fuzz_check(!r.maybe_applied || (failed && !is_read));
    check_message(r.message, r.operation, failed);
    check_details(r.details);
}

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_value(const json_t *a, const json_t *b) {
    return a == NULL || b == NULL ? a == b : fuzz_same_json(a, b);
}

static void check_same(const tagoio_report *a, const tagoio_report *b) {
    fuzz_check(a->kind == b->kind && a->status == b->status);
    fuzz_check(same_text(a->message, b->message));
    fuzz_check(same_text(a->request_id, b->request_id));
    fuzz_check(same_value(a->result, b->result) && same_value(a->details, b->details));
    fuzz_check(same_value(a->headers, b->headers));
    fuzz_check(a->retry_after_s == b->retry_after_s);
    fuzz_check(a->maybe_applied == b->maybe_applied);
}

static const char *play(tagoio_call *call, int status, const fuzz_input *in,
                        unsigned seed) {
    const tagoio_now now = play_now(5);
    const char *end = (const char *)in->end;
    play_begin(call, 0);
    tagoio_call_status(call, 100);
    tagoio_call_header(call, "Retry-After", 11, "9", 1);
    tagoio_call_status(call, status);
    const char *body = play_headers(call, (const char *)in->at, end);
    play_body(call, body, end, seed);
    tagoio_call_complete(call, &now);
    return body;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = fuzz_open(data, size);
    const tagoio_operation *row = fuzz_row(&in);
    unsigned digits = fuzz_below(&in, 256) & 7;
    int status = (int)(200 + 100 * (digits % 6) + fuzz_below(&in, 31));
    unsigned seed = 1 + fuzz_below(&in, 256);
    if (digits == 7) {
        status = 100 + (int)seed * 3;
    }
    fuzz_below(&in, 2); /* the end of the line */
    tagoio_call *whole = call_new(row, true);
    tagoio_call *split = call_new(row, true);
    const char *body = play(whole, status, &in, 0);
    play(split, status, &in, seed);
    tagoio_report a = tagoio_call_report(whole);
    tagoio_report b = tagoio_call_report(split);
    check_same(&a, &b);
    check_report(split, status,
                 is_success(row, status, body, (size_t)((const char *)in.end - body)));
    tagoio_call_unref(whole);
    tagoio_call_unref(split);
    return 0;
}
