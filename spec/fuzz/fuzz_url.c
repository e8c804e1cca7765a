/* SPDX-License-Identifier: MIT */
/* The check of an address: what is taken has the form scheme://host[:port][/prefix] by
   a reader of our own, goes by http to this machine alone by the C library's reader of
   addresses, names no other host than the text, and is taken again as it is. A plain
   address is taken. What is said of a proxy never shows its password. */
#include "curl/url.h"
#include "fuzz.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct address {
    char scheme[8];
    char host[5000];
    char port[16];
    const char *path;
} address;

/* False: it has not that form. */
static bool split(const char *text, address *a) {
    const char *host = strstr(text, "://");
    size_t scheme_bytes = host != NULL ? (size_t)(host - text) : 0;
    if (scheme_bytes < 4 || scheme_bytes > 5) {
        return false;
    }
    host += 3;
    size_t host_bytes = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (host_bytes == 0 || host_bytes >= sizeof a->host) {
        return false;
    }
    if (host_bytes > strlen(host)) {
        return false; /* a bracket that is not closed */
    }
    const char *port = host + host_bytes;
    size_t digits = *port == ':' ? strspn(port + 1, "0123456789") : 0;
    a->path = *port == ':' ? port + 1 + digits : port;
    snprintf(a->scheme, sizeof a->scheme, "%.*s", (int)scheme_bytes, text);
    snprintf(a->host, sizeof a->host, "%.*s", (int)host_bytes, host);
    snprintf(a->port, sizeof a->port, "%.*s", (int)(digits < 9 ? digits : 9), port + 1);
    return *a->path == '/' || *a->path == '\0';
}

static bool is_here(const char *host) {
    struct in_addr four;
    struct in6_addr six;
    char inner[64] = "";
    snprintf(inner, sizeof inner, "%.*s", (int)strcspn(host + (*host == '['), "]"),
             host + (*host == '['));
    bool is_four = inet_pton(AF_INET, host, &four) == 1;
    bool is_six = *host == '[' && inet_pton(AF_INET6, inner, &six) == 1;
    return strcmp(host, "localhost") == 0 ||
           (is_four && ntohl(four.s_addr) >> 24 == 127) ||
           (is_six && IN6_IS_ADDR_LOOPBACK(&six));
}

static bool is_name(const char *host) {
    return *host != '\0' &&
           strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(host);
}

static bool is_plain_path(const char *path) {
    return strspn(path, "/abcdefghijklmnopqrstuvwxyz0123456789-_~") == strlen(path);
}

/* Taken without doubt: a name in small letters that is no number, a usual port. */
static bool is_plain(const char *text) {
    address a;
    if (!split(text, &a)) {
        return false;
    }
    size_t host_bytes = strlen(a.host);
    long port = strtol(a.port, NULL, 10);
    const char *last = strrchr(a.host, '.');
    return is_name(a.host) && isalpha((unsigned char)a.host[host_bytes - 1]) &&
           (last == NULL || isalpha((unsigned char)last[1])) &&
           isalpha((unsigned char)a.host[0]) && host_bytes < 200 &&
           is_plain_path(a.path) &&
           (a.port[0] == '\0' ? text[strlen(a.scheme) + 3 + host_bytes] != ':'
                              : strlen(a.port) < 6 && port > 0 && port < 65536) &&
           (strcmp(a.scheme, "https") == 0 ||
            (strcmp(a.scheme, "http") == 0 && is_here(a.host)));
}

static void check_again(const char *url) {
    tagoio_buffer again = {.limit = TAGOIO_MAX_URL_BYTES};
    fuzz_check(tagoio_url_check(&again, url, NULL));
    fuzz_check(strcmp(again.bytes, url) == 0);
    tagoio_buffer_clear(&again);
}

/* Host, port and path of what was taken stand in the text, but for the case of
   localhost, a final dot, zeros in an address of version 6 and numbers of version 4 in
   other notations; zeros before a port; dots in a path and slashes at its end. */
static void check_same(const char *text, const address *a) {
    const char *authority = strstr(text, ":/");
    authority = authority != NULL ? authority + strspn(authority, ":/") : text;
    size_t host_bytes =
        *authority == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ":/?#");
    const char *port = authority + host_bytes;
    const char *path = port + (*port == ':' ? 1 + strspn(port + 1, "0123456789") : 0);
    char host[5000];
    snprintf(host, sizeof host, "%.*s", (int)host_bytes, authority);
    fuzz_check(strchr(authority, '@') == NULL ||
               strcspn(authority, "/?#") < strcspn(authority, "@"));
    bool is_number = *authority == '[' || isdigit((unsigned char)*authority);
    size_t bytes = strlen(a->host);
    fuzz_check(is_number || strncasecmp(host, a->host, bytes) == 0);
    fuzz_check(is_number || host[bytes] == '\0' || strcmp(host + bytes, ".") == 0);
    fuzz_check((*port == ':' ? strtol(port + 1, NULL, 10) : 0) ==
               strtol(a->port, NULL, 10));
    if (is_plain_path(path)) {
        size_t count = strlen(path);
        while (count > 0 && path[count - 1] == '/') {
            count--;
        }
        fuzz_check(strlen(a->path) == count && strncmp(a->path, path, count) == 0);
    }
}

static void check_taken(const char *text, const char *url) {
    address a;
    fuzz_check(split(url, &a));
    fuzz_check(strcmp(a.scheme, "https") == 0 ||
               (strcmp(a.scheme, "http") == 0 && is_here(a.host)));
    fuzz_check(tagoio_url_is_loopback(url) == is_here(a.host));
    const char *query = strpbrk(text, "?#"); /* an empty one is left out */
    fuzz_check(query == NULL || query[1] == '\0');
    fuzz_check(strpbrk(a.host, "@?# \\\t\r\n%/") == NULL &&
               strpbrk(url, "?# \t\r\n") == NULL);
    fuzz_check(strtol(a.port, NULL, 10) < 65536);
    fuzz_check(url[strlen(url) - 1] != '/');
    check_same(text, &a);
    check_again(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = fuzz_open(data, size);
    char *text = fuzz_copy(&in);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_buffer url = {.limit = TAGOIO_MAX_URL_BYTES};
    if (tagoio_url_check(&url, text, &err)) {
        check_taken(text, url.bytes);
    } else {
        fuzz_check(err.kind == TAGOIO_ERROR_MISUSE);
        fuzz_check(strncmp(err.message, "base_url: ", 10) == 0);
        fuzz_check(!is_plain(text));
    }
    tagoio_buffer_clear(&url);
    char proxy[600];
    snprintf(proxy, sizeof proxy, "http://user:zx9Qw7secret@%.500s", text);
    tagoio_error of_proxy = {.kind = TAGOIO_ERROR_NONE};
    bool taken = tagoio_url_check_proxy(proxy, "https://host", &of_proxy);
    fuzz_check(taken == (of_proxy.kind == TAGOIO_ERROR_NONE));
    fuzz_check(strstr(of_proxy.message, "zx9Qw7secret") == NULL);
    tagoio_url_check_proxy(text, "https://host", NULL);
    free(text);
    return 0;
}
