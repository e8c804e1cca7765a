/* SPDX-License-Identifier: MIT */
/* What must never be shown, and taking it out of what a server says. */
#ifndef TAGOIO_CORE_REDACT_H
#define TAGOIO_CORE_REDACT_H

#include "core/buffer.h"

#pragma GCC visibility push(hidden)

/* Zero-initialised it is empty. Shorter secrets than this are not kept: they would
   stand in every other word, and taking them out would only tell where they are. */
enum { TAGOIO_SHORTEST_SECRET = 4 };

typedef struct tagoio_secrets {
    const struct tagoio_secrets *outer; /* taken out as well; borrowed, may be NULL */
    tagoio_buffer *items; /* as they are, without blanks and line ends around them */
    size_t count;
} tagoio_secrets;

/* Remembers a secret. It is recognised in every form of core/echo.h. False: memory. */
bool tagoio_secrets_add(tagoio_secrets *secrets, const char *bytes, size_t count);

/* Remembers the value of a header, what follows a first word in it, as "Bearer", and
   the value of each cookie. False: memory. */
bool tagoio_secrets_add_header(tagoio_secrets *secrets, const tagoio_header *header);

/* True for the name of something that must never be shown ("token"). */
bool tagoio_secrets_is_name(const char *name);

/* Remembers what is in every member of value, at any depth, that is named like a
   secret. False: memory. */
bool tagoio_secrets_add_members(tagoio_secrets *secrets, const json_t *value);

/* Adds text to clean, *** for every secret, until clean is full: it costs what is
   shown, not what there is. False: memory. */
bool tagoio_redact(const tagoio_secrets *secrets, const char *text, size_t count,
                   tagoio_buffer *clean);

/* A copy of value whose strings, numbers and keys are scrubbed; NULL: memory. */
json_t *tagoio_redact_json(const tagoio_secrets *secrets, const json_t *value);

void tagoio_secrets_clear(tagoio_secrets *secrets);

#pragma GCC visibility pop

#endif
