/* SPDX-License-Identifier: MIT */
/* A response as it comes in. */
#ifndef TAGOIO_CORE_RESPONSE_H
#define TAGOIO_CORE_RESPONSE_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

enum { TAGOIO_MAX_HEADER_VALUE_BYTES = 128 };

/* What has come of it. */
typedef enum tagoio_response_state {
    TAGOIO_RESPONSE_NOTHING, /* or a 1xx response, of which nothing is kept */
    TAGOIO_RESPONSE_HEADERS,
    TAGOIO_RESPONSE_BODY
} tagoio_response_state;

typedef struct tagoio_response {
    int status; /* of the response itself, 0: none */
    tagoio_response_state state;
    size_t header_bytes;
    char retry_after[TAGOIO_MAX_HEADER_VALUE_BYTES]; /* "": none */
    char request_id[TAGOIO_MAX_HEADER_VALUE_BYTES];
    bool keep_headers;
    json_t *headers; /* where keep_headers asks for them */
    tagoio_buffer body;
    tagoio_error_kind refused; /* protocol: a limit was passed; memory; or none */
    const char *refusal;
} tagoio_response;

/* The events of tagoio.h. */
bool tagoio_response_status(tagoio_response *response, int status);
bool tagoio_response_header(tagoio_response *response, const char *name,
                            size_t name_bytes, const char *value, size_t value_bytes);
bool tagoio_response_body(tagoio_response *response, const char *bytes, size_t count);

/* Forgets all but the limit of the body and keep_headers. */
void tagoio_response_clear(tagoio_response *response);

/* The seconds that Retry-After asks for, -1: it is missing or invalid. A date
   that is past means now where the status is a refusal that passes, 429 or 503. */
int64_t tagoio_response_retry_after_s(const tagoio_response *response, int64_t wall_s);

/* The number that these decimal digits are; -1: not digits, or none. What is beyond
   2^31 counts as that (RFC 9111 1.2.2). */
int64_t tagoio_digits_value(const char *text, size_t count);

#pragma GCC visibility pop

#endif
