/* SPDX-License-Identifier: MIT */
/* Growing bytes with a ceiling, for everything that may hold a secret: wiped when
 * freed. */
#ifndef TAGOIO_CORE_BUFFER_H
#define TAGOIO_CORE_BUFFER_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* An addition that does not fit sets failed, and those after it do nothing: build
   first, ask once. Zero-initialised with a limit it is ready. */
typedef struct tagoio_buffer {
    char *bytes; /* NUL-terminated once something was added, NULL before */
    size_t length;
    size_t capacity;
    size_t limit;             /* the most bytes it takes */
    tagoio_error_kind failed; /* none, memory, or protocol: past the limit */
} tagoio_buffer;

bool tagoio_buffer_add(tagoio_buffer *text, const char *bytes, size_t count);
bool tagoio_buffer_add_string(tagoio_buffer *text, const char *string);

/* Allocates nothing, unlike jansson's own check. */
bool tagoio_is_utf8(const char *text, size_t count);

/* Percent-encodes all but RFC 3986's unreserved characters. */
bool tagoio_buffer_add_encoded(tagoio_buffer *text, const char *bytes, size_t count);

/* Forgets the contents, keeps the limit. */
void tagoio_buffer_clear(tagoio_buffer *text);

enum { TAGOIO_UTF8_BYTES = 4 };

/* How many bytes the UTF-8 character takes that text begins with; 0: it is not one. */
size_t tagoio_utf8_bytes(const char *text, size_t count);

/* Writes a character as UTF-8. Its bytes; 0: there is no such character. */
size_t tagoio_utf8_encode(uint32_t code, char bytes[TAGOIO_UTF8_BYTES]);

/* Of a hex digit in either case; -1: it is none. */
int tagoio_hex_value(char c);

/* Overwrites memory in a way that the compiler keeps. */
void tagoio_wipe(void *memory, size_t bytes);

/* A copy of a string, NULL when out of memory; freed, and its secrets wiped, by the
   other one, which accepts NULL. */
char *tagoio_string_copy(const char *string);
void tagoio_string_free(char *string);

#pragma GCC visibility pop

#endif
