/* SPDX-License-Identifier: MIT */
/* What the core sees of a client's settings. */
#ifndef TAGOIO_CORE_SETTINGS_H
#define TAGOIO_CORE_SETTINGS_H

#include "core/redact.h"

#pragma GCC visibility push(hidden)

/* What clients derived from one another may still spend on retries (core/retry.h). */
typedef struct tagoio_retry_budget {
    int references;
    int left;
} tagoio_retry_budget;

struct tagoio_settings {
    int references;
    tagoio_options options; /* its strings are owned */
    const char *host;       /* inside options.base_url, up to its end or a slash */
    size_t host_bytes;
    tagoio_retry_budget *retry_budget;
    tagoio_secrets secrets; /* the token */
};

#pragma GCC visibility pop

#endif
