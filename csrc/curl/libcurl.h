/* SPDX-License-Identifier: MIT */
/* libcurl's header, if it is there and new enough: 7.80 brought the pre-request
   callback. The rest of this folder includes it in place of curl/curl.h. */
#ifndef TAGOIO_CURL_LIBCURL_H
#define TAGOIO_CURL_LIBCURL_H

#if defined(__has_include) && !defined(__cppcheck__)
#if !__has_include(<curl/curl.h>)
#error "curl/curl.h is missing. It is in: Debian, Ubuntu libcurl4-openssl-dev;"
#error "Alpine curl-dev; Fedora libcurl-devel; Homebrew curl. Or set CURL_DIR."
#endif
#endif

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or newer is needed. It is in: Debian libcurl4-openssl-dev;"
#error "Alpine curl-dev; Fedora libcurl-devel; Homebrew curl. Or set CURL_DIR."
#endif

#if LIBCURL_VERSION_NUM < 0x075100
#define CURLUE_BAD_LOGIN                                                               \
    CURLUE_OUT_OF_MEMORY /* 7.81 brought it; this one says nothing */
#endif

#endif
