/* SPDX-License-Identifier: MIT */
/* Dates as HTTP writes them; TagoIO's are in tagoio.h. */
#ifndef TAGOIO_CORE_DATE_H
#define TAGOIO_CORE_DATE_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* An HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 5.6.7) as seconds since 1970;
   false when text is not one. */
bool tagoio_date_parse_http(const char *text, int64_t *seconds);

#pragma GCC visibility pop

#endif
