/* SPDX-License-Identifier: MIT */
/* A response as it comes in, and what it means. */
#ifndef TAGOIO_CORE_RESPONSE_H
#define TAGOIO_CORE_RESPONSE_H

#include "core/redact.h"
#include "core/retry.h"

#pragma GCC visibility push(hidden)

enum { TAGOIO_MAX_HEADER_VALUE_BYTES = 128 };

/* What the next line of the head is. */
typedef enum tagoio_head_state {
    TAGOIO_HEAD_STATUS,  /* a status line */
    TAGOIO_HEAD_INTERIM, /* a header of a 1xx response, or the end of them */
    TAGOIO_HEAD_FINAL,   /* the same of the response itself */
    TAGOIO_HEAD_OVER     /* a trailer: nothing in it counts */
} tagoio_head_state;

typedef struct tagoio_response {
    int status; /* of the response itself, 0: none */
    tagoio_head_state head_state;
    size_t head_bytes;
    char retry_after[TAGOIO_MAX_HEADER_VALUE_BYTES]; /* "": none */
    char request_id[TAGOIO_MAX_HEADER_VALUE_BYTES];
    bool keep_head;
    tagoio_buffer head; /* the lines of the headers, where keep_head asks for them */
    tagoio_buffer body;
    const char *refused; /* the limit that was passed, NULL: none */
} tagoio_response;

bool tagoio_response_head(tagoio_response *response, const char *line, size_t bytes);
bool tagoio_response_body(tagoio_response *response, const char *bytes, size_t count);

/* Forgets all but the limit of the body and keep_head. */
void tagoio_response_clear(tagoio_response *response);

/* The seconds that Retry-After asks for, -1: it is missing or makes no sense. A date
   that is past means now where the status is a refusal that passes, 429 or 503. */
int64_t tagoio_response_retry_after_s(const tagoio_response *response, int64_t wall_s);

/* What a response means. Owned by the caller, freed by tagoio_outcome_clear. */
typedef struct tagoio_outcome {
    tagoio_error_kind kind; /* TAGOIO_ERROR_NONE: success */
    tagoio_retry_reason reason;
    json_t *result;  /* of a success */
    json_t *details; /* of a failure whose body was JSON, without secrets */
    tagoio_buffer
        text;              /* why, for people, in the server's words where it has some,
                              without      secrets; of a success TagoIO's warning, as it came */
    int64_t retry_after_s; /* -1: nothing was said */
} tagoio_outcome;

tagoio_outcome tagoio_response_outcome(const tagoio_response *response,
                                       tagoio_result expected,
                                       const tagoio_secrets *secrets, int64_t wall_s);
void tagoio_outcome_clear(tagoio_outcome *outcome);

#pragma GCC visibility pop

#endif
