/* SPDX-License-Identifier: MIT */
/* The forms of a secret are not made in advance: the text is read character by
   character, undoing one form at a time, and compared as it is read. */
#include "core/echo.h"
#include "core/buffer.h"

#include <string.h>

typedef enum escapes { ESCAPES_NONE, ESCAPES_PERCENT, ESCAPES_JSON, ESCAPES } escapes;

/* Two layers: the escapes stand inside a page of HTML when html is set. */
typedef struct reader {
    const char *at;
    const char *end;
    bool html;
    escapes escapes;
} reader;

enum { longest_entity = 12 }; /* "&#x0010ffff;" */

static uint32_t named_entity(const char *name, size_t count) {
    static const struct {
        const char *name;
        char character;
    } names[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == count && memcmp(names[i].name, name, count) == 0) {
            return (uint32_t)names[i].character;
        }
    }
    return 0;
}

/* What is between "&#" and ";", which may be nothing. 0: not the number of a character.
 */
static uint32_t numeric_entity(const char *digits, size_t count) {
    bool is_hex = digits[0] == 'x' || digits[0] == 'X';
    uint32_t code = 0;
    for (size_t i = is_hex; i < count; i++) {
        int digit = tagoio_hex_value(digits[i]);
        if (digit < 0 || (!is_hex && digit > 9)) {
            return 0;
        }
        code = code * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    return code;
}

/* A byte of the text or the character of an entity, as UTF-8. 0: the text is over. */
static size_t read_plain(reader *r, char bytes[TAGOIO_UTF8_BYTES]) {
    if (r->at == r->end) {
        return 0;
    }
    bytes[0] = *r->at++;
    if (!r->html || bytes[0] != '&') {
        return 1;
    }
    size_t left = (size_t)(r->end - r->at);
    size_t most = left < longest_entity ? left : longest_entity;
    const char *end = memchr(r->at, ';', most);
    if (end == NULL) {
        return 1;
    }
    size_t count = (size_t)(end - r->at);
    uint32_t code = count > 0 && r->at[0] == '#' ? numeric_entity(r->at + 1, count - 1)
                                                 : named_entity(r->at, count);
    size_t encoded = code == 0 ? 0 : tagoio_utf8_encode(code, bytes);
    if (encoded == 0) {
        return 1;
    }
    r->at = end + 1;
    return encoded;
}

/* So many hex digits; -1: there are fewer. */
static int32_t read_hex(reader *r, int count) {
    int32_t value = 0;
    for (int i = 0; i < count; i++) {
        char bytes[TAGOIO_UTF8_BYTES];
        int digit = read_plain(r, bytes) == 1 ? tagoio_hex_value(bytes[0]) : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* What follows "\u". A character beyond the first 65536 takes two of them. */
static size_t read_json_unit(reader *r, char bytes[TAGOIO_UTF8_BYTES]) {
    int32_t code = read_hex(r, 4);
    if (code >= 0xd800 && code < 0xdc00) {
        char mark[TAGOIO_UTF8_BYTES];
        bool paired = read_plain(r, mark) == 1 && mark[0] == '\\' &&
                      read_plain(r, mark) == 1 && mark[0] == 'u';
        int32_t low = paired ? read_hex(r, 4) : -1;
        bool is_low = low >= 0xdc00 && low < 0xe000;
        code = is_low ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
    }
    return code < 0 ? 0 : tagoio_utf8_encode((uint32_t)code, bytes);
}

/* What follows "\". 0: it is not an escape. */
static size_t read_json_escape(reader *r, char bytes[TAGOIO_UTF8_BYTES]) {
    static const char names[] = "\"\\/bfnrt";
    static const char characters[] = "\"\\/\b\f\n\r\t";
    if (read_plain(r, bytes) != 1 || bytes[0] == '\0') {
        return 0;
    }
    if (bytes[0] == 'u') {
        return read_json_unit(r, bytes);
    }
    const char *name = strchr(names, bytes[0]);
    if (name == NULL) {
        return 0;
    }
    bytes[0] = characters[name - names];
    return 1;
}

static size_t read_percent(reader *r, char bytes[TAGOIO_UTF8_BYTES]) {
    int32_t byte = read_hex(r, 2);
    bytes[0] = (char)byte;
    return byte < 0 ? 0 : 1;
}

/* The next character or byte with its escape undone. What only looks like an escape
   stands for itself. */
static size_t read_next(reader *r, char bytes[TAGOIO_UTF8_BYTES]) {
    size_t count = read_plain(r, bytes);
    reader after = *r;
    char escaped[TAGOIO_UTF8_BYTES];
    size_t undone = 0;
    if (count == 1 && r->escapes == ESCAPES_PERCENT && bytes[0] == '%') {
        undone = read_percent(&after, escaped);
    } else if (count == 1 && r->escapes == ESCAPES_JSON && bytes[0] == '\\') {
        undone = read_json_escape(&after, escaped);
    }
    if (undone > 0) {
        memcpy(bytes, escaped, undone);
        *r = after;
        return undone;
    }
    return count;
}

static size_t match_form(const char *secret, size_t secret_bytes, reader r) {
    const char *start = r.at;
    for (size_t i = 0; i < secret_bytes;) {
        char bytes[TAGOIO_UTF8_BYTES];
        size_t count = read_next(&r, bytes);
        if (count == 1 && r.escapes == ESCAPES_PERCENT && bytes[0] == '+' &&
            secret[i] == ' ') {
            bytes[0] = ' ';
        }
        if (count == 0 || count > secret_bytes - i ||
            memcmp(secret + i, bytes, count) != 0) {
            return 0;
        }
        i += count;
    }
    return (size_t)(r.at - start);
}

static bool is_escape(char c) { return c == '%' || c == '+' || c == '\\' || c == '&'; }

/* Whether in this form a character may be the secret's, or begin what stands for it. */
static bool may_be(char wanted, char c, const reader *r) {
    return c == wanted || (r->html && c == '&') ||
           (r->escapes == ESCAPES_PERCENT && (c == '%' || c == '+')) ||
           (r->escapes == ESCAPES_JSON && c == '\\');
}

/* Up to the first escape all forms are the same, and most texts differ before it. */
size_t tagoio_echo_bytes(const char *secret, size_t secret_bytes, const char *text,
                         size_t text_bytes) {
    size_t same = 0;
    size_t most = secret_bytes < text_bytes ? secret_bytes : text_bytes;
    while (same < most && text[same] == secret[same] && !is_escape(text[same])) {
        same++;
    }
    if (same == most || !is_escape(text[same])) {
        return same == secret_bytes ? same : 0;
    }
    size_t longest = 0;
    for (int form = 0; form < 2 * ESCAPES; form++) {
        reader r = {.at = text,
                    .end = text + text_bytes,
                    .html = form >= ESCAPES,
                    .escapes = (escapes)(form % ESCAPES)};
        if (may_be(secret[same], text[same], &r)) {
            size_t bytes = match_form(secret, secret_bytes, r);
            longest = bytes > longest ? bytes : longest;
        }
    }
    return longest;
}
