/* SPDX-License-Identifier: MIT */
/* From an operation's arguments to the bytes that go out. */
#ifndef TAGOIO_CORE_REQUEST_H
#define TAGOIO_CORE_REQUEST_H

#include "core/operation.h"
#include "core/redact.h"

#pragma GCC visibility push(hidden)

typedef struct tagoio_encoded_request {
    tagoio_buffer url;
    tagoio_buffer body; /* bytes NULL: none */
    tagoio_secrets secrets;
} tagoio_encoded_request;

/* Fills encoded, which are zero-initialised and freed by the caller in any case. False
   with an error of kind misuse, invalid or memory that names the operation and the
   argument. */
bool tagoio_encode_request(tagoio_encoded_request *encoded,
                           const tagoio_operation *operation, const char *base_url,
                           const json_t *arguments, tagoio_error *err);

void tagoio_encoded_request_clear(tagoio_encoded_request *encoded);

#pragma GCC visibility pop

#endif
