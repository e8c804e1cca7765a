/* SPDX-License-Identifier: MIT */
/* Before jansson's own in a build that measures coverage: its tests of a value's type
   are functions here. As macros they also ask for NULL, a branch of jansson's in each
   line of ours that uses one. */
#ifndef TAGOIO_SPEC_COVERAGE_JANSSON_H
#define TAGOIO_SPEC_COVERAGE_JANSSON_H

#include_next <jansson.h>

static inline int coverage_is(const json_t *value, json_type type, json_type other) {
    return value != NULL && (value->type == type || value->type == other);
}

#undef json_is_object
#undef json_is_array
#undef json_is_string
#undef json_is_integer
#undef json_is_real
#undef json_is_number
#undef json_is_true
#undef json_is_false
#undef json_is_boolean
#undef json_is_null
#define json_is_object(value)  coverage_is(value, JSON_OBJECT, JSON_OBJECT)
#define json_is_array(value)   coverage_is(value, JSON_ARRAY, JSON_ARRAY)
#define json_is_string(value)  coverage_is(value, JSON_STRING, JSON_STRING)
#define json_is_integer(value) coverage_is(value, JSON_INTEGER, JSON_INTEGER)
#define json_is_real(value)    coverage_is(value, JSON_REAL, JSON_REAL)
#define json_is_number(value)  coverage_is(value, JSON_INTEGER, JSON_REAL)
#define json_is_true(value)    coverage_is(value, JSON_TRUE, JSON_TRUE)
#define json_is_false(value)   coverage_is(value, JSON_FALSE, JSON_FALSE)
#define json_is_boolean(value) coverage_is(value, JSON_TRUE, JSON_FALSE)
#define json_is_null(value)    coverage_is(value, JSON_NULL, JSON_NULL)

#endif
