/* SPDX-License-Identifier: MIT */
/* Growing bytes with a ceiling. Growth copies and wipes: realloc would leave the old
   bytes behind. */
#include "core/buffer.h"

#include <stdlib.h>
#include <string.h>

static const size_t first_capacity = 128;

void tagoio_wipe(void *memory, size_t bytes) {
    /* A call through a volatile pointer may not be left out. */
    static void *(*const volatile fill)(void *, int, size_t) = memset;
    fill(memory, 0, bytes);
}

/* All of it: behind the end may be what was there before it became shorter. */
static void release(tagoio_buffer *buffer) {
    tagoio_wipe(buffer->bytes, buffer->capacity);
    free(buffer->bytes);
}

static bool grow(tagoio_buffer *buffer, size_t needed) {
    size_t capacity = first_capacity;
    while (capacity < needed) {
        capacity *= 2; /* needed <= limit + 1, far from overflow */
    }
    char *bytes = malloc(capacity);
    if (bytes == NULL) {
        buffer->state = TAGOIO_BUFFER_NO_MEMORY;
        return false;
    }
    if (buffer->bytes != NULL) {
        memcpy(bytes, buffer->bytes, buffer->length);
        release(buffer);
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

bool tagoio_buffer_add(tagoio_buffer *buffer, const char *bytes, size_t count) {
    if (buffer->state != TAGOIO_BUFFER_OK) {
        return false;
    }
    if (count > buffer->limit - buffer->length) {
        buffer->state = TAGOIO_BUFFER_FULL;
        return false;
    }
    size_t needed = buffer->length + count + 1;
    if (needed > buffer->capacity && !grow(buffer, needed)) {
        return false;
    }
    if (count > 0) { /* of nothing, bytes may be NULL */
        memcpy(buffer->bytes + buffer->length, bytes, count);
    }
    buffer->length += count;
    buffer->bytes[buffer->length] = '\0';
    return true;
}

bool tagoio_buffer_add_string(tagoio_buffer *buffer, const char *string) {
    return tagoio_buffer_add(buffer, string, strlen(string));
}

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void tagoio_buffer_add_encoded(tagoio_buffer *buffer, const char *bytes, size_t count) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        bool plain = is_unreserved(bytes[i]);
        tagoio_buffer_add(buffer, plain ? bytes + i : escape, plain ? 1 : 3);
    }
}

void tagoio_buffer_clear(tagoio_buffer *buffer) {
    if (buffer->bytes != NULL) {
        release(buffer);
    }
    *buffer = (tagoio_buffer){.limit = buffer->limit};
}

size_t tagoio_utf8_bytes(const char *text, size_t count) {
    static const uint32_t least[] = {[2] = 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t bytes = first < 0x80   ? 1
                   : first < 0xc2 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                                  : 4;
    if (bytes < 2 || bytes > count) {
        return bytes > count ? 0 : bytes;
    }
    uint32_t code = first & (0xffu >> bytes); /* of 0xf8 on, too great */
    for (size_t i = 1; i < bytes; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (next & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[bytes] || code > 0x10ffff || surrogate ? 0 : bytes;
}

char tagoio_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool tagoio_is_name(const char *name, const char *bytes, size_t count) {
    if (strlen(name) != count) { /* compare no further: it may hold a NUL */
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (tagoio_lower(name[i]) != tagoio_lower(bytes[i])) {
            return false;
        }
    }
    return true;
}

bool tagoio_is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void tagoio_trim(const char **text, size_t *count) {
    while (*count > 0 && tagoio_is_blank(**text)) {
        ++*text;
        --*count;
    }
    while (*count > 0 && tagoio_is_blank((*text)[*count - 1])) {
        --*count;
    }
}

int tagoio_hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

size_t tagoio_utf8_encode(uint32_t code, char bytes[TAGOIO_UTF8_BYTES]) {
    static const unsigned char marks[] = {[2] = 0xc0, 0xe0, 0xf0};
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return 0;
    }
    size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = count; i > 1; i--) {
        bytes[i - 1] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (char)(marks[count] | code);
    return count;
}

bool tagoio_is_utf8(const char *text, size_t count) {
    size_t i = 0;
    size_t bytes = 1;
    while (i < count && bytes > 0) {
        bytes = tagoio_utf8_bytes(text + i, count - i);
        i += bytes;
    }
    return bytes > 0;
}

/* C0, DEL, C1, the separators of lines and paragraphs, and what is invisible: of no
   width, or a change of direction. */
static bool is_control(const char *text, size_t bytes) {
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},    {0x200b, 0x200f},
                  {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}};
    uint32_t code =
        bytes > 1 ? (unsigned char)text[0] & (0x7fu >> bytes) : (unsigned char)text[0];
    for (size_t i = 1; i < bytes; i++) {
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

size_t tagoio_printable(char *to, size_t size, const char *text, size_t count) {
    size_t length = 0;
    for (size_t i = 0; i < count;) {
        size_t bytes = tagoio_utf8_bytes(text + i, count - i);
        bool shown = bytes > 0 && !is_control(text + i, bytes);
        size_t added = shown ? bytes : 1;
        if (length + added >= size) {
            break;
        }
        if (shown) {
            memmove(to + length, text + i, bytes);
        } else {
            to[length] = bytes == 0 ? '?' : ' ';
        }
        length += added;
        i += bytes > 0 ? bytes : 1;
    }
    to[length] = '\0';
    return length;
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
