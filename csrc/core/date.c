/* SPDX-License-Identifier: MIT */
/* Dates by arithmetic: the C library's are bound to a time zone or not thread-safe. */
#include "core/date.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double must_be_milliseconds = 1e11; /* as seconds: the year 5138 */
static const int64_t year_0 = -62167219200;      /* its first second */
static const int64_t ms_a_day = 24 * 60 * 60 * 1000;

/* Days since 1970-01-01. Years begin in March, so that the leap day comes last. The
   month 13 is the next year's first. */
static int64_t days_of(int64_t year, int month, int day) {
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
    int64_t leap_days = year_of_era / 4 - year_of_era / 100;
    return era * 146097 + year_of_era * 365 + leap_days + day_of_year - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day) {
    /* A guess that is never too late: the year 0 is the first. */
    int y = (int)((days - days_of(0, 1, 1)) / 366);
    while (days_of(y + 1, 1, 1) <= days) {
        y++;
    }
    int m = 1;
    while (days_of(y, m + 1, 1) <= days) {
        m++;
    }
    *year = y;
    *month = m;
    *day = (int)(days - days_of(y, m, 1)) + 1;
}

bool tagoio_date_format(double seconds, char text[TAGOIO_DATE_BYTES],
                        tagoio_error *err) {
    if (seconds > must_be_milliseconds) {
        return tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                                "%.0f is too late a date (seconds, not milliseconds)",
                                seconds);
    }
    if (!(seconds >= (double)year_0)) {
        return tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                                "%.0f is a date before the year 0 (seconds since 1970)",
                                seconds);
    }
    int64_t ms = (int64_t)floor(seconds * 1000 + 0.5);
    int64_t days = ms / ms_a_day - (ms % ms_a_day < 0);
    unsigned remainder_ms = (unsigned)(ms - days * ms_a_day);
    int year;
    int month;
    int day;
    date_of(days, &year, &month, &day);
    snprintf(text, TAGOIO_DATE_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)year % 10000, (unsigned)month % 100, (unsigned)day % 100,
             remainder_ms / 3600000 % 100, remainder_ms / 60000 % 60,
             remainder_ms / 1000 % 60, remainder_ms % 1000);
    return true;
}

/* ---- ISO-8601: each takes its part from the text, false when it is not there ---- */

static bool take_number(const char **at, int digits, int most, int *number) {
    *number = 0;
    for (int i = 0; i < digits; i++, ++*at) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        *number = *number * 10 + (**at - '0');
    }
    return *number <= most;
}

static bool take_one_of(const char **at, const char *characters) {
    bool there = **at != '\0' && strchr(characters, **at) != NULL;
    *at += there;
    return there;
}

/* False: that month has no such day, or there is no such month. */
static bool count_days(int year, int month, int day, int64_t *days) {
    if (month < 1 || day < 1) {
        return false;
    }
    *days = days_of(year, month, day);
    return *days < days_of(year, month + 1, 1);
}

static bool take_day(const char **at, int64_t *days) {
    int year;
    int month;
    int day;
    return take_number(at, 4, 9999, &year) && take_one_of(at, "-") &&
           take_number(at, 2, 12, &month) && take_one_of(at, "-") &&
           take_number(at, 2, 31, &day) && count_days(year, month, day, days);
}

/* Digits past the ninth are beyond what a number of seconds can tell apart. */
static bool take_fraction(const char **at, double *fraction) {
    double digits = 0;
    double scale = 1;
    const char *start = *at;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        if (*at - start < 9) {
            digits = digits * 10 + (**at - '0');
            scale *= 10;
        }
    }
    *fraction = digits / scale;
    return *at > start;
}

/* Seconds east of UTC. */
static bool take_zone(const char **at, int *offset) {
    int sign = **at == '-' ? -1 : 1;
    int hours;
    int minutes = 0;
    *offset = 0;
    if (**at == '\0' || take_one_of(at, "Zz")) {
        return true;
    }
    if (!take_one_of(at, "+-") || !take_number(at, 2, 23, &hours)) {
        return false;
    }
    bool colon = take_one_of(at, ":");
    if ((colon || **at != '\0') && !take_number(at, 2, 59, &minutes)) {
        return false;
    }
    *offset = sign * (hours * 60 + minutes) * 60;
    return true;
}

/* Second 60 is a leap second: the next one, as in every count of seconds since 1970. */
static bool take_time(const char **at, int64_t *seconds, double *fraction) {
    int hour;
    int minute;
    int second = 0;
    int offset;
    if (!take_number(at, 2, 23, &hour) || !take_one_of(at, ":") ||
        !take_number(at, 2, 59, &minute)) {
        return false;
    }
    if (take_one_of(at, ":") &&
        (!take_number(at, 2, 60, &second) ||
         (take_one_of(at, ".,") && !take_fraction(at, fraction)))) {
        return false;
    }
    if (!take_zone(at, &offset)) {
        return false;
    }
    *seconds = (hour * 60 + minute) * 60 + second - offset;
    return true;
}

bool tagoio_date_parse(const char *text, double *seconds) {
    int64_t days;
    int64_t time = 0;
    double fraction = 0;
    if (!take_day(&text, &days) ||
        (take_one_of(&text, "Tt ") && !take_time(&text, &time, &fraction)) ||
        *text != '\0') {
        return false;
    }
    *seconds = (double)(days * 86400 + time) + fraction;
    return true;
}

/* sscanf also takes blanks, signs and fewer digits: what it has read is written again,
   and must be the text. */
bool tagoio_date_parse_http(const char *text, int64_t *seconds) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    unsigned day;
    unsigned year;
    unsigned hour;
    unsigned minute;
    unsigned second;
    char month[4];
    char again[100];
    int64_t days;
    /* NOLINTNEXTLINE(cert-err34-c): two or four digits are always in range */
    if (sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u", &day, month, &year,
               &hour, &minute, &second) != 6) {
        return false;
    }
    snprintf(again, sizeof again, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", text, day,
             month, year, hour, minute, second);
    const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (strcmp(again, text) != 0 || at == NULL || (at - months) % 3 != 0 || hour > 23 ||
        minute > 59 || second > 60 ||
        !count_days((int)year, (int)(at - months) / 3 + 1, (int)day, &days)) {
        return false;
    }
    *seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    return true;
}
