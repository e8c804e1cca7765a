/* SPDX-License-Identifier: MIT */
/* Checking the address of an API. */
#ifndef TAGOIO_CURL_URL_H
#define TAGOIO_CURL_URL_H

#include "core/text.h"

#pragma GCC visibility push(hidden)

/* Adds text as scheme://host[:port][/prefix] to url, without a slash at its end. False
   with an error of kind invalid or memory. */
bool tagoio_url_check(tagoio_text *url, const char *text, tagoio_error *err);

#pragma GCC visibility pop

#endif
