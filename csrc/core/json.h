/* SPDX-License-Identifier: MIT */
/* Writing JSON into a buffer; the other functions of JSON are in tagoio.h. */
#ifndef TAGOIO_CORE_JSON_H
#define TAGOIO_CORE_JSON_H

#include "core/buffer.h"

#pragma GCC visibility push(hidden)

/* Adds value to text as tagoio_json_encode writes it. */
bool tagoio_json_write(tagoio_buffer *text, const json_t *value, size_t indent,
                       tagoio_error *err);

#pragma GCC visibility pop

#endif
