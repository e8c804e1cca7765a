/* SPDX-License-Identifier: MIT */
/* What is shown of a call: everything that is passes here, without its secrets. */
#ifndef TAGOIO_CORE_REPORT_H
#define TAGOIO_CORE_REPORT_H

#include "core/outcome.h"
#include "core/settings.h"

#pragma GCC visibility push(hidden)

/* What a message is made of, beside the facts of the report. */
typedef struct tagoio_explanation {
    const tagoio_outcome *outcome; /* of the last attempt */
    const tagoio_settings *settings;
    const tagoio_secrets *secrets;
    bool deadline_passed;     /* of a group of calls: that ended it in flight */
    bool over_budget;         /* why there was no further attempt, */
    tagoio_retry_limit limit; /* as in tagoio_retry_decision */
} tagoio_explanation;

/* Fills kind and message of a report whose other facts are there: why a call failed, or
   the warning beside a success. message owns the text. Without memory the message says
   so, and the kind of a failure is memory. */
void tagoio_report_explain(tagoio_report *report, const tagoio_explanation *explanation,
                           tagoio_buffer *message);

/* Copies an id that the server chose. Needs no memory. */
void tagoio_report_copy_id(char to[TAGOIO_MAX_REQUEST_ID_BYTES], const char *id,
                           const tagoio_secrets *secrets);

#pragma GCC visibility pop

#endif
