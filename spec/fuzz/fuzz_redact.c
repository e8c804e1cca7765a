/* SPDX-License-Identifier: MIT */
/* Secrets in what a server says. A secret stands in a text in one of the forms that the
   manual names, each character escaped or not as the input says; what is shown is then
   read in each of the forms by decoders of our own, and the secret is in none of them.
 */
#define _GNU_SOURCE /* memmem */
#include "core/redact.h"
#include "fuzz.h"
#include "support/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN, PERCENT, JSON, FORMS };

typedef struct text {
    char bytes[8192];
    size_t length;
} text;

static void add(text *to, const char *bytes, size_t count) {
    fuzz_check(to->length + count < sizeof to->bytes);
    memcpy(to->bytes + to->length, bytes, count);
    to->length += count;
    to->bytes[to->length] = '\0';
}

static void add_string(text *to, const char *string) {
    add(to, string, strlen(string));
}

/* ---- writing a secret ---- */

static void write_percent(text *to, fuzz_input *in, const char *secret, size_t count) {
    for (size_t i = 0; i < count; i++) {
        unsigned choice = fuzz_below(in, 4);
        char escape[4];
        snprintf(escape, sizeof escape, choice & 1 ? "%%%02x" : "%%%02X",
                 (unsigned char)secret[i]);
        if (secret[i] == ' ' && choice == 0) {
            add_string(to, "+");
        } else if (choice == 3 || secret[i] == '%') {
            add_string(to, escape);
        } else {
            add(to, secret + i, 1);
        }
    }
}

/* The character at secret as \uXXXX, twice beyond the first 65536. */
static void write_unit(text *to, const char *secret, size_t bytes, bool upper) {
    static const unsigned masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned code = (unsigned char)secret[0] & masks[bytes];
    char units[16];
    for (size_t i = 1; i < bytes; i++) {
        code = code << 6 | ((unsigned char)secret[i] & 0x3f);
    }
    if (code > 0xffff) {
        unsigned high = 0xd800 + ((code - 0x10000) >> 10);
        snprintf(units, sizeof units, upper ? "\\u%04X\\u%04X" : "\\u%04x\\u%04x", high,
                 0xdc00 + (code & 0x3ff));
    } else {
        snprintf(units, sizeof units, upper ? "\\u%04X" : "\\u%04x", code);
    }
    add_string(to, units);
}

static void write_json(text *to, fuzz_input *in, const char *secret, size_t count) {
    static const char names[] = "\"\\/\b\f\n\r\t";
    static const char escapes[] = "\"\\/bfnrt";
    for (size_t i = 0; i < count;) {
        unsigned choice = fuzz_below(in, 4);
        size_t bytes = tagoio_utf8_bytes(secret + i, count - i);
        const char *name = secret[i] != '\0' ? strchr(names, secret[i]) : NULL;
        bool must = (unsigned char)secret[i] < 32 || strchr("\"\\", secret[i]) != NULL;
        if (name != NULL && (choice == 2 || (must && choice < 2))) {
            add_string(to, "\\");
            add(to, escapes + (name - names), 1);
        } else if (choice == 3 || must) {
            write_unit(to, secret + i, bytes, choice & 1);
        } else {
            add(to, secret + i, bytes);
        }
        i += bytes;
    }
}

/* HTML around what is written already. */
static void write_html(text *to, fuzz_input *in, const text *inner) {
    static const char names[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    for (size_t i = 0; i < inner->length; i++) {
        const char *c = inner->bytes + i;
        unsigned choice = fuzz_below(in, 4);
        const char *name = *c != '\0' ? strchr(names, *c) : NULL;
        char entity[12];
        snprintf(entity, sizeof entity, choice & 1 ? "&#x%x;" : "&#%u;",
                 (unsigned)(unsigned char)*c);
        if (name != NULL && (*c == '&' || choice == 1)) {
            add_string(to, entities[name - names]);
        } else if (choice >= 2 && *c > 0) {
            add_string(to, entity);
        } else {
            add(to, c, 1);
        }
    }
}

/* ---- reading a text ---- */

static void put_utf8(text *to, unsigned code) {
    char bytes[5] = {0};
    json_t *string;
    char literal[32];
    if (code > 0xffff) {
        snprintf(literal, sizeof literal, "\"\\u%04x\\u%04x\"",
                 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
    } else {
        snprintf(literal, sizeof literal, "\"\\u%04x\"", code);
    }
    string = json_loads(literal, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    fuzz_check(string != NULL && json_string_length(string) <= 4);
    memcpy(bytes, json_string_value(string), json_string_length(string));
    add(to, bytes, json_string_length(string));
    json_decref(string);
}

static text read_html(const text *from) {
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    text to = {.length = 0};
    for (size_t i = 0; i < from->length;) {
        unsigned code = 0;
        int bytes = 0;
        const char *at = from->bytes + i;
        for (int k = 0; k < 5; k++) {
            if (strncmp(at, entities[k], strlen(entities[k])) == 0) {
                code = (unsigned char)"&<>\"'"[k];
                bytes = (int)strlen(entities[k]);
            }
        }
        if (strncmp(at, "&#", 2) == 0 && strspn(at + 2, "0123456789") > 0) {
            sscanf(at, "&#%7u;%n", &code, &bytes);
        } else if (strncmp(at, "&#x", 3) == 0 &&
                   strspn(at + 3, "0123456789abcdefABCDEF") > 0) {
            sscanf(at, "&#x%6x;%n", &code, &bytes);
        }
        bool ok =
            bytes > 0 && code > 0 && code < 0x110000 && (code & ~0x7ffu) != 0xd800;
        if (ok) {
            put_utf8(&to, code);
        } else {
            add(&to, at, 1);
        }
        i += ok ? (size_t)bytes : 1;
    }
    return to;
}

static text read_percent(const text *from, bool plus) {
    static const char hex[] = "0123456789abcdefABCDEF";
    text to = {.length = 0};
    for (size_t i = 0; i < from->length; i++) {
        const char *at = from->bytes + i;
        unsigned code = (unsigned char)*at;
        if (*at == '%' && strspn(at + 1, hex) >= 2) {
            sscanf(at + 1, "%2x", &code);
            i += 2;
        } else if (*at == '+' && plus) {
            code = ' ';
        }
        add(&to, &(char){(char)code}, 1);
    }
    return to;
}

/* What jansson makes of one escape; else the character itself. */
static text read_json(const text *from) {
    text to = {.length = 0};
    for (size_t i = 0; i < from->length;) {
        const char *at = from->bytes + i;
        size_t bytes = *at != '\\'                                              ? 0
                       : at[1] != 'u'                                           ? 2
                       : (at[2] | 32) == 'd' && strchr("89abAB", at[3]) != NULL ? 12
                                                                                : 6;
        char literal[20];
        bytes = bytes <= from->length - i ? bytes : 0;
        int length = snprintf(literal, sizeof literal, "\"%.*s\"", (int)bytes, at);
        json_t *string = bytes == 0
                             ? NULL
                             : json_loadb(literal, (size_t)length,
                                          JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        bool ok = string != NULL && json_string_length(string) > 0;
        add(&to, ok ? json_string_value(string) : at,
            ok ? json_string_length(string) : 1);
        i += ok ? bytes : 1;
        json_decref(string);
    }
    return to;
}

static void check_absent(const char *shown, size_t count, const fuzz_string *secret) {
    text plain = {.length = 0};
    add(&plain, shown, count);
    text html = read_html(&plain);
    const text *layers[] = {&plain, &html};
    for (int i = 0; i < 2; i++) {
        text forms[] = {*layers[i], read_percent(layers[i], false),
                        read_percent(layers[i], true), read_json(layers[i])};
        for (int form = 0; form < 4; form++) {
            fuzz_check(memmem(forms[form].bytes, forms[form].length, secret->bytes,
                              secret->length) == NULL);
        }
    }
}

/* ---- the two ways that texts go ---- */

static void check_redact(const fuzz_string *secret, const text *said) {
    tagoio_secrets secrets = {.outer = NULL};
    tagoio_buffer clean = {.limit = 4 * sizeof said->bytes};
    fuzz_check(tagoio_secrets_add(&secrets, secret->bytes, secret->length));
    fuzz_check(tagoio_redact(&secrets, said->bytes, said->length, &clean));
    check_absent(clean.bytes != NULL ? clean.bytes : "", clean.length, secret);
    fuzz_check(clean.bytes != NULL && memmem(clean.bytes, clean.length, "***", 3));
    tagoio_buffer_clear(&clean);
    tagoio_secrets_clear(&secrets);
}

static json_t *body_of(unsigned shape, const text *said) {
    json_t *message = json_stringn(said->bytes, said->length);
    switch (shape) {
    case 0:
        return json_pack("{s: b, s: o}", "status", 0, "message", message);
    case 1:
        return json_pack("{s: b, s: {s: o}}", "status", 0, "result", "message",
                         message);
    case 2:
        return json_pack("{s: {s: [o, i]}}", "field_errors", "name", message, 1);
    default:
        return json_pack("{s: b, s: {}, s: o}", "status", 1, "result", "message",
                         message);
    }
}

/* In each string: between the escapes of their JSON a secret may seem to stand. */
static void check_strings(const json_t *value, const fuzz_string *secret) {
    size_t i;
    const char *key;
    json_t *inner;
    if (json_is_string(value)) {
        check_absent(json_string_value(value), json_string_length(value), secret);
    }
    json_array_foreach((json_t *)value, i, inner) { check_strings(inner, secret); }
    json_object_foreach((json_t *)value, key, inner) { check_strings(inner, secret); }
}

/* A whole call whose body has the secret as a password. */
static void check_call(fuzz_input *in, const fuzz_string *secret, const text *said) {
    json_t *password = json_stringn(secret->bytes, secret->length);
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = tagoio_call_new(
        settings, "profile.tokenCreate",
        json_pack("[s, {s: [o]}]", "5f2a", "password", password), 0, NULL);
    tagoio_now now = play_now(1);
    unsigned shape = fuzz_below(in, 6);
    json_t *body = body_of(shape, said);
    char *json = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    play_begin(call, 0);
    tagoio_call_header(call, "X-Request-Id", 12, said->bytes, said->length);
    if (shape == 5) {
        tagoio_failure failure = {TAGOIO_FAILURE_BROKEN, said->bytes, false, true};
        tagoio_call_fail(call, &now, &failure);
    } else {
        tagoio_call_status(call, shape == 3 ? 200 : 422);
        bool is_page = shape == 4 || json == NULL;
        tagoio_call_body(call, is_page ? said->bytes : json,
                         is_page ? said->length : strlen(json));
        tagoio_call_complete(call, &now);
    }
    tagoio_report report = tagoio_call_report(call);
    const char *message = report.message != NULL ? report.message : "";
    check_absent(message, strlen(message), secret);
    check_strings(report.details, secret);
    const char *id = tagoio_call_attempt(call, 1)->request_id;
    check_absent(id, strlen(id), secret);
    json_decref(body);
    free(json);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* Blanks around it and the mask itself are no part of a secret here. */
static bool is_secret(const fuzz_string *secret) {
    return secret->length >= TAGOIO_SHORTEST_SECRET &&
           strspn(secret->bytes, " \t\r\n") == 0 && secret->bytes[0] != '\0' &&
           strchr(" \t\r\n", secret->bytes[secret->length - 1]) == NULL &&
           memchr(secret->bytes, '*', secret->length) == NULL;
}

/* Messages hold one line of printable characters, so that blanks may make a secret of
   what was none, and words of their own: a secret that no such word is begins with ~.
 */
static bool survives(const fuzz_string *secret) {
    char shown[FUZZ_STRING_BYTES];
    size_t count = tagoio_printable(shown, sizeof shown, secret->bytes, secret->length);
    return count == secret->length && memcmp(shown, secret->bytes, count) == 0 &&
           secret->bytes[0] == '~' && strpbrk(secret->bytes, " ?+") == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = fuzz_open(data, size);
    unsigned form = fuzz_below(&in, FORMS);
    bool html = fuzz_below(&in, 2);
    fuzz_string secret = fuzz_text(&in, true);
    fuzz_string before = fuzz_text(&in, true);
    fuzz_string after = fuzz_text(&in, true);
    text inner = {.length = 0};
    text said = {.length = 0};
    if (!is_secret(&secret)) {
        return 0;
    }
    if (form == PLAIN) {
        add(&inner, secret.bytes, secret.length);
    } else if (form == PERCENT) {
        write_percent(&inner, &in, secret.bytes, secret.length);
    } else {
        write_json(&inner, &in, secret.bytes, secret.length);
    }
    add(&said, before.bytes, before.length);
    if (html) {
        write_html(&said, &in, &inner);
    } else {
        add(&said, inner.bytes, inner.length);
    }
    add(&said, after.bytes, after.length);
    check_redact(&secret, &said);
    if (survives(&secret)) {
        check_call(&in, &secret, &said);
    }
    return 0;
}
