/* SPDX-License-Identifier: MIT */
/* What comes before the first request: libcurl's own set-up, once a process, and a
   pool's options, checked and copied. */
#ifndef TAGOIO_CURL_SETUP_H
#define TAGOIO_CURL_SETUP_H

#include "curl/pool.h"

#pragma GCC visibility push(hidden)

/* Sets libcurl up the first time. False: it cannot be. */
bool tagoio_curl_set_up(void);

/* Fills own, which is zero-initialised and freed by the caller in any case. */
bool tagoio_pool_options_copy(tagoio_pool_options *own,
                              const tagoio_pool_options *options, tagoio_error *err);
void tagoio_pool_options_free(tagoio_pool_options *own);

#pragma GCC visibility pop

#endif
