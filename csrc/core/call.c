/* SPDX-License-Identifier: MIT */
/* The call: one operation on its way, as a state machine that only events move. */
#include "core/request.h"
#include "core/response.h"
#include "core/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAGOIO_MAX_HEADERS = 4 };

typedef enum state { READY, IN_FLIGHT, BACKOFF, DONE, STATES } state;

struct tagoio_call {
    int references;
    tagoio_settings *settings;
    const tagoio_operation *operation;
    void *driver;
    tagoio_encoded_request encoded;
    tagoio_header headers[TAGOIO_MAX_HEADERS];
    state state;
    int64_t started_ms;
    int64_t deadline_ms;
    int64_t retry_at_ms;
    int64_t done_ms;
    int64_t queued_ms;
    tagoio_response response;
    tagoio_outcome outcome; /* of the last attempt */
    tagoio_buffer message;
    int64_t begun_ms; /* the attempt that is out */
    int64_t attempt_queued_ms;
    bool in_queue; /* the driver has not sent it yet */
    int attempts;
    int last_cost;    /* tokens of the retry_budget, for the last repetition */
    unsigned retried; /* a bit for each reason that this call was retried for */
    bool fresh;
    bool ambiguous;        /* an attempt may have been applied */
    bool unexplained;      /* there was no memory for the message */
    tagoio_attempt past[]; /* as many as are allowed */
};

static const char no_memory[] = "not enough memory";
static const char no_memory_for_warning[] = "a warning, but not enough memory for it";

/* The only place that assigns the state. False: the event is too late or too early. */
static bool transition(tagoio_call *call, state next) {
    static const bool allowed[STATES][STATES] = {
        [READY] = {[IN_FLIGHT] = true, [DONE] = true},
        [IN_FLIGHT] = {[BACKOFF] = true, [DONE] = true},
        [BACKOFF] = {[IN_FLIGHT] = true, [DONE] = true},
    };
    if (!allowed[call->state][next]) {
        return false;
    }
    call->state = next;
    return true;
}

tagoio_call *tagoio_call_new(tagoio_settings *settings, const char *operation,
                             json_t *arguments_take, int64_t now_ms,
                             tagoio_error *err) {
    const tagoio_operation *row = tagoio_operation_find(operation);
    if (row == NULL) {
        tagoio_error_set(err, TAGOIO_ERROR_MISUSE, "%.60s: unknown operation",
                         operation);
        json_decref(arguments_take);
        return NULL;
    }
    return tagoio_call_new_row(settings, row, arguments_take, now_ms, err);
}

static tagoio_call *allocate(int attempts, tagoio_error *err) {
    tagoio_call *call = malloc(sizeof *call + (size_t)attempts * sizeof call->past[0]);
    if (call == NULL) {
        tagoio_error_memory(err);
        return NULL;
    }
    *call = (tagoio_call){.references = 1};
    return call;
}

tagoio_call *tagoio_call_new_row(tagoio_settings *settings, const tagoio_operation *row,
                                 json_t *arguments_take, int64_t now_ms,
                                 tagoio_error *err) {
    const tagoio_options *options = &settings->options;
    tagoio_call *call = allocate(options->attempts, err);
    if (call != NULL) {
        call->settings = tagoio_settings_ref(settings);
        call->operation = row;
        call->started_ms = now_ms;
        call->deadline_ms = now_ms + options->timeout_ms;
        call->response.body.limit = options->max_response_bytes;
        call->response.keep_headers = row->result == TAGOIO_RESULT_ANY;
        call->message.limit = TAGOIO_MAX_MESSAGE_BYTES + TAGOIO_MAX_URL_BYTES;
        call->encoded.secrets.outer = &settings->secrets;
        if (!tagoio_encode_request(&call->encoded, row, options->base_url,
                                   arguments_take, err)) {
            tagoio_call_unref(call);
            call = NULL;
        }
    }
    json_decref(arguments_take);
    return call;
}

tagoio_call *tagoio_call_ref(tagoio_call *call) {
    call->references++;
    return call;
}

void tagoio_call_unref(tagoio_call *call) {
    if (call == NULL || --call->references > 0) {
        return;
    }
    tagoio_encoded_request_clear(&call->encoded);
    tagoio_response_clear(&call->response);
    tagoio_outcome_clear(&call->outcome);
    tagoio_buffer_clear(&call->message);
    tagoio_settings_unref(call->settings);
    free(call);
}

const tagoio_settings *tagoio_call_settings(const tagoio_call *call) {
    return call->settings;
}

const tagoio_operation *tagoio_call_operation(const tagoio_call *call) {
    return call->operation;
}

tagoio_want tagoio_call_want(const tagoio_call *call, int64_t now_ms) {
    switch (call->state) {
    case READY:
        return TAGOIO_BEGIN;
    case IN_FLIGHT:
        return TAGOIO_WAIT;
    case BACKOFF:
        return now_ms >= call->retry_at_ms ? TAGOIO_BEGIN : TAGOIO_BACKOFF;
    case DONE:
    case STATES:
        break;
    }
    return TAGOIO_DONE;
}

int64_t tagoio_call_retry_at_ms(const tagoio_call *call) { return call->retry_at_ms; }

void tagoio_call_set_driver(tagoio_call *call, void *driver) { call->driver = driver; }

void *tagoio_call_driver(const tagoio_call *call) { return call->driver; }

static bool is_write(const tagoio_call *call) {
    return call->operation->retry_class != TAGOIO_RETRY_CLASS_SAFE;
}

static int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t attempt_timeout_ms(const tagoio_call *call, int64_t now_ms) {
    int64_t allowed_ms = least_of(call->deadline_ms - now_ms,
                                  call->settings->options.attempt_timeout_ms);
    return allowed_ms > 1 ? allowed_ms : 1;
}

/* Every header of every request, whoever sends it. Without a body it has no type. */
static size_t fill_headers(tagoio_call *call) {
    const tagoio_options *options = &call->settings->options;
    const tagoio_header headers[TAGOIO_MAX_HEADERS] = {
        {"token", options->token},
        {"User-Agent", options->user_agent},
        {"Accept", "application/json"},
        {"Content-Type", "application/json"},
    };
    memcpy(call->headers, headers, sizeof headers);
    bool has_body = call->encoded.body.bytes != NULL;
    return has_body ? TAGOIO_MAX_HEADERS : TAGOIO_MAX_HEADERS - 1;
}

static void fill_request(tagoio_call *call, int64_t now_ms, tagoio_request *request) {
    const tagoio_options *options = &call->settings->options;
    const tagoio_operation *operation = call->operation;
    const tagoio_buffer *body = &call->encoded.body;
    bool announced = operation->method[0] == 'P'; /* POST, PUT, PATCH */
    int64_t timeout_ms = attempt_timeout_ms(call, now_ms);
    *request = (tagoio_request){
        .method = operation->method,
        .url = call->encoded.url.bytes,
        .headers = call->headers,
        .header_count = fill_headers(call),
        .body = body->bytes == NULL && announced ? "" : body->bytes,
        .body_bytes = body->length,
        .timeout_ms = timeout_ms,
        .connect_timeout_ms = least_of(options->connect_timeout_ms, timeout_ms),
        .max_response_bytes = options->max_response_bytes,
        .multiplex = operation->retry_class == TAGOIO_RETRY_CLASS_SAFE ||
                     operation->retry_class == TAGOIO_RETRY_CLASS_IDEMPOTENT,
        .fresh_connection = call->fresh,
    };
}

bool tagoio_call_begin(tagoio_call *call, int64_t now_ms, tagoio_request *request) {
    if (tagoio_call_want(call, now_ms) != TAGOIO_BEGIN ||
        !transition(call, IN_FLIGHT)) {
        return false;
    }
    call->attempts++;
    call->begun_ms = now_ms;
    call->in_queue = true;
    call->attempt_queued_ms = 0;
    tagoio_response_clear(&call->response);
    tagoio_outcome_clear(&call->outcome);
    call->outcome = (tagoio_outcome){.retry_after_s = -1};
    fill_request(call, now_ms, request);
    return true;
}

static void leave_queue(tagoio_call *call, int64_t now_ms) {
    if (call->in_queue) {
        call->in_queue = false;
        call->attempt_queued_ms = now_ms - call->begun_ms;
        call->queued_ms += call->attempt_queued_ms;
    }
}

void tagoio_call_sending(tagoio_call *call, int64_t now_ms) {
    if (call->state == IN_FLIGHT) {
        leave_queue(call, now_ms);
    }
}

bool tagoio_call_status(tagoio_call *call, int status) {
    return call->state == IN_FLIGHT && tagoio_response_status(&call->response, status);
}

bool tagoio_call_header(tagoio_call *call, const char *name, size_t name_bytes,
                        const char *value, size_t value_bytes) {
    return call->state == IN_FLIGHT &&
           tagoio_response_header(&call->response, name, name_bytes, value,
                                  value_bytes);
}

bool tagoio_call_body(tagoio_call *call, const char *bytes, size_t count) {
    return call->state == IN_FLIGHT &&
           tagoio_response_body(&call->response, bytes, count);
}

/* What a server says may be anything. The cut comes after the scrubbing, or the first
   half of a secret would stay. */
static void tidy(tagoio_buffer *text) {
    if (text->length > 0) {
        text->length = tagoio_printable(text->bytes, TAGOIO_MAX_MESSAGE_BYTES,
                                        text->bytes, text->length);
    }
}

/* "profile.info: Authorization Denied (HTTP 401, api.tago.io)" and what matters. */
static bool write_message(tagoio_call *call, const tagoio_buffer *why) {
    tagoio_buffer *message = &call->message;
    char status[24];
    char attempts[40];
    snprintf(status, sizeof status, "HTTP %d, ", call->response.status);
    snprintf(attempts, sizeof attempts, ", %d attempts", call->attempts);
    tagoio_buffer_add_string(message, call->operation->name);
    tagoio_buffer_add_string(message, ": ");
    tagoio_buffer_add(message, why->bytes, why->length);
    tagoio_buffer_add_string(message, " (");
    tagoio_buffer_add_string(message, call->response.status > 0 ? status : "");
    tagoio_buffer_add(message, call->settings->host, call->settings->host_bytes);
    tagoio_buffer_add_string(message, call->attempts > 1 ? attempts : "");
    tagoio_buffer_add_string(message, ")");
    return tagoio_buffer_add_string(
        message, call->ambiguous ? "; it may have been applied" : "");
}

static const char *words_of(const tagoio_outcome *outcome) {
    return outcome->text.length > 0 ? outcome->text.bytes
           : outcome->kind == TAGOIO_ERROR_MEMORY
               ? no_memory
               : tagoio_error_kind_name(outcome->kind);
}

/* The server chose it, so it may hold anything. It always fits where it goes, for what
   stands in for a secret is shorter than any: this needs no memory. */
static void copy_request_id(const tagoio_call *call, char *to) {
    const char *raw = call->response.request_id;
    tagoio_buffer id = {.bytes = to,
                        .capacity = TAGOIO_MAX_REQUEST_ID_BYTES,
                        .limit = TAGOIO_MAX_REQUEST_ID_BYTES - 1};
    tagoio_redact(&call->encoded.secrets, raw, strlen(raw), &id);
    tidy(&id);
}

/* Everything that is shown of a failure passes here, and a warning beside a success.
   False: memory. */
static bool explain(tagoio_call *call) {
    const tagoio_secrets *secrets = &call->encoded.secrets;
    const char *words = words_of(&call->outcome);
    size_t known = call->outcome.text.length;
    tagoio_buffer why = {.limit = TAGOIO_NO_LIMIT};
    bool done = call->outcome.text.state == TAGOIO_BUFFER_OK &&
                tagoio_redact(secrets, words, known > 0 ? known : strlen(words), &why);
    if (done) {
        tidy(&why);
        done = call->outcome.kind != TAGOIO_ERROR_NONE
                   ? write_message(call, &why)
                   : tagoio_buffer_add(&call->message, why.bytes, why.length);
    }
    tagoio_buffer_clear(&why);
    return done;
}

/* The attempt that was out is over. */
static void record_attempt(tagoio_call *call, int64_t now_ms, int64_t delay_ms) {
    leave_queue(call, now_ms);
    tagoio_attempt *attempt = &call->past[call->attempts - 1];
    *attempt = (tagoio_attempt){
        .kind = call->outcome.kind,
        .status = call->response.status,
        .body_bytes = call->response.body.length,
        .elapsed_ms = now_ms - call->begun_ms,
        .queued_ms = call->attempt_queued_ms,
        .retry_delay_ms = delay_ms,
    };
    copy_request_id(call, attempt->request_id);
}

static void finish(tagoio_call *call, int64_t now_ms) {
    bool was_out = call->state == IN_FLIGHT;
    if (!transition(call, DONE)) {
        return;
    }
    call->done_ms = now_ms;
    bool failed = call->outcome.kind != TAGOIO_ERROR_NONE;
    const tagoio_buffer *text = &call->outcome.text;
    bool silent = !failed && text->length == 0 && text->state == TAGOIO_BUFFER_OK;
    if (!silent && !explain(call)) {
        call->outcome.kind = failed ? TAGOIO_ERROR_MEMORY : TAGOIO_ERROR_NONE;
        call->unexplained = true;
        tagoio_buffer_clear(&call->message);
    }
    if (was_out) {
        record_attempt(call, now_ms, -1);
    }
    tagoio_buffer_clear(&call->response.body);
}

static void refund(tagoio_call *call) {
    tagoio_retry_budget *retry_budget = call->settings->retry_budget;
    retry_budget->left += call->last_cost > 0 ? call->last_cost : 1;
    if (retry_budget->left > TAGOIO_RETRY_CAPACITY) {
        retry_budget->left = TAGOIO_RETRY_CAPACITY;
    }
}

static int64_t retry_delay_ms(const tagoio_call *call, const tagoio_now *now) {
    const tagoio_options *options = &call->settings->options;
    const tagoio_outcome *outcome = &call->outcome;
    return tagoio_retry_delay_ms(&(tagoio_retry_context){
        .reason = outcome->reason,
        .retry_class = call->operation->retry_class,
        .attempts = call->attempts,
        .attempts_allowed = options->attempts,
        .already_retried = (call->retried >> outcome->reason & 1) != 0,
        .budget = call->settings->retry_budget->left,
        .hint_ms = outcome->retry_after_s < 0 ? -1 : outcome->retry_after_s * 1000,
        .max_hint_ms = options->max_retry_after_ms,
        .left_ms = call->deadline_ms - now->now_ms,
        .wall_s = now->wall_s,
        .jitter = now->jitter,
    });
}

/* An attempt is over and call->outcome says how: back off and retry, or finish. */
static void attempt_finished(tagoio_call *call, const tagoio_now *now, bool sent) {
    if (call->outcome.kind == TAGOIO_ERROR_NONE) {
        refund(call);
        finish(call, now->now_ms);
        return;
    }
    if (call->outcome.text.state != TAGOIO_BUFFER_OK) {
        tagoio_buffer_clear(&call->outcome.text);
        call->outcome.kind = TAGOIO_ERROR_MEMORY;
    }
    tagoio_retry_rule rule = tagoio_retry_rule_of(call->outcome.reason);
    call->ambiguous = call->ambiguous || (rule.ambiguous && sent && is_write(call));
    int64_t delay_ms = retry_delay_ms(call, now);
    if (delay_ms < 0) {
        finish(call, now->now_ms);
    } else if (transition(call, BACKOFF)) {
        record_attempt(call, now->now_ms, delay_ms);
        call->retry_at_ms = now->now_ms + delay_ms;
        call->retried |= 1u << call->outcome.reason;
        call->settings->retry_budget->left -= rule.cost;
        call->last_cost = rule.cost;
        call->fresh = rule.fresh;
    }
}

/* The core stopped the response itself. */
static void read_refusal(tagoio_call *call) {
    bool memory = call->response.refused == TAGOIO_ERROR_MEMORY;
    call->outcome.kind = call->response.refused;
    call->outcome.reason = memory ? TAGOIO_REASON_LOCAL : TAGOIO_REASON_UNREADABLE;
    call->outcome.text.limit = TAGOIO_MAX_MESSAGE_BYTES;
    tagoio_buffer_add_string(&call->outcome.text, call->response.refusal);
}

void tagoio_call_complete(tagoio_call *call, const tagoio_now *now) {
    if (call->state != IN_FLIGHT) {
        return;
    }
    if (call->response.refused != TAGOIO_ERROR_NONE) {
        read_refusal(call);
    } else {
        call->outcome =
            tagoio_response_outcome(&call->response, call->operation->result,
                                    &call->encoded.secrets, now->wall_s);
    }
    attempt_finished(call, now, true);
}

/* What a reason is: its kind, its reason when nothing was sent and when something was.
 */
static const struct {
    tagoio_error_kind kind;
    tagoio_retry_reason unsent;
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
    [TAGOIO_FAILURE_LOST] = {TAGOIO_ERROR_NETWORK, TAGOIO_REASON_LOST_UNSENT,
                             TAGOIO_REASON_LOST_SENT, "connection lost: "},
    [TAGOIO_FAILURE_TIMEOUT] = {TAGOIO_ERROR_TIMEOUT, TAGOIO_REASON_TIMEOUT_UNSENT,
                                TAGOIO_REASON_TIMEOUT_SENT, ""},
    [TAGOIO_FAILURE_ENCODING] = {TAGOIO_ERROR_PROTOCOL, TAGOIO_REASON_UNREADABLE,
                                 TAGOIO_REASON_UNREADABLE,
                                 "a body that does not decode: "},
    [TAGOIO_FAILURE_BROKEN] = {TAGOIO_ERROR_PROTOCOL, TAGOIO_REASON_UNREADABLE,
                               TAGOIO_REASON_UNREADABLE,
                               "a response that is no HTTP: "},
    [TAGOIO_FAILURE_TOO_LARGE] = {TAGOIO_ERROR_PROTOCOL, TAGOIO_REASON_UNREADABLE,
                                  TAGOIO_REASON_UNREADABLE,
                                  "a response that is too large: "},
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

/* Where a status came before the reason, it says more than the reason. */
static void read_cut_answer(tagoio_outcome *outcome, const tagoio_response *response,
                            int64_t wall_s) {
    if (response->status >= 300) {
        outcome->retry_after_s = tagoio_response_retry_after_s(response, wall_s);
        outcome->kind =
            response->status >= 400 ? TAGOIO_ERROR_API : TAGOIO_ERROR_PROTOCOL;
        outcome->reason = tagoio_retry_reason_of_status(response->status,
                                                        outcome->retry_after_s >= 0);
    } else if (response->status >= 200) {
        outcome->reason = TAGOIO_REASON_CUT_SUCCESS;
    }
}

static void read_failure(tagoio_call *call, const tagoio_failure *failure,
                         int64_t wall_s) {
    tagoio_outcome *outcome = &call->outcome;
    bool cut = failure->reason == TAGOIO_FAILURE_LOST ||
               failure->reason == TAGOIO_FAILURE_TIMEOUT;
    outcome->text.limit = TAGOIO_NO_LIMIT;
    outcome->kind = failures[failure->reason].kind;
    outcome->reason = failure->sent ? failures[failure->reason].sent
                                    : failures[failure->reason].unsent;
    if (cut && failure->sent) {
        read_cut_answer(outcome, &call->response, wall_s);
    }
    if (!failure->verbatim) {
        tagoio_buffer_add_string(&outcome->text, failures[failure->reason].text);
    }
    tagoio_buffer_add_string(&outcome->text, failure->text);
}

void tagoio_call_fail(tagoio_call *call, const tagoio_now *now,
                      const tagoio_failure *failure) {
    if (call->state != IN_FLIGHT) {
        return;
    }
    if (call->response.refused != TAGOIO_ERROR_NONE) {
        read_refusal(call);
    } else {
        read_failure(call, failure, now->wall_s);
    }
    attempt_finished(call, now, failure->sent);
}

void tagoio_call_cancel(tagoio_call *call, int64_t now_ms) {
    if (call->state == DONE) {
        return;
    }
    tagoio_outcome_clear(&call->outcome);
    call->outcome = (tagoio_outcome){.kind = TAGOIO_ERROR_CANCELED,
                                     .retry_after_s = -1,
                                     .text = {.limit = TAGOIO_NO_LIMIT}};
    tagoio_buffer_add_string(&call->outcome.text, "canceled");
    call->ambiguous = call->ambiguous || (call->state == IN_FLIGHT && is_write(call));
    finish(call, now_ms);
}

const tagoio_attempt *tagoio_call_attempt(const tagoio_call *call, int number) {
    int over = call->state == IN_FLIGHT ? call->attempts - 1 : call->attempts;
    return number >= 1 && number <= over ? &call->past[number - 1] : NULL;
}

tagoio_report tagoio_call_report(const tagoio_call *call) {
    const tagoio_outcome *outcome = &call->outcome;
    bool failed = outcome->kind != TAGOIO_ERROR_NONE;
    const char *instead = failed ? no_memory : no_memory_for_warning;
    const tagoio_attempt *last = tagoio_call_attempt(call, call->attempts);
    return (tagoio_report){
        .kind = outcome->kind,
        .result = outcome->result,
        .operation = call->operation->name,
        .message = call->unexplained ? instead : call->message.bytes,
        .request_id =
            last != NULL && last->request_id[0] != '\0' ? last->request_id : NULL,
        .headers = call->response.headers,
        .details = outcome->details,
        .status = call->response.status,
        .attempts = call->attempts,
        .elapsed_ms = call->done_ms - call->started_ms,
        .queued_ms = call->queued_ms,
        .retry_after_s = outcome->retry_after_s,
        .maybe_applied = failed && call->ambiguous,
    };
}
