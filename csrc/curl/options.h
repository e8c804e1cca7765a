/* SPDX-License-Identifier: MIT */
/* The libcurl options that hold for every request of a pool. */
#ifndef TAGOIO_CURL_OPTIONS_H
#define TAGOIO_CURL_OPTIONS_H

#include "curl/libcurl.h"
#include "curl/pool.h"

#pragma GCC visibility push(hidden)

/* Once for each easy handle; what differs between requests is set elsewhere. */
CURLcode tagoio_curl_set_options(CURL *easy, const tagoio_pool_options *options);

#pragma GCC visibility pop

#endif
