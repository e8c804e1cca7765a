/* SPDX-License-Identifier: MIT */
/* From an operation's arguments to the bytes that go out. */
#ifndef TAGOIO_CORE_REQUEST_H
#define TAGOIO_CORE_REQUEST_H

#include "core/operation.h"
#include "core/secrets.h"

#pragma GCC visibility push(hidden)

typedef struct tagoio_parts {
    tagoio_text url;
    tagoio_text body; /* bytes NULL: none */
    tagoio_secrets secrets;
} tagoio_parts;

/* Fills parts, which are zero-initialised and freed by the caller in any case. False
   with an error of kind misuse, invalid or memory that names the operation and the
   argument. */
bool tagoio_parts_build(tagoio_parts *parts, const tagoio_operation *operation,
                        const char *base_url, const json_t *arguments,
                        tagoio_error *err);

void tagoio_parts_clear(tagoio_parts *parts);

#pragma GCC visibility pop

#endif
