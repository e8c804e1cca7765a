/* SPDX-License-Identifier: MIT */
/* The driver that moves calls with libcurl: one multi handle, stepped by whoever waits.
   The only reader of clocks and of jitter. */
#define _GNU_SOURCE /* dladdr, getentropy */

#include "curl/driver.h"
#include "curl/ca_file.h"
#include "curl/transfer.h"
#include "curl/url.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static const unsigned oldest_libcurl = 0x075000; /* 7.80: the pre-request callback */

struct tagoio_driver {
    int references;
    tagoio_driver_options options; /* its strings are owned */
    tagoio_sockets sockets;
    CURLM *multi;           /* NULL: not made yet */
    pid_t owner;            /* of the multi handle and all that is in it */
    tagoio_transfer *first; /* in the order of their start */
    tagoio_transfer **end;  /* where the next one goes */
    size_t held;
    bool shares; /* calls have been on their way at once: connections may be shared */
    int added;   /* transfers in the multi handle */
    CURL **idle; /* to use again: making one costs like a request */
    int idle_count;
    uint64_t jitter;
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

static bool is_new_enough(tagoio_error *err) {
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    if (version->version_num < oldest_libcurl) {
        return tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                                "libcurl %s is too old: 7.80 or newer is needed",
                                version->version);
    }
    return (version->features & CURL_VERSION_SSL) != 0 ||
           tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                            "libcurl %s has no TLS: one with TLS is needed",
                            version->version);
}

/* ---- time and jitter ---- */

static int64_t clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t tagoio_host_now_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

static uint64_t seed(const tagoio_driver *driver) {
    uint64_t value = 0;
    if (getentropy(&value, sizeof value) != 0) {
        value = (uint64_t)tagoio_host_now_ms() ^ (uint64_t)getpid() << 32 ^
                (uint64_t)(uintptr_t)driver;
    }
    return value | 1;
}

/* xorshift64: the rests of many clients must differ, nothing more. */
static double next_chance(tagoio_driver *driver) {
    uint64_t x = driver->jitter;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    driver->jitter = x;
    return (double)(x >> 11) / 9007199254740992.0; /* 2^53 */
}

tagoio_now tagoio_driver_moment(tagoio_driver *driver) {
    return (tagoio_now){.now_ms = tagoio_host_now_ms(),
                        .wall_s = clock_ms(CLOCK_REALTIME) / 1000,
                        .jitter = next_chance(driver)};
}

/* ---- birth and death ---- */

/* NULL stays NULL. */
static bool copy_string(const char **copy, const char *string, tagoio_error *err) {
    *copy = string != NULL ? tagoio_string_copy(string) : NULL;
    return *copy != NULL || string == NULL || tagoio_error_memory(err);
}

/* What libcurl would use, and whether it can. */
static bool copy_libcurl_options(tagoio_driver_options *own,
                                 const tagoio_driver_options *options,
                                 tagoio_error *err) {
    bool secure = strncmp(own->base_url, "https:", strlen("https:")) == 0;
    const char *ca_file;
    return is_new_enough(err) &&
           tagoio_url_check_proxy(options->proxy, own->base_url, err) &&
           tagoio_ca_file_find(&ca_file, options->ca_file, secure, err) &&
           copy_string(&own->ca_file, ca_file, err) &&
           copy_string(&own->proxy, options->proxy, err);
}

static bool copy_options(tagoio_driver_options *own,
                         const tagoio_driver_options *options, tagoio_error *err) {
    tagoio_buffer url = {.limit = TAGOIO_MAX_URL_BYTES};
    own->max_connections = options->max_connections;
    own->detached = options->detached;
    bool ok = tagoio_url_check(&url, options->base_url, err) &&
              copy_string(&own->base_url, url.bytes, err) &&
              (own->detached || copy_libcurl_options(own, options, err));
    tagoio_buffer_clear(&url);
    return ok;
}

tagoio_driver *tagoio_driver_new(const tagoio_driver_options *options,
                                 tagoio_error *err) {
    tagoio_driver *driver = calloc(1, sizeof *driver);
    if (driver == NULL) {
        tagoio_error_memory(err);
        return NULL;
    }
    driver->references = 1;
    driver->end = &driver->first;
    driver->owner = getpid();
    driver->jitter = seed(driver);
    driver->idle = calloc((size_t)options->max_connections, sizeof *driver->idle);
    if (driver->idle == NULL) {
        tagoio_error_memory(err);
    } else if (copy_options(&driver->options, options, err)) {
        return driver;
    }
    tagoio_driver_unref(driver);
    return NULL;
}

tagoio_driver *tagoio_driver_ref(tagoio_driver *driver) {
    driver->references++;
    return driver;
}

const char *tagoio_driver_base_url(const tagoio_driver *driver) {
    return driver->options.base_url;
}

/* After a fork the handles are the parent's: to clean them up would write on its
   connections. They are forgotten, and so are the calls that the parent goes on with.
 */
static void notice_fork(tagoio_driver *driver) {
    if (driver->owner == getpid()) {
        return;
    }
    driver->owner = getpid();
    driver->jitter = seed(driver);
    driver->multi = NULL;
    driver->idle_count = 0;
    driver->added = 0;
    tagoio_sockets_abandon(&driver->sockets);
    for (tagoio_transfer *t = driver->first; t != NULL; t = t->next) {
        t->easy = NULL;
        t->headers = NULL;
        t->connection = NULL;
    }
    tagoio_driver_cancel_all(driver, NULL);
}

void tagoio_driver_unref(tagoio_driver *driver) {
    if (driver == NULL || --driver->references > 0) {
        return;
    }
    notice_fork(driver);
    tagoio_driver_cancel_all(driver, NULL);
    while (driver->idle_count > 0) {
        curl_easy_cleanup(driver->idle[--driver->idle_count]);
    }
    curl_multi_cleanup(driver->multi);
    tagoio_sockets_abandon(&driver->sockets);
    tagoio_string_free((char *)driver->options.base_url);
    tagoio_string_free((char *)driver->options.ca_file);
    tagoio_string_free((char *)driver->options.proxy);
    free(driver->idle);
    free(driver);
}

/* ---- requests into and out of the multi handle ---- */

/* CURLMOPT_QUICK_EXIT. Since 8.20 the threads that look names up are the multi
   handle's, and its end waits for one that is stuck unless it is told not to. By
   number: who is built with an older libcurl may run with such a one, and others refuse
   it. */
static const CURLMoption multi_exits_quickly = (CURLMoption)21;

static bool make_multi(tagoio_driver *driver) {
    if (driver->multi != NULL) {
        return true;
    }
    /* Not before there is something to send: a program whose calls go another way may
       have a TLS library of its own, that another one's set-up would disturb. */
    pthread_once(&set_up_once, set_up);
    driver->multi = set_up_code == CURLE_OK ? curl_multi_init() : NULL;
    if (driver->multi == NULL) {
        return false;
    }
    /* As many idle connections are kept as may be busy at once. */
    curl_multi_setopt(driver->multi, CURLMOPT_MAXCONNECTS,
                      (long)driver->options.max_connections);
    curl_multi_setopt(driver->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(driver->multi, multi_exits_quickly, 1L);
    return true;
}

static CURL *take_easy(tagoio_driver *driver) {
    return driver->idle_count > 0
               ? driver->idle[--driver->idle_count]
               : tagoio_transfer_easy(&driver->options, &driver->sockets);
}

static void give_easy(tagoio_driver *driver, tagoio_transfer *t) {
    if (t->easy == NULL) {
        return;
    }
    tagoio_transfer_detach(t);
    if (driver->idle_count < driver->options.max_connections) {
        driver->idle[driver->idle_count++] = t->easy;
    } else {
        curl_easy_cleanup(t->easy);
    }
    t->easy = NULL;
}

/* The request is over, or was never begun by libcurl. */
static void take_out(tagoio_driver *driver, tagoio_transfer *t) {
    if (t->easy != NULL) {
        curl_multi_remove_handle(driver->multi, t->easy);
        driver->added--;
        give_easy(driver, t);
    }
}

static void fail(tagoio_driver *driver, tagoio_transfer *t, CURLcode code) {
    tagoio_now now = tagoio_driver_moment(driver);
    tagoio_failure failure =
        tagoio_transfer_failure(t, code, now.now_ms, driver->options.max_connections);
    if (t->ahead || (failure.reason == TAGOIO_FAILURE_TIMEOUT && failure.sent)) {
        tagoio_connection_retire(t->connection);
    }
    tagoio_call_fail(t->call, &now, &failure);
}

static void add(tagoio_driver *driver, tagoio_transfer *t, int64_t now_ms) {
    CURLcode code = CURLE_OUT_OF_MEMORY;
    t->easy = make_multi(driver) ? take_easy(driver) : NULL;
    if (t->easy != NULL) {
        code = tagoio_transfer_attach(t, now_ms, driver->shares);
        if (code == CURLE_OK &&
            curl_multi_add_handle(driver->multi, t->easy) == CURLM_OK) {
            t->added_ms = now_ms;
            tagoio_call_sending(t->call, now_ms);
            driver->added++;
            return;
        }
        give_easy(driver, t);
    }
    fail(driver, t, code == CURLE_OK ? CURLE_OUT_OF_MEMORY : code);
}

static void collect(tagoio_driver *driver) {
    const CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(driver->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        tagoio_transfer *t = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        if (code == CURLE_OK && t->head_open) {
            code = CURLE_PARTIAL_FILE; /* for libcurl the close was the head's end */
        }
        if (code == CURLE_OK && tagoio_transfer_is_crossed(t)) {
            code = CURLE_RECV_ERROR;
            t->ahead = true;
        }
        if (code == CURLE_OK) {
            tagoio_now now = tagoio_driver_moment(driver);
            tagoio_call_complete(t->call, &now);
        } else if (t->refused && code == CURLE_ABORTED_BY_CALLBACK) {
            t->fresh = true; /* nothing was sent: the attempt goes on, and no further */
        } else {
            fail(driver, t, code);
        }
        take_out(driver, t);
    }
}

/* ---- stepping ---- */

static void begin(tagoio_transfer *t, int64_t now_ms) {
    tagoio_call_begin(t->call, now_ms, &t->request);
    t->fired = false;
    t->fresh = false;
    t->ahead = false;
    t->head_open = false;
    t->error[0] = '\0';
    t->begun_ms = now_ms;
    t->expires_ms = now_ms + t->request.timeout_ms;
}

/* Does what the call wants now. When it wants more by itself: the time, else later. */
static int64_t move(tagoio_driver *driver, tagoio_transfer *t, int64_t now_ms,
                    int64_t later_ms) {
    tagoio_want want = tagoio_call_want(t->call, now_ms);
    if (want == TAGOIO_BEGIN) {
        begin(t, now_ms);
        want = TAGOIO_WAIT;
    }
    if (want == TAGOIO_WAIT && t->easy == NULL) {
        if (now_ms >= t->expires_ms) {
            fail(driver, t, CURLE_OPERATION_TIMEDOUT);
        } else if (driver->added < driver->options.max_connections) {
            add(driver, t, now_ms);
        } else {
            return t->expires_ms;
        }
        want = tagoio_call_want(t->call, now_ms);
    }
    return want == TAGOIO_BACKOFF ? tagoio_call_retry_at_ms(t->call) : later_ms;
}

static void drop(tagoio_driver *driver, tagoio_transfer **at) {
    tagoio_transfer *t = *at;
    take_out(driver, t);
    if (driver->end == &t->next) {
        driver->end = at;
    }
    *at = t->next;
    driver->held--;
    tagoio_call_unref(t->call);
    free(t);
}

/* Moves every call and drops those that are done. When to look again, at the latest. */
static int64_t advance(tagoio_driver *driver, int64_t later_ms) {
    int64_t now_ms = tagoio_host_now_ms();
    tagoio_transfer **at = &driver->first;
    while (*at != NULL) {
        int64_t wake_ms = move(driver, *at, now_ms, later_ms);
        later_ms = wake_ms < later_ms ? wake_ms : later_ms;
        if (tagoio_call_want((*at)->call, now_ms) == TAGOIO_DONE) {
            drop(driver, at);
        } else {
            at = &(*at)->next;
        }
    }
    return later_ms;
}

static void perform(tagoio_driver *driver) {
    int running;
    CURLMcode code = curl_multi_perform(driver->multi, &running);
    collect(driver);
    for (tagoio_transfer *t = driver->first; code != CURLM_OK && t != NULL;
         t = t->next) {
        if (t->easy != NULL) { /* libcurl is at its end: nobody else will */
            fail(driver, t, CURLE_OUT_OF_MEMORY);
            take_out(driver, t);
        }
    }
}

/* libcurl does not see, while it waits, what its TLS library has read already: a
   response over HTTP/2 whose header and data came in records of their own would lie
   there until something else comes. So it looks again soon. */
static int shorten_wait(const tagoio_driver *driver, int wait_ms) {
    enum { slice_ms = 20 };
    for (const tagoio_transfer *t = driver->first; t != NULL; t = t->next) {
        if (t->easy != NULL && t->multiplex && wait_ms > slice_ms) {
            return slice_ms;
        }
    }
    return wait_ms;
}

size_t tagoio_driver_step(tagoio_driver *driver, int wait_ms) {
    notice_fork(driver);
    int64_t until_ms = advance(driver, tagoio_host_now_ms() + wait_ms);
    size_t held = driver->held;
    if (held == 0) {
        return 0;
    }
    perform(driver);
    int64_t wake_ms = advance(driver, until_ms);
    wait_ms = shorten_wait(driver, (int)(wake_ms - tagoio_host_now_ms()));
    if (driver->held == held && wait_ms > 0 &&
        curl_multi_poll(driver->multi, NULL, 0, wait_ms, NULL) == CURLM_OK) {
        perform(driver);
        advance(driver, until_ms);
    }
    return driver->held;
}

/* ---- starting and canceling ---- */

bool tagoio_driver_start(tagoio_driver *driver, tagoio_call *call, tagoio_error *err) {
    notice_fork(driver);
    tagoio_transfer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return tagoio_error_memory(err);
    }
    t->call = tagoio_call_ref(call);
    t->sockets = &driver->sockets;
    *driver->end = t;
    driver->end = &t->next;
    driver->held++;
    driver->shares = driver->shares || driver->held > 1;
    return true;
}

void tagoio_driver_cancel(tagoio_driver *driver, tagoio_call *call) {
    notice_fork(driver);
    for (tagoio_transfer **at = &driver->first; *at != NULL; at = &(*at)->next) {
        if ((*at)->call == call) {
            tagoio_call_cancel(call, tagoio_host_now_ms());
            drop(driver, at);
            return;
        }
    }
}

void tagoio_driver_cancel_all(tagoio_driver *driver, const tagoio_settings *settings) {
    notice_fork(driver);
    tagoio_transfer **at = &driver->first;
    while (*at != NULL) {
        if (settings == NULL || tagoio_call_settings((*at)->call) == settings) {
            tagoio_call_cancel((*at)->call, tagoio_host_now_ms());
            drop(driver, at);
        } else {
            at = &(*at)->next;
        }
    }
}
