/* SPDX-License-Identifier: MIT */
/* Growing bytes with a ceiling. Growth copies and wipes: realloc would leave the old
   bytes behind. */
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

static const size_t first_capacity = 128;

void tagoio_wipe(void *memory, size_t bytes) {
    /* A call through a volatile pointer may not be left out. */
    static void *(*const volatile fill)(void *, int, size_t) = memset;
    fill(memory, 0, bytes);
}

static bool grow(tagoio_text *text, size_t needed) {
    size_t capacity = text->capacity > 0 ? text->capacity : first_capacity;
    while (capacity < needed) {
        capacity *= 2; /* needed <= limit + 1, far from overflow */
    }
    char *bytes = malloc(capacity);
    if (bytes == NULL) {
        text->failed = TAGOIO_MEMORY;
        return false;
    }
    if (text->length > 0) {
        memcpy(bytes, text->bytes, text->length);
    }
    if (text->bytes != NULL) {
        tagoio_wipe(text->bytes, text->length);
        free(text->bytes);
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

bool tagoio_text_add(tagoio_text *text, const char *bytes, size_t count) {
    if (text->failed != TAGOIO_NONE) {
        return false;
    }
    if (count > text->limit - text->length) {
        text->failed = TAGOIO_PROTOCOL;
        return false;
    }
    size_t needed = text->length + count + 1;
    if (needed > text->capacity && !grow(text, needed)) {
        return false;
    }
    if (count > 0) { /* of nothing, bytes may be NULL */
        memcpy(text->bytes + text->length, bytes, count);
    }
    text->length += count;
    text->bytes[text->length] = '\0';
    return true;
}

bool tagoio_text_add_string(tagoio_text *text, const char *string) {
    return tagoio_text_add(text, string, strlen(string));
}

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

bool tagoio_text_add_encoded(tagoio_text *text, const char *bytes, size_t count) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        bool plain = is_unreserved(bytes[i]);
        if (!tagoio_text_add(text, plain ? bytes + i : escape, plain ? 1 : 3)) {
            return false;
        }
    }
    return text->failed == TAGOIO_NONE;
}

void tagoio_text_clear(tagoio_text *text) {
    if (text->bytes != NULL) {
        tagoio_wipe(text->bytes, text->length);
        free(text->bytes);
    }
    *text = (tagoio_text){.limit = text->limit};
}

char *tagoio_string_copy(const char *string) {
    size_t bytes = strlen(string) + 1;
    char *copy = malloc(bytes);
    return copy == NULL ? NULL : memcpy(copy, string, bytes);
}

void tagoio_string_free(char *string) {
    if (string != NULL) {
        tagoio_wipe(string, strlen(string));
        free(string);
    }
}
