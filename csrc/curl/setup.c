/* SPDX-License-Identifier: MIT */
/* Setting libcurl up, once a process, and a pool's options. */
#include "curl/setup.h"
#include "curl/ca_file.h"
#include "curl/libcurl.h"
#include "curl/url.h"
#include "host/host.h"

#include <pthread.h>

/* ---- once a process ---- */

static pthread_mutex_t set_up_lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_set_up;

/* What failed is tried again: a lack of memory passes. libcurl's resolver threads and
   OpenSSL's exit handlers may outlive whoever loaded us, so curl_global_cleanup is
   never called. */
bool tagoio_curl_set_up(void) {
    pthread_mutex_lock(&set_up_lock);
    if (!is_set_up) {
        tagoio_host_stay_loaded();
        is_set_up = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    }
    bool ok = is_set_up;
    pthread_mutex_unlock(&set_up_lock);
    return ok;
}

/* ---- the options ---- */

static const unsigned oldest_libcurl = 0x075000; /* 7.80: the pre-request callback */

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

/* NULL stays NULL. */
static bool copy_string(const char **copy, const char *string, tagoio_error *err) {
    *copy = string != NULL ? tagoio_string_copy(string) : NULL;
    return *copy != NULL || string == NULL || tagoio_error_memory(err);
}

/* What libcurl would use, and whether it can. */
static bool copy_libcurl_options(tagoio_pool_options *own,
                                 const tagoio_pool_options *options,
                                 tagoio_error *err) {
    bool secure = tagoio_url_is_secure(own->base_url);
    const char *ca_file;
    return is_new_enough(err) &&
           tagoio_url_check_proxy(options->proxy, own->base_url, err) &&
           tagoio_ca_file_find(&ca_file, options->ca_file, secure, err) &&
           copy_string(&own->ca_file, ca_file, err) &&
           copy_string(&own->proxy, options->proxy, err);
}

bool tagoio_pool_options_copy(tagoio_pool_options *own,
                              const tagoio_pool_options *options, tagoio_error *err) {
    tagoio_buffer url = {.limit = TAGOIO_MAX_URL_BYTES};
    own->max_connections = options->max_connections;
    bool ok = tagoio_url_check(&url, options->base_url, err);
    own->base_url = url.bytes;
    return ok && copy_libcurl_options(own, options, err);
}

void tagoio_pool_options_free(tagoio_pool_options *own) {
    /* The strings are const for their readers; here is their owner. */
    tagoio_string_free((char *)own->base_url);
    tagoio_string_free((char *)own->ca_file);
    tagoio_string_free((char *)own->proxy);
}
