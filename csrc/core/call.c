/* SPDX-License-Identifier: MIT */
/* The call: one operation on its way, as a state machine that only events move. */
#include "core/answer.h"
#include "core/error.h"
#include "core/request.h"
#include "core/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum state { READY, OUT, RESTING, DONE, STATES } state;

struct tagoio_call {
    int references;
    tagoio_settings *settings;
    const tagoio_operation *operation;
    tagoio_parts parts;
    state state;
    int64_t started_ms;
    int64_t deadline_ms;
    int64_t due_ms;
    int64_t done_ms;
    int64_t queued_ms;
    tagoio_answer answer;
    tagoio_reading reading; /* of the last attempt */
    tagoio_text message;
    tagoio_attempt *ended; /* as many as are allowed */
    int64_t begun_ms;      /* the attempt that is out */
    int64_t attempt_queued_ms;
    int attempts;
    int spent;         /* tokens of the quota, for the last repetition */
    unsigned repeated; /* a bit for each cause that this call was repeated for */
    bool fresh;
    bool ambiguous;   /* an attempt may have been applied */
    bool unexplained; /* there was no memory for the message */
};

static const char no_memory[] = "not enough memory";
static const char no_memory_for_warning[] = "a warning, but not enough memory for it";

/* The only place that assigns the state. False: the event is too late or too early. */
static bool enter(tagoio_call *call, state next) {
    static const bool allowed[STATES][STATES] = {
        [READY] = {[OUT] = true, [DONE] = true},
        [OUT] = {[RESTING] = true, [DONE] = true},
        [RESTING] = {[OUT] = true, [DONE] = true},
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
        tagoio_error_set(err, TAGOIO_MISUSE, "%.60s: unknown operation", operation);
        json_decref(arguments_take);
        return NULL;
    }
    return tagoio_call_new_row(settings, row, arguments_take, now_ms, err);
}

static tagoio_call *allocate(int attempts, tagoio_error *err) {
    tagoio_call *call = calloc(1, sizeof *call);
    tagoio_attempt *ended = calloc((size_t)attempts, sizeof *ended);
    if (call == NULL || ended == NULL) {
        free(call);
        free(ended);
        tagoio_error_memory(err);
        return NULL;
    }
    call->references = 1;
    call->ended = ended;
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
        call->answer.body.limit = options->max_response_bytes;
        call->answer.keep_head = row->result == TAGOIO_RESULT_ANY;
        call->message.limit = TAGOIO_MAX_MESSAGE_BYTES + TAGOIO_MAX_URL_BYTES;
        call->parts.secrets.outer = &settings->secrets;
        if (!tagoio_parts_build(&call->parts, row, options->base_url, arguments_take,
                                err)) {
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
    tagoio_parts_clear(&call->parts);
    tagoio_answer_clear(&call->answer);
    tagoio_reading_clear(&call->reading);
    tagoio_text_clear(&call->message);
    tagoio_settings_unref(call->settings);
    free(call->ended);
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
    case OUT:
        return TAGOIO_WAIT;
    case RESTING:
        return now_ms >= call->due_ms ? TAGOIO_BEGIN : TAGOIO_REST;
    case DONE:
    case STATES:
        break;
    }
    return TAGOIO_DONE;
}

int64_t tagoio_call_due_ms(const tagoio_call *call) { return call->due_ms; }

int64_t tagoio_call_attempt_ms(const tagoio_call *call, int64_t now_ms) {
    int64_t left = call->deadline_ms - now_ms;
    int64_t longest = call->settings->options.attempt_timeout_ms;
    int64_t allowed = left < longest ? left : longest;
    return allowed > 1 ? allowed : 1;
}

static bool is_write(const tagoio_call *call) {
    return call->operation->repeat != TAGOIO_CLASS_SAFE;
}

tagoio_request tagoio_call_request(const tagoio_call *call) {
    const tagoio_options *options = &call->settings->options;
    const char *method = call->operation->method;
    bool has_body = call->parts.body.bytes != NULL;
    return (tagoio_request){
        .method = method,
        .url = call->parts.url.bytes,
        .token = options->token,
        .user_agent = options->user_agent,
        .body = call->parts.body.bytes,
        .body_bytes = call->parts.body.length,
        .connect_timeout_ms = options->connect_timeout_ms,
        .max_response_bytes = options->max_response_bytes,
        .empty_body = !has_body && method[0] == 'P',
        .repeatable = call->operation->repeat == TAGOIO_CLASS_SAFE ||
                      call->operation->repeat == TAGOIO_CLASS_IDEMPOTENT,
        .fresh_connection = call->fresh,
    };
}

void tagoio_call_begin(tagoio_call *call, int64_t now_ms) {
    if (tagoio_call_want(call, now_ms) != TAGOIO_BEGIN || !enter(call, OUT)) {
        return;
    }
    call->attempts++;
    call->begun_ms = now_ms;
    call->attempt_queued_ms = 0;
    tagoio_answer_clear(&call->answer);
    tagoio_reading_clear(&call->reading);
    call->reading = (tagoio_reading){.retry_after_s = -1};
}

static void add_queued(tagoio_call *call, int64_t queued_ms) {
    call->attempt_queued_ms += queued_ms;
    call->queued_ms += queued_ms;
}

void tagoio_call_sending(tagoio_call *call, int64_t now_ms) {
    if (call->state == OUT) {
        add_queued(call, now_ms - call->begun_ms);
    }
}

bool tagoio_call_head(tagoio_call *call, const char *line, size_t bytes) {
    return call->state == OUT && tagoio_answer_head(&call->answer, line, bytes);
}

bool tagoio_call_feed(tagoio_call *call, const char *bytes, size_t count) {
    return call->state == OUT && tagoio_answer_feed(&call->answer, bytes, count);
}

/* What a server says may be anything. The cut comes after the scrubbing, or the first
   half of a secret would stay. */
static void tidy(tagoio_text *text) {
    if (text->length > 0) {
        text->length = tagoio_printable(text->bytes, TAGOIO_MAX_MESSAGE_BYTES,
                                        text->bytes, text->length);
    }
}

/* "profile.info: Authorization Denied (HTTP 401, api.tago.io)" and what matters. */
static bool write_message(tagoio_call *call, const tagoio_text *why) {
    tagoio_text *message = &call->message;
    char status[24];
    char attempts[40];
    snprintf(status, sizeof status, "HTTP %d, ", call->answer.status);
    snprintf(attempts, sizeof attempts, ", %d attempts", call->attempts);
    tagoio_text_add_string(message, call->operation->name);
    tagoio_text_add_string(message, ": ");
    tagoio_text_add(message, why->bytes, why->length);
    tagoio_text_add_string(message, " (");
    tagoio_text_add_string(message, call->answer.status > 0 ? status : "");
    tagoio_text_add(message, call->settings->host, call->settings->host_bytes);
    tagoio_text_add_string(message, call->attempts > 1 ? attempts : "");
    tagoio_text_add_string(message, ")");
    return tagoio_text_add_string(message,
                                  call->ambiguous ? "; it may have been applied" : "");
}

static const char *words_of(const tagoio_reading *reading) {
    return reading->text.length > 0         ? reading->text.bytes
           : reading->kind == TAGOIO_MEMORY ? no_memory
                                            : tagoio_kind_name(reading->kind);
}

/* The server chose it, so it may hold anything. It always fits where it goes, for what
   stands in for a secret is shorter than any: this needs no memory. */
static void copy_request_id(const tagoio_call *call, char *to) {
    const char *raw = call->answer.request_id;
    tagoio_text id = {.bytes = to,
                      .capacity = TAGOIO_MAX_REQUEST_ID_BYTES,
                      .limit = TAGOIO_MAX_REQUEST_ID_BYTES - 1};
    tagoio_secrets_scrub(&call->parts.secrets, raw, strlen(raw), &id);
    tidy(&id);
}

/* Everything that is shown of a failure passes here, and a warning beside a success.
   False: memory. */
static bool explain(tagoio_call *call) {
    const tagoio_secrets *secrets = &call->parts.secrets;
    const char *words = words_of(&call->reading);
    size_t known = call->reading.text.length;
    tagoio_text why = {.limit = SIZE_MAX / 2};
    bool done =
        call->reading.text.failed == TAGOIO_NONE &&
        tagoio_secrets_scrub(secrets, words, known > 0 ? known : strlen(words), &why);
    if (done) {
        tidy(&why);
        done = call->reading.kind != TAGOIO_NONE
                   ? write_message(call, &why)
                   : tagoio_text_add(&call->message, why.bytes, why.length);
    }
    tagoio_text_clear(&why);
    return done;
}

/* The attempt that was out is over. */
static void end_attempt(tagoio_call *call, int64_t now_ms, int64_t rest) {
    tagoio_attempt *attempt = &call->ended[call->attempts - 1];
    *attempt = (tagoio_attempt){
        .kind = call->reading.kind,
        .status = call->answer.status,
        .body_bytes = call->answer.body.length,
        .elapsed_ms = now_ms - call->begun_ms,
        .queued_ms = call->attempt_queued_ms,
        .rest_ms = rest,
    };
    copy_request_id(call, attempt->request_id);
}

static void finish(tagoio_call *call, int64_t now_ms) {
    bool was_out = call->state == OUT;
    if (!enter(call, DONE)) {
        return;
    }
    call->done_ms = now_ms;
    bool failed = call->reading.kind != TAGOIO_NONE;
    const tagoio_text *text = &call->reading.text;
    bool silent = !failed && text->length == 0 && text->failed == TAGOIO_NONE;
    if (!silent && !explain(call)) {
        call->reading.kind = failed ? TAGOIO_MEMORY : TAGOIO_NONE;
        call->unexplained = true;
        tagoio_text_clear(&call->message);
    }
    if (was_out) {
        end_attempt(call, now_ms, -1);
    }
    tagoio_text_clear(&call->answer.body);
}

static void refund(tagoio_call *call) {
    tagoio_quota *quota = call->settings->quota;
    quota->tokens += call->spent > 0 ? call->spent : 1;
    if (quota->tokens > TAGOIO_FULL_QUOTA) {
        quota->tokens = TAGOIO_FULL_QUOTA;
    }
}

static int64_t rest_ms(const tagoio_call *call, const tagoio_moment *moment) {
    const tagoio_options *options = &call->settings->options;
    const tagoio_reading *reading = &call->reading;
    return tagoio_policy_rest_ms(&(tagoio_situation){
        .cause = reading->cause,
        .repeat = call->operation->repeat,
        .attempts = call->attempts,
        .attempts_allowed = options->attempts,
        .once_used = (call->repeated >> reading->cause & 1) != 0,
        .quota = call->settings->quota->tokens,
        .hint_ms = reading->retry_after_s < 0 ? -1 : reading->retry_after_s * 1000,
        .max_hint_ms = options->max_retry_after_ms,
        .left_ms = call->deadline_ms - moment->now_ms,
        .wall_s = moment->wall_s,
        .chance = moment->chance,
    });
}

/* An attempt is over and call->reading says how: rest and repeat, or finish. */
static void settle(tagoio_call *call, const tagoio_moment *moment, bool sent) {
    if (call->reading.kind == TAGOIO_NONE) {
        refund(call);
        finish(call, moment->now_ms);
        return;
    }
    if (call->reading.text.failed != TAGOIO_NONE) {
        tagoio_text_clear(&call->reading.text);
        call->reading.kind = TAGOIO_MEMORY;
    }
    tagoio_rule rule = tagoio_policy_rule(call->reading.cause);
    call->ambiguous = call->ambiguous || (rule.ambiguous && sent && is_write(call));
    int64_t rest = rest_ms(call, moment);
    if (rest < 0) {
        finish(call, moment->now_ms);
    } else if (enter(call, RESTING)) {
        end_attempt(call, moment->now_ms, rest);
        call->due_ms = moment->now_ms + rest;
        call->repeated |= 1u << call->reading.cause;
        call->settings->quota->tokens -= rule.cost;
        call->spent = rule.cost;
        call->fresh = rule.fresh;
    }
}

void tagoio_call_answer(tagoio_call *call, const tagoio_moment *moment) {
    if (call->state == OUT) {
        call->reading = tagoio_answer_read(&call->answer, call->operation->result,
                                           &call->parts.secrets, moment->wall_s);
        settle(call, moment, true);
    }
}

/* What a fault is: its kind, its cause when nothing was sent and when something was. */
static const struct {
    tagoio_kind kind;
    tagoio_cause unsent;
    tagoio_cause sent;
    const char *text;
} faults[] = {
    [TAGOIO_FAULT_RESOLVE] = {TAGOIO_CONNECT, TAGOIO_CAUSE_RESOLVE,
                              TAGOIO_CAUSE_LOST_SENT, "name not found: "},
    [TAGOIO_FAULT_CONNECT] = {TAGOIO_CONNECT, TAGOIO_CAUSE_CONNECT,
                              TAGOIO_CAUSE_LOST_SENT, "no connection: "},
    [TAGOIO_FAULT_HANDSHAKE] = {TAGOIO_TLS, TAGOIO_CAUSE_HANDSHAKE,
                                TAGOIO_CAUSE_LOST_SENT, "no TLS connection: "},
    [TAGOIO_FAULT_CERTIFICATE] = {TAGOIO_TLS, TAGOIO_CAUSE_CERTIFICATE,
                                  TAGOIO_CAUSE_UNREADABLE,
                                  "the certificate is not trusted: "},
    [TAGOIO_FAULT_LOST] = {TAGOIO_NETWORK, TAGOIO_CAUSE_LOST_UNSENT,
                           TAGOIO_CAUSE_LOST_SENT, "connection lost: "},
    [TAGOIO_FAULT_TIMEOUT] = {TAGOIO_TIMEOUT, TAGOIO_CAUSE_TIMEOUT_UNSENT,
                              TAGOIO_CAUSE_TIMEOUT_SENT, ""},
    [TAGOIO_FAULT_ENCODING] = {TAGOIO_PROTOCOL, TAGOIO_CAUSE_UNREADABLE,
                               TAGOIO_CAUSE_UNREADABLE,
                               "a body that does not decode: "},
    [TAGOIO_FAULT_BROKEN] = {TAGOIO_PROTOCOL, TAGOIO_CAUSE_UNREADABLE,
                             TAGOIO_CAUSE_UNREADABLE, "an answer that is no HTTP: "},
    [TAGOIO_FAULT_TOO_LARGE] = {TAGOIO_PROTOCOL, TAGOIO_CAUSE_UNREADABLE,
                                TAGOIO_CAUSE_UNREADABLE,
                                "an answer that is too large: "},
    [TAGOIO_FAULT_MEMORY] = {TAGOIO_MEMORY, TAGOIO_CAUSE_LOCAL, TAGOIO_CAUSE_LOCAL, ""},
    [TAGOIO_FAULT_LOCAL] = {TAGOIO_NETWORK, TAGOIO_CAUSE_LOCAL, TAGOIO_CAUSE_LOCAL,
                            "the transfer failed: "},
};

bool tagoio_fault_from_kind(const char *kind, tagoio_fault *fault) {
    static const tagoio_fault reported[] = {
        TAGOIO_FAULT_CONNECT,
        TAGOIO_FAULT_HANDSHAKE,
        TAGOIO_FAULT_TIMEOUT,
        TAGOIO_FAULT_LOST,
    };
    for (size_t i = 0; i < sizeof reported / sizeof reported[0]; i++) {
        if (strcmp(tagoio_kind_name(faults[reported[i]].kind), kind) == 0) {
            *fault = reported[i];
            return true;
        }
    }
    return false;
}

/* Where a status came before the fault, it says more than the fault. */
static void read_cut_answer(tagoio_reading *reading, const tagoio_answer *answer,
                            int64_t wall_s) {
    if (answer->status >= 300) {
        reading->retry_after_s = tagoio_answer_retry_after_s(answer, wall_s);
        reading->kind = answer->status >= 400 ? TAGOIO_API : TAGOIO_PROTOCOL;
        reading->cause =
            tagoio_policy_status(answer->status, reading->retry_after_s >= 0);
    } else if (answer->status >= 200) {
        reading->cause = TAGOIO_CAUSE_CUT_SUCCESS;
    }
}

static void read_failure(tagoio_call *call, const tagoio_failure *failure,
                         int64_t wall_s) {
    tagoio_reading *reading = &call->reading;
    bool cut =
        failure->fault == TAGOIO_FAULT_LOST || failure->fault == TAGOIO_FAULT_TIMEOUT;
    reading->text.limit = SIZE_MAX / 2;
    reading->kind = faults[failure->fault].kind;
    reading->cause =
        failure->sent ? faults[failure->fault].sent : faults[failure->fault].unsent;
    if (call->answer.refused != NULL) {
        bool memory = call->answer.body.failed == TAGOIO_MEMORY ||
                      call->answer.head.failed == TAGOIO_MEMORY;
        reading->kind = memory ? TAGOIO_MEMORY : TAGOIO_PROTOCOL;
        reading->cause = memory ? TAGOIO_CAUSE_LOCAL : TAGOIO_CAUSE_UNREADABLE;
        tagoio_text_add_string(&reading->text, call->answer.refused);
        return;
    }
    if (cut && failure->sent) {
        read_cut_answer(reading, &call->answer, wall_s);
    }
    if (!failure->verbatim) {
        tagoio_text_add_string(&reading->text, faults[failure->fault].text);
    }
    tagoio_text_add_string(&reading->text, failure->text);
}

void tagoio_call_fail(tagoio_call *call, const tagoio_moment *moment,
                      const tagoio_failure *failure) {
    if (call->state == OUT) {
        add_queued(call, failure->queued_ms);
        read_failure(call, failure, moment->wall_s);
        settle(call, moment, failure->sent);
    }
}

void tagoio_call_cancel(tagoio_call *call, int64_t now_ms) {
    if (call->state == DONE) {
        return;
    }
    tagoio_reading_clear(&call->reading);
    call->reading = (tagoio_reading){
        .kind = TAGOIO_CANCELED, .retry_after_s = -1, .text = {.limit = SIZE_MAX / 2}};
    tagoio_text_add_string(&call->reading.text, "canceled");
    call->ambiguous = call->ambiguous || (call->state == OUT && is_write(call));
    finish(call, now_ms);
}

const tagoio_attempt *tagoio_call_attempt(const tagoio_call *call, int number) {
    int over = call->state == OUT ? call->attempts - 1 : call->attempts;
    return number >= 1 && number <= over ? &call->ended[number - 1] : NULL;
}

tagoio_report tagoio_call_report(const tagoio_call *call) {
    const tagoio_reading *reading = &call->reading;
    bool failed = reading->kind != TAGOIO_NONE;
    const char *instead = failed ? no_memory : no_memory_for_warning;
    const tagoio_attempt *last = tagoio_call_attempt(call, call->attempts);
    return (tagoio_report){
        .kind = reading->kind,
        .result = reading->result,
        .operation = call->operation->name,
        .message = call->unexplained ? instead : call->message.bytes,
        .request_id =
            last != NULL && last->request_id[0] != '\0' ? last->request_id : NULL,
        .head = call->answer.head.bytes,
        .details = reading->details,
        .status = call->answer.status,
        .attempts = call->attempts,
        .elapsed_ms = call->done_ms - call->started_ms,
        .queued_ms = call->queued_ms,
        .retry_after_s = reading->retry_after_s,
        .maybe_applied = failed && call->ambiguous,
    };
}
