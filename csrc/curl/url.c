/* SPDX-License-Identifier: MIT */
/* Checking addresses with libcurl's own parser: two parsers that differ are how a token
   ends up at another host. */
#include "curl/url.h"
#include "curl/libcurl.h"

#include <stdlib.h>
#include <string.h>

/* ---- the parts of a URL ---- */

enum { SCHEME, HOST, PORT, PATH, QUERY, FRAGMENT, PARTS };

static const struct {
    CURLUPart part;
    CURLUcode absent; /* what libcurl says where there is none */
} rows[PARTS] = {
    [SCHEME] = {CURLUPART_SCHEME, CURLUE_NO_SCHEME},
    [HOST] = {CURLUPART_HOST, CURLUE_NO_HOST},
    [PORT] = {CURLUPART_PORT, CURLUE_NO_PORT},
    [PATH] = {CURLUPART_PATH, CURLUE_OK}, /* a slash at least */
    [QUERY] = {CURLUPART_QUERY, CURLUE_NO_QUERY},
    [FRAGMENT] = {CURLUPART_FRAGMENT, CURLUE_NO_FRAGMENT},
};

/* NULL is a part that is absent. The caller frees them, also after a failure. */
static CURLUcode get_parts(char *parts[PARTS], CURLU *handle) {
    for (int i = 0; i < PARTS; i++) {
        CURLUcode code = curl_url_get(handle, rows[i].part, &parts[i], 0);
        if (code != CURLUE_OK && code != rows[i].absent) {
            return code;
        }
    }
    return CURLUE_OK;
}

static CURLUcode parse(char *parts[PARTS], const char *text, unsigned flags) {
    CURLU *handle = curl_url();
    if (handle == NULL) {
        return CURLUE_OUT_OF_MEMORY;
    }
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, flags);
    if (code == CURLUE_OK) {
        code = get_parts(parts, handle);
    }
    curl_url_cleanup(handle);
    /* libcurl refuses no login but for want of memory. */
    return code == CURLUE_BAD_LOGIN ? CURLUE_OUT_OF_MEMORY : code;
}

static void free_parts(char *parts[PARTS]) {
    for (int i = 0; i < PARTS; i++) {
        curl_free(parts[i]);
    }
}

/* ---- loopback ---- */

static bool is_localhost(const char *host, size_t length) {
    if (length > 0 && host[length - 1] == '.') {
        length--;
    }
    return length == strlen("localhost") && curl_strnequal(host, "localhost", length);
}

/* A byte of an address in decimal: at most three digits, and no zero before them, which
   some resolvers take for octal. Its length, 0: it is none. */
static size_t read_byte(const char *text, size_t length, int *byte) {
    size_t digits = 0;
    *byte = 0;
    while (digits < length && digits < 3 && text[digits] >= '0' &&
           text[digits] <= '9') {
        *byte = *byte * 10 + (text[digits++] - '0');
    }
    return *byte > 255 || (digits > 1 && *text == '0') ? 0 : digits;
}

/* Four decimal numbers and nothing else: names may begin as addresses do. */
static bool is_loopback_ipv4(const char *host, size_t length) {
    for (int i = 0; i < 4; i++) {
        int byte;
        size_t digits = read_byte(host, length, &byte);
        if (digits == 0 || (i == 0 && byte != 127)) {
            return false;
        }
        host += digits;
        length -= digits;
        if (i < 3 && (length == 0 || *host != '.')) {
            return false;
        }
        host += i < 3;
        length -= i < 3;
    }
    return length == 0;
}

static bool is_loopback(const char *host, size_t length) {
    return is_localhost(host, length) || is_loopback_ipv4(host, length) ||
           (length == strlen("[::1]") && memcmp(host, "[::1]", length) == 0);
}

bool tagoio_url_is_loopback(const char *url) {
    const char *host = strstr(url, "://") + strlen("://");
    return is_loopback(host,
                       *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/"));
}

bool tagoio_url_is_secure(const char *url) {
    return strncmp(url, "https:", strlen("https:")) == 0;
}

/* ---- the address of an API ---- */

/* Why an address is refused; NULL: it is not. */
static const char *objection(char *const parts[PARTS]) {
    const char *scheme = parts[SCHEME];
    const char *host = parts[HOST];
    if (scheme == NULL || host == NULL) {
        return "is not a URL like https://api.tago.io";
    }
    if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) {
        return "must begin with https://";
    }
    if (strcmp(scheme, "http") == 0 && !is_loopback(host, strlen(host))) {
        return "http would show the token to the network: use https (http is for this "
               "machine only)";
    }
    if (parts[QUERY] != NULL || parts[FRAGMENT] != NULL) {
        return "must have no query and no fragment";
    }
    return NULL;
}

/* What libcurl has decoded it would decode once more in each request; and of an address
   with a zone it gives the rest alone. It takes one to three slashes before a host. */
static bool has_percent_before_path(const char *text) {
    const char *host = strstr(text, ":/");
    host = host != NULL ? host + 1 + strspn(host + 1, "/") : text;
    return memchr(host, '%', strcspn(host, "/?#")) != NULL;
}

static const char *set_objection(CURLUcode code) {
    return code == CURLUE_USER_NOT_ALLOWED ? "must hold no user or password"
                                           : "is not a URL like https://api.tago.io";
}

static bool add_parts(tagoio_buffer *url, char *const parts[PARTS], tagoio_error *err) {
    const char *host = parts[HOST];
    const char *path = parts[PATH] != NULL ? parts[PATH] : "";
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    tagoio_buffer_add_string(url, parts[SCHEME]);
    tagoio_buffer_add_string(url, "://");
    /* libcurl resolves this spelling by itself: no name server can say otherwise. */
    tagoio_buffer_add_string(url,
                             is_localhost(host, strlen(host)) ? "localhost" : host);
    tagoio_buffer_add_string(url, parts[PORT] != NULL ? ":" : "");
    tagoio_buffer_add_string(url, parts[PORT] != NULL ? parts[PORT] : "");
    tagoio_buffer_add(url, path, length);
    if (url->state == TAGOIO_BUFFER_FULL) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "base_url: must be at most %zu bytes", url->limit);
    }
    return url->state == TAGOIO_BUFFER_OK || tagoio_error_memory(err);
}

bool tagoio_url_check(tagoio_buffer *url, const char *text, tagoio_error *err) {
    if (has_percent_before_path(text)) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "base_url: must have no percent sign in its host");
    }
    char *parts[PARTS] = {NULL};
    CURLUcode code = parse(parts, text, CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME);
    const char *why = code == CURLUE_OK ? objection(parts) : set_objection(code);
    bool ok = false;
    if (code == CURLUE_OUT_OF_MEMORY) {
        tagoio_error_memory(err);
    } else if (why != NULL) {
        tagoio_error_set(err, TAGOIO_ERROR_MISUSE, "base_url: %s", why);
    } else {
        ok = add_parts(url, parts, err);
    }
    free_parts(parts);
    return ok;
}

/* ---- the address of a proxy ---- */

static bool is_proxy_scheme(const char *scheme) {
    static const char *const schemes[] = {"http",    "https",  "socks",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    for (size_t i = 0; scheme != NULL && i < sizeof schemes / sizeof *schemes; i++) {
        if (curl_strequal(scheme, schemes[i])) {
            return true;
        }
    }
    return false;
}

/* With the flags of libcurl's own look at a proxy. What it says of a bad one holds the
   password. */
static bool check_proxy(const char *name, const char *text, tagoio_error_kind kind,
                        tagoio_error *err) {
    char *parts[PARTS] = {NULL};
    CURLUcode code = parse(parts, text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
    bool ok =
        code == CURLUE_OK && parts[HOST] != NULL && is_proxy_scheme(parts[SCHEME]);
    free_parts(parts);
    if (code == CURLUE_OUT_OF_MEMORY) {
        return tagoio_error_memory(err);
    }
    return ok || tagoio_error_set(err, kind,
                                  "%s: must be a URL like http://host:8080 (http, "
                                  "https, socks4, socks4a, socks5 or socks5h)",
                                  name);
}

bool tagoio_url_check_proxy(const char *option, const char *url, tagoio_error *err) {
    /* In libcurl's order for https; http goes to this machine alone. */
    static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY"};
    if (option != NULL) {
        return *option == '\0' ||
               check_proxy("proxy", option, TAGOIO_ERROR_MISUSE, err);
    }
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): unless another thread sets it */
        const char *value = getenv(variables[i]);
        if (value != NULL && *value != '\0') {
            return tagoio_url_is_loopback(url) ||
                   check_proxy(variables[i], value, TAGOIO_ERROR_INVALID, err);
        }
    }
    return true;
}
