/* SPDX-License-Identifier: MIT */
/* Writing JSON into a buffer, and copies; tagoio.h has the other functions of JSON. */
#ifndef TAGOIO_CORE_JSON_H
#define TAGOIO_CORE_JSON_H

#include "core/buffer.h"

#pragma GCC visibility push(hidden)

/* Adds value to text as tagoio_json_encode writes it. */
bool tagoio_json_write(tagoio_buffer *text, const json_t *value, size_t indent,
                       tagoio_error *err);

/* A copy of a value; its members are shared. NULL: memory, also for one of its members,
   of which json_copy says nothing. */
json_t *tagoio_json_copy(const json_t *value);

#pragma GCC visibility pop

#endif
