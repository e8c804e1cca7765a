/* SPDX-License-Identifier: MIT */
/* Checking the address of an API with libcurl's own parser: two parsers that differ are
   how a token ends up at another host. */
#include "curl/url.h"
#include "core/error.h"

#include <curl/curl.h>
#include <string.h>

static bool is_loopback(const char *host) {
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0;
}

static bool has_part(CURLU *handle, CURLUPart part) {
    char *text = NULL;
    bool found = curl_url_get(handle, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return found;
}

/* Why an address is refused; NULL: it is not. */
static const char *objection(CURLU *handle, const char *scheme, const char *host) {
    if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) {
        return "must begin with https://";
    }
    if (strcmp(scheme, "http") == 0 && !is_loopback(host)) {
        return "http would show the token to the network: use https (http is for this "
               "machine only)";
    }
    if (has_part(handle, CURLUPART_QUERY) || has_part(handle, CURLUPART_FRAGMENT)) {
        return "must have no query and no fragment";
    }
    return NULL;
}

static bool add_parts(tagoio_text *url, CURLU *handle, const char *scheme,
                      const char *host) {
    char *port = NULL;
    char *path = NULL;
    bool has_port = curl_url_get(handle, CURLUPART_PORT, &port, 0) == CURLUE_OK;
    bool has_path = curl_url_get(handle, CURLUPART_PATH, &path, 0) == CURLUE_OK;
    tagoio_text_add_string(url, scheme);
    tagoio_text_add_string(url, "://");
    tagoio_text_add_string(url, host);
    tagoio_text_add_string(url, has_port ? ":" : "");
    tagoio_text_add_string(url, has_port ? port : "");
    size_t length = has_path ? strlen(path) : 0;
    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    tagoio_text_add(url, has_path ? path : "", length);
    curl_free(port);
    curl_free(path);
    return url->failed == TAGOIO_NONE;
}

static bool check(tagoio_text *url, CURLU *handle, const char *text,
                  tagoio_error *err) {
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text,
                                  CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OUT_OF_MEMORY) {
        return tagoio_error_memory(err);
    }
    if (code == CURLUE_USER_NOT_ALLOWED) {
        return tagoio_error_set(err, TAGOIO_INVALID, "must hold no user or password");
    }
    char *scheme = NULL;
    char *host = NULL;
    if (code != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        curl_free(scheme);
        return tagoio_error_set(err, TAGOIO_INVALID,
                                "is not a URL like https://api.tago.io");
    }
    const char *why = objection(handle, scheme, host);
    bool done = why == NULL
                    ? add_parts(url, handle, scheme, host) || tagoio_error_memory(err)
                    : tagoio_error_set(err, TAGOIO_INVALID, "%s", why);
    curl_free(scheme);
    curl_free(host);
    return done;
}

bool tagoio_url_check(tagoio_text *url, const char *text, tagoio_error *err) {
    CURLU *handle = curl_url();
    bool done =
        handle == NULL ? tagoio_error_memory(err) : check(url, handle, text, err);
    curl_url_cleanup(handle);
    return done;
}
