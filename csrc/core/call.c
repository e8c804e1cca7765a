/* SPDX-License-Identifier: MIT */
/* The call: one operation on its way, as a state machine that only events move. */
#include "core/report.h"
#include "core/request.h"

#include <stdlib.h>
#include <string.h>

enum { TAGOIO_OWN_HEADERS = 4 };

typedef enum state { READY, IN_FLIGHT, BACKOFF, DONE, STATES } state;

struct tagoio_call {
    int references;
    tagoio_settings *settings;
    const tagoio_operation *operation;
    void *driver;
    tagoio_encoded_request encoded;
    tagoio_header own_headers[TAGOIO_OWN_HEADERS];
    tagoio_headers more_headers; /* the program's */
    tagoio_header *headers;      /* own_headers, or a block with room for all */
    state state;
    int64_t started_ms;
    int64_t deadline_ms;
    const char *deadline_name; /* the option that it is from; static */
    int64_t retry_at_ms;
    int64_t place; /* in the gate's line, when it is in it */
    bool in_line;
    int64_t begun_ms; /* the attempt that is out */
    bool in_queue;    /* the driver has not sent it yet */
    tagoio_response response;
    tagoio_outcome outcome; /* of the last attempt */
    tagoio_report report;
    tagoio_buffer message; /* the report's */
    int last_cost;         /* of the last retry, in the budget */
    unsigned retried;      /* a bit for each reason that this call was retried for */
    bool fresh;
    bool ambiguous;   /* an attempt may have been applied */
    bool over_budget; /* why it ended, as in tagoio_retry_decision */
    tagoio_retry_limit limit;
    int free_attempts;        /* after which the server asked for a wait */
    tagoio_attempt *attempts; /* as many as are allowed, or more */
};

static const char group_deadline[] = "deadline"; /* that is not the call's own */

static int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t later_of(int64_t a, int64_t b) { return a > b ? a : b; }

/* The only place that assigns the state. Events that are too late or too early have
   been refused before. */
static void transition(tagoio_call *call, state next) {
    static const bool allowed[STATES][STATES] = {
        [READY] = {[IN_FLIGHT] = true, [DONE] = true},
        [IN_FLIGHT] = {[BACKOFF] = true, [DONE] = true},
        [BACKOFF] = {[IN_FLIGHT] = true, [DONE] = true},
    };
    if (allowed[call->state][next]) {
        call->state = next;
    }
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

/* Two blocks: a malloc of a kilobyte tidies up what was freed each time, which costs
   2 000 instructions with glibc. */
static tagoio_call *allocate(int attempts, tagoio_error *err) {
    tagoio_call *call = malloc(sizeof *call);
    tagoio_attempt *records = malloc((size_t)attempts * sizeof *records);
    if (call == NULL || records == NULL) {
        free(call);
        free(records);
        tagoio_error_memory(err);
        return NULL;
    }
    *call =
        (tagoio_call){.references = 1, .retry_at_ms = INT64_MIN, .attempts = records};
    call->headers = call->own_headers;
    return call;
}

static bool has_token(const tagoio_settings *settings, const tagoio_operation *row,
                      tagoio_error *err) {
    return settings->options.token != NULL || row->token_rule != TAGOIO_TOKEN_NEEDED ||
           tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                            "%s: no token: this client has none", row->name);
}

static void leave_line(tagoio_call *call) {
    if (call->in_line) {
        call->in_line = false;
        tagoio_gate_leave(call->settings->gate);
    }
}

/* Back into the line where it was before. */
static void return_to_line(tagoio_call *call) {
    call->in_line = true;
    tagoio_gate_return(call->settings->gate);
}

tagoio_call *tagoio_call_new_row(tagoio_settings *settings, const tagoio_operation *row,
                                 json_t *arguments_take, int64_t now_ms,
                                 tagoio_error *err) {
    const tagoio_options *options = &settings->options;
    tagoio_call *call =
        has_token(settings, row, err) ? allocate(options->attempts, err) : NULL;
    if (call != NULL) {
        call->settings = tagoio_settings_ref(settings);
        call->operation = tagoio_operation_ref(row);
        call->started_ms = now_ms;
        call->deadline_ms = now_ms + options->timeout_ms;
        call->deadline_name = "timeout";
        tagoio_gates_forget(&settings->family->gates, now_ms);
        call->place = tagoio_gate_enter(settings->gate);
        call->in_line = true;
        call->response.body.limit = options->max_response_bytes;
        call->response.keep_headers =
            row->result == TAGOIO_RESULT_ANY || options->keep_headers;
        call->report.operation = row->name;
        call->report.method = row->method;
        call->report.path = tagoio_operation_path(row);
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

void tagoio_call_set_deadline(tagoio_call *call, int64_t deadline_ms) {
    if (deadline_ms < call->deadline_ms) {
        call->deadline_ms = deadline_ms;
        call->deadline_name = group_deadline;
    }
}

bool tagoio_call_take_headers(tagoio_call *call, tagoio_headers *headers) {
    size_t count = headers->count;
    tagoio_header *all = malloc((TAGOIO_OWN_HEADERS + count) * sizeof *all);
    call->more_headers = *headers;
    *headers = (tagoio_headers){.items = NULL};
    bool ok = all != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        ok = tagoio_secrets_add_header(&call->encoded.secrets,
                                       &call->more_headers.items[i]);
    }
    call->headers = all != NULL ? all : call->own_headers;
    return ok;
}

tagoio_call *tagoio_call_ref(tagoio_call *call) {
    call->references++;
    return call;
}

void tagoio_call_unref(tagoio_call *call) {
    if (call == NULL || --call->references > 0) {
        return;
    }
    leave_line(call);
    tagoio_encoded_request_clear(&call->encoded);
    tagoio_headers_clear(&call->more_headers);
    if (call->headers != call->own_headers) {
        free(call->headers);
    }
    tagoio_response_clear(&call->response);
    tagoio_outcome_clear(&call->outcome);
    tagoio_buffer_clear(&call->message);
    tagoio_settings_unref(call->settings);
    free(call->attempts);
    tagoio_operation_unref(call->operation);
    free(call);
}

/* When the gate lets it pass; in the past where it is open. */
static int64_t gate_ms(const tagoio_call *call) {
    return tagoio_gate_due_ms(call->settings->gate,
                              call->in_line ? call->place : TAGOIO_GATE_FRONT);
}

/* The limit that the gate's wait does not fit; without a name when it does. */
static tagoio_retry_limit gate_limit(const tagoio_call *call, int64_t now_ms) {
    int64_t longest_ms = call->settings->options.max_retry_after_ms;
    int64_t due_ms = gate_ms(call);
    int64_t asked_ms = tagoio_gate_asked_ms(call->settings->gate);
    if (asked_ms > now_ms + longest_ms) {
        return (tagoio_retry_limit){"max_retry_after", asked_ms - now_ms, longest_ms};
    }
    if (due_ms >= call->deadline_ms && now_ms < call->deadline_ms) {
        return (tagoio_retry_limit){call->deadline_name, due_ms - now_ms,
                                    call->deadline_ms - now_ms};
    }
    return (tagoio_retry_limit){.name = NULL};
}

/* It may not wait as long as it has to. */
static bool is_hopeless(const tagoio_call *call, int64_t now_ms) {
    return now_ms >= call->deadline_ms || gate_limit(call, now_ms).name != NULL;
}

tagoio_want tagoio_call_want(const tagoio_call *call, int64_t now_ms) {
    switch (call->state) {
    case IN_FLIGHT:
        return TAGOIO_WAIT;
    case READY:
    case BACKOFF:
        return now_ms >= tagoio_call_retry_at_ms(call) || is_hopeless(call, now_ms)
                   ? TAGOIO_BEGIN
                   : TAGOIO_BACKOFF;
    case DONE:
    case STATES:
        break;
    }
    return TAGOIO_DONE;
}

int64_t tagoio_call_retry_at_ms(const tagoio_call *call) {
    return later_of(call->retry_at_ms, gate_ms(call));
}

void tagoio_call_set_driver(tagoio_call *call, void *driver) { call->driver = driver; }

void *tagoio_call_driver(const tagoio_call *call) { return call->driver; }

static bool is_write(const tagoio_call *call) {
    return call->operation->retry_class != TAGOIO_RETRY_CLASS_SAFE;
}

/* Every header of every request, whoever sends it. Without a body it has no type. */
static size_t fill_headers(tagoio_call *call) {
    const tagoio_options *options = &call->settings->options;
    const tagoio_headers *more = &call->more_headers;
    size_t count = 0;
    if (options->token != NULL && call->operation->token_rule != TAGOIO_TOKEN_NEVER) {
        call->headers[count++] = (tagoio_header){"token", options->token};
    }
    call->headers[count++] = (tagoio_header){"User-Agent", options->user_agent};
    call->headers[count++] = (tagoio_header){"Accept", "application/json"};
    if (call->encoded.body.bytes != NULL) {
        call->headers[count++] = (tagoio_header){"Content-Type", "application/json"};
    }
    for (size_t i = 0; i < more->count; i++) {
        call->headers[count++] = more->items[i];
    }
    return count;
}

static void fill_request(tagoio_call *call, int64_t now_ms, tagoio_request *request) {
    const tagoio_options *options = &call->settings->options;
    const tagoio_operation *operation = call->operation;
    const tagoio_buffer *body = &call->encoded.body;
    bool announced = operation->method[0] == 'P'; /* POST, PUT, PATCH */
    int64_t left_ms = call->deadline_ms - now_ms; /* at least 1, or it is hopeless */
    int64_t timeout_ms = least_of(left_ms, options->attempt_timeout_ms);
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

static void leave_queue(tagoio_call *call, int64_t now_ms) {
    if (call->in_queue) {
        int64_t queued_ms = now_ms - call->begun_ms;
        call->in_queue = false;
        call->report.queued_ms += queued_ms;
        call->attempts[call->report.attempts - 1].queued_ms = queued_ms;
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

static void set_outcome(tagoio_call *call, tagoio_outcome outcome) {
    tagoio_outcome_clear(&call->outcome);
    call->outcome = outcome;
    call->report.retry_after_s = outcome.retry_after_s;
}

/* The attempt that was out is over: what is known of it, and of the call so far. */
static void record_attempt(tagoio_call *call, int64_t now_ms, int64_t delay_ms) {
    const tagoio_response *response = &call->response;
    tagoio_report *report = &call->report;
    tagoio_attempt *attempt = &call->attempts[report->attempts - 1];
    leave_queue(call, now_ms);
    attempt->kind = call->outcome.kind;
    attempt->status = response->status;
    attempt->body_bytes = response->body.length;
    attempt->elapsed_ms = now_ms - call->begun_ms;
    attempt->retry_delay_ms = delay_ms;
    tagoio_report_copy_id(attempt->request_id, response->request_id,
                          &call->encoded.secrets);
    report->request_id = attempt->request_id[0] != '\0' ? attempt->request_id : NULL;
    report->status = response->status;
    report->headers = response->headers;
}

/* Whether the deadline of a group of calls is what ended this one in flight. */
static bool deadline_passed(const tagoio_call *call, int64_t now_ms) {
    return call->outcome.kind == TAGOIO_ERROR_TIMEOUT && now_ms >= call->deadline_ms &&
           call->deadline_name == group_deadline;
}

/* The outcome of the last attempt, or of a cancelation, is that of the call. */
static void finish(tagoio_call *call, int64_t now_ms) {
    bool was_out = call->state == IN_FLIGHT;
    tagoio_report *report = &call->report;
    transition(call, DONE);
    leave_line(call);
    if (was_out) {
        record_attempt(call, now_ms, -1);
    }
    report->elapsed_ms = now_ms - call->started_ms;
    report->result = call->outcome.result;
    report->details = call->outcome.details;
    report->maybe_applied = call->ambiguous && call->outcome.kind != TAGOIO_ERROR_NONE;
    tagoio_explanation explanation = {.outcome = &call->outcome,
                                      .settings = call->settings,
                                      .secrets = &call->encoded.secrets,
                                      .deadline_passed =
                                          was_out && deadline_passed(call, now_ms),
                                      .over_budget = call->over_budget,
                                      .limit = call->limit};
    tagoio_report_explain(report, &explanation, &call->message);
    if (was_out) {
        call->attempts[report->attempts - 1].kind = report->kind;
    }
    tagoio_buffer_clear(&call->response.body);
}

/* Ends a call that must not be sent, or be sent again, because it would be too late. */
static void give_up(tagoio_call *call, int64_t now_ms) {
    call->limit = gate_limit(call, now_ms);
    if (call->report.attempts == 0) {
        set_outcome(call, tagoio_outcome_not_sent(
                              call->limit.name != NULL ? NULL : call->deadline_name));
        if (call->limit.name != NULL) {
            call->report.retry_after_s = (call->limit.wait_ms + 999) / 1000;
        }
    }
    finish(call, now_ms);
}

bool tagoio_call_begin(tagoio_call *call, int64_t now_ms, tagoio_request *request) {
    if (tagoio_call_want(call, now_ms) != TAGOIO_BEGIN) {
        return false;
    }
    if (is_hopeless(call, now_ms)) {
        give_up(call, now_ms);
        return false;
    }
    transition(call, IN_FLIGHT);
    tagoio_gate_pass(call->settings->gate, call->in_line, now_ms);
    call->in_line = false;
    tagoio_response_clear(&call->response);
    call->begun_ms = now_ms;
    call->in_queue = true;
    int number = ++call->report.attempts;
    call->attempts[number - 1] = (tagoio_attempt){.number = number};
    fill_request(call, now_ms, request);
    return true;
}

/* Before this request was sent the server has asked for a wait. */
static bool must_wait(const tagoio_call *call, int64_t now_ms) {
    return call->in_queue && tagoio_gate_asked_ms(call->settings->gate) > now_ms;
}

bool tagoio_call_sending(tagoio_call *call, int64_t now_ms) {
    if (call->state != IN_FLIGHT) {
        return false;
    }
    bool waits = must_wait(call, now_ms);
    leave_queue(call, now_ms);
    if (waits) {
        transition(call, BACKOFF);
        call->report.attempts--;
        return_to_line(call);
    }
    return !waits;
}

static void refund(tagoio_call *call) {
    int *budget = &call->settings->family->retry_budget;
    *budget += call->last_cost > 0 ? call->last_cost : 1;
    if (*budget > TAGOIO_RETRY_CAPACITY) {
        *budget = TAGOIO_RETRY_CAPACITY;
    }
}

static tagoio_retry_decision decide(const tagoio_call *call, const tagoio_now *now) {
    const tagoio_options *options = &call->settings->options;
    const tagoio_outcome *outcome = &call->outcome;
    return tagoio_retry_decide(&(tagoio_retry_context){
        .reason = outcome->reason,
        .retry_class = call->operation->retry_class,
        .attempts = call->report.attempts - call->free_attempts,
        .attempts_allowed = options->attempts,
        .already_retried = (call->retried >> outcome->reason & 1) != 0,
        .budget = call->settings->family->retry_budget,
        .hint_ms = outcome->retry_after_s < 0 ? -1 : outcome->retry_after_s * 1000,
        .max_hint_ms = options->max_retry_after_ms,
        .left_ms = call->deadline_ms - now->now_ms,
        .deadline_name = call->deadline_name,
        .wall_s = now->wall_s,
        .jitter = now->jitter,
    });
}

/* For all calls with this token, also when this one is not retried. */
static void close_gate(tagoio_call *call, int64_t now_ms,
                       const tagoio_retry_decision *decision) {
    if (decision->asked_ms > 0) {
        int64_t asked_ms = least_of(decision->asked_ms, TAGOIO_MAX_TIME_MS);
        int64_t delay_ms = later_of(decision->delay_ms, asked_ms);
        tagoio_gate_close(call->settings->gate, now_ms + asked_ms, now_ms + delay_ms);
    }
}

/* Room for one more attempt: those that are free are not among those allowed. */
static bool reserve_attempt(tagoio_call *call) {
    size_t count = (size_t)call->report.attempts;
    if (call->report.attempts < call->settings->options.attempts) {
        return true;
    }
    tagoio_attempt *more = realloc(call->attempts, (count + 1) * sizeof *more);
    call->attempts = more != NULL ? more : call->attempts;
    return more != NULL;
}

static void back_off(tagoio_call *call, int64_t now_ms,
                     const tagoio_retry_decision *decision) {
    tagoio_retry_rule rule = tagoio_retry_rule_of(call->outcome.reason);
    bool is_free = decision->asked_ms > 0;
    transition(call, BACKOFF);
    record_attempt(call, now_ms, decision->delay_ms);
    call->retry_at_ms = now_ms + decision->delay_ms;
    call->retried |= 1u << call->outcome.reason;
    call->fresh = rule.fresh;
    call->last_cost = is_free ? 0 : rule.cost;
    call->settings->family->retry_budget -= call->last_cost;
    if (is_free) {
        call->free_attempts++;
        return_to_line(call);
    }
}

/* An attempt is over and call->outcome says how: back off and retry, or finish. */
static void attempt_finished(tagoio_call *call, const tagoio_now *now, bool sent) {
    if (call->outcome.kind == TAGOIO_ERROR_NONE) {
        refund(call);
        finish(call, now->now_ms);
        return;
    }
    if (call->outcome.text.state == TAGOIO_BUFFER_NO_MEMORY) {
        tagoio_buffer_clear(&call->outcome.text);
        call->outcome.kind = TAGOIO_ERROR_MEMORY;
    }
    tagoio_retry_rule rule = tagoio_retry_rule_of(call->outcome.reason);
    call->ambiguous = call->ambiguous || (rule.ambiguous && sent && is_write(call));
    tagoio_retry_decision decision = decide(call, now);
    close_gate(call, now->now_ms, &decision);
    call->over_budget = decision.over_budget;
    call->limit = decision.limit;
    if (decision.delay_ms < 0) {
        finish(call, now->now_ms);
    } else if (!reserve_attempt(call)) {
        set_outcome(call, tagoio_outcome_of_kind(TAGOIO_ERROR_MEMORY));
        finish(call, now->now_ms);
    } else {
        back_off(call, now->now_ms, &decision);
    }
}

/* A warning may repeat the token that the result beside it gives. */
static void protect_result(tagoio_call *call) {
    tagoio_outcome *outcome = &call->outcome;
    if (outcome->kind == TAGOIO_ERROR_NONE && outcome->text.length > 0 &&
        !tagoio_secrets_add_members(&call->encoded.secrets, outcome->result)) {
        outcome->text.state = TAGOIO_BUFFER_NO_MEMORY;
    }
}

void tagoio_call_complete(tagoio_call *call, const tagoio_now *now) {
    if (call->state == IN_FLIGHT) {
        set_outcome(call,
                    tagoio_outcome_of_response(&call->response, call->operation->result,
                                               &call->encoded.secrets, now->wall_s));
        protect_result(call);
        attempt_finished(call, now, true);
    }
}

void tagoio_call_fail(tagoio_call *call, const tagoio_now *now,
                      const tagoio_failure *failure) {
    if (call->state == IN_FLIGHT) {
        set_outcome(call,
                    tagoio_outcome_of_failure(&call->response, failure, now->wall_s));
        attempt_finished(call, now, failure->sent);
    }
}

void tagoio_call_cancel(tagoio_call *call, int64_t now_ms) {
    if (call->state != DONE) {
        set_outcome(call, tagoio_outcome_of_kind(TAGOIO_ERROR_CANCELED));
        bool sent = call->state == IN_FLIGHT && !call->in_queue;
        call->ambiguous = call->ambiguous || (sent && is_write(call));
        finish(call, now_ms);
    }
}

const tagoio_attempt *tagoio_call_attempt(const tagoio_call *call, int number) {
    int over = call->report.attempts - (call->state == IN_FLIGHT);
    return number >= 1 && number <= over ? &call->attempts[number - 1] : NULL;
}

tagoio_report tagoio_call_report(const tagoio_call *call) { return call->report; }
