/* SPDX-License-Identifier: MIT */
/* Allocators that fail when a test says so, and that count: Lua's, that of our own code
   (whose calls of malloc the linker leads here), jansson's and libcurl's. OpenSSL and
   the C library keep theirs. It includes the headers of jansson and libcurl. */
#ifndef TAGOIO_SPEC_MEMORY_H
#define TAGOIO_SPEC_MEMORY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum memory_kind {
    MEMORY_LUA,
    MEMORY_C, /* our own code */
    MEMORY_JSON,
    MEMORY_CURL,
    MEMORY_KINDS
} memory_kind;

#define MEMORY_FOR_EVER LONG_MAX

/* jansson and libcurl ask us from now on. Before they have allocated anything. */
void memory_take_over(void);

/* After so many allocations of one of these kinds that succeed, so many fail. */
void memory_fail_after(const bool kinds[MEMORY_KINDS], long successes, long failures);

/* Blocks that are smaller are always had, until the next memory_fail_after. */
void memory_fail_from(size_t bytes);

/* How many have failed since memory_fail_after. */
long memory_fail_no_more(void);

/* From now on counts blocks of our own code that hold these words when they are freed.
 */
void memory_watch(const char *words);
long memory_watch_no_more(void);

long memory_all_failures(memory_kind kind); /* of the program */
long memory_balance(memory_kind kind);      /* blocks that are in use */

/* How many of libcurl's would have failed where it does not survive it: while it puts
   a TLS session into its cache, 7.88 frees a name twice. */
long memory_spared(void);

/* A lua_Alloc. */
void *memory_allocate_for_lua(void *data, void *block, size_t before, size_t bytes);

#endif
