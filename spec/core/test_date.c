/* SPDX-License-Identifier: MIT */
/* Dates, against what GNU date says: date -u -d @SECONDS +%Y-%m-%dT%H:%M:%S, and
   date -u -d DATE +%s. */
#include "core/date.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>

static const struct {
    double seconds;
    const char *date;
} formats[] = {
    {0, "1970-01-01T00:00:00"},
    {1, "1970-01-01T00:00:01"},
    {60, "1970-01-01T00:01:00"},
    {3600, "1970-01-01T01:00:00"},
    {-1, "1969-12-31T23:59:59"},
    {-86400, "1969-12-31T00:00:00"},
    {-86401, "1969-12-30T23:59:59"},
    {-31536000, "1969-01-01T00:00:00"},
    {94694400, "1973-01-01T00:00:00"},
    {951782399, "2000-02-28T23:59:59"},
    {951782400, "2000-02-29T00:00:00"},
    {951868800, "2000-03-01T00:00:00"},
    {978307199, "2000-12-31T23:59:59"},
    {1700000030, "2023-11-14T22:13:50"},
    {1709164800, "2024-02-29T00:00:00"},
    {1709251199, "2024-02-29T23:59:59"},
    {1709251200, "2024-03-01T00:00:00"},
    {4107542399, "2100-02-28T23:59:59"},
    {4107542400, "2100-03-01T00:00:00"},
    {-2203977600, "1900-02-28T00:00:00"},
    {-2203891200, "1900-03-01T00:00:00"},
    {-62135596800, "0001-01-01T00:00:00"},
    {-62135596801, "0000-12-31T23:59:59"},
    {-62162035200, "0000-03-01T00:00:00"},
    {-62167132800, "0000-01-02T00:00:00"},
    {-62167219200, "0000-01-01T00:00:00"},
    {99999999999, "5138-11-16T09:46:39"},
    {100000000000, "5138-11-16T09:46:40"},
};

/* Written with .000Z behind it. */
static void test_format(void) {
    for (int i = 0; i < check_count(formats); i++) {
        check_case("format %.0f", formats[i].seconds);
        char date[TAGOIO_DATE_BYTES] = "";
        char expected[TAGOIO_DATE_BYTES + 10];
        snprintf(expected, sizeof expected, "%s.000Z", formats[i].date);
        check_true(tagoio_date_format(formats[i].seconds, date, NULL));
        check_text(expected, date);
    }
}

static void test_milliseconds(void) {
    static const struct {
        double seconds;
        const char *date;
    } rows[] = {
        {0.001, "1970-01-01T00:00:00.001Z"},
        {0.0004, "1970-01-01T00:00:00.000Z"},
        {0.0006, "1970-01-01T00:00:00.001Z"},
        {0.9996, "1970-01-01T00:00:01.000Z"},
        {-0.001, "1969-12-31T23:59:59.999Z"},
        {-0.5, "1969-12-31T23:59:59.500Z"},
        {1676992655.88, "2023-02-21T15:17:35.880Z"},
        {1676992655.8796, "2023-02-21T15:17:35.880Z"},
        {978307199.9999, "2001-01-01T00:00:00.000Z"},
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("format %.4f", rows[i].seconds);
        char date[TAGOIO_DATE_BYTES] = "";
        check_true(tagoio_date_format(rows[i].seconds, date, NULL));
        check_text(rows[i].date, date);
    }
}

static void test_refused(void) {
    static const struct {
        double seconds;
        const char *why;
    } rows[] = {
        {100000000001.0, "100000000001 is too late a date (seconds, not milliseconds)"},
        {1700000030000.0,
         "1700000030000 is too late a date (seconds, not milliseconds)"},
        {(double)INFINITY, "is too late a date (seconds, not milliseconds)"},
        {-62167219201.0, "-62167219201 is a date before the year 0"},
        {-1e300, "is a date before the year 0"},
        {-(double)INFINITY, "is a date before the year 0"},
        {(double)NAN, "is a date before the year 0"},
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("no date: %g", rows[i].seconds);
        char date[TAGOIO_DATE_BYTES] = "";
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        check_true(!tagoio_date_format(rows[i].seconds, date, &err));
        check_true(err.kind == TAGOIO_ERROR_INVALID);
        check_within(rows[i].why, err.message);
        check_text("", date);
    }
}

static void test_parse_iso(void) {
    static const struct {
        const char *date;
        double seconds;
    } rows[] = {
        {"1970-01-01", 0},
        {"2024-02-29", 1709164800},
        {"0000-01-01T00:00:00Z", -62167219200.0},
        {"9999-12-31T23:59:59.999Z", 253402300799.999},
        {"2023-02-21T15:17:35.880Z", 1676992655.88},
        {"2023-02-21T15:17:35,880Z", 1676992655.88},
        {"2023-02-21t15:17:35z", 1676992655},
        {"2023-02-21 15:17:35", 1676992655},
        {"2023-02-21T15:17", 1676992620},
        {"2023-02-21T12:17:35-03:00", 1676992655},
        {"2023-02-21T12:17:35-03", 1676992655},
        {"2023-02-21T20:47:35+0530", 1676992655},
        {"2023-02-21T15:17:35-00:00", 1676992655},
        {"1969-12-31T23:59:59.5Z", -0.5},
        {"1970-01-01T00:00:00.123456789912345Z", 0.123456789},
        {"2016-12-31T23:59:60Z", 1483228800}, /* a leap second: the next one */
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("parse %s", rows[i].date);
        double seconds = 7;
        check_true(tagoio_date_parse(rows[i].date, &seconds));
        check_true(seconds == rows[i].seconds);
    }
}

static void test_no_iso(void) {
    static const char *const rows[] = {
        "",
        "never",
        "3 months",
        "1676992655",
        "2023",
        "2023-02",
        "2023-2-21",
        "2023-00-21",
        "2023-13-21",
        "2023-02-00",
        "2023-02-29",
        "2100-02-29",
        "2024-02-30",
        "2023-04-31",
        "2023-12-32",
        "20230221T151735Z",
        "2023-02-21T",
        "2023-02-21T15",
        "2023-02-21T15:",
        "2023-02-21T1:17",
        "2023-02-21T24:00:00Z",
        "2023-02-21T15:60:35Z",
        "2023-02-21T15:17:61Z",
        "2023-02-21T15:17:61",
        "2023-02-21T15:17:00.",
        "2023-02-21T15:17:35.Z",
        "2023-02-21T15:17:3Z",
        "2023-02-21T15:17.5Z",
        "2023-02-21T15:17:35 Z",
        "2023-02-21T15:17:35+3",
        "2023-02-21T15:17:35+03:",
        "2023-02-21T15:17:35+03:0",
        "2023-02-21T15:17:35+24:00",
        "2023-02-21T15:17:35+03:60",
        "2023-02-21T15:17:35Zulu",
        "2023-02-21T15:17:35ZZ",
        "2023-02-21Z",
        " 2023-02-21",
        "2023-02-21 ",
        "+2023-02-21",
        "-023-02-21",
        "2023/02/21",
        "12023-02-21",
        "Sun, 06 Nov 1994 08:49:37 GMT",
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("no ISO-8601: %s", rows[i]);
        double seconds = 7;
        check_true(!tagoio_date_parse(rows[i], &seconds));
        check_true(seconds == 7);
    }
}

static void test_parse(void) {
    static const struct {
        const char *date;
        int64_t seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
        {"Fri, 31 Dec 1999 23:59:59 GMT", 946684799},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Tue, 01 Mar 2100 12:00:00 GMT", 4107585600},
        {"Mon, 05 Apr 2027 01:02:03 GMT", 1806886923},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Sat, 30 Jun 2012 23:59:60 GMT", 1341100800}, /* a leap second: the next one */
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("parse %s", rows[i].date);
        int64_t seconds = 7;
        check_true(tagoio_date_parse_http(rows[i].date, &seconds));
        check_number(rows[i].seconds, seconds);
    }
}

static void test_not_parsed(void) {
    static const char *const rows[] = {
        "",
        "120",
        "-1",
        "soon",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 06 Nov 1994 08:49:37 GMT, 5",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nix 1994 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT",
        "Sun, 06 No 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, 06 Nov 1 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun,06Nov1994 8:49:37\tGMT",
        "Thu, 31 Feb 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("not parsed: %s", rows[i]);
        int64_t seconds = 7;
        check_true(!tagoio_date_parse_http(rows[i], &seconds));
        check_number(7, seconds);
    }
}

/* What is written can be read again: every day of four hundred years, at its last
   second. */
static void test_round_trip(void) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    check_case("every day from 1800 to 2200");
    for (int64_t day = -62091; day < 84006; day++) {
        int64_t seconds = day * 86400 + 86399;
        char date[TAGOIO_DATE_BYTES] = "";
        char http[40];
        int64_t again = 0;
        int month = 0;
        double parsed = 0;
        check_true(tagoio_date_format((double)seconds, date, NULL));
        check_true(tagoio_date_parse(date, &parsed) && parsed == (double)seconds);
        sscanf(date + 5, "%2d", &month);
        snprintf(http, sizeof http, "Day, %.2s %.3s %.4s 23:59:59 GMT", date + 8,
                 months + 3 * (month - 1), date);
        if (!check_true(tagoio_date_parse_http(http, &again)) ||
            !check_number(seconds, again)) {
            break;
        }
    }
}

int main(void) {
    static const check_test tests[] = {
        test_format, test_milliseconds, test_refused,    test_parse_iso,
        test_no_iso, test_parse,        test_not_parsed, test_round_trip,
    };
    return check_run(tests, check_count(tests));
}
