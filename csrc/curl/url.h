/* SPDX-License-Identifier: MIT */
/* Checking the addresses of an API and of a proxy. */
#ifndef TAGOIO_CURL_URL_H
#define TAGOIO_CURL_URL_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Adds text as scheme://host[:port][/prefix] to url, without a slash at its end. False
   with an error of kind misuse, which begins with "base_url: ", or memory. */
bool tagoio_url_check(tagoio_buffer *url, const char *text, tagoio_error *err);

/* Whether libcurl can use the proxy for requests to url: the option's, "" for none,
   else (NULL) the environment's. Its scheme may be missing. False with an error of kind
   misuse (the option) or invalid (a variable), which begins with the name and never
   shows the value, or memory. */
bool tagoio_url_check_proxy(const char *option, const char *url, tagoio_error *err);

/* Whether what tagoio_url_check has written is an address of this machine, and whether
   it begins with https. */
bool tagoio_url_is_loopback(const char *url);
bool tagoio_url_is_secure(const char *url);

#pragma GCC visibility pop

#endif
