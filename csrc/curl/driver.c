/* SPDX-License-Identifier: MIT */
/* The driver that moves calls with libcurl: one multi handle, stepped by whoever waits.
   Its callbacks only hand bytes to the core. The only reader of clocks and chance. */
#define _GNU_SOURCE /* dladdr, getentropy */

#include "curl/driver.h"
#include "core/error.h"
#include "curl/options.h"
#include "curl/url.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const unsigned oldest_libcurl = 0x075000; /* 7.80: the pre-request callback */
static const int longest_poll_ms = 60 * 1000;

/* One call on its way: queued while it is in no multi handle and its call is out. */
typedef struct transfer {
    struct transfer *next;
    tagoio_call *call;
    CURL *easy; /* NULL: none yet */
    struct curl_slist *headers;
    tagoio_request request;
    int64_t begun_ms;
    int64_t added_ms; /* to the multi handle */
    int64_t expires_ms;
    bool added;
    bool fired; /* a request was about to go out */
    char error[CURL_ERROR_SIZE];
} transfer;

struct tagoio_driver {
    int references;
    tagoio_text base_url;
    char *ca_file;
    char *proxy;
    int max_connections;
    CURLM *multi; /* NULL: not made yet */
    pid_t owner;  /* of the multi handle and all that is in it */
    transfer *first; /* in the order of their start */
    size_t added;    /* transfers in the multi handle */
    CURL **idle;     /* easy handles to use again */
    size_t idle_count;
    uint64_t chance;
};

/* ---- once a process ---- */

static pthread_once_t set_up_once = PTHREAD_ONCE_INIT;
static CURLcode set_up_code;

/* libcurl's resolver threads and OpenSSL's exit handlers may outlive lua_close: the
   module stays in memory, and curl_global_cleanup is never called. */
static void pin_module(void) {
    Dl_info info;
    if (dladdr((void *)&set_up_once, &info) != 0 && info.dli_fname != NULL) {
        dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

static void set_up(void) {
    pin_module();
    set_up_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_ready(tagoio_error *err) {
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    if (version->version_num < oldest_libcurl || (version->features & CURL_VERSION_SSL) == 0) {
        return tagoio_error_set(err, TAGOIO_INVALID,
                                "libcurl %s cannot be used: 7.80 with TLS is needed",
                                version->version);
    }
    pthread_once(&set_up_once, set_up);
    return set_up_code == CURLE_OK || tagoio_error_memory(err);
}

/* ---- time and chance ---- */

static int64_t clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t tagoio_driver_now_ms(void) {
    return clock_ms(CLOCK_MONOTONIC);
}

static uint64_t seed(const tagoio_driver *driver) {
    uint64_t value = 0;
    if (getentropy(&value, sizeof value) != 0 || value == 0) {
        value = (uint64_t)tagoio_driver_now_ms() ^ (uint64_t)getpid() << 32 ^
                (uint64_t)(uintptr_t)driver;
    }
    return value | 1;
}

/* xorshift64: the rests of many clients must differ, nothing more. */
static double chance(tagoio_driver *driver) {
    uint64_t x = driver->chance;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    driver->chance = x;
    return (double)(x >> 11) / 9007199254740992.0; /* 2^53 */
}

static tagoio_moment moment(tagoio_driver *driver) {
    return (tagoio_moment){.now_ms = tagoio_driver_now_ms(),
                           .wall_s = clock_ms(CLOCK_REALTIME) / 1000,
                           .chance = chance(driver)};
}

/* ---- a request ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    const transfer *t = data;
    return tagoio_call_feed(t->call, bytes, size * count) ? size * count : 0;
}

static size_t on_head(char *bytes, size_t size, size_t count, void *data) {
    const transfer *t = data;
    return tagoio_call_head(t->call, bytes, size * count) ? size * count : 0;
}

static bool was_sent(const transfer *t) {
    long bytes = 0;
    return t->fired && curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK &&
           bytes > 0;
}

/* libcurl sends a request again, POST or not, when a connection that it reused dies
   without an answer. It asks here first, both times. */
static int on_request(void *data, char *peer, char *local, int peer_port,
                      int local_port) {
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    transfer *t = data;
    if (!t->request.repeatable && was_sent(t)) {
        return CURL_PREREQFUNC_ABORT;
    }
    t->fired = true;
    return CURL_PREREQFUNC_OK;
}

/* Appends "name: value", or frees the list. */
static struct curl_slist *append(struct curl_slist *list, const char *name,
                                 const char *value) {
    tagoio_text line = {.limit = SIZE_MAX / 2};
    tagoio_text_add_string(&line, name);
    tagoio_text_add_string(&line, value);
    struct curl_slist *longer =
        line.failed == TAGOIO_NONE ? curl_slist_append(list, line.bytes) : NULL;
    tagoio_text_clear(&line);
    return longer;
}

static void free_headers(struct curl_slist *headers) {
    for (struct curl_slist *at = headers; at != NULL; at = at->next) {
        tagoio_wipe(at->data, strlen(at->data));
    }
    curl_slist_free_all(headers);
}

static bool make_headers(transfer *t) {
    const char *const lines[][2] = {
        {"token: ", t->request.token},
        {"User-Agent: ", t->request.user_agent},
        {"Accept: ", "application/json"},
        /* Without a body: no type, where libcurl would name a form's. */
        {"Content-Type:", t->request.body == NULL ? "" : " application/json"},
        {"Expect:", ""}, /* a body of 1 MB would wait for 100 Continue */
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct curl_slist *longer = append(t->headers, lines[i][0], lines[i][1]);
        if (longer == NULL) {
            return false;
        }
        t->headers = longer;
    }
    return true;
}

/* The options that are this request's; the others were set once (curl/options.c). */
static CURLcode set_request(transfer *t, int64_t now_ms) {
    const tagoio_request *request = &t->request;
    CURL *easy = t->easy;
    bool has_body = request->body != NULL || request->empty_body;
    t->error[0] = '\0';
    if (!make_headers(t)) {
        return CURLE_OUT_OF_MEMORY;
    }
    CURLcode code = CURLE_OK;
    /* Every string is copied by libcurl but the body, which lives as long as the call. */
    code = code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         request->body == NULL ? "" : request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body_bytes);
    }
    code = code != CURLE_OK
               ? code
               : curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(t->expires_ms - now_ms));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                     (curl_off_t)request->max_response_bytes);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh_connection ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    return code;
}

static CURL *new_easy(const tagoio_driver *driver) {
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        return NULL;
    }
    CURLcode code = tagoio_curl_set_options(easy, driver->base_url.bytes, driver->ca_file,
                                            driver->proxy);
    if (code != CURLE_OK) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    return easy;
}

/* An easy handle costs more to make than a request on loopback. */
static CURL *take_easy(tagoio_driver *driver) {
    return driver->idle_count > 0 ? driver->idle[--driver->idle_count] : new_easy(driver);
}

static void give_easy(tagoio_driver *driver, CURL *easy) {
    if (driver->idle_count < (size_t)driver->max_connections) {
        driver->idle[driver->idle_count++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}
