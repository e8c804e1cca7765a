/* SPDX-License-Identifier: MIT */
/* What the core sees of a client's settings. */
#ifndef TAGOIO_CORE_SETTINGS_H
#define TAGOIO_CORE_SETTINGS_H

#include "core/gate.h"
#include "core/redact.h"

#pragma GCC visibility push(hidden)

/* What clients derived from one another share. */
typedef struct tagoio_family {
    int references;
    int retry_budget; /* what may still be spent on retries (core/retry.h) */
    tagoio_gates gates;
} tagoio_family;

struct tagoio_settings {
    int references;
    tagoio_options options; /* its strings are owned */
    const char *host;       /* inside options.base_url, up to its end or a slash */
    size_t host_bytes;
    tagoio_family *family;
    tagoio_gate *gate;      /* the token's */
    tagoio_secrets secrets; /* the token */
};

#pragma GCC visibility pop

#endif
