/* SPDX-License-Identifier: MIT */
/* Filling a tagoio_error. */
#ifndef TAGOIO_CORE_ERROR_H
#define TAGOIO_CORE_ERROR_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

#if defined(__GNUC__)
#define TAGOIO_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define TAGOIO_PRINTF(text, first)
#endif

/* The first error wins: one that is there already stays. Always false. */
bool tagoio_error_set(tagoio_error *err, tagoio_error_kind kind, const char *format,
                      ...) TAGOIO_PRINTF(3, 4);

/* Out of memory, which needs no details. Always false. */
bool tagoio_error_memory(tagoio_error *err);

#pragma GCC visibility pop

#endif
