/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: values made of the fuzzer's bytes, and a check that ends
   the program. It includes tagoio.h. */
#ifndef TAGOIO_SPEC_FUZZ_H
#define TAGOIO_SPEC_FUZZ_H

#include "core/operation.h"

/* What each target is: 0, for the fuzzer; it ends the program when a check fails. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_check(holds) ((holds) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #holds))
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

/* Bytes that are used up; past the last one everything is 0 or empty. */
typedef struct fuzz_input {
    const uint8_t *at;
    const uint8_t *end;
} fuzz_input;

static inline fuzz_input fuzz_open(const uint8_t *data, size_t size) {
    return (fuzz_input){.at = data, .end = size > 0 ? data + size : data};
}

/* 0 to count - 1; count is at most 256. */
unsigned fuzz_below(fuzz_input *in, unsigned count);
int64_t fuzz_int64(fuzz_input *in);

/* Finite. */
double fuzz_double(fuzz_input *in);

enum { FUZZ_STRING_BYTES = 256 };

typedef struct fuzz_string {
    char bytes[FUZZ_STRING_BYTES]; /* NUL-terminated */
    size_t length;
} fuzz_string;

/* Valid UTF-8; it may hold NULs where nul is set. */
fuzz_string fuzz_text(fuzz_input *in, bool nul);

/* A value, nested so deep at most. */
json_t *fuzz_json(fuzz_input *in, int depth);

/* What an argument, or a parameter of a query, may be given: of the right type most
   times, and then not always a value that is accepted. */
json_t *fuzz_argument(fuzz_input *in, const tagoio_operation *row, size_t index);

/* All arguments of a row; some are absent. */
json_t *fuzz_arguments(fuzz_input *in, const tagoio_operation *row);

/* One of the rows that are our own, those for any endpoint among them. */
const tagoio_operation *fuzz_row(fuzz_input *in);

/* The input as a string of its own, which the caller frees: what reads beyond its end
   is noticed. */
char *fuzz_copy(const fuzz_input *in);

/* Equal, also in the sign of a zero and the type of a number. */
bool fuzz_same_json(const json_t *a, const json_t *b);

/* How many containers stand within each other. */
int fuzz_depth(const json_t *value);

#endif
