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

/* Adds to text what a parameter of the row sends for a value ("page=1", nothing for a
   flag that is false). False with an error of kind misuse, invalid or memory. */
bool tagoio_encode_parameter(tagoio_buffer *text, const tagoio_operation *operation,
                             const tagoio_parameter *parameter, const json_t *value,
                             tagoio_error *err);

/* As messages name what was given ("a list"); NULL is "nothing". */
const char *tagoio_json_type_name(const json_t *value);

void tagoio_encoded_request_clear(tagoio_encoded_request *encoded);

#pragma GCC visibility pop

#endif
