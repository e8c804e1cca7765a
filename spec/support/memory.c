/* SPDX-License-Identifier: MIT */
/* One judge, and an allocator of each kind that asks it. */
#define _GNU_SOURCE /* dladdr */

#include "memory.h"

#include <curl/curl.h>
#include <dlfcn.h>
#if defined(__GLIBC__) || defined(__APPLE__)
#include <execinfo.h>
#else
#define backtrace(frames, count) 0
#endif
#include <jansson.h>
#ifdef __APPLE__
#include <malloc/malloc.h>
#define malloc_usable_size malloc_size
#else
#include <malloc.h>
#endif
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct {
    bool failing[MEMORY_KINDS];
    long successes; /* that are left */
    long failures;  /* that come after them */
    long failed;    /* of those */
    size_t least;   /* smaller blocks are always had */
    long all_failed[MEMORY_KINDS];
    long balance[MEMORY_KINDS];
    long spared;
    const char *watched; /* NULL: nothing is */
    long seen;
} memory;

static bool is_called_by(const char *library) {
    void *frames[64];
    int count = backtrace(frames, 64);
    for (int i = 0; i < count; i++) {
        Dl_info info;
        if (dladdr(frames[i], &info) != 0 && strstr(info.dli_fname, library) != NULL) {
            return true;
        }
    }
    return false;
}

/* Where libcurl does not survive it: called by the TLS library with a new session. */
static bool spares(memory_kind kind) {
    bool spared = kind == MEMORY_CURL && is_called_by("libssl");
    memory.spared += spared;
    return spared;
}

/* libcurl looks names up in threads of its own. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool judge(memory_kind kind, size_t bytes) {
    if (!memory.failing[kind] || bytes < memory.least || memory.failures == 0) {
        return false;
    }
    if (memory.successes > 0) {
        memory.successes--;
        return false;
    }
    if (spares(kind)) {
        return false;
    }
    memory.failures--;
    memory.failed++;
    memory.all_failed[kind]++;
    return true;
}

static bool refuses(memory_kind kind, size_t bytes) {
    pthread_mutex_lock(&lock);
    bool refused = judge(kind, bytes);
    pthread_mutex_unlock(&lock);
    return refused;
}

static void count(memory_kind kind, int blocks) {
    pthread_mutex_lock(&lock);
    memory.balance[kind] += blocks;
    pthread_mutex_unlock(&lock);
}

void memory_fail_after(const bool kinds[MEMORY_KINDS], long successes, long failures) {
    memcpy(memory.failing, kinds, sizeof memory.failing);
    memory.successes = successes;
    memory.failures = failures;
    memory.failed = 0;
    memory.least = 0;
}

void memory_fail_from(size_t bytes) { memory.least = bytes; }

long memory_fail_no_more(void) {
    memory.failures = 0;
    return memory.failed;
}

void memory_watch(const char *words) {
    memory.watched = words;
    memory.seen = 0;
}

long memory_watch_no_more(void) {
    memory.watched = NULL;
    return memory.seen;
}

long memory_all_failures(memory_kind kind) { return memory.all_failed[kind]; }

long memory_spared(void) { return memory.spared; }

long memory_balance(memory_kind kind) { return memory.balance[kind]; }

/* ---- what every kind does ---- */

#ifdef __APPLE__ /* its linker leads no calls elsewhere */
#define __real_malloc  malloc
#define __real_calloc  calloc
#define __real_realloc realloc
#define __real_free    free
#else
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void __real_free(void *block);
#endif

static void *counted(memory_kind kind, void *block) {
    count(kind, block != NULL);
    return block;
}

static void *allocate(memory_kind kind, size_t bytes) {
    return refuses(kind, bytes) ? NULL : counted(kind, __real_malloc(bytes));
}

static void *allocate_zeros(memory_kind kind, size_t count, size_t bytes) {
    return refuses(kind, count * bytes) ? NULL
                                        : counted(kind, __real_calloc(count, bytes));
}

static void *reallocate(memory_kind kind, void *block, size_t bytes) {
    if (refuses(kind, bytes)) {
        return NULL;
    }
    void *moved = __real_realloc(block, bytes);
    return block == NULL ? counted(kind, moved) : moved;
}

static bool holds(const char *block, size_t bytes, const char *words) {
    size_t count = strlen(words);
    for (size_t i = 0; i + count <= bytes; i++) {
        if (memcmp(block + i, words, count) == 0) {
            return true;
        }
    }
    return false;
}

static void release(memory_kind kind, void *block) {
    count(kind, block != NULL ? -1 : 0);
    if (memory.watched != NULL && kind == MEMORY_C && block != NULL) {
        memory.seen += holds(block, malloc_usable_size(block), memory.watched);
    }
    __real_free(block);
}

/* ---- Lua ---- */

/* Lua relies on blocks that can always shrink. */
void *memory_allocate_for_lua(void *data, void *block, size_t before, size_t bytes) {
    (void)data;
    if (bytes == 0) {
        release(MEMORY_LUA, block);
        return NULL;
    }
    return block != NULL && bytes <= before ? __real_realloc(block, bytes)
                                            : reallocate(MEMORY_LUA, block, bytes);
}

/* ---- jansson ---- */

static void *json_allocate(size_t bytes) { return allocate(MEMORY_JSON, bytes); }

static void json_release(void *block) { release(MEMORY_JSON, block); }

/* ---- our own code: the linker's --wrap calls these in place of malloc and the like -
 */

#define WRAPPER __attribute__((__visibility__("default")))

WRAPPER void *__wrap_malloc(size_t bytes);
WRAPPER void *__wrap_calloc(size_t count, size_t bytes);
WRAPPER void *__wrap_realloc(void *block, size_t bytes);
WRAPPER void __wrap_free(void *block);
WRAPPER CURLcode __wrap_curl_global_init(long flags);

/* Zeros where it will be looked at as a whole. */
void *__wrap_malloc(size_t bytes) {
    return memory.watched != NULL ? allocate_zeros(MEMORY_C, 1, bytes)
                                  : allocate(MEMORY_C, bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    return allocate_zeros(MEMORY_C, count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes) {
    return reallocate(MEMORY_C, block, bytes);
}

void __wrap_free(void *block) { release(MEMORY_C, block); }

/* ---- libcurl ---- */

static void *curl_allocate(size_t bytes) { return allocate(MEMORY_CURL, bytes); }

static void *curl_allocate_zeros(size_t count, size_t bytes) {
    return allocate_zeros(MEMORY_CURL, count, bytes);
}

static void *curl_reallocate(void *block, size_t bytes) {
    return reallocate(MEMORY_CURL, block, bytes);
}

static void curl_release(void *block) { release(MEMORY_CURL, block); }

static char *curl_copy(const char *text) {
    char *copy = allocate(MEMORY_CURL, strlen(text) + 1);
    return copy == NULL ? NULL : strcpy(copy, text);
}

/* Where our code sets libcurl up. It was before, so that nothing of that is tried. */
CURLcode __wrap_curl_global_init(long flags) {
    return refuses(MEMORY_CURL, SIZE_MAX) ? CURLE_OUT_OF_MEMORY
                                          : curl_global_init(flags);
}

void memory_take_over(void) {
    json_set_alloc_funcs(json_allocate, json_release);
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_allocate, curl_release,
                         curl_reallocate, curl_copy, curl_allocate_zeros);
}
