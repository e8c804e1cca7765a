/* SPDX-License-Identifier: MIT */
/* TagoIO's envelope. A success is {"status": true, "result": ...}; the bodies of errors
   come in four shapes (API overview; sdk-js apiRequest.ts; tagocore APIController.ts),
   and from proxies in any. Never trust the HTTP status alone. */
#include "core/response.h"
#include "core/date.h"
#include "core/json.h"

#include <string.h>

enum { longest_message_digits = 4 };

/* RFC 9111 1.2.2: what is greater counts as this, not as nothing. */
static const int64_t longest_hint_s = (int64_t)1 << 31;

static const char no_memory[] = "not enough memory for the response";

static const char *const request_id_names[] = {
    "x-request-id",    "request-id",  "x-correlation-id", "x-amzn-requestid",
    "x-amzn-trace-id", "x-amz-cf-id", "cf-ray",
};

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool is_name(const char *name, const char *given, size_t count) {
    if (strlen(name) != count) { /* compare no further: it may hold a NUL */
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (name[i] != lower(given[i])) {
            return false;
        }
    }
    return true;
}

/* Always false, as the event that it ends. */
static bool refuse(tagoio_response *response, tagoio_error_kind kind, const char *why) {
    response->refused = kind;
    response->refusal = why;
    return false;
}

static bool count_header_bytes(tagoio_response *response, size_t bytes) {
    response->header_bytes += bytes;
    return response->header_bytes <= TAGOIO_MAX_HEADER_BYTES ||
           refuse(response, TAGOIO_ERROR_PROTOCOL, "headers of more than 64 KiB");
}

bool tagoio_response_status(tagoio_response *response, int status) {
    if (response->state == TAGOIO_RESPONSE_NOTHING && (status < 100 || status >= 200)) {
        response->state = TAGOIO_RESPONSE_HEADERS;
        response->status = status >= 200 ? status : 0;
    }
    return count_header_bytes(response, sizeof "HTTP/1.1 200\r\n" - 1);
}

/* A value that is too long is none: half of it would be another one. */
static void copy_value(char copy[TAGOIO_MAX_HEADER_VALUE_BYTES], const char *value,
                       size_t count) {
    if (count < TAGOIO_MAX_HEADER_VALUE_BYTES) {
        memcpy(copy, value, count);
        copy[count] = '\0';
    }
}

static void read_header(tagoio_response *response, const char *name, size_t name_bytes,
                        const char *value, size_t value_bytes) {
    if (is_name("retry-after", name, name_bytes)) {
        copy_value(response->retry_after, value, value_bytes);
    }
    for (size_t i = 0; i < sizeof request_id_names / sizeof request_id_names[0]; i++) {
        if (response->request_id[0] == '\0' &&
            is_name(request_id_names[i], name, name_bytes)) {
            copy_value(response->request_id, value, value_bytes);
        }
    }
}

/* key is a name in lower case; what there is of that name already goes before value. */
static bool join_header(json_t *headers, const char *key, const char *value,
                        size_t count) {
    const json_t *before = json_object_get(headers, key);
    tagoio_buffer joined = {.limit = 2 * TAGOIO_MAX_HEADER_BYTES};
    if (before != NULL) {
        tagoio_buffer_add(&joined, json_string_value(before),
                          json_string_length(before));
        tagoio_buffer_add_string(&joined, ", ");
    }
    bool ok = tagoio_buffer_add(&joined, value, count) &&
              json_object_set_new_nocheck(
                  headers, key, json_stringn_nocheck(joined.bytes, joined.length)) == 0;
    tagoio_buffer_clear(&joined);
    return ok;
}

static bool keep_header(tagoio_response *response, const char *name, size_t name_bytes,
                        const char *value, size_t value_bytes) {
    tagoio_buffer key = {.limit = TAGOIO_MAX_HEADER_BYTES};
    if (response->headers == NULL) {
        response->headers = json_object();
    }
    bool ok = tagoio_buffer_add(&key, name, name_bytes);
    for (size_t i = 0; i < key.length; i++) {
        key.bytes[i] = lower(key.bytes[i]);
    }
    ok = ok && join_header(response->headers, key.bytes, value, value_bytes);
    tagoio_buffer_clear(&key);
    return ok || refuse(response, TAGOIO_ERROR_MEMORY, no_memory);
}

bool tagoio_response_header(tagoio_response *response, const char *name,
                            size_t name_bytes, const char *value, size_t value_bytes) {
    if (!count_header_bytes(response, name_bytes + 1 + value_bytes)) {
        return false;
    }
    if (response->state != TAGOIO_RESPONSE_HEADERS || name_bytes == 0 ||
        memchr(name, '\0', name_bytes) != NULL) {
        return true;
    }
    while (value_bytes > 0 && tagoio_is_blank(*value)) {
        value++;
        value_bytes--;
    }
    while (value_bytes > 0 && tagoio_is_blank(value[value_bytes - 1])) {
        value_bytes--;
    }
    read_header(response, name, name_bytes, value, value_bytes);
    return !response->keep_headers ||
           keep_header(response, name, name_bytes, value, value_bytes);
}

bool tagoio_response_body(tagoio_response *response, const char *bytes, size_t count) {
    response->state = TAGOIO_RESPONSE_BODY;
    if (tagoio_buffer_add(&response->body, bytes, count)) {
        return true;
    }
    return response->body.state == TAGOIO_BUFFER_NO_MEMORY
               ? refuse(response, TAGOIO_ERROR_MEMORY, no_memory)
               : refuse(response, TAGOIO_ERROR_PROTOCOL,
                        "a response of more than max_response_bytes");
}

void tagoio_response_clear(tagoio_response *response) {
    json_decref(response->headers);
    tagoio_buffer_clear(&response->body);
    *response = (tagoio_response){.body = response->body,
                                  .keep_headers = response->keep_headers};
}

/* Digits alone; -1: something else. */
static int64_t digits_value(const char *text, size_t count) {
    int64_t value = count > 0 ? 0 : -1;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
        value = value > longest_hint_s ? longest_hint_s : value;
    }
    return value;
}

int64_t tagoio_response_retry_after_s(const tagoio_response *response, int64_t wall_s) {
    int64_t date;
    if (tagoio_date_parse_http(response->retry_after, &date)) {
        bool passes = response->status == 429 || response->status == 503;
        return date > wall_s ? date - wall_s : passes ? 0 : -1;
    }
    return digits_value(response->retry_after, strlen(response->retry_after));
}

/* "Too many requests (Retry-After: 8)", TagoIO's rate limit page. */
static int64_t hint_in_message(const char *message) {
    static const char mark[] = "(Retry-After:";
    const char *at = strstr(message, mark);
    if (at == NULL) {
        return -1;
    }
    at += sizeof mark - 1;
    at += strspn(at, " ");
    size_t count = strspn(at, "0123456789");
    bool is_hint = count <= longest_message_digits && at[count] == ')';
    return is_hint ? digits_value(at, count) : -1;
}

static void add_json(tagoio_buffer *text, const json_t *value) {
    if (json_is_string(value)) {
        tagoio_buffer_add(text, json_string_value(value), json_string_length(value));
    } else if (!tagoio_json_write(text, value, 0, NULL)) {
        text->state = TAGOIO_BUFFER_NO_MEMORY; /* it is not too deep: it was read */
    }
}

/* "name: is required, amount: 0" */
static void add_members(tagoio_buffer *text, const json_t *object) {
    void *at = json_object_iter((json_t *)object);
    for (bool first = true; at != NULL; first = false) {
        tagoio_buffer_add_string(text, first ? "" : ", ");
        tagoio_buffer_add_string(text, json_object_iter_key(at));
        tagoio_buffer_add_string(text, ": ");
        add_json(text, json_object_iter_value(at));
        at = json_object_iter_next((json_t *)object, at);
    }
}

/* A message may be a JSON document itself, as POST /account/login responses with 2FA on
   (tago-io/cli, login.ts). */
static void add_message(tagoio_buffer *text, const json_t *message) {
    json_t *inner = NULL;
    tagoio_error why = {.kind = TAGOIO_ERROR_NONE};
    const char *words = json_string_value(message);
    if (words != NULL && words[0] == '{') {
        inner = tagoio_json_decode(words, json_string_length(message), &why);
    }
    if (why.kind == TAGOIO_ERROR_MEMORY) {
        text->state = TAGOIO_BUFFER_NO_MEMORY;
    }
    const json_t *value = inner != NULL ? inner : message;
    const json_t *deeper = json_object_get(value, "message");
    if (json_string_length(deeper) > 0) {
        add_json(text, deeper);
    } else if (json_is_object(value)) {
        add_members(text, value);
    } else {
        add_json(text, value);
    }
    json_decref(inner);
}

static bool says_something(const json_t *message) {
    return json_string_length(message) > 0 || json_array_size(message) > 0 ||
           json_object_size(message) > 0 || json_is_number(message);
}

/* The four shapes: message; result.message; result a string; and field_errors. */
static void add_error_text(tagoio_buffer *text, const json_t *body) {
    const json_t *message = json_object_get(body, "message");
    const json_t *result = json_object_get(body, "result");
    const json_t *fields = json_object_get(body, "field_errors");
    if (!says_something(message)) {
        const json_t *inner = json_object_get(result, "message");
        message = inner != NULL ? inner : result;
    }
    if (says_something(message)) {
        add_message(text, message);
    } else {
        tagoio_buffer_add_string(text, "an error without a message");
    }
    if (json_object_size(fields) > 0) {
        tagoio_buffer_add_string(text, ": ");
        add_members(text, fields);
    }
}

/* Case-insensitive; NULL when it is not there. */
static const char *find_tag(const char *text, const char *tag) {
    size_t count = strlen(tag);
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < count && lower(text[i]) == tag[i]) {
            i++;
        }
        if (i == count) {
            return text;
        }
    }
    return NULL;
}

/* A page of a proxy: its title says more than its first line. */
static void add_page_words(tagoio_buffer *text, const char *body) {
    const char *title = find_tag(body, "<title>");
    const char *end = title == NULL ? NULL : find_tag(title, "</title>");
    if (end != NULL) {
        title += strlen("<title>");
        tagoio_buffer_add_string(text, "an HTML page, \"");
        tagoio_buffer_add(text, title, (size_t)(end - title));
        tagoio_buffer_add_string(text, "\"");
    } else if (body[0] == '<') {
        tagoio_buffer_add_string(text, "an HTML page");
    } else {
        tagoio_buffer_add_string(text, body[0] == '\0' ? "a body without text" : "");
        tagoio_buffer_add(text, body, strcspn(body, "\r\n"));
    }
}

/* Of a secret that is cut first, a part would stay. */
static void add_page_text(tagoio_buffer *text, const tagoio_response *response,
                          const tagoio_secrets *secrets) {
    tagoio_buffer clean = {.limit = TAGOIO_NO_LIMIT};
    bool done =
        tagoio_redact(secrets, response->body.bytes, response->body.length, &clean);
    size_t blank = done ? strspn(clean.bytes, " \t\r\n") : 0;
    if (!done) {
        text->state = TAGOIO_BUFFER_NO_MEMORY;
    } else if (blank == clean.length) {
        tagoio_buffer_add_string(text, "an empty body");
    } else {
        add_page_words(text, clean.bytes + blank);
    }
    tagoio_buffer_clear(&clean);
}

static bool is_throttled(const tagoio_buffer *text) {
    return text->bytes != NULL && strstr(text->bytes, "Too many requests") != NULL;
}

static bool is_expected(tagoio_result expected, const json_t *result) {
    return expected == TAGOIO_RESULT_OBJECT  ? json_is_object(result)
           : expected == TAGOIO_RESULT_ARRAY ? json_is_array(result)
                                             : true;
}

static const char *const expected_texts[] = {
    [TAGOIO_RESULT_OBJECT] = "a result that is no object",
    [TAGOIO_RESULT_ARRAY] = "a result that is no array",
    [TAGOIO_RESULT_TEXT] = "",
    [TAGOIO_RESULT_ANY] = "",
};

static void read_success(tagoio_outcome *outcome, const json_t *body,
                         tagoio_result expected) {
    json_t *result = json_object_get(body, "result");
    bool absent = result == NULL || json_is_null(result) || json_is_false(result);
    if (!is_expected(expected, result)) {
        outcome->kind = TAGOIO_ERROR_PROTOCOL;
        tagoio_buffer_add_string(&outcome->text, expected_texts[expected]);
    } else {
        const json_t *warning = json_object_get(body, "message");
        outcome->result = absent ? json_true() : json_incref(result);
        if (json_string_length(warning) > 0) {
            add_json(&outcome->text, warning);
        }
    }
}

/* A response and what it takes to read it. */
typedef struct reading_context {
    const tagoio_response *response;
    const tagoio_secrets *secrets;
    json_t *body;      /* NULL: it is not JSON */
    json_t *clean;     /* the same without secrets */
    tagoio_error *why; /* there is no body or no clean one */
} reading_context;

static void read_unknown(tagoio_outcome *outcome, const reading_context *c) {
    const tagoio_buffer *body = &c->response->body;
    outcome->kind = TAGOIO_ERROR_PROTOCOL;
    tagoio_buffer_add_string(&outcome->text, "not a response of TagoIO: ");
    if (c->body != NULL) {
        tagoio_buffer_add_string(&outcome->text,
                                 "JSON without a status of true or false");
    } else if (body->length > 0 && strchr("{[", body->bytes[0]) != NULL) {
        tagoio_buffer_add_string(&outcome->text, c->why->message);
    } else {
        add_page_text(&outcome->text, c->response, c->secrets);
    }
}

static void read_2xx(tagoio_outcome *outcome, const reading_context *c,
                     tagoio_result expected) {
    json_t *status = json_object_get(c->body, "status");
    if (expected == TAGOIO_RESULT_ANY && json_is_object(c->body) && status == NULL) {
        outcome->result = json_incref(c->body);
    } else if (json_is_true(status)) {
        read_success(outcome, c->body, expected);
    } else if (json_is_false(status)) {
        outcome->kind = TAGOIO_ERROR_API;
        outcome->reason = TAGOIO_REASON_DENIED;
    } else {
        read_unknown(outcome, c);
    }
}

/* 429 is not the only sign of a limit: its message comes with 200 and 4xx as well. */
static void read_limits(tagoio_outcome *outcome) {
    if (outcome->reason == TAGOIO_REASON_DENIED && is_throttled(&outcome->text)) {
        outcome->reason = TAGOIO_REASON_THROTTLED;
    }
    if (outcome->retry_after_s < 0 && outcome->text.bytes != NULL) {
        outcome->retry_after_s = hint_in_message(outcome->text.bytes);
    }
}

/* The words of a refusal, its details, and when to try again. */
static void read_failed(tagoio_outcome *outcome, reading_context *c) {
    if (c->body != NULL) {
        c->clean = tagoio_redact_json(c->secrets, c->body);
        if (c->clean == NULL) {
            tagoio_error_memory(c->why);
        }
    }
    if (outcome->kind == TAGOIO_ERROR_API && json_is_object(c->clean)) {
        add_error_text(&outcome->text, c->clean);
    } else if (outcome->kind == TAGOIO_ERROR_API) {
        add_page_text(&outcome->text, c->response, c->secrets);
    }
    read_limits(outcome);
    outcome->details = json_incref(c->clean);
}

static void read_status(tagoio_outcome *outcome, const reading_context *c,
                        tagoio_result expected) {
    int status = c->response->status;
    if (status >= 400) {
        outcome->kind = TAGOIO_ERROR_API;
    } else if (status >= 300) {
        outcome->kind = TAGOIO_ERROR_PROTOCOL;
        tagoio_buffer_add_string(
            &outcome->text, "a redirect, which is never followed; check the region");
    } else if (status == 0) {
        outcome->kind = TAGOIO_ERROR_PROTOCOL;
        tagoio_buffer_add_string(&outcome->text, "a response without a status");
    } else {
        read_2xx(outcome, c, expected);
    }
}

/* The status still says what became of the request. */
static void read_no_memory(tagoio_outcome *outcome) {
    tagoio_outcome_clear(outcome);
    outcome->kind = TAGOIO_ERROR_MEMORY;
    outcome->result = NULL;
    outcome->details = NULL;
}

tagoio_outcome tagoio_response_outcome(const tagoio_response *response,
                                       tagoio_result expected,
                                       const tagoio_secrets *secrets, int64_t wall_s) {
    tagoio_outcome outcome = {.text = {.limit = TAGOIO_NO_LIMIT}};
    tagoio_error why = {.kind = TAGOIO_ERROR_NONE};
    reading_context c = {.response = response, .secrets = secrets, .why = &why};
    outcome.retry_after_s = tagoio_response_retry_after_s(response, wall_s);
    outcome.reason =
        tagoio_retry_reason_of_status(response->status, outcome.retry_after_s >= 0);
    if (response->body.length > 0) {
        c.body = tagoio_json_decode(response->body.bytes, response->body.length, &why);
    }
    read_status(&outcome, &c, expected);
    if (outcome.kind != TAGOIO_ERROR_NONE) {
        read_failed(&outcome, &c);
    }
    if (why.kind == TAGOIO_ERROR_MEMORY) {
        read_no_memory(&outcome);
    }
    json_decref(c.clean);
    json_decref(c.body);
    return outcome;
}

void tagoio_outcome_clear(tagoio_outcome *outcome) {
    json_decref(outcome->result);
    json_decref(outcome->details);
    tagoio_buffer_clear(&outcome->text);
}
