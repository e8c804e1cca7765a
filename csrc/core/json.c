/* SPDX-License-Identifier: MIT */
/* jansson's values to JSON text, within the limits of tagoio.h. */
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { digits_that_always_do = 17 };

static bool reads_back(double number, int digits) {
    char text[40];
    snprintf(text, sizeof text, "%.*g", digits, number);
    double again = strtod(text, NULL);
    return !(again < number) && !(again > number);
}

/* Raises *digits to what every real below value needs. False: too deep. */
static bool count_digits(const json_t *value, int depth, int *digits) {
    if (depth > TAGOIO_MAX_JSON_DEPTH) {
        return false;
    }
    if (json_is_real(value)) {
        while (*digits < digits_that_always_do &&
               !reads_back(json_real_value(value), *digits)) {
            ++*digits;
        }
        return true;
    }
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!count_digits(json_array_get(value, i), depth + 1, digits)) {
                return false;
            }
        }
    }
    void *at = json_object_iter((json_t *)value);
    for (; at != NULL; at = json_object_iter_next((json_t *)value, at)) {
        if (!count_digits(json_object_iter_value(at), depth + 1, digits)) {
            return false;
        }
    }
    return true;
}

static int add_piece(const char *bytes, size_t count, void *text) {
    return tagoio_buffer_add(text, bytes, count) ? 0 : -1;
}

bool tagoio_json_write(tagoio_buffer *text, const json_t *value, size_t indent,
                       tagoio_error *err) {
    int digits = 1;
    if (!count_digits(value, 1, &digits)) {
        return tagoio_error_set(err, TAGOIO_ERROR_INVALID, "nested more than %d deep",
                                TAGOIO_MAX_JSON_DEPTH);
    }
    size_t flags =
        JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION((size_t)digits);
    flags |= indent > 0 ? JSON_INDENT(indent) : JSON_COMPACT;
    if (json_dump_callback(value, add_piece, text, flags) == 0) {
        return true;
    }
    if (text->state == TAGOIO_BUFFER_FULL) {
        return tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                                "more than %zu bytes of JSON", text->limit);
    }
    return tagoio_error_memory(err);
}

char *tagoio_json_encode(const json_t *value, size_t indent, tagoio_error *err) {
    tagoio_buffer text = {.limit = TAGOIO_MAX_REQUEST_BYTES};
    if (!tagoio_json_write(&text, value, indent, err)) {
        tagoio_buffer_clear(&text);
    }
    return text.bytes;
}

json_t *tagoio_json_copy(const json_t *value) {
    json_t *copy = json_copy((json_t *)value);
    if (json_object_size(copy) != json_object_size(value) ||
        json_array_size(copy) != json_array_size(value)) {
        json_decref(copy);
        return NULL;
    }
    return copy;
}
