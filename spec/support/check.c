/* SPDX-License-Identifier: MIT */
/* Counts cases and prints what failed in them. It includes the C library alone. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct {
    char name[200]; /* of the open case, "": none is */
    bool failed;
    int passed_cases;
    int failed_cases;
} state;

static void close_case(void) {
    if (state.name[0] != '\0') {
        state.passed_cases += !state.failed;
        state.failed_cases += state.failed;
    }
    state.name[0] = '\0';
    state.failed = false;
}

void check_case(const char *format, ...) {
    close_case();
    va_list values;
    va_start(values, format);
    vsnprintf(state.name, sizeof state.name, format, values);
    va_end(values);
}

static void begin_failure(const char *file, int line, const char *what) {
    state.failed = true;
    printf("%s:%d: %s: %s", file, line, state.name, what);
}

bool check_true_at(const char *file, int line, bool holds, const char *what) {
    if (!holds) {
        begin_failure(file, line, what);
        printf("\n");
    }
    return holds;
}

bool check_number_at(const char *file, int line, const char *what, int64_t expected,
                     int64_t got) {
    if (got != expected) {
        begin_failure(file, line, what);
        printf(": expected %" PRId64 ", got %" PRId64 "\n", expected, got);
    }
    return got == expected;
}

static const char *shown(const char *text) { return text == NULL ? "(none)" : text; }

bool check_text_at(const char *file, int line, const char *what, const char *expected,
                   const char *got) {
    bool same =
        expected == NULL || got == NULL ? expected == got : strcmp(expected, got) == 0;
    if (!same) {
        begin_failure(file, line, what);
        printf(":\n  expected %s\n  got      %s\n", shown(expected), shown(got));
    }
    return same;
}

bool check_within_at(const char *file, int line, const char *what, const char *part,
                     const char *got) {
    bool within = got != NULL && strstr(got, part) != NULL;
    if (!within) {
        begin_failure(file, line, what);
        printf(":\n  expected %s\n  within   %s\n", part, shown(got));
    }
    return within;
}

const char *check_edge(const char *bytes, size_t count) {
    enum { most = 64 * 1024 }; /* a page is this long, or a part of it */
    static char *edge = NULL;
    if (edge == NULL) {
        char *memory = mmap(NULL, (size_t)2 * most, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory + most, most, PROT_NONE) != 0) {
            exit(2);
        }
        edge = memory + most;
    }
    return memcpy(edge - count, bytes, count);
}

int check_run(const check_test *tests, int count) {
    for (int i = 0; i < count; i++) {
        tests[i]();
    }
    close_case();
    printf("%d passed, %d failed\n", state.passed_cases, state.failed_cases);
    return state.failed_cases == 0 && state.passed_cases > 0 ? 0 : 1;
}
