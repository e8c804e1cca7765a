/* SPDX-License-Identifier: MIT */
/* An answer as it comes in, and what it means. */
#ifndef TAGOIO_CORE_ANSWER_H
#define TAGOIO_CORE_ANSWER_H

#include "core/policy.h"
#include "core/secrets.h"

#pragma GCC visibility push(hidden)

enum { TAGOIO_MAX_HEADER_VALUE = 128 };

/* What the next line of the head is. */
typedef enum tagoio_head_state {
    TAGOIO_HEAD_STATUS,  /* a status line */
    TAGOIO_HEAD_INTERIM, /* a header of a 1xx response, or the end of them */
    TAGOIO_HEAD_FINAL,   /* the same of the response itself */
    TAGOIO_HEAD_OVER     /* a trailer: nothing in it counts */
} tagoio_head_state;

typedef struct tagoio_answer {
    int status; /* of the response itself, 0: none */
    tagoio_head_state head_state;
    size_t head_bytes;
    char retry_after[TAGOIO_MAX_HEADER_VALUE]; /* "": none */
    char request_id[TAGOIO_MAX_HEADER_VALUE];
    bool keep_head;
    tagoio_text head; /* the lines of the headers, where keep_head asks for them */
    tagoio_text body;
    const char *refused; /* the limit that was passed, NULL: none */
} tagoio_answer;

bool tagoio_answer_head(tagoio_answer *answer, const char *line, size_t bytes);
bool tagoio_answer_feed(tagoio_answer *answer, const char *bytes, size_t count);

/* Forgets all but the limit of the body and keep_head. */
void tagoio_answer_clear(tagoio_answer *answer);

/* The seconds that Retry-After asks for, -1: it is missing or makes no sense. A date
   that is past means now where the status is a refusal that passes, 429 or 503. */
int64_t tagoio_answer_retry_after_s(const tagoio_answer *answer, int64_t wall_s);

/* What an answer means. Owned by the caller, freed by tagoio_reading_clear. */
typedef struct tagoio_reading {
    tagoio_kind kind; /* TAGOIO_NONE: success */
    tagoio_cause cause;
    json_t *result;  /* of a success */
    json_t *details; /* of a failure whose body was JSON, without secrets */
    tagoio_text
        text;              /* why, for people, in the server's words where it has some,
                              without      secrets; of a success TagoIO's warning, as it came */
    int64_t retry_after_s; /* -1: nothing was said */
} tagoio_reading;

tagoio_reading tagoio_answer_read(const tagoio_answer *answer, tagoio_result expected,
                                  const tagoio_secrets *secrets, int64_t wall_s);
void tagoio_reading_clear(tagoio_reading *reading);

#pragma GCC visibility pop

#endif
