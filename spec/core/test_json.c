/* SPDX-License-Identifier: MIT */
/* JSON out and in: numbers that stay the same, limits, and what is no JSON. */
#include "support/check.h"
#include "support/play.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_encoded(const json_t *value, size_t indent, const char *expected) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    char *text = tagoio_json_encode(value, indent, &err);
    check_text(expected, text);
    check_text("", err.message);
    free(text);
}

static json_t *decode(const char *text, tagoio_error *err) {
    *err = (tagoio_error){.kind = TAGOIO_ERROR_NONE};
    return tagoio_json_decode(text, strlen(text), err);
}

static const struct {
    const char *text;
    const char *again; /* NULL: the same */
} round_trips[] = {
    {"0", NULL},
    {"-1", NULL},
    {"9007199254740992", NULL},
    {"9007199254740993", NULL},
    {"-9007199254740993", NULL},
    {"9223372036854775807", NULL},
    {"-9223372036854775808", NULL},
    {"-0", "0"},
    {"-0.0", NULL},
    {"0.1", NULL},
    {"0.10000000000000000", "0.1"},
    {"1e300", NULL},
    {"1E2", "1e2"},
    {"1e+2", "1e2"},
    {"1.5e-2", "0.015"},
    {"1.7976931348623157e308", NULL},
    {"-1.7976931348623157e308", NULL},
    {"5e-324", NULL},
    {"1.0", NULL},
    {"100.5", NULL},
    {"3.141592653589793", NULL},
    {"[0.1,0.2,0.30000000000000004]",
     "[0.10000000000000001,0.20000000000000001,0.30000000000000004]"},
    {"{\"b\":1,\"a\":2,\"C\":3,\"\":4}", "{\"\":4,\"C\":3,\"a\":2,\"b\":1}"},
    {"{\"a\":{\"d\":1,\"c\":2}}", "{\"a\":{\"c\":2,\"d\":1}}"},
    {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
    {"\"\\u0000\"", NULL},
    {"\"a\\u0000b\"", NULL},
    {"\"\\ud800\\udc00\\udbff\\udfff\"", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
    {"\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001F\""},
    {"[]", NULL},
    {"{}", NULL},
    {"[ ]", "[]"},
    {"{ }", "{}"},
    {"[[],{}]", NULL},
    {"null", NULL},
    {"true", NULL},
    {"false", NULL},
    {" \t\r\n[ 1 , 2 ] ", "[1,2]"},
};

/* Text that is decoded and encoded again. */
static void test_round_trips(void) {
    for (int i = 0; i < check_count(round_trips); i++) {
        check_case("%s", round_trips[i].text);
        tagoio_error err;
        json_t *value = decode(round_trips[i].text, &err);
        check_text("", err.message);
        if (check_true(value != NULL)) {
            check_encoded(value, 0,
                          round_trips[i].again != NULL ? round_trips[i].again
                                                       : round_trips[i].text);
        }
        json_decref(value);
    }
}

/* Whatever the number, what is written reads back as the same. */
static void test_reals(void) {
    static const double rows[] = {
        0.0,
        -0.0,
        1.0,
        1e2,
        0.1,
        1.0 / 3,
        2.0 / 3,
        1e300,
        1e-300,
        5e-324,
        123456789.123,
        9007199254740993.0,
        1e15,
        1e16,
        1e17,
        18446744073709551616.0,
        0.30000000000000004,
        1.7976931348623157e308,
        -2.2250738585072014e-308,
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("real %.17g", rows[i]);
        json_t *value = json_real(rows[i]);
        char *text = tagoio_json_encode(value, 0, NULL);
        json_t *again = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
        double number = json_number_value(again);
        check_true(json_is_number(again));
        check_true(!(number < rows[i]) && !(number > rows[i]));
        check_true(signbit(number) == signbit(rows[i]));
        json_decref(again);
        free(text);
        json_decref(value);
    }
}

static void test_indent(void) {
    static const struct {
        size_t indent;
        const char *text;
    } rows[] = {
        {0, "{\"a\":[1,{}],\"b\":2}"},
        {1, "{\n \"a\": [\n  1,\n  {}\n ],\n \"b\": 2\n}"},
        {2, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": 2\n}"},
    };
    json_t *value = play_json("{\"b\": 2, \"a\": [1, {}]}");
    for (int i = 0; i < check_count(rows); i++) {
        check_case("indent %d", (int)rows[i].indent);
        check_encoded(value, rows[i].indent, rows[i].text);
    }
    json_decref(value);
}

static const struct {
    const char *text;
    const char *why; /* within the message */
} refusals[] = {
    {"", "not JSON: line 1, column 0: premature end of input"},
    {" ", "not JSON: line 1, column 1: premature end of input"},
    {"{", "not JSON: line 1, column 1: "},
    {"[1,]", "not JSON: line 1, column 4: "},
    {"[1\n2]", "not JSON: line 2, column 1: "},
    {"{\"a\":1} x", "not JSON: line 1, column 9: end of file expected"},
    {"[1][2]", "not JSON: line 1, column 4: end of file expected"},
    {"{a:1}", "not JSON: "},
    {"'a'", "not JSON: "},
    {"NaN", "not JSON: "},
    {"01", "not JSON: "},
    {"+1", "not JSON: "},
    {".5", "not JSON: "},
    {"-", "not JSON: line 1, column 1: premature end of input"},
    {"-a", "not JSON: line 1, column 2: invalid token"},
    {"1.", "not JSON: line 1, column 2: premature end of input"},
    {"1.e1", "not JSON: line 1, column 3: invalid token"},
    {"1e", "not JSON: line 1, column 2: premature end of input"},
    {"1E+", "not JSON: line 1, column 3: premature end of input"},
    {"1e--1", "not JSON: line 1, column 4: invalid token"},
    {"{\"a\" 1}", "not JSON: line 1, column 6: invalid token"},
    {"{\"a\"", "not JSON: line 1, column 4: premature end of input"},
    {"1e400", "real number overflow"},
    {"-1e400", "real number overflow"},
    {"9223372036854775808", "too big integer"},
    {"-9223372036854775809", "too big negative integer"},
    {"\"\xff\"", "unable to decode byte 0xff"},
    {"\"\xc3\"", "unable to decode byte"},
    {"\"\xed\xa0\x80\"", "unable to decode byte"}, /* a surrogate */
    {"\"\xc0\x80\"", "unable to decode byte"},     /* NUL, too long */
    {"\"\\ud83d\"", "invalid Unicode"},
    {"\"\\ud83d\\n\"", "invalid Unicode"},
    {"\"\\ud83d\\u0041\"", "invalid Unicode"},
    {"\"\\ud83d\\ue000\"", "invalid Unicode"},
    {"\"\\u00g0\"", "invalid Unicode"},
    {"\"\\u00", "invalid Unicode"},
    {"{\"a\":1,\"\\u1true}", "invalid Unicode"},
    {"[\xc3\xa9]", "not JSON: line 1, column 2: invalid token"},
    {"\"\\", "premature end of input"},
    {"\"ab\\", "premature end of input"},
    {"tru", "not JSON: line 1, column 1: invalid token"},
    {"trux", "not JSON: line 1, column 1: invalid token"},
    {"falsy", "not JSON: line 1, column 1: invalid token"},
    {"nulL", "not JSON: line 1, column 1: invalid token"},
    {"\"\\ude00\\ud83d\"", "invalid Unicode"},
    {"\"\\udc00\\udc00\"", "invalid Unicode"},
    {"\"\\ude00\"", "invalid Unicode"},
    {"\"\\x\"", "invalid escape"},
    {"\"a\nb\"", "unexpected newline"},
    {"\"a", "premature end of input"},
    {"{\"a\\u0000\":1}", "NUL byte in object key"},
    {"\xef\xbb\xbf{}", "not JSON: "}, /* a byte order mark */
};

static void test_refused(void) {
    for (int i = 0; i < check_count(refusals); i++) {
        check_case("refused: %s", refusals[i].text);
        tagoio_error err;
        json_t *value = decode(refusals[i].text, &err);
        check_true(value == NULL);
        check_text("protocol", tagoio_error_kind_name(err.kind));
        check_within(refusals[i].why, err.message);
        check_true(tagoio_json_decode(refusals[i].text, strlen(refusals[i].text),
                                      NULL) == NULL);
    }
}

/* A text ends with its last byte: there is no NUL behind it. */
static void test_edge(void) {
    for (int i = 0; i < check_count(refusals); i++) {
        check_case("not read further: %s", refusals[i].text);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        size_t bytes = strlen(refusals[i].text);
        const char *text = check_edge(refusals[i].text, bytes);
        check_true(tagoio_json_decode(text, bytes, &err) == NULL);
        check_within(refusals[i].why, err.message);
    }
    for (int i = 0; i < check_count(round_trips); i++) {
        check_case("not read further: %s", round_trips[i].text);
        size_t bytes = strlen(round_trips[i].text);
        const char *text = check_edge(round_trips[i].text, bytes);
        json_t *value = tagoio_json_decode(text, bytes, NULL);
        check_true(value != NULL);
        json_decref(value);
    }
}

/* jansson skips a NUL behind a number or a word. */
static void test_nul(void) {
    check_case("a NUL between values is refused");
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_json_decode("[1\0]", 4, &err) == NULL);
    check_text("not JSON: line 1, column 3: invalid token", err.message);
    check_true(tagoio_json_decode("true\0", 5, NULL) == NULL);
    check_true(tagoio_json_decode("\"\\\0\"", 4, NULL) == NULL);
}

/* ---- limits ---- */

static char *repeated(const char *piece, size_t count, const char *last) {
    size_t bytes = strlen(piece);
    char *text = malloc(bytes * count + strlen(last) + 1);
    if (text == NULL) {
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * bytes, piece, bytes);
    }
    memcpy(text + bytes * count, last, strlen(last) + 1);
    return text;
}

static void test_limits(void) {
    static const char deep[] = "JSON nested more than 128 deep";
    static const struct {
        const char *name;
        const char *piece;
        size_t count;
        const char *last;
        const char *why; /* NULL: too short to be refused for its size */
    } rows[] = {
        {"128 arrays", "[", 128, "", NULL},
        {"129 arrays", "[", 129, "", deep},
        {"129 objects", "{\"a\":", 129, "", deep},
        {"a million arrays", "[", 1000000, "", deep},
        {"129 brackets in a string", "\"[[[", 43, "\"", NULL},
        {"brackets behind a quote in a string", "\"\\\"[[[\"", 200, "", NULL},
        {"arrays beside one another", "[],", 999999, "[]", NULL},
        {"two million commas in a string", "\",\",\"", 500000, "\"", NULL},
        {"closed and never opened", "]", 200, "", NULL},
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("limit: %s", rows[i].name);
        char *text = repeated(rows[i].piece, rows[i].count, rows[i].last);
        tagoio_error err;
        json_t *value = decode(text, &err);
        check_true(value == NULL); /* none of them is JSON */
        check_text("protocol", tagoio_error_kind_name(err.kind));
        check_within(rows[i].why != NULL ? rows[i].why : "not JSON: line", err.message);
        free(text);
    }
}

static void test_limits_met(void) {
    check_case("128 deep both ways");
    char *open = repeated("[", 128, "");
    char *both = repeated("]", 128, "");
    char text[257];
    snprintf(text, sizeof text, "%s%s", open, both);
    tagoio_error err;
    json_t *value = decode(text, &err);
    if (check_true(value != NULL)) {
        check_encoded(value, 0, text);
    }
    free(open);
    free(both);

    check_case("arrays beside one another are not deep");
    char *beside = repeated(",[]", 200, "]");
    beside[0] = '[';
    json_t *flat = decode(beside, &err);
    check_number(200, (int64_t)json_array_size(flat));
    json_decref(flat);
    free(beside);

    check_case("129 deep is not written");
    json_t *deeper = json_pack("[o]", value);
    err = (tagoio_error){.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_json_encode(deeper, 0, &err) == NULL);
    check_true(err.kind == TAGOIO_ERROR_INVALID);
    check_text("nested more than 128 deep", err.message);
    json_decref(deeper);
}

/* The array counts too. The first comma becomes its bracket. */
static void test_most_values(void) {
    for (size_t more = 0; more < 2; more++) {
        check_case("two million values and %d", (int)more);
        char *text = repeated(",1", 1999999 + more, "]");
        text[0] = '[';
        tagoio_error err;
        json_t *value = decode(text, &err);
        check_number(more == 0 ? 1999999 : 0, (int64_t)json_array_size(value));
        check_text(more == 0 ? "" : "JSON of more than 2000000 values", err.message);
        json_decref(value);
        free(text);
    }
}

/* A cycle in arrays: the depth stops it. */
static void test_cycle(void) {
    check_case("a cycle is too deep");
    json_t *a = json_array();
    json_t *b = json_array();
    json_array_append(a, b);
    json_array_append(b, a);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_json_encode(a, 0, &err) == NULL);
    check_text("invalid", tagoio_error_kind_name(err.kind));
    json_array_clear(b);
    json_decref(b);
    json_decref(a);
}

int main(void) {
    static const check_test tests[] = {
        test_round_trips, test_reals,  test_indent,     test_refused,     test_edge,
        test_nul,         test_limits, test_limits_met, test_most_values, test_cycle,
    };
    return check_run(tests, check_count(tests));
}
