/* SPDX-License-Identifier: MIT */
/* A reader of JSON, within the limits of tagoio.h. Not json_loadb: jansson's scanner
   does not notice when its buffer cannot grow, so that without memory it drops a byte
   of a string or a number and says nothing. And it takes twice the instructions. */
#include "core/buffer.h"

#include <float.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

typedef struct parser {
    const char *start;
    const char *at;
    const char *end;
    tagoio_buffer scratch; /* the string or number that is being read */
    int depth;
    size_t values;
    tagoio_error *err;
} parser;

/* Always false. Columns count characters; what is missing is so at the last one. */
static bool refuse(const parser *p, const char *why) {
    const char *at = p->at < p->end || p->at == p->start ? p->at : p->end - 1;
    int line = 1;
    int column = p->start < p->end ? 1 : 0;
    for (const char *c = p->start; c < at; c++) {
        bool is_first = ((unsigned char)c[1] & 0xc0) != 0x80;
        line += *c == '\n';
        column = *c == '\n' ? 1 : column + is_first;
    }
    return tagoio_error_set(p->err, TAGOIO_ERROR_PROTOCOL,
                            "not JSON: line %d, column %d: %s", line, column, why);
}

static bool refuse_byte(const parser *p, const char *why) {
    tagoio_error text = {.kind = TAGOIO_ERROR_NONE};
    tagoio_error_set(&text, TAGOIO_ERROR_PROTOCOL, "%s 0x%02x", why,
                     (unsigned)(unsigned char)*p->at);
    return refuse(p, text.message);
}

static bool refuse_token(const parser *p) {
    return refuse(p, p->at == p->end ? "premature end of input" : "invalid token");
}

static void skip_blanks(parser *p) {
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) {
        p->at++;
    }
}

static bool take(parser *p, char c) {
    bool there = p->at < p->end && *p->at == c;
    p->at += there;
    return there;
}

static bool is_digit(const parser *p) {
    return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

/* ---- strings ---- */

/* Four hex digits; -1: there are fewer. */
static int32_t take_hex(parser *p) {
    int32_t code = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        int digit = p->at < p->end ? tagoio_hex_value(*p->at) : -1;
        if (digit < 0) {
            return -1;
        }
        code = code * 16 + digit;
    }
    return code;
}

/* What follows "\u"; a character beyond the first 65536 takes two of them. */
static bool take_unicode(parser *p, tagoio_buffer *to) {
    int32_t code = take_hex(p);
    if (code >= 0xd800 && code < 0xdc00) {
        int32_t low = take(p, '\\') && take(p, 'u') ? take_hex(p) : -1;
        bool is_low = low >= 0xdc00 && low < 0xe000;
        code = is_low ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
    }
    char bytes[TAGOIO_UTF8_BYTES];
    size_t count = code < 0 ? 0 : tagoio_utf8_encode((uint32_t)code, bytes);
    if (count == 0) {
        return refuse(p, "invalid Unicode escape");
    }
    return tagoio_buffer_add(to, bytes, count) || tagoio_error_memory(p->err);
}

/* What follows "\". */
static bool take_escape(parser *p, tagoio_buffer *to) {
    static const char names[] = "\"\\/bfnrt";
    static const char characters[] = "\"\\/\b\f\n\r\t";
    if (take(p, 'u')) {
        return take_unicode(p, to);
    }
    const char *name = p->at < p->end ? memchr(names, *p->at, sizeof names - 1) : NULL;
    if (name == NULL) {
        return refuse(p, p->at < p->end ? "invalid escape" : "premature end of input");
    }
    p->at++;
    return tagoio_buffer_add(to, characters + (name - names), 1) ||
           tagoio_error_memory(p->err);
}

/* Up to the next quote or backslash, as it is. */
static bool take_plain(parser *p, tagoio_buffer *to) {
    const char *from = p->at;
    while (p->at < p->end && *p->at != '"' && *p->at != '\\') {
        size_t count = tagoio_utf8_bytes(p->at, (size_t)(p->end - p->at));
        if (count == 0) {
            return refuse_byte(p, "unable to decode byte");
        }
        if (*p->at == '\n') {
            return refuse(p, "unexpected newline");
        }
        if ((unsigned char)*p->at < 0x20) {
            return refuse_byte(p, "control character");
        }
        p->at += count;
    }
    return tagoio_buffer_add(to, from, (size_t)(p->at - from)) ||
           tagoio_error_memory(p->err);
}

/* From the opening quote to the closing one. */
static bool take_string(parser *p, tagoio_buffer *to) {
    to->length = 0;
    p->at++;
    while (p->at < p->end && *p->at != '"') {
        if (!(take(p, '\\') ? take_escape(p, to) : take_plain(p, to))) {
            return false;
        }
    }
    if (!take(p, '"')) {
        return refuse(p, "premature end of input");
    }
    return tagoio_buffer_add(to, "", 0) || tagoio_error_memory(p->err);
}

static json_t *parse_string(parser *p) {
    if (!take_string(p, &p->scratch)) {
        return NULL;
    }
    return json_stringn_nocheck(p->scratch.bytes, p->scratch.length);
}

/* ---- numbers ---- */

static bool take_digits(parser *p) {
    bool some = is_digit(p);
    while (is_digit(p)) {
        p->at++;
    }
    return some;
}

/* Summed up below zero, where there is one number more. */
static json_t *parse_integer(const parser *p, const char *from) {
    bool is_negative = *from == '-';
    json_int_t value = 0;
    for (const char *c = from + is_negative; c < p->at; c++) {
        int digit = *c - '0';
        json_int_t least = is_negative ? INT64_MIN : -INT64_MAX;
        if (value < (least + digit) / 10) {
            refuse(p, is_negative ? "too big negative integer" : "too big integer");
            return NULL;
        }
        value = value * 10 - digit;
    }
    return json_integer(is_negative ? value : -value);
}

/* strtod wants the point of the locale. */
static json_t *parse_real(parser *p, const char *from) {
    p->scratch.length = 0;
    for (const char *c = from; c < p->at; c++) {
        if (*c == '.') {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe): unless another thread sets it */
            tagoio_buffer_add_string(&p->scratch, localeconv()->decimal_point);
        } else {
            tagoio_buffer_add(&p->scratch, c, 1);
        }
    }
    if (p->scratch.state != TAGOIO_BUFFER_OK) {
        return NULL;
    }
    double value = strtod(p->scratch.bytes, NULL);
    if (value > DBL_MAX || value < -DBL_MAX) {
        refuse(p, "real number overflow");
        return NULL;
    }
    return json_real(value);
}

static json_t *parse_number(parser *p) {
    const char *from = p->at;
    bool is_real = false;
    take(p, '-');
    bool valid = take(p, '0') || take_digits(p);
    if (valid && take(p, '.')) {
        is_real = true;
        valid = take_digits(p);
    }
    if (valid && (take(p, 'e') || take(p, 'E'))) {
        is_real = true;
        if (!take(p, '+')) {
            take(p, '-');
        }
        valid = take_digits(p);
    }
    if (!valid) {
        refuse_token(p);
        return NULL;
    }
    return is_real ? parse_real(p, from) : parse_integer(p, from);
}

/* ---- all values ---- */

/* NULL: the error says why, or there was no memory. */
static json_t *parse_value(parser *p);

/* "," or the end of a container; *done tells which. */
static bool take_separator(parser *p, char end, bool *done) {
    skip_blanks(p);
    *done = take(p, end);
    return *done || take(p, ',') || refuse_token(p);
}

static bool take_elements(parser *p, json_t *array) {
    p->at++;
    skip_blanks(p);
    bool done = take(p, ']');
    while (!done) {
        json_t *value = parse_value(p);
        if (value == NULL || json_array_append_new(array, value) != 0 ||
            !take_separator(p, ']', &done)) {
            return false;
        }
    }
    return true;
}

static bool take_key(parser *p, tagoio_buffer *key) {
    skip_blanks(p);
    if (p->at == p->end || *p->at != '"') {
        return refuse_token(p);
    }
    if (!take_string(p, key)) {
        return false;
    }
    if (memchr(key->bytes, '\0', key->length) != NULL) {
        return refuse(p, "NUL byte in object key not supported");
    }
    skip_blanks(p);
    return take(p, ':') || refuse_token(p);
}

/* Of members of the same name the last one counts. */
static bool take_members(parser *p, json_t *object, tagoio_buffer *key) {
    p->at++;
    skip_blanks(p);
    bool done = take(p, '}');
    while (!done) {
        json_t *value = take_key(p, key) ? parse_value(p) : NULL;
        if (value == NULL ||
            json_object_set_new_nocheck(object, key->bytes, value) != 0 ||
            !take_separator(p, '}', &done)) {
            return false;
        }
    }
    return true;
}

static json_t *parse_array(parser *p) {
    json_t *array = json_array();
    if (array != NULL && !take_elements(p, array)) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *parse_object(parser *p) {
    tagoio_buffer key = {.limit = TAGOIO_NO_LIMIT};
    json_t *object = json_object();
    if (object != NULL && !take_members(p, object, &key)) {
        json_decref(object);
        object = NULL;
    }
    tagoio_buffer_clear(&key);
    return object;
}

static json_t *parse_word(parser *p, const char *word, json_t *value) {
    size_t count = strlen(word);
    if ((size_t)(p->end - p->at) < count || memcmp(p->at, word, count) != 0) {
        refuse_token(p);
        return NULL;
    }
    p->at += count;
    return value;
}

static json_t *parse_scalar(parser *p) {
    switch (p->at < p->end ? *p->at : '\0') {
    case '"':
        return parse_string(p);
    case 't':
        return parse_word(p, "true", json_true());
    case 'f':
        return parse_word(p, "false", json_false());
    case 'n':
        return parse_word(p, "null", json_null());
    default:
        break;
    }
    if (is_digit(p) || (p->at < p->end && *p->at == '-')) {
        return parse_number(p);
    }
    refuse_token(p);
    return NULL;
}

/* jansson needs up to 47 times a text's size. */
static bool is_affordable(parser *p) {
    if (++p->values > TAGOIO_MAX_JSON_VALUES) {
        return tagoio_error_set(p->err, TAGOIO_ERROR_PROTOCOL,
                                "JSON of more than %u values", TAGOIO_MAX_JSON_VALUES);
    }
    return true;
}

static json_t *parse_container(parser *p) {
    if (p->depth == TAGOIO_MAX_JSON_DEPTH) {
        tagoio_error_set(p->err, TAGOIO_ERROR_PROTOCOL, "JSON nested more than %d deep",
                         TAGOIO_MAX_JSON_DEPTH);
        return NULL;
    }
    p->depth++;
    json_t *value = *p->at == '{' ? parse_object(p) : parse_array(p);
    p->depth--;
    return value;
}

static json_t *parse_value(parser *p) {
    skip_blanks(p);
    if (!is_affordable(p)) {
        return NULL;
    }
    bool is_container = p->at < p->end && (*p->at == '{' || *p->at == '[');
    return is_container ? parse_container(p) : parse_scalar(p);
}

json_t *tagoio_json_decode(const char *text, size_t bytes, tagoio_error *err) {
    tagoio_error why = {.kind = TAGOIO_ERROR_NONE};
    parser p = {.start = text,
                .at = text,
                .end = text + bytes,
                .scratch = {.limit = TAGOIO_NO_LIMIT},
                .err = &why};
    json_t *value = parse_value(&p);
    skip_blanks(&p);
    if (value != NULL && p.at != p.end) {
        refuse(&p, "end of file expected");
        json_decref(value);
        value = NULL;
    }
    if (value == NULL && why.kind == TAGOIO_ERROR_PROTOCOL) {
        tagoio_error_set(err, why.kind, "%s", why.message);
    } else if (value == NULL) {
        tagoio_error_memory(err);
    }
    tagoio_buffer_clear(&p.scratch);
    return value;
}
