/* SPDX-License-Identifier: MIT */
/* The C tests' support: named cases, and checks that say where and what. A case fails
   once, however many of its checks do; includes the C library alone. */
#ifndef TAGOIO_SPEC_CHECK_H
#define TAGOIO_SPEC_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The checks that follow belong to a new case. */
void check_case(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

/* Each prints "file:line: case: what" when it does not hold, and says whether it did.
 */
bool check_true_at(const char *file, int line, bool holds, const char *what);
bool check_number_at(const char *file, int line, const char *what, int64_t expected,
                     int64_t got);
/* NULL is a text like any other. */
bool check_text_at(const char *file, int line, const char *what, const char *expected,
                   const char *got);
bool check_within_at(const char *file, int line, const char *what, const char *part,
                     const char *got);

#define check_true(holds) check_true_at(__FILE__, __LINE__, (holds), #holds)
#define check_number(expected, got)                                                    \
    check_number_at(__FILE__, __LINE__, #got, (expected), (got))
#define check_text(expected, got)                                                      \
    check_text_at(__FILE__, __LINE__, #got, (expected), (got))
#define check_within(part, got) check_within_at(__FILE__, __LINE__, #got, (part), (got))

/* A copy of at most 64 KiB, behind which no memory can be read: a program that tries to
   ends. Until the next one. */
const char *check_edge(const char *bytes, size_t count);

/* Runs a program's tests and ends its output with "N passed, N failed", in cases.
   What main returns. */
typedef void (*check_test)(void);
int check_run(const check_test *tests, int count);

#define check_count(table) ((int)(sizeof(table) / sizeof(table)[0]))

#endif
