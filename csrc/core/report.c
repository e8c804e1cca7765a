/* SPDX-License-Identifier: MIT */
/* Messages, and the redaction of what servers and drivers say. */
#include "core/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char no_memory[] = "not enough memory";
static const char no_memory_for_warning[] = "a warning, but not enough memory for it";

/* The cut comes after the redaction, or the first half of a secret would stay. */
static void make_printable(tagoio_buffer *text) {
    if (text->length > 0) {
        text->length = tagoio_printable(text->bytes, TAGOIO_MAX_MESSAGE_BYTES,
                                        text->bytes, text->length);
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the buffer writes to it */
void tagoio_report_copy_id(char to[TAGOIO_MAX_REQUEST_ID_BYTES], const char *id,
                           const tagoio_secrets *secrets) {
    tagoio_buffer copy = {.bytes = to,
                          .capacity = TAGOIO_MAX_REQUEST_ID_BYTES,
                          .limit = TAGOIO_MAX_REQUEST_ID_BYTES - 1};
    tagoio_redact(secrets, id, strlen(id), &copy);
    make_printable(&copy);
}

/* Why there was no further attempt: "asked to wait 44 s; timeout leaves 12 s, " */
static void add_reason(tagoio_buffer *message, const tagoio_explanation *e) {
    char words[120] = "";
    if (e->limit.name != NULL) {
        bool is_time = strcmp(e->limit.name, "max_retry_after") != 0;
        snprintf(words, sizeof words,
                 "asked to wait %" PRId64 " s; %s %s %" PRId64 " s, ",
                 (e->limit.wait_ms + 999) / 1000, e->limit.name,
                 is_time ? "leaves" : "is", e->limit.allowed_ms / 1000);
    }
    tagoio_buffer_add_string(message, words);
    tagoio_buffer_add_string(message,
                             e->over_budget ? "the retry budget is spent, " : "");
    tagoio_buffer_add_string(message,
                             e->deadline_passed ? "the deadline has passed, " : "");
}

/* "profile.info: Authorization Denied (HTTP 401, api.tago.io)" and what matters. */
static bool write_failure(tagoio_buffer *message, const tagoio_report *report,
                          const tagoio_explanation *e, const tagoio_buffer *why) {
    char status[24] = "";
    char attempts[40] = "";
    if (report->status != 0) {
        snprintf(status, sizeof status, "HTTP %d, ", report->status);
    }
    if (report->attempts > 1) {
        snprintf(attempts, sizeof attempts, ", %d attempts", report->attempts);
    }
    tagoio_buffer_add_string(message, report->operation);
    tagoio_buffer_add_string(message, ": ");
    tagoio_buffer_add(message, why->bytes, why->length);
    tagoio_buffer_add_string(message, " (");
    tagoio_buffer_add_string(message, status);
    add_reason(message, e);
    tagoio_buffer_add(message, e->settings->host, e->settings->host_bytes);
    tagoio_buffer_add_string(message, attempts);
    tagoio_buffer_add_string(message, ")");
    if (e->outcome->details_left_out) {
        tagoio_buffer_add_string(message, "; its details are too large to be kept");
    }
    return tagoio_buffer_add_string(
        message, report->maybe_applied ? "; it may have been applied" : "");
}

static const char *words_of(const tagoio_outcome *outcome) {
    return outcome->text.length > 0 ? outcome->text.bytes
           : outcome->kind == TAGOIO_ERROR_MEMORY
               ? no_memory
               : tagoio_error_kind_name(outcome->kind);
}

/* False: memory. */
static bool explain(const tagoio_report *report, const tagoio_explanation *e,
                    tagoio_buffer *message) {
    const tagoio_buffer *text = &e->outcome->text;
    const char *words = words_of(e->outcome);
    size_t count = text->length > 0 ? text->length : strlen(words);
    tagoio_buffer why = {.limit = TAGOIO_MAX_MESSAGE_BYTES};
    bool ok = text->state == TAGOIO_BUFFER_OK &&
              tagoio_redact(e->secrets, words, count, &why);
    if (ok) {
        make_printable(&why);
        ok = report->kind != TAGOIO_ERROR_NONE
                 ? write_failure(message, report, e, &why)
                 : tagoio_buffer_add(message, why.bytes, why.length);
    }
    tagoio_buffer_clear(&why);
    return ok;
}

void tagoio_report_explain(tagoio_report *report, const tagoio_explanation *e,
                           tagoio_buffer *message) {
    const tagoio_buffer *text = &e->outcome->text;
    report->kind = e->outcome->kind;
    bool failed = report->kind != TAGOIO_ERROR_NONE;
    if (!failed && text->length == 0 && text->state == TAGOIO_BUFFER_OK) {
        return;
    }
    message->limit = TAGOIO_MAX_MESSAGE_BYTES + TAGOIO_MAX_URL_BYTES;
    if (explain(report, e, message)) {
        report->message = message->bytes;
    } else {
        report->message = failed ? no_memory : no_memory_for_warning;
        report->kind = failed ? TAGOIO_ERROR_MEMORY : TAGOIO_ERROR_NONE;
    }
}
