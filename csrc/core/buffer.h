/* SPDX-License-Identifier: MIT */
/* Text inside the core: percent-encoding, UTF-8, hex digits, names. Buffers are in
   tagoio.h. */
#ifndef TAGOIO_CORE_BUFFER_H
#define TAGOIO_CORE_BUFFER_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* The limit of a buffer whose contents have one already, that of their source. A half,
   so that a capacity can be doubled without overflow. */
#define TAGOIO_NO_LIMIT (SIZE_MAX / 2)

/* Percent-encodes all but RFC 3986's unreserved characters. */
void tagoio_buffer_add_encoded(tagoio_buffer *buffer, const char *bytes, size_t count);

enum { TAGOIO_UTF8_BYTES = 4 };

/* How many bytes the UTF-8 character takes that text begins with; 0: it is not one. */
size_t tagoio_utf8_bytes(const char *text, size_t count);

/* Writes a character as UTF-8. Its bytes; 0: there is no such character. */
size_t tagoio_utf8_encode(uint32_t code, char bytes[TAGOIO_UTF8_BYTES]);

/* Of a hex digit in either case; -1: it is not one. */
int tagoio_hex_value(char c);

/* An ASCII letter in lower case; any other byte as it is. */
char tagoio_lower(char c);

/* Whether so many bytes are this name, in whatever case. */
bool tagoio_is_name(const char *name, const char *bytes, size_t count);

/* A blank, a tab, or a part of a line's end. */
bool tagoio_is_blank(char c);

/* Leaves out the blanks around a text. */
void tagoio_trim(const char **text, size_t *count);

#pragma GCC visibility pop

#endif
