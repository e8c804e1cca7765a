/* SPDX-License-Identifier: MIT */
/* Dates: what is taken is what a pattern and the C library's calendar take, with the
   same value, and what is written reads back as the same millisecond. */
#define _DEFAULT_SOURCE /* timegm */
#include "core/date.h"
#include "fuzz.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    YEAR = 1,
    MONTH,
    DAY,
    TIME,
    HOUR,
    MINUTE,
    SECONDS,
    SECOND,
    FRACTION,
    DIGITS,
    ZONE,
    GROUPS
};

static const char iso[] =
    "^([0-9]{4})-([0-9]{2})-([0-9]{2})([Tt ]([0-9]{2}):([0-9]{2})(:([0-9]{2})"
    "([.,]([0-9]+))?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?$";
static const char http[] =
    "^[A-Za-z]{3}, ([0-9]{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|"
    "Oct|Nov|Dec) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$";

/* One of the two patterns, which is compiled once. */
static bool matches(bool is_http, const char *text, regmatch_t groups[GROUPS]) {
    static regex_t patterns[2];
    static bool compiled = false;
    if (!compiled) {
        fuzz_check(regcomp(&patterns[0], iso, REG_EXTENDED) == 0);
        fuzz_check(regcomp(&patterns[1], http, REG_EXTENDED) == 0);
        compiled = true;
    }
    return regexec(&patterns[is_http], text, GROUPS, groups, 0) == 0;
}

static int number(const char *text, regmatch_t group) {
    return group.rm_so < 0 ? 0 : atoi(text + group.rm_so);
}

/* The calendar changes what is no date. */
static bool count(struct tm tm, int64_t *seconds) {
    struct tm day = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
    timegm(&day);
    bool is_day = day.tm_mon == tm.tm_mon && day.tm_mday == tm.tm_mday;
    bool is_time = tm.tm_hour < 24 && tm.tm_min < 60 && tm.tm_sec < 61;
    *seconds = timegm(&tm);
    return is_day && is_time;
}

static bool expect_iso(const char *text, double *seconds) {
    regmatch_t at[GROUPS];
    if (!matches(false, text, at)) {
        return false;
    }
    struct tm tm = {.tm_year = number(text, at[YEAR]) - 1900,
                    .tm_mon = number(text, at[MONTH]) - 1,
                    .tm_mday = number(text, at[DAY]),
                    .tm_hour = number(text, at[HOUR]),
                    .tm_min = number(text, at[MINUTE]),
                    .tm_sec = number(text, at[SECOND])};
    int64_t whole;
    int hours = 0;
    int minutes = 0;
    if (at[ZONE].rm_so >= 0) {
        const char *zone = text + at[ZONE].rm_so;
        sscanf(zone, strchr(zone, ':') ? "%*c%2d:%2d" : "%*c%2d%2d", &hours, &minutes);
        whole = *zone == '-' ? -1 : 1;
        hours *= (int)whole;
        minutes *= (int)whole;
    }
    bool ok = count(tm, &whole) && abs(hours) < 24 && abs(minutes) < 60;
    double fraction = 0;
    double place = 1;
    for (regoff_t i = at[DIGITS].rm_so; i < at[DIGITS].rm_eo; i++) {
        place /= 10;
        fraction += place * (text[i] - '0');
    }
    *seconds = (double)(whole - hours * 3600 - minutes * 60) + fraction;
    return ok;
}

static bool expect_http(const char *text, int64_t *seconds) {
    regmatch_t at[GROUPS];
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (!matches(true, text, at)) {
        return false;
    }
    char month[4] = "";
    memcpy(month, text + at[2].rm_so, 3);
    struct tm tm = {.tm_year = number(text, at[3]) - 1900,
                    .tm_mon = (int)(strstr(months, month) - months) / 3,
                    .tm_mday = number(text, at[1]),
                    .tm_hour = number(text, at[4]),
                    .tm_min = number(text, at[5]),
                    .tm_sec = number(text, at[6])};
    return count(tm, seconds);
}

static void check_parse(const char *text) {
    double expected = 0;
    double got = 7;
    bool ok = tagoio_date_parse(text, &got);
    bool is_date = expect_iso(text, &expected);
    fuzz_check(ok == is_date);
    fuzz_check(ok ? fabs(got - expected) < 1e-4 : got == 7);
    int64_t expected_http = 0;
    int64_t got_http = 7;
    ok = tagoio_date_parse_http(text, &got_http);
    is_date = expect_http(text, &expected_http);
    fuzz_check(ok == is_date);
    fuzz_check(got_http == (ok ? expected_http : 7));
}

static void check_format(double seconds) {
    char text[TAGOIO_DATE_BYTES] = "";
    char expected[80] = "";
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    bool ok = tagoio_date_format(seconds, text, &err);
    fuzz_check(ok == (seconds >= -62167219200.0 && seconds <= 1e11));
    fuzz_check(ok == (err.kind == TAGOIO_ERROR_NONE));
    if (ok) {
        int64_t ms = (int64_t)floor(seconds * 1000 + 0.5);
        time_t whole = (time_t)floor((double)ms / 1000);
        struct tm tm;
        gmtime_r(&whole, &tm);
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                 tm.tm_sec, (int)(ms - whole * 1000));
        fuzz_check(strcmp(expected, text) == 0);
        double again;
        fuzz_check(tagoio_date_parse(text, &again));
        fuzz_check(fabs(again - seconds) <= 0.00052);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = fuzz_open(data, size);
    char *text = fuzz_copy(&in);
    check_parse(text);
    free(text);
    check_format(fuzz_double(&in));
    check_format((double)fuzz_int64(&in));
    double any = 0;
    memcpy(&any, data, size < sizeof any ? size : sizeof any);
    check_format(any);
    check_format(size == 0 ? INFINITY : NAN);
    return 0;
}
