/* SPDX-License-Identifier: MIT */
/* What a response or a failure means. TagoIO's envelope of a success is {"status":
   true, "result": ...}; the bodies of errors come in four shapes (API overview; sdk-js
   apiRequest.ts; tagocore APIController.ts), and from proxies in any. Never trust the
   HTTP status alone. */
#include "core/outcome.h"
#include "core/json.h"

#include <string.h>

enum {
    longest_message_digits = 4,
    longest_page_start = 8 * 1024 /* where the title of a proxy's page stands */
};

static const char no_message[] = "an error without a message";

/* A response, its body as JSON, and what it takes to show it. */
typedef struct parsed_response {
    const tagoio_response *response;
    const tagoio_secrets *secrets;
    const json_t *body; /* NULL: it is not JSON */
    tagoio_error why;   /* it is not */
} parsed_response;

/* ---- the status ---- */

/* What a status says by itself, for the user and for the policy. 0: none came. */
typedef struct verdict {
    tagoio_error_kind kind;
    tagoio_retry_reason reason;
} verdict;

static tagoio_retry_reason reason_of_5xx(int status, bool has_retry_after) {
    switch (status) {
    case 503:
        return has_retry_after ? TAGOIO_REASON_BUSY : TAGOIO_REASON_SERVER;
    case 500:
    case 502:
    case 504:
    case 520:
    case 521:
    case 522:
    case 523:
    case 524:
    case 529:
    case 530:
        return TAGOIO_REASON_SERVER;
    case 501:
    case 505:
        return TAGOIO_REASON_NOT_DONE;
    default:
        return TAGOIO_REASON_OTHER_5XX;
    }
}

static tagoio_retry_reason reason_of_4xx(int status) {
    return status == 408   ? TAGOIO_REASON_LATE_REQUEST
           : status == 425 ? TAGOIO_REASON_TOO_EARLY
           : status == 429 ? TAGOIO_REASON_THROTTLED
                           : TAGOIO_REASON_DENIED;
}

static verdict verdict_of(int status, bool has_retry_after) {
    if (status >= 500) {
        return (verdict){TAGOIO_ERROR_API, reason_of_5xx(status, has_retry_after)};
    }
    if (status >= 400) {
        return (verdict){TAGOIO_ERROR_API, reason_of_4xx(status)};
    }
    if (status >= 300) {
        return (verdict){TAGOIO_ERROR_PROTOCOL, TAGOIO_REASON_REDIRECT};
    }
    return (verdict){status == 0 ? TAGOIO_ERROR_PROTOCOL : TAGOIO_ERROR_NONE,
                     TAGOIO_REASON_UNREADABLE};
}

static void judge(tagoio_outcome *outcome, const tagoio_response *response,
                  int64_t wall_s) {
    outcome->retry_after_s = tagoio_response_retry_after_s(response, wall_s);
    verdict v = verdict_of(response->status, outcome->retry_after_s >= 0);
    outcome->kind = v.kind;
    outcome->reason = v.reason;
}

/* ---- the words of a refusal ---- */

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
    return is_hint ? tagoio_digits_value(at, count) : -1;
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

/* The refusal of POST /account/login with two-factor authentication (tago-io/cli,
   login.ts): {"otp_enabled": true, "otp_autosend": "email"} */
static void add_otp(tagoio_buffer *text, const json_t *message) {
    const json_t *sent = json_object_get(message, "otp_autosend");
    tagoio_buffer_add_string(text, "two-factor authentication is on: pin_code and "
                                   "otp_type are needed");
    if (json_string_length(sent) > 0) {
        tagoio_buffer_add_string(text, " (otp_autosend: ");
        add_json(text, sent);
        tagoio_buffer_add_string(text, ")");
    }
}

static void add_message(tagoio_buffer *text, const json_t *message) {
    const json_t *deeper = json_object_get(message, "message");
    if (json_string_length(deeper) > 0) {
        add_json(text, deeper);
    } else if (json_is_true(json_object_get(message, "otp_enabled"))) {
        add_otp(text, message);
    } else if (json_is_object(message)) {
        add_members(text, message);
    } else {
        add_json(text, message);
    }
}

static bool says_something(const json_t *message) {
    return json_string_length(message) > 0 || json_array_size(message) > 0 ||
           json_object_size(message) > 0 || json_is_number(message);
}

/* Three of the four shapes: message; result.message; result a string. */
static const json_t *message_of(const json_t *body) {
    const json_t *message = json_object_get(body, "message");
    const json_t *result = json_object_get(body, "result");
    const json_t *inner = json_object_get(result, "message");
    return says_something(message) ? message : inner != NULL ? inner : result;
}

/* The fourth is field_errors. */
static void add_error_text(tagoio_buffer *text, const json_t *body) {
    const json_t *message = message_of(body);
    const json_t *fields = json_object_get(body, "field_errors");
    if (says_something(message)) {
        add_message(text, message);
    } else {
        tagoio_buffer_add_string(text, no_message);
    }
    if (json_object_size(fields) > 0) {
        tagoio_buffer_add_string(text, ": ");
        add_members(text, fields);
    }
}

/* Of a body that was not scrubbed, so that nothing but a string is shown: a secret that
   is a number is recognised in JSON alone. */
static void add_large_error_text(tagoio_buffer *text, const json_t *body) {
    const json_t *message = message_of(body);
    if (json_string_length(message) > 0) {
        add_json(text, message);
    } else {
        tagoio_buffer_add_string(text, no_message);
    }
}

/* Case-insensitive; NULL when it is not there. */
static const char *find_tag(const char *text, const char *tag) {
    size_t count = strlen(tag);
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < count && tagoio_lower(text[i]) == tag[i]) {
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

/* Scrubbed before it is cut: of a secret that is cut first, a part would stay. */
static void add_page_text(tagoio_outcome *outcome, const parsed_response *r) {
    const tagoio_buffer *body = &r->response->body;
    size_t blank = body->length > 0 ? strspn(body->bytes, " \t\r\n") : 0;
    tagoio_buffer page = {.limit = longest_page_start};
    if (blank == body->length) {
        tagoio_buffer_add_string(&outcome->text, "an empty body");
    } else if (tagoio_redact(r->secrets, body->bytes + blank, body->length - blank,
                             &page)) {
        add_page_words(&outcome->text, page.bytes);
    } else {
        outcome->text.state = TAGOIO_BUFFER_NO_MEMORY;
    }
    tagoio_buffer_clear(&page);
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
    [TAGOIO_RESULT_OBJECT] = "the result is not an object",
    [TAGOIO_RESULT_ARRAY] = "the result is not an array",
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

static void read_unknown(tagoio_outcome *outcome, const parsed_response *r) {
    const tagoio_buffer *body = &r->response->body;
    outcome->kind = TAGOIO_ERROR_PROTOCOL;
    tagoio_buffer_add_string(&outcome->text, "not a response of TagoIO: ");
    if (r->body != NULL) {
        tagoio_buffer_add_string(&outcome->text,
                                 "JSON without a status of true or false");
    } else if (body->length >= 3 && memcmp(body->bytes, "\xef\xbb\xbf", 3) == 0) {
        tagoio_buffer_add_string(&outcome->text, "it begins with a byte order mark");
    } else if (body->length > 0 && strchr("{[", body->bytes[0]) != NULL) {
        tagoio_buffer_add_string(&outcome->text, r->why.message);
    } else {
        add_page_text(outcome, r);
    }
}

static void read_2xx(tagoio_outcome *outcome, const parsed_response *r,
                     tagoio_result expected) {
    const json_t *status = json_object_get(r->body, "status");
    if (expected == TAGOIO_RESULT_ANY && json_is_object(r->body) && status == NULL) {
        outcome->result = json_incref((json_t *)r->body);
    } else if (json_is_true(status)) {
        read_success(outcome, r->body, expected);
    } else if (json_is_false(status)) {
        outcome->kind = TAGOIO_ERROR_API;
        outcome->reason = TAGOIO_REASON_DENIED;
    } else {
        read_unknown(outcome, r);
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

/* A text that is a JSON object is decoded in place. False: memory. */
static bool decode_member(json_t *object, const char *name) {
    const json_t *text = json_object_get(object, name);
    tagoio_error why = {.kind = TAGOIO_ERROR_NONE};
    const char *words = json_string_value(text);
    if (words == NULL || words[0] != '{') {
        return true;
    }
    json_t *value = tagoio_json_decode(words, json_string_length(text), &why);
    return value == NULL ? why.kind != TAGOIO_ERROR_MEMORY
                         : json_object_set_new(object, name, value) == 0;
}

/* A message may be a JSON document itself: decoded where messages stand, in a copy.
   NULL: memory. */
static json_t *decode_messages(const json_t *body) {
    json_t *copy = tagoio_json_copy(body);
    bool ok = copy != NULL && decode_member(copy, "message");
    const json_t *result = json_object_get(body, "result");
    if (ok && json_is_object(result)) {
        json_t *inner = tagoio_json_copy(result);
        ok = inner != NULL && decode_member(inner, "message");
        ok = json_object_set_new(copy, "result", inner) == 0 && ok;
    } else if (ok) {
        ok = decode_member(copy, "result");
    }
    if (!ok) {
        json_decref(copy);
        return NULL;
    }
    return copy;
}

/* To scrub a large body would take seconds. */
static void read_details(tagoio_outcome *outcome, const parsed_response *r) {
    outcome->details_left_out = r->response->body.length > TAGOIO_MAX_DETAILS_BYTES;
    if (outcome->details_left_out) {
        return;
    }
    json_t *decoded = decode_messages(r->body);
    outcome->details = decoded == NULL ? NULL : tagoio_redact_json(r->secrets, decoded);
    if (outcome->details == NULL) {
        outcome->text.state = TAGOIO_BUFFER_NO_MEMORY;
    }
    json_decref(decoded);
}

/* The words of a refusal, its details, and when to try again. */
static void read_failed(tagoio_outcome *outcome, const parsed_response *r) {
    if (r->body != NULL) {
        read_details(outcome, r);
    }
    bool is_api = outcome->kind == TAGOIO_ERROR_API;
    if (is_api && json_is_object(outcome->details)) {
        add_error_text(&outcome->text, outcome->details);
    } else if (is_api && json_is_object(r->body)) {
        add_large_error_text(&outcome->text, r->body);
    } else if (is_api) {
        add_page_text(outcome, r);
    } else if (r->response->status == 0) {
        tagoio_buffer_add_string(&outcome->text, "a response without a status");
    } else if (r->response->status >= 300) {
        tagoio_buffer_add_string(
            &outcome->text, "a redirect, which is never followed; check the region");
    }
    read_limits(outcome);
}

/* ---- what became of an attempt ---- */

static tagoio_outcome outcome_new(void) {
    return (tagoio_outcome){.retry_after_s = -1, .text = {.limit = TAGOIO_NO_LIMIT}};
}

/* The core stopped the response itself. */
static tagoio_outcome outcome_of_refusal(const tagoio_response *response) {
    tagoio_outcome outcome = outcome_new();
    bool memory = response->refused == TAGOIO_ERROR_MEMORY;
    outcome.kind = response->refused;
    outcome.reason = memory ? TAGOIO_REASON_LOCAL : TAGOIO_REASON_UNREADABLE;
    tagoio_buffer_add_string(&outcome.text, response->refusal);
    return outcome;
}

static void read_response(tagoio_outcome *outcome, const parsed_response *r,
                          tagoio_result expected, int64_t wall_s) {
    bool is_2xx = r->response->status >= 200 && r->response->status < 300;
    outcome->reason = TAGOIO_REASON_UNREADABLE;
    if (is_2xx) {
        read_2xx(outcome, r, expected);
    } else {
        judge(outcome, r->response, wall_s);
    }
    if (outcome->kind != TAGOIO_ERROR_NONE) {
        outcome->retry_after_s = tagoio_response_retry_after_s(r->response, wall_s);
        read_failed(outcome, r);
    }
    if (r->why.kind == TAGOIO_ERROR_MEMORY) {
        outcome->text.state = TAGOIO_BUFFER_NO_MEMORY;
    }
}

tagoio_outcome tagoio_outcome_of_response(const tagoio_response *response,
                                          tagoio_result expected,
                                          const tagoio_secrets *secrets,
                                          int64_t wall_s) {
    if (response->refused != TAGOIO_ERROR_NONE) {
        return outcome_of_refusal(response);
    }
    tagoio_outcome outcome = outcome_new();
    parsed_response r = {.response = response, .secrets = secrets};
    json_t *body =
        response->body.length == 0
            ? NULL
            : tagoio_json_decode(response->body.bytes, response->body.length, &r.why);
    r.body = body;
    read_response(&outcome, &r, expected, wall_s);
    json_decref(body);
    return outcome;
}

/* ---- failures ---- */

/* What becomes of a failure: its kind, and the reason for the policy where nothing was
   sent and where something was. */
static const struct {
    tagoio_error_kind kind;
    tagoio_retry_reason not_sent;
    tagoio_retry_reason sent;
    const char *text;
} failures[] = {
    [TAGOIO_FAILURE_RESOLVE] = {TAGOIO_ERROR_CONNECT, TAGOIO_REASON_RESOLVE,
                                TAGOIO_REASON_LOST_SENT, "name not found: "},
    [TAGOIO_FAILURE_CONNECT] = {TAGOIO_ERROR_CONNECT, TAGOIO_REASON_CONNECT,
                                TAGOIO_REASON_LOST_SENT, "no connection: "},
    [TAGOIO_FAILURE_HANDSHAKE] = {TAGOIO_ERROR_TLS, TAGOIO_REASON_HANDSHAKE,
                                  TAGOIO_REASON_LOST_SENT, "no TLS connection: "},
    [TAGOIO_FAILURE_CERTIFICATE] = {TAGOIO_ERROR_TLS, TAGOIO_REASON_CERTIFICATE,
                                    TAGOIO_REASON_UNREADABLE,
                                    "the certificate is not trusted: "},
    [TAGOIO_FAILURE_LOST] = {TAGOIO_ERROR_NETWORK, TAGOIO_REASON_LOST_NOT_SENT,
                             TAGOIO_REASON_LOST_SENT, "connection lost: "},
    [TAGOIO_FAILURE_TIMEOUT] = {TAGOIO_ERROR_TIMEOUT, TAGOIO_REASON_TIMEOUT_NOT_SENT,
                                TAGOIO_REASON_TIMEOUT_SENT, ""},
    [TAGOIO_FAILURE_ENCODING] = {TAGOIO_ERROR_PROTOCOL, TAGOIO_REASON_UNREADABLE,
                                 TAGOIO_REASON_UNREADABLE,
                                 "the body does not decode: "},
    [TAGOIO_FAILURE_BROKEN] = {TAGOIO_ERROR_PROTOCOL, TAGOIO_REASON_UNREADABLE,
                               TAGOIO_REASON_UNREADABLE,
                               "a response that is not HTTP: "},
    [TAGOIO_FAILURE_TOO_LARGE] = {TAGOIO_ERROR_PROTOCOL, TAGOIO_REASON_UNREADABLE,
                                  TAGOIO_REASON_UNREADABLE,
                                  "the response is too large: "},
    [TAGOIO_FAILURE_MEMORY] = {TAGOIO_ERROR_MEMORY, TAGOIO_REASON_LOCAL,
                               TAGOIO_REASON_LOCAL, ""},
    [TAGOIO_FAILURE_LOCAL] = {TAGOIO_ERROR_NETWORK, TAGOIO_REASON_LOCAL,
                              TAGOIO_REASON_LOCAL, "the transfer failed: "},
};

bool tagoio_failure_reason_from_kind(const char *kind, tagoio_failure_reason *reason) {
    static const tagoio_failure_reason reported[] = {
        TAGOIO_FAILURE_CONNECT,
        TAGOIO_FAILURE_HANDSHAKE,
        TAGOIO_FAILURE_TIMEOUT,
        TAGOIO_FAILURE_LOST,
    };
    for (size_t i = 0; i < sizeof reported / sizeof reported[0]; i++) {
        if (strcmp(tagoio_error_kind_name(failures[reported[i]].kind), kind) == 0) {
            *reason = reported[i];
            return true;
        }
    }
    return false;
}

/* Where a status came before the failure, it says more. */
static void read_cut_response(tagoio_outcome *outcome, const tagoio_response *response,
                              int64_t wall_s) {
    if (response->status >= 300) {
        judge(outcome, response, wall_s);
    } else if (response->status >= 200) {
        outcome->reason = TAGOIO_REASON_CUT_SUCCESS;
    }
}

tagoio_outcome tagoio_outcome_of_failure(const tagoio_response *response,
                                         const tagoio_failure *failure,
                                         int64_t wall_s) {
    if (response->refused != TAGOIO_ERROR_NONE) {
        return outcome_of_refusal(response);
    }
    tagoio_outcome outcome = outcome_new();
    bool cut = failure->reason == TAGOIO_FAILURE_LOST ||
               failure->reason == TAGOIO_FAILURE_TIMEOUT;
    outcome.kind = failures[failure->reason].kind;
    outcome.reason = failure->sent ? failures[failure->reason].sent
                                   : failures[failure->reason].not_sent;
    if (cut && failure->sent) {
        read_cut_response(&outcome, response, wall_s);
    }
    if (!failure->verbatim) {
        tagoio_buffer_add_string(&outcome.text, failures[failure->reason].text);
    }
    tagoio_buffer_add_string(&outcome.text, failure->text);
    return outcome;
}

tagoio_outcome tagoio_outcome_of_kind(tagoio_error_kind kind) {
    tagoio_outcome outcome = outcome_new();
    outcome.kind = kind;
    return outcome;
}

tagoio_outcome tagoio_outcome_not_sent(const char *passed) {
    tagoio_outcome outcome = tagoio_outcome_of_kind(TAGOIO_ERROR_TIMEOUT);
    if (passed == NULL) {
        tagoio_buffer_add_string(&outcome.text, "not sent");
    } else {
        tagoio_buffer_add_string(&outcome.text, "not sent: the ");
        tagoio_buffer_add_string(&outcome.text, passed);
        tagoio_buffer_add_string(&outcome.text, " has passed");
    }
    return outcome;
}

void tagoio_outcome_clear(tagoio_outcome *outcome) {
    json_decref(outcome->result);
    json_decref(outcome->details);
    tagoio_buffer_clear(&outcome->text);
}
