/* SPDX-License-Identifier: MIT */
/* Decodes URLs and bodies. What is expected of a query is a list of its pairs, out of
   which those of the URL are taken one by one. It includes the core's rows and request.
 */
#include "request_oracle.h"
#include "core/request.h"
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char base[] = "https://api.tago.io";

/* ---- which arguments are taken ---- */

static bool is_strings(const json_t *list, size_t least, size_t most) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_string(json_array_get(list, i))) {
            return false;
        }
    }
    return json_is_array(list) && json_array_size(list) >= least &&
           json_array_size(list) <= most;
}

static bool is_segment(const json_t *value) {
    const char *text = json_string_value(value);
    size_t count = json_string_length(value);
    for (size_t i = 0; i < count; i++) {
        if ((unsigned char)text[i] < 32 || text[i] == 127) {
            return false;
        }
    }
    return count > 0 && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool is_date(const json_t *value) {
    double seconds = json_number_value(value);
    return json_is_string(value) ||
           (json_is_number(value) && seconds >= -62167219200.0 && seconds <= 1e11);
}

bool oracle_is_typed(tagoio_type type, const json_t *value) {
    bool is_empty = json_is_object(value) && json_object_size(value) == 0;
    return json_is_null(value)         ? true
           : type == TAGOIO_TYPE_TEXT  ? json_is_string(value)
           : type == TAGOIO_TYPE_COUNT ? json_is_integer(value)
           : type == TAGOIO_TYPE_FLAG  ? json_is_boolean(value)
           : type == TAGOIO_TYPE_DATE  ? is_date(value)
           : type == TAGOIO_TYPE_LIST  ? is_strings(value, 0, SIZE_MAX) || is_empty
           : type == TAGOIO_TYPE_ORDER
               ? is_strings(value, 1, 2) || json_is_string(value)
               : json_is_object(value);
}

static const tagoio_parameter *parameter_of(const tagoio_operation *row,
                                            const char *key) {
    const tagoio_parameter *at = row->query;
    while (at->key != NULL && strcmp(at->key, key) != 0) {
        at++;
    }
    return at->key != NULL ? at : NULL;
}

static bool is_query(const tagoio_operation *row, const json_t *query) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)query, key, value) {
        const tagoio_parameter *parameter = parameter_of(row, key);
        if (parameter == NULL || !oracle_is_typed(parameter->type, value)) {
            return false;
        }
    }
    return true;
}

static bool is_taken(const tagoio_operation *row, size_t i, const json_t *value) {
    bool is_table = json_is_object(value);
    bool is_absent = value == NULL || json_is_null(value);
    const json_t *date = row->body_date ? json_object_get(value, row->body_date) : NULL;
    switch (row->arguments[i].location) {
    case TAGOIO_LOCATION_PATH:
    case TAGOIO_LOCATION_SECRET_PATH:
        return is_segment(value);
    case TAGOIO_LOCATION_SEGMENTS:
        for (size_t k = 0; k < json_array_size(value); k++) {
            if (!is_segment(json_array_get(value, k))) {
                return false;
            }
        }
        return json_array_size(value) > 0;
    case TAGOIO_LOCATION_QUERY:
        return is_absent || (is_table && is_query(row, value));
    case TAGOIO_LOCATION_ANY_QUERY:
        return is_absent || is_table;
    case TAGOIO_LOCATION_BODY:
        return is_table && (!json_is_number(date) || is_date(date));
    case TAGOIO_LOCATION_TABLE:
        return is_table || json_is_array(value);
    case TAGOIO_LOCATION_ANY_BODY:
        return is_absent || is_table || json_is_array(value);
    case TAGOIO_LOCATION_MEMBER:
        return json_is_string(value);
    case TAGOIO_LOCATION_NONE:
        break;
    }
    return true;
}

static bool all_taken(const tagoio_operation *row, const json_t *arguments) {
    size_t count = 0;
    for (; row->arguments[count].name != NULL; count++) {
        if (!is_taken(row, count, json_array_get(arguments, count))) {
            return false;
        }
    }
    return json_array_size(arguments) <= count;
}

/* ---- the URL ---- */

static bool is_unreserved(char c) {
    return strchr("-._~", c) != NULL || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Up to one of the ends, decoded. */
static json_t *take_decoded(const char **at, const char *ends) {
    char *bytes = malloc(strcspn(*at, ends) + 1);
    size_t count = 0;
    fuzz_check(bytes != NULL);
    for (; **at != '\0' && strchr(ends, **at) == NULL; ++*at) {
        unsigned code = (unsigned char)**at;
        fuzz_check(code == '%' || is_unreserved(**at));
        if (code == '%') {
            fuzz_check(strspn(*at + 1, "0123456789ABCDEF") >= 2);
            code = (unsigned)strtoul((char[]){(*at)[1], (*at)[2], '\0'}, NULL, 16);
            *at += 2;
        }
        bytes[count++] = (char)code;
    }
    json_t *text = json_stringn(bytes, count);
    fuzz_check(text != NULL); /* UTF-8 as the arguments */
    free(bytes);
    return text;
}

static void check_segment(const char **at, const json_t *expected) {
    json_t *got = take_decoded(at, "/?");
    fuzz_check(json_equal(got, expected));
    json_decref(got);
}

static void check_path(const tagoio_operation *row, const json_t *arguments,
                       const char **at) {
    if (row->arguments[0].location == TAGOIO_LOCATION_SEGMENTS) {
        const json_t *list = json_array_get(arguments, 0);
        for (size_t i = 0; i < json_array_size(list); i++) {
            fuzz_check(*(*at)++ == '/');
            check_segment(at, json_array_get(list, i));
        }
        return;
    }
    size_t argument = 0;
    for (const char *c = row->path; *c != '\0'; c++) {
        if (*c == '{') {
            check_segment(at, json_array_get(arguments, argument++));
            c++;
        } else {
            fuzz_check(*(*at)++ == *c);
        }
    }
}

/* ---- the query: pairs of a key and a value, as [key, value] ---- */

static void expect(json_t *pairs, const char *key, const json_t *value) {
    json_array_append_new(pairs, json_pack("[s, O]", key, (json_t *)value));
}

static void expect_tree(json_t *pairs, const char *key, const json_t *value) {
    size_t i;
    const char *name;
    json_t *inner;
    size_t size = strlen(key) + FUZZ_STRING_BYTES + 3;
    char *child = malloc(size);
    json_array_foreach((json_t *)value, i, inner) {
        snprintf(child, size, "%s[%zu]", key, i);
        expect_tree(pairs, child, inner);
    }
    json_object_foreach((json_t *)value, name, inner) {
        snprintf(child, size, "%s[%s]", key, name);
        expect_tree(pairs, child, inner);
    }
    if (!json_is_array(value) && !json_is_object(value)) {
        expect(pairs, key, value);
    }
    free(child);
}

static void expect_joined(json_t *pairs, const char *key, const json_t *list) {
    const json_t *first = json_array_get(list, 0);
    const json_t *second = json_array_get(list, 1);
    size_t a = json_string_length(first);
    size_t b = json_string_length(second);
    char text[2 * FUZZ_STRING_BYTES + 1];
    memcpy(text, json_string_value(first), a);
    text[a] = ',';
    if (second != NULL) {
        memcpy(text + a + 1, json_string_value(second), b);
    }
    json_t *joined = json_stringn(text, second == NULL ? a : a + 1 + b);
    expect(pairs, key, joined);
    json_decref(joined);
}

static void expect_parameter(json_t *pairs, const tagoio_parameter *parameter,
                             const json_t *value) {
    bool is_joined = parameter->type == TAGOIO_TYPE_ORDER && json_is_array(value);
    bool is_date = parameter->type == TAGOIO_TYPE_DATE && json_is_number(value);
    if (parameter->type == TAGOIO_TYPE_FLAG && json_is_false(value)) {
        return;
    }
    if (is_date) {
        char date[TAGOIO_DATE_BYTES] = "";
        tagoio_date_format(json_number_value(value), date, NULL); /* see fuzz_date.c */
        json_array_append_new(pairs, json_pack("[s, s]", parameter->key, date));
    } else if (is_joined) {
        expect_joined(pairs, parameter->key, value);
    } else {
        expect_tree(pairs, parameter->key, value);
    }
}

static json_t *take_pair(const char **at) {
    json_t *key = take_decoded(at, "=");
    fuzz_check(**at == '=');
    ++*at;
    json_t *value = take_decoded(at, "&");
    return json_pack("[o, o]", key, value);
}

static void expect_default(json_t *pairs, const char *text) {
    while (text != NULL && *text != '\0') {
        json_array_append_new(pairs, take_pair(&text));
        text += *text == '&';
    }
}

static void expect_query(json_t *pairs, const tagoio_operation *row,
                         const json_t *query) {
    const char *key;
    json_t *value;
    const tagoio_parameter *parameter = row->query;
    for (; parameter != NULL && parameter->key != NULL; parameter++) {
        value = json_object_get(query, parameter->key);
        if (value == NULL) {
            expect_default(pairs, parameter->default_value);
        } else {
            expect_parameter(pairs, parameter, value);
        }
    }
    if (row->query == NULL) {
        json_object_foreach((json_t *)query, key, value) {
            expect_tree(pairs, key, value);
        }
    }
}

/* null is empty, a number or a boolean what JSON has. */
static bool is_value(const json_t *expected, const json_t *text) {
    if (json_is_string(expected) || json_is_null(expected)) {
        return json_is_null(expected) ? json_string_length(text) == 0
                                      : json_equal(expected, text);
    }
    json_t *read = json_loads(json_string_value(text), JSON_DECODE_ANY, NULL);
    bool same = read != NULL && fuzz_same_json(expected, read);
    json_decref(read);
    return same;
}

static bool take_expected(json_t *pairs, const json_t *pair) {
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *expected = json_array_get(pairs, i);
        if (json_equal(json_array_get(expected, 0), json_array_get(pair, 0)) &&
            is_value(json_array_get(expected, 1), json_array_get(pair, 1))) {
            return json_array_remove(pairs, i) == 0;
        }
    }
    return false;
}

static void check_query(const tagoio_operation *row, const json_t *query,
                        const char *at) {
    json_t *pairs = json_array();
    expect_query(pairs, row, query);
    fuzz_check(*at == (json_array_size(pairs) > 0 ? '?' : '\0'));
    while (*at != '\0') {
        at++;
        json_t *pair = take_pair(&at);
        fuzz_check(take_expected(pairs, pair));
        json_decref(pair);
    }
    fuzz_check(json_array_size(pairs) == 0);
    json_decref(pairs);
}

/* ---- the body ---- */

static void check_dated(const tagoio_operation *row, const json_t *body, json_t *got) {
    const json_t *date = row->body_date ? json_object_get(body, row->body_date) : NULL;
    double seconds;
    if (json_is_number(date)) {
        const char *text = json_string_value(json_object_get(got, row->body_date));
        fuzz_check(text != NULL && tagoio_date_parse(text, &seconds));
        fuzz_check(fabs(seconds - json_number_value(date)) < 0.001);
        json_object_set(got, row->body_date, (json_t *)date);
    }
}

static void check_body(const tagoio_operation *row, const char *name,
                       const json_t *body, const tagoio_buffer *text) {
    bool is_absent = body == NULL || json_is_null(body);
    fuzz_check(is_absent == (text->bytes == NULL));
    if (is_absent) {
        return;
    }
    json_t *got = json_loadb(text->bytes, text->length, JSON_ALLOW_NUL, NULL);
    json_t *expected = name != NULL ? json_pack("{s: O}", name, (json_t *)body)
                                    : json_incref((json_t *)body);
    fuzz_check(got != NULL);
    check_dated(row, expected, got);
    fuzz_check(fuzz_same_json(expected, got));
    json_decref(got);
    json_decref(expected);
}

static void check_encoded(const tagoio_operation *row, const json_t *arguments,
                          const tagoio_encoded_request *encoded) {
    const char *at = encoded->url.bytes;
    const json_t *query = NULL;
    const json_t *body = NULL;
    const char *member = NULL;
    fuzz_check(strlen(at) == encoded->url.length &&
               strncmp(at, base, sizeof base - 1) == 0);
    at += sizeof base - 1;
    for (size_t i = 0; row->arguments[i].name != NULL; i++) {
        tagoio_location location = row->arguments[i].location;
        bool is_query =
            location == TAGOIO_LOCATION_QUERY || location == TAGOIO_LOCATION_ANY_QUERY;
        bool is_body = location == TAGOIO_LOCATION_MEMBER ||
                       tagoio_operation_argument(row, i).is_body;
        query = is_query ? json_array_get(arguments, i) : query;
        body = is_body ? json_array_get(arguments, i) : body;
        member = location == TAGOIO_LOCATION_MEMBER ? row->arguments[i].name : member;
    }
    check_path(row, arguments, &at);
    check_query(row, query, at);
    check_body(row, member, body, &encoded->body);
}

bool oracle_check(const tagoio_operation *row, const json_t *arguments) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_encoded_request encoded = {.url = {.limit = 0}};
    bool taken = tagoio_encode_request(&encoded, row, base, arguments, &err);
    /* Keys that lie deep are repeated for each value: where the limit is, test_request
       knows. */
    bool is_too_long = strstr(err.message, "make a URL of more than") != NULL;
    fuzz_check(taken == (!is_too_long && all_taken(row, arguments)));
    if (taken) {
        check_encoded(row, arguments, &encoded);
    } else {
        fuzz_check(err.kind == TAGOIO_ERROR_MISUSE || err.kind == TAGOIO_ERROR_INVALID);
        fuzz_check(strncmp(err.message, row->name, strlen(row->name)) == 0);
        fuzz_check(tagoio_is_utf8(err.message, strlen(err.message)));
    }
    tagoio_encoded_request_clear(&encoded);
    return taken;
}
