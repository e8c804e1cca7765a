/* SPDX-License-Identifier: MIT */
/* Which CA certificates are trusted. */
#ifndef TAGOIO_CURL_CA_FILE_H
#define TAGOIO_CURL_CA_FILE_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* The file of the option, else of SSL_CERT_FILE, else of CURL_CA_BUNDLE, as long as
   one is set and not empty; NULL: libcurl's own. It lives as long as the option and the
   environment do. The environment is asked only with a secure address. False with an
   error of kind invalid, which begins with the name of the option or variable, or
   memory, when the file cannot be read or holds no certificate. */
bool tagoio_ca_file_find(const char **path, const char *option, bool secure,
                         tagoio_error *err);

#pragma GCC visibility pop

#endif
