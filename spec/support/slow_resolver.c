/* SPDX-License-Identifier: MIT */
/* A getaddrinfo that does not find names that end in ".slow.test", after it was stuck
   for four seconds, nor for the moment those that end in ".failing.test"; where
   SLOW_RESOLVER_TELLS is set it says when. Preloaded, or linked into a program that
   exports its symbols. */
#define _GNU_SOURCE /* RTLD_NEXT */

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char slow[] = ".slow.test";
static const char failing[] = ".failing.test";

typedef int look_up(const char *, const char *, const struct addrinfo *,
                    struct addrinfo **);

static int ends_in(const char *name, const char *end) {
    size_t length = name != NULL ? strlen(name) : 0;
    return length > strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

static int fail(int code) {
    if (getenv("SLOW_RESOLVER_TELLS") != NULL) {
        fputs("looked up\n", stderr);
    }
    return code;
}

__attribute__((__visibility__("default"))) int
getaddrinfo(const char *restrict name, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict addresses) {
    if (ends_in(name, slow)) {
        for (unsigned left = 4; left > 0;) {
            left = sleep(left);
        }
        return fail(EAI_NONAME);
    }
    if (ends_in(name, failing)) {
        return fail(EAI_AGAIN);
    }
    look_up *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, addresses);
}
