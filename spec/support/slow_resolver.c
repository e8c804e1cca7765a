/* SPDX-License-Identifier: MIT */
/* A getaddrinfo that is stuck for four seconds on names that end in ".slow.test" and
   then does not find them; where SLOW_RESOLVER_TELLS is set it says when. Preloaded, or
   linked into a program that exports its symbols. */
#define _GNU_SOURCE /* RTLD_NEXT */

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char slow_end[] = ".slow.test";

typedef int look_up(const char *, const char *, const struct addrinfo *,
                    struct addrinfo **);

static int is_slow(const char *name) {
    size_t length = name != NULL ? strlen(name) : 0;
    size_t end = strlen(slow_end);
    return length > end && strcmp(name + length - end, slow_end) == 0;
}

__attribute__((__visibility__("default"))) int
getaddrinfo(const char *restrict name, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict addresses) {
    if (is_slow(name)) {
        for (unsigned left = 4; left > 0;) {
            left = sleep(left);
        }
        if (getenv("SLOW_RESOLVER_TELLS") != NULL) {
            fputs("looked up\n", stderr);
        }
        return EAI_NONAME;
    }
    look_up *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, addresses);
}
