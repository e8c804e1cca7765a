/* SPDX-License-Identifier: MIT */
/* What a pool takes as the address of an API, as a proxy and as a file of CA
   certificates, with each of libcurl's allocations failing, and with which libcurl. */
#define _POSIX_C_SOURCE 200809L /* setenv, mkdtemp */

#include "curl/ca_file.h"
#include "curl/pool.h"
#include "curl/url.h"
#include "support/check.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- libcurl as the tests want it ---- */

static struct {
    long left; /* allocations that still succeed, -1: all do */
    bool once;
    long failures;
    long blocks; /* in use */
} memory = {.left = -1};

static bool refuses(void) {
    if (memory.left != 0) {
        memory.left -= memory.left > 0;
        return false;
    }
    memory.left = memory.once ? -1 : 0;
    memory.failures++;
    return true;
}

static void *counted(void *block) {
    memory.blocks += block != NULL;
    return block;
}

static void *allocate(size_t bytes) {
    return refuses() ? NULL : counted(malloc(bytes));
}

static void *allocate_zeros(size_t count, size_t bytes) {
    return refuses() ? NULL : counted(calloc(count, bytes));
}

static void *reallocate(void *block, size_t bytes) {
    if (block == NULL) {
        return allocate(bytes);
    }
    return refuses() ? NULL : realloc(block, bytes);
}

static char *duplicate(const char *text) {
    return refuses() ? NULL : counted(strdup(text));
}

static void release(void *block) {
    memory.blocks -= block != NULL;
    free(block);
}

static curl_version_info_data version = {
    .version = "8.0.0", .version_num = 0x080000, .features = CURL_VERSION_SSL};
static int version_questions;

/* In front of libcurl's own. */
curl_version_info_data *curl_version_info(CURLversion age) {
    (void)age;
    version_questions++;
    return &version;
}

/* ---- addresses of an API ---- */

#define NOT_SECRET "base_url: http would show the token to the network"
#define NO_URL     "base_url: is not a URL like https://api.tago.io"

#define PERCENT "base_url: must have no percent sign in its host"

static const struct {
    const char *text;
    const char *url;     /* NULL: it is refused */
    const char *message; /* its beginning */
} addresses[] = {
    {"https://api.tago.io", "https://api.tago.io", NULL},
    {"HTTPS://api.tago.io:8443/a/b//", "https://api.tago.io:8443/a/b", NULL},
    {"http://127.0.0.1:80/", "http://127.0.0.1:80", NULL},
    {"http://127.255.3.99", "http://127.255.3.99", NULL},
    {"http://[::1]:8080/x", "http://[::1]:8080/x", NULL},
    {"http://LocalHost:1", "http://localhost:1", NULL},
    {"http://LOCALHOST.:1/", "http://localhost:1", NULL},
    {"https://127.evil.example", "https://127.evil.example", NULL},
    {"http://127.evil.example", NULL, NOT_SECRET},
    {"http://127.0.0.1.evil.example", NULL, NOT_SECRET},
    {"http://127.0.0.1%2eevil.example", NULL, PERCENT},
    {"http://127.x", NULL, NOT_SECRET},
    {"http://127.0.0.1a", NULL, NOT_SECRET},
    {"http://127.0.0.1.1", NULL, NOT_SECRET},
    {"http://127.", NULL, NOT_SECRET},
    {"http://127..1", NULL, NOT_SECRET},
    {"http://127.256.1", NULL, NOT_SECRET},
    {"http://127.0.0.256", NULL, NOT_SECRET},
    {"http://127.0.0.08", NULL, NOT_SECRET},
    {"http://127.-1", NULL, NOT_SECRET},
    {"http://127.\xc3\xabvil.example", NULL, NOT_SECRET},
    {"http://128.0.0.1", NULL, NOT_SECRET},
    {"http://1270.0.0.1", NULL, NOT_SECRET},
    {"http://localhost.evil.example", NULL, NOT_SECRET},
    {"http://localhost..", NULL, "base_url: "},
    {"http://xlocalhost", NULL, NOT_SECRET},
    {"http://localhost%252e", NULL, PERCENT},
    {"http://[::2]", NULL, NOT_SECRET},
    {"http://[::ffff:127.0.0.1]", NULL, NOT_SECRET},
    {"https://api%2etago.io", NULL, PERCENT},
    {"https://[fe80::1%25eth0]", NULL, PERCENT},
    {"https:/api%252etago.io", NULL, PERCENT},
    {"https:///api%252etago.io", NULL, PERCENT},
    {"https://host/a%20b", "https://host/a%20b", NULL},
    {"https://u@host", NULL, "base_url: must hold no user or password"},
    {"https://host/?q", NULL, "base_url: must have no query and no fragment"},
    {"https://host/#f", NULL, "base_url: must have no query and no fragment"},
    {"ftp://localhost", NULL, "base_url: must begin with https://"},
    {"https://host:99999", NULL, NO_URL},
    {"https://a b", NULL, NO_URL},
    {"nonsense", NULL, NO_URL},
    {"", NULL, NO_URL},
};

/* libcurl takes the dot away in newer versions, and then it is this machine. */
static void test_final_dot(void) {
    check_case("the address of this machine with a dot behind it");
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_buffer url = {.limit = TAGOIO_MAX_URL_BYTES};
    if (tagoio_url_check(&url, "http://127.0.0.1.", &err)) {
        check_text("http://127.0.0.1", url.bytes);
    } else {
        check_within(NOT_SECRET, err.message);
    }
    tagoio_buffer_clear(&url);
}

static void test_addresses(void) {
    for (int i = 0; i < check_count(addresses); i++) {
        check_case("the address \"%s\"", addresses[i].text);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        tagoio_buffer url = {.limit = TAGOIO_MAX_URL_BYTES};
        bool taken = tagoio_url_check(&url, addresses[i].text, &err);
        check_true(taken == (addresses[i].url != NULL));
        if (addresses[i].url != NULL) {
            check_text(addresses[i].url, url.bytes);
        } else {
            check_text("misuse", tagoio_error_kind_name(err.kind));
            check_within(addresses[i].message, err.message);
        }
        check_number(0, memory.blocks);
        tagoio_buffer_clear(&url);
    }
}

static void test_long_address(void) {
    check_case("an address that is too long");
    char text[100] = "https://host/";
    memset(text + strlen(text), 'x', sizeof text - strlen(text) - 1);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_buffer url = {.limit = 90};
    check_true(!tagoio_url_check(&url, text, &err));
    check_text("base_url: must be at most 90 bytes", err.message);
    tagoio_buffer_clear(&url);
}

static void test_loopback(void) {
    static const char *const here[] = {"http://localhost",    "https://localhost:1/a",
                                       "https://127.0.0.1:1", "https://127.9.9.9/a",
                                       "https://[::1]",       "https://[::1]:1/a"};
    static const char *const elsewhere[] = {
        "https://localhost.evil.example", "https://127.0.0.1.evil.example",
        "https://api.tago.io/localhost", "https://[::2]:1", "https://127.1.1"};
    check_case("what is loopback");
    for (int i = 0; i < check_count(here); i++) {
        check_true(tagoio_url_is_loopback(here[i]));
    }
    for (int i = 0; i < check_count(elsewhere); i++) {
        check_true(!tagoio_url_is_loopback(elsewhere[i]));
    }
}

/* ---- proxies ---- */

static const struct {
    const char *text;
    bool taken;
} proxies[] = {
    {"http://proxy.example:8080", true},
    {"https://proxy.example", true},
    {"proxy.example:3128", true},
    {"proxy.example", true},
    {"127.0.0.1:1", true},
    {"[::1]:3128", true},
    {"socks4://h", true},
    {"socks4a://h:1080", true},
    {"socks5://h", true},
    {"SOCKS5H://h", true},
    {"http://user:correct-horse@proxy.example:8080", true},
    {"http://user:correct-horse@proxy.example:port", false},
    {"http://user:correct-horse@", false},
    {"user:correct-horse@h:1:2", false},
    {"ftp://h", false},
    {"http://h:99999", false},
    {"http://", false},
    {"://h", false},
    {"http://a b", false},
    {"[::1", false},
    {":8080", false},
    {"", true}, /* none */
};

static void test_proxies(void) {
    for (int i = 0; i < check_count(proxies); i++) {
        check_case("the proxy \"%s\"", proxies[i].text);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        check_true(tagoio_url_check_proxy(proxies[i].text, "https://h", &err) ==
                   proxies[i].taken);
        if (!proxies[i].taken) {
            check_text("misuse", tagoio_error_kind_name(err.kind));
            check_within("proxy: must be a URL like http://host:8080 (", err.message);
            check_true(strstr(err.message, "correct-horse") == NULL);
        }
        check_number(0, memory.blocks);
    }
}

static void set_variable(const char *name, const char *value) {
    if (value != NULL) {
        setenv(name, value, 1);
    } else {
        unsetenv(name);
    }
}

/* In the order in which they are looked at. */
static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};

/* What is said of the environment's proxy for a URL, "" for nothing. */
static void check_environment(const char *message, const char *url) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_url_check_proxy(NULL, url, &err) == (*message == '\0'));
    check_within(message, err.message);
    check_text(*message == '\0' ? "none" : "invalid", tagoio_error_kind_name(err.kind));
}

static void test_environment(void) {
    for (int i = 0; i < check_count(variables); i++) {
        char message[64];
        check_case("the proxy of %s", variables[i]);
        snprintf(message, sizeof message, "%s: must be a URL like", variables[i]);
        set_variable(variables[i], "ftp://h");
        check_environment(message, "https://h");
        check_environment("", "https://localhost");
        set_variable(variables[i], "http://h");
        check_environment("", "https://h");
        if (i + 1 < check_count(variables)) {
            check_case("%s that is empty is none, else it is the only one",
                       variables[i]);
            set_variable(variables[i + 1], "ftp://h");
            check_environment("", "https://h");
            set_variable(variables[i], "");
            snprintf(message, sizeof message, "%s: must be", variables[i + 1]);
            check_environment(message, "https://h");
        }
        set_variable(variables[i], "");
    }
    for (int i = 0; i < check_count(variables); i++) {
        set_variable(variables[i], NULL);
    }
}

/* ---- without memory ---- */

static tagoio_pool_options good_options(const char *base_url) {
    return (tagoio_pool_options){
        .base_url = base_url, .proxy = "http://u:p@h:1", .max_connections = 4};
}

/* With so many of libcurl's allocations before the first that fails. False: none did.
 */
static bool check_without_memory(const char *base_url, long successes, bool once) {
    tagoio_pool_options options = good_options(base_url);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    memory.left = successes;
    memory.once = once;
    memory.failures = 0;
    tagoio_pool *pool = tagoio_pool_new(&options, &err);
    bool failed = memory.failures > 0;
    memory.left = -1;
    if (pool != NULL) {
        check_text(base_url, tagoio_pool_base_url(pool));
    } else {
        check_true(failed);
        check_text("not enough memory", err.message);
        check_text("memory", tagoio_error_kind_name(err.kind));
    }
    tagoio_pool_unref(pool);
    check_number(0, memory.blocks);
    return failed;
}

static void test_memory(void) {
    static const char *const urls[] = {"https://host.example:8443/a/b",
                                       "http://127.0.0.1:8080/a", "http://[::1]:1/a"};
    for (int i = 0; i < 2 * check_count(urls); i++) {
        const char *url = urls[i / 2];
        bool once = i % 2 == 0;
        check_case("%s without memory, %s", url, once ? "once" : "from then on");
        long successes = 0;
        while (check_without_memory(url, successes, once)) {
            successes++;
        }
        check_true(successes > 5);
    }
}

/* ---- which libcurl ---- */

static void check_libcurl(const char *message) {
    tagoio_pool_options options = good_options("https://api.tago.io");
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_pool *pool = tagoio_pool_new(&options, &err);
    check_true((pool == NULL) == (message != NULL));
    check_text(message != NULL ? message : "", err.message);
    check_text(message != NULL ? "invalid" : "none", tagoio_error_kind_name(err.kind));
    tagoio_pool_unref(pool);

    version_questions = 0;
    tagoio_buffer url = {.limit = TAGOIO_MAX_URL_BYTES};
    check_true(tagoio_url_check(&url, options.base_url, NULL));
    check_number(0, version_questions);
    tagoio_buffer_clear(&url);
}

static void test_libcurl(void) {
    curl_version_info_data usual = version;
    check_case("libcurl 7.79 is too old, but for calls that somebody else moves");
    version.version = "7.79.1";
    version.version_num = 0x074f01;
    check_libcurl("libcurl 7.79.1 is too old: 7.80 or newer is needed");

    check_case("libcurl 7.80 is new enough");
    version.version = "7.80.0";
    version.version_num = 0x075000;
    check_libcurl(NULL);

    check_case("libcurl without TLS cannot be used, but for calls that somebody moves");
    version.features = 0;
    check_libcurl("libcurl 7.80.0 has no TLS: one with TLS is needed");
    version = usual;
}

/* ---- CA certificates ---- */

static char folder[] = "/tmp/tagoio-test-url-XXXXXX";
static char path[sizeof folder + 16];

/* The only file of the folder, with a text; NULL: it is removed. */
static void write_file(const char *text) {
    snprintf(path, sizeof path, "%s/ca.pem", folder);
    remove(path);
    FILE *file = text != NULL ? fopen(path, "wb") : NULL;
    if (file != NULL) {
        fputs(text, file);
        fclose(file);
    }
}

#define END "\nMAo=\n-----END CERTIFICATE-----\n"

static const struct {
    const char *name;
    const char *text;
    const char *message; /* what follows the name and the path, NULL: it is taken */
} files[] = {
    {"a certificate", "-----BEGIN CERTIFICATE-----" END, NULL},
    {"a trusted certificate", "-----BEGIN TRUSTED CERTIFICATE-----" END, NULL},
    {"a certificate of old times", "-----BEGIN X509 CERTIFICATE-----" END, NULL},
    {"a certificate after a text", "Root\r\n====\n\n-----BEGIN CERTIFICATE-----" END,
     NULL},
    {"nothing", "", "must be a file with certificates in PEM (got "},
    {"a key", "-----BEGIN PRIVATE KEY-----\nMAo=\n",
     "must be a file with certificates"},
    {"a mention of one", "no -----BEGIN CERTIFICATE-----\n", "must be a file with"},
    {"a file that is not there", NULL, ": No such file or directory"},
};

static void test_files(void) {
    for (int i = 0; i < check_count(files); i++) {
        check_case("ca_file: %s", files[i].name);
        write_file(files[i].text);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        const char *found = NULL;
        bool taken = tagoio_ca_file_find(&found, path, false, &err);
        check_true(taken == (files[i].message == NULL));
        check_text(path, found);
        if (files[i].message != NULL) {
            check_text("invalid", tagoio_error_kind_name(err.kind));
            check_within("ca_file: ", err.message);
            check_within(files[i].message, err.message);
        }
    }
    check_case("ca_file: a folder");
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    const char *found;
    check_true(!tagoio_ca_file_find(&found, folder, true, &err));
    check_within("ca_file: must be a file with certificates in PEM (got ", err.message);
}

/* ---- the order of certificates ---- */

static const struct {
    const char *option;
    const char *ssl_cert_file;
    const char *curl_ca_bundle;
    bool insecure;
    const char *message; /* its beginning, NULL: none */
    bool own;            /* libcurl's */
} orders[] = {
    {NULL, NULL, NULL, false, NULL, true},
    {NULL, "", "", false, NULL, true},
    {path, "/nowhere", "/nowhere", false, NULL, false},
    {NULL, path, "/nowhere", false, NULL, false},
    {NULL, "", path, false, NULL, false},
    {"/nowhere", path, path, true, "ca_file: cannot read /nowhere: ", false},
    {NULL, "/nowhere", path, false, "SSL_CERT_FILE: cannot read /nowhere: ", false},
    {NULL, NULL, "/nowhere", false, "CURL_CA_BUNDLE: cannot read /nowhere: ", false},
    {NULL, "/nowhere", "/nowhere", true, NULL, true},
};

static void test_order(void) {
    write_file(files[0].text);
    for (int i = 0; i < check_count(orders); i++) {
        check_case("order of CA certificates: %d", i + 1);
        set_variable("SSL_CERT_FILE", orders[i].ssl_cert_file);
        set_variable("CURL_CA_BUNDLE", orders[i].curl_ca_bundle);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        const char *found = NULL;
        bool ok =
            tagoio_ca_file_find(&found, orders[i].option, !orders[i].insecure, &err);
        check_true(ok == (orders[i].message == NULL));
        if (orders[i].message != NULL) {
            check_within(orders[i].message, err.message);
        } else {
            check_text(orders[i].own ? NULL : path, found);
        }
    }
    unsetenv("SSL_CERT_FILE");
    unsetenv("CURL_CA_BUNDLE");
}

int main(void) {
    static const check_test tests[] = {
        test_addresses, test_final_dot,   test_long_address, test_loopback,
        test_proxies,   test_environment, test_memory,       test_libcurl,
        test_files,     test_order};
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, release, reallocate, duplicate,
                         allocate_zeros);
    memory.blocks = 0; /* what is libcurl's own stays */
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    unsetenv("SSL_CERT_FILE");
    unsetenv("CURL_CA_BUNDLE");
    int status = check_run(tests, check_count(tests));
    write_file(NULL);
    remove(folder);
    return status;
}
