/* SPDX-License-Identifier: MIT */
/* The forms in which a server sends a secret back, one by one: how much of a text is
   one, and what only looks like it. */
#include "core/echo.h"
#include "support/check.h"

#include <string.h>

#define SMILE   "\xf0\x9f\x98\x80" /* U+1F600, in JSON \ud83d\ude00 */
#define U_1F800 "\xf0\x9f\xa0\x80"
#define U_11841 "\xf0\x91\xa1\x81"

/* clang-format off */
static const struct {
    const char *name;
    const char *secret;
    const char *text;
    size_t bytes; /* of the text; 0: it does not begin with the secret */
} rows[] = {
    {"as it is", "secret", "secret", 6},
    {"with more behind it", "secret", "secrets", 6},
    {"cut", "secret", "secre", 0},
    {"in another case", "secret", "Secret", 0},
    /* in a URL */
    {"a blank in a URL", "a b", "a%20b", 5},
    {"a blank in a form", "a b", "a+b", 3},
    {"a plus that is one", "a+b c", "a+b%20c", 7},
    {"a letter that needs no escape", "Ab", "%41%62", 6},
    {"digits in both cases", "\xaf\xfa", "%aF%Fa", 6},
    {"one digit of two", "a b", "a%2", 0},
    {"no digit", "a b", "a%2gb", 0},
    {"all of it but the end", "secret", "s%65cre", 0},
    {"the end of an escape", "secret", "s%65cre%7", 0},
    {"a percent that begins no escape", "a%b c", "a%b%20c", 7},
    {"a percent before what is no digit", "a%g c", "a%g%20c", 7},
    /* in JSON */
    {"each escape of JSON", "\"\\/\b\f\n\r\t", "\\\"\\\\\\/\\b\\f\\n\\r\\t", 16},
    {"an escape that JSON has not", "aqb", "a\\qb", 0},
    {"\\u", "a<b", "a\\u003Cb", 8},
    {"\\u with a digit too few", "a<b", "a\\u03cb", 0},
    {"a pair of \\u", "a" SMILE, "a\\ud83d\\ude00", 13},
    {"half a pair", "au", "a\\ud83d", 0},
    {"half a pair before a letter", "au", "a\\ud83dx", 0},
    {"half a pair before another escape", "a" SMILE, "a\\ud83d\\nde00", 0},
    {"half a pair before what is above the other half", "a" U_1F800, "a\\ud83d\\ue000", 0},
    {"half a pair before what is below the other half", "a" U_11841, "a\\ud83d\\u0041", 0},
    /* in HTML */
    {"entities with a name", "&<>\"'", "&amp;&lt;&gt;&quot;&apos;", 25},
    {"entities with a number", "a<\xc3\xa9", "a&#60;&#233;", 12},
    {"entities with hex digits", "a<\xc3\xa9", "a&#x3C;&#Xe9;", 13},
    {"the longest entity", "a<", "a&#0000000060;", 14},
    {"a longer one", "a<", "a&#00000000060;", 0},
    {"a hex digit without x", "aF", "a&#6a;", 0},
    {"no digits", "a&#;b<", "a&#;b&lt;", 9},
    {"no name", "a&;b<", "a&;b&lt;", 8},
    {"another name", "a&eacute;b<", "a&eacute;b&lt;", 14},
    {"an ampersand that stands for itself", "ab&c", "a&#98;&c", 8},
    {"an entity without its ampersand", "ab&", "a&#98;x#38;", 0},
    {"no such character", "ab&#x110000;", "a&#98;&#x110000;", 16},
    /* in JSON or a URL within HTML */
    {"JSON in HTML", "a\"b", "a\\&quot;b", 9},
    {"a URL in HTML", "a b", "a&#37;20b", 9},
    {"what is escaped in every form, as it is", "a%41\\n&lt;", "a%41\\n&lt;", 10},
    {"only HTML's escapes", "<%41\\n", "&lt;%41\\n", 9},
    {"a URL in JSON is none", "a b", "a\\u002520b", 0},
};
/* clang-format on */

static void test_forms(void) {
    for (int i = 0; i < check_count(rows); i++) {
        check_case("%s", rows[i].name);
        size_t count = strlen(rows[i].text);
        check_number((int64_t)rows[i].bytes,
                     (int64_t)tagoio_echo_bytes(rows[i].secret, strlen(rows[i].secret),
                                                check_edge(rows[i].text, count),
                                                count));
    }
}

/* A password may hold one: in a body it is JSON. */
static void test_nul(void) {
    static const struct {
        const char *text;
        size_t count;
        size_t bytes;
    } texts[] = {
        {"a\0b", 3, 3},
        {"a%00b", 5, 5},
        {"a\\u0000b", 8, 8},
        {"a\\\0b", 4, 0},
    };
    for (int i = 0; i < check_count(texts); i++) {
        check_case("row %d of secrets that hold NUL", i);
        check_number(
            (int64_t)texts[i].bytes,
            (int64_t)tagoio_echo_bytes("a\0b", 3, texts[i].text, texts[i].count));
    }
}

static void test_edge(void) {
    check_case("a secret is not read further than it goes");
    check_number(0,
                 (int64_t)tagoio_echo_bytes(check_edge("a\xc3", 2), 2, "a&#233;", 7));
    check_number(2, (int64_t)tagoio_echo_bytes(check_edge("ab", 2), 2, "ab%41", 5));
}

int main(void) {
    static const check_test tests[] = {test_forms, test_nul, test_edge};
    return check_run(tests, check_count(tests));
}
