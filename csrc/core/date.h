/* SPDX-License-Identifier: MIT */
/* Dates as TagoIO and HTTP write them. The calendar is the proleptic Gregorian one. */
#ifndef TAGOIO_CORE_DATE_H
#define TAGOIO_CORE_DATE_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

enum { TAGOIO_DATE_BYTES = sizeof "2023-02-21T15:17:35.880Z" };

/* Seconds since 1970 as ISO-8601 in UTC with milliseconds. Kind invalid when it must be
   milliseconds (over 1e11) or lies outside the years 0 to 9999. */
bool tagoio_date_format(double seconds, char text[TAGOIO_DATE_BYTES],
                        tagoio_error *err);

/* An ISO-8601 date as seconds since 1970: a day, or a day and a time with an optional
   fraction and zone, UTC where none is said ("2023-02-21", "2023-02-21T15:17:35.880Z",
   "2023-02-21 12:17-03:00"). False when it is none. */
bool tagoio_date_parse(const char *text, double *seconds);

/* An HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 5.6.7) as seconds since 1970;
   false when it is none. */
bool tagoio_date_parse_http(const char *text, int64_t *seconds);

#pragma GCC visibility pop

#endif
