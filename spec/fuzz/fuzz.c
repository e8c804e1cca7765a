/* SPDX-License-Identifier: MIT */
/* Values made of the fuzzer's bytes. It includes the core's rows and nothing else. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

unsigned fuzz_below(fuzz_input *in, unsigned count) {
    return in->at < in->end ? *in->at++ % count : 0;
}

int64_t fuzz_int64(fuzz_input *in) {
    uint64_t bits = 0;
    unsigned bytes = fuzz_below(in, 9);
    for (unsigned i = 0; i < bytes; i++) {
        bits = bits << 8 | fuzz_below(in, 256);
    }
    return (int64_t)bits;
}

double fuzz_double(fuzz_input *in) {
    int64_t bits = fuzz_int64(in);
    double number;
    if (fuzz_below(in, 2) == 0) {
        return (double)bits / 1000;
    }
    memcpy(&number, &bits, sizeof number);
    return isfinite(number) ? number : 0.5;
}

fuzz_string fuzz_text(fuzz_input *in, bool nul) {
    static const char *const characters[] = {
        "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xe2\x80\x8b", "\x7f"};
    fuzz_string text = {.length = 0};
    unsigned count = fuzz_below(in, 64);
    for (unsigned i = 0; i < count && in->at < in->end; i++) {
        char byte = (char)fuzz_below(in, 256);
        bool other = byte < 0 || (byte == 0 && !nul);
        const char *bytes = other ? characters[(byte & 0x7f) % 5] : &byte;
        size_t length = other ? strlen(bytes) : 1;
        memcpy(text.bytes + text.length, bytes, length);
        text.length += length;
    }
    text.bytes[text.length] = '\0';
    return text;
}

static json_t *json_text(fuzz_input *in, bool nul) {
    fuzz_string text = fuzz_text(in, nul);
    return json_stringn(text.bytes, text.length);
}

static json_t *container(fuzz_input *in, int depth) {
    bool is_array = fuzz_below(in, 2) == 0;
    json_t *value = is_array ? json_array() : json_object();
    unsigned count = fuzz_below(in, 5);
    for (unsigned i = 0; i < count; i++) {
        if (is_array) {
            json_array_append_new(value, fuzz_json(in, depth - 1));
        } else {
            fuzz_string key = fuzz_text(in, false);
            json_object_set_new(value, key.bytes, fuzz_json(in, depth - 1));
        }
    }
    return value;
}

json_t *fuzz_json(fuzz_input *in, int depth) {
    switch (fuzz_below(in, depth > 0 ? 9 : 6)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(fuzz_below(in, 2));
    case 2:
        return json_integer(fuzz_int64(in));
    case 3:
        return json_real(fuzz_double(in));
    case 4:
    case 5:
        return json_text(in, true);
    default:
        return container(in, depth);
    }
}

static json_t *texts(fuzz_input *in, unsigned most) {
    json_t *list = json_array();
    unsigned count = fuzz_below(in, most + 1);
    for (unsigned i = 0; i < count; i++) {
        json_array_append_new(list, json_text(in, true));
    }
    return list;
}

static json_t *typed(fuzz_input *in, tagoio_type type) {
    switch (type) {
    case TAGOIO_TYPE_COUNT:
        return json_integer(fuzz_int64(in));
    case TAGOIO_TYPE_FLAG:
        return json_boolean(fuzz_below(in, 2));
    case TAGOIO_TYPE_DATE:
        return fuzz_below(in, 2) ? json_real(fuzz_double(in)) : json_text(in, true);
    case TAGOIO_TYPE_LIST:
        return texts(in, 3);
    case TAGOIO_TYPE_ORDER:
        return fuzz_below(in, 2) ? texts(in, 3) : json_text(in, true);
    case TAGOIO_TYPE_MAP: {
        json_t *map = json_object();
        fuzz_string key = fuzz_text(in, false);
        json_object_set_new(map, key.bytes, fuzz_json(in, 3));
        return map;
    }
    case TAGOIO_TYPE_TEXT:
        break;
    }
    return json_text(in, true);
}

static json_t *query(fuzz_input *in, const tagoio_parameter *parameter) {
    json_t *value = json_object();
    for (; parameter->key != NULL; parameter++) {
        unsigned choice = fuzz_below(in, 8);
        if (choice == 1) {
            json_object_set_new(value, parameter->key, fuzz_json(in, 2));
        } else if (choice > 3) {
            json_object_set_new(value, parameter->key, typed(in, parameter->type));
        }
    }
    return value;
}

json_t *fuzz_argument(fuzz_input *in, const tagoio_operation *row, size_t index) {
    if (fuzz_below(in, 16) == 15) {
        return fuzz_json(in, 2);
    }
    switch (row->arguments[index].location) {
    case TAGOIO_LOCATION_QUERY:
        return query(in, row->query);
    case TAGOIO_LOCATION_SEGMENTS:
        return texts(in, 5);
    case TAGOIO_LOCATION_BODY:
    case TAGOIO_LOCATION_TABLE:
    case TAGOIO_LOCATION_ANY_QUERY:
    case TAGOIO_LOCATION_ANY_BODY:
        return container(in, 3);
    default:
        return json_text(in, true);
    }
}

json_t *fuzz_arguments(fuzz_input *in, const tagoio_operation *row) {
    json_t *arguments = json_array();
    for (size_t i = 0; row->arguments[i].name != NULL; i++) {
        bool absent = row->arguments[i].location >= TAGOIO_LOCATION_ANY_QUERY &&
                      fuzz_below(in, 4) == 0;
        json_array_append_new(arguments,
                              absent ? json_null() : fuzz_argument(in, row, i));
    }
    return arguments;
}

const tagoio_operation *fuzz_row(fuzz_input *in) {
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    unsigned index = fuzz_below(in, 64);
    const tagoio_operation *row = tagoio_operation_at(index);
    return row != NULL ? row : tagoio_operation_request(methods[index % 5], index & 1);
}

char *fuzz_copy(const fuzz_input *in) {
    size_t count = (size_t)(in->end - in->at);
    char *copy = malloc(count + 1);
    fuzz_check(copy != NULL);
    if (count > 0) {
        memcpy(copy, in->at, count);
    }
    copy[count] = '\0';
    return copy;
}

static bool same_members(const json_t *a, const json_t *b) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)a, key, value) {
        const json_t *other = json_object_get(b, key);
        if (other == NULL || !fuzz_same_json(value, other)) {
            return false;
        }
    }
    return json_object_size(a) == json_object_size(b);
}

bool fuzz_same_json(const json_t *a, const json_t *b) {
    if (json_typeof(a) != json_typeof(b) || json_array_size(a) != json_array_size(b)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(a); i++) {
        if (!fuzz_same_json(json_array_get(a, i), json_array_get(b, i))) {
            return false;
        }
    }
    if (json_is_object(a)) {
        return same_members(a, b);
    }
    return json_is_array(a) || (json_equal(a, b) && signbit(json_real_value(a)) ==
                                                        signbit(json_real_value(b)));
}

int fuzz_depth(const json_t *value) {
    int deepest = 0;
    size_t i;
    const char *key;
    json_t *inner;
    json_array_foreach((json_t *)value, i, inner) {
        int depth = fuzz_depth(inner);
        deepest = depth > deepest ? depth : deepest;
    }
    json_object_foreach((json_t *)value, key, inner) {
        int depth = fuzz_depth(inner);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + (json_is_array(value) || json_is_object(value));
}
