/* SPDX-License-Identifier: MIT */
/* How an attempt ended: what a response or a failure means. */
#ifndef TAGOIO_CORE_OUTCOME_H
#define TAGOIO_CORE_OUTCOME_H

#include "core/redact.h"
#include "core/response.h"
#include "core/retry.h"

#pragma GCC visibility push(hidden)

/* Owned by the caller, freed by tagoio_outcome_clear. */
typedef struct tagoio_outcome {
    tagoio_error_kind kind;     /* TAGOIO_ERROR_NONE: success */
    tagoio_retry_reason reason; /* of a failure */
    json_t *result;             /* of a success */
    json_t *details;            /* of a failure whose body was JSON, without secrets */
    bool details_left_out;
    tagoio_buffer text;    /* why, in the server's words where it has some; of a success
                              TagoIO's warning. It may hold secrets */
    int64_t retry_after_s; /* of a failure; -1: nothing was said */
} tagoio_outcome;

tagoio_outcome tagoio_outcome_of_response(const tagoio_response *response,
                                          tagoio_result expected,
                                          const tagoio_secrets *secrets,
                                          int64_t wall_s);
tagoio_outcome tagoio_outcome_of_failure(const tagoio_response *response,
                                         const tagoio_failure *failure, int64_t wall_s);

/* A failure of which the kind says everything: canceled, memory. */
tagoio_outcome tagoio_outcome_of_kind(tagoio_error_kind kind);

/* Too late to be sent; passed is the option whose time is over, NULL: none yet. */
tagoio_outcome tagoio_outcome_not_sent(const char *passed);

void tagoio_outcome_clear(tagoio_outcome *outcome);

#pragma GCC visibility pop

#endif
