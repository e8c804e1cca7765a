/* SPDX-License-Identifier: MIT */
/* What a request must be, told by other means than those that made it. */
#ifndef TAGOIO_SPEC_REQUEST_ORACLE_H
#define TAGOIO_SPEC_REQUEST_ORACLE_H

#include "core/operation.h"

/* Encodes the arguments and checks what comes of it: that they are refused where they
   should be, with a message that names the operation; else that the URL has the bytes
   of a URL alone, stays within the row's template, and decodes to the arguments, as the
   body does. True: they were taken. */
bool oracle_check(const tagoio_operation *row, const json_t *arguments);

/* Whether a parameter of this type takes the value. */
bool oracle_is_typed(tagoio_type type, const json_t *value);

#endif
