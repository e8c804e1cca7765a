/* SPDX-License-Identifier: MIT */
/* Retry-After: a number of seconds or an HTTP date, in a header that comes with blanks
   around it, among others, in any case. */
#include "core/date.h"
#include "core/response.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static int64_t expect(const char *text, int status, int64_t wall_s) {
    int64_t date;
    char *end;
    if (tagoio_date_parse_http(text, &date)) { /* see fuzz_date.c */
        bool passes = status == 429 || status == 503;
        return date > wall_s ? date - wall_s : passes ? 0 : -1;
    }
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text)) {
        return -1;
    }
    unsigned long long seconds = strtoull(text, &end, 10);
    return seconds > 1ull << 31 ? (int64_t)1 << 31 : (int64_t)seconds;
}

/* "retry-AFTER", as bits say. */
static void spell(char *name, unsigned bits) {
    static const char letters[] = "retry-after";
    for (size_t i = 0; i < sizeof letters; i++) {
        bool upper = letters[i] >= 'a' && (bits >> i & 1) != 0;
        name[i] = upper ? (char)(letters[i] - 32) : letters[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int statuses[] = {200, 204, 302, 400, 408, 429, 500, 503};
    fuzz_input in = fuzz_open(data, size);
    int status = statuses[fuzz_below(&in, 8)];
    int64_t wall_s = (int64_t)(fuzz_below(&in, 256) << 24 | fuzz_below(&in, 256) << 16);
    unsigned bits = fuzz_below(&in, 256) * 8 + 5;
    char *value = fuzz_copy(&in);
    size_t count = (size_t)(in.end - in.at);
    char name[12];
    int64_t date;
    if (tagoio_date_parse_http(value, &date) && (bits & 8) != 0) {
        wall_s = date + bits / 256 - 4; /* about now */
    }
    spell(name, bits);
    tagoio_response response = {.body = {.limit = 10}};
    tagoio_response_status(&response, status);
    tagoio_response_header(&response, "retry-afte", 10, "7", 1);
    tagoio_response_header(&response, name, strlen(name), value, count);
    tagoio_response_header(&response, "x-retry-after", 13, "7", 1);
    char *text = value;
    while (count > 0 && strchr(" \t\r\n", text[count - 1]) && text[count - 1]) {
        text[--count] = '\0';
    }
    while (count > 0 && strchr(" \t\r\n", *text) && *text) {
        text++;
        count--;
    }
    int64_t expected =
        count < TAGOIO_MAX_HEADER_VALUE_BYTES ? expect(text, status, wall_s) : -1;
    fuzz_check(tagoio_response_retry_after_s(&response, wall_s) == expected);
    fuzz_check(expected >= -1 && expected < (int64_t)1 << 40);
    tagoio_response_clear(&response);
    free(value);
    return 0;
}
