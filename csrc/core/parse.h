/* SPDX-License-Identifier: MIT */
/* JSON text to jansson's values. */
#ifndef TAGOIO_CORE_PARSE_H
#define TAGOIO_CORE_PARSE_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Text that is nested at most TAGOIO_MAX_JSON_DEPTH deep. NULL with an error of kind
   protocol, which says where and why but shows nothing of the text, or memory. */
json_t *tagoio_parse(const char *text, size_t bytes, tagoio_error *err);

#pragma GCC visibility pop

#endif
