/* SPDX-License-Identifier: MIT */
/* Recognising a secret in what a server sends back, in whatever form it writes it. */
#ifndef TAGOIO_CORE_ECHO_H
#define TAGOIO_CORE_ECHO_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* How many bytes of text, from its beginning, are the secret; 0: it does not begin with
   it. Recognised are the secret as it is, percent-encoded (hex
   digits of either case, + for a blank, any character left as it is), with the escapes
   of a JSON string, and each of these with HTML's entities. */
size_t tagoio_echo_bytes(const char *secret, size_t secret_bytes, const char *text,
                         size_t text_bytes);

#pragma GCC visibility pop

#endif
