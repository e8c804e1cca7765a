/* SPDX-License-Identifier: MIT */
/* The libcurl options that hold for every request, each with its reason beside it. */
#include "curl/options.h"
#include "curl/url.h"

/* Options that are newer than the oldest libcurl we accept. 0 is none of them. */
#if LIBCURL_VERSION_NUM >= 0x075500 /* 7.85 */
static const CURLoption protocols = CURLOPT_PROTOCOLS_STR;
#else
static const CURLoption protocols = (CURLoption)0;
#endif
#if LIBCURL_VERSION_NUM >= 0x075700 /* 7.87 */
static const CURLoption exit_quickly = CURLOPT_QUICK_EXIT;
#else
static const CURLoption exit_quickly = (CURLoption)0;
#endif

static const struct {
    CURLoption option;
    long value;
} switches[] = {
    /* No signal is touched: handlers belong to the program that we are a guest of. */
    {CURLOPT_NOSIGNAL, 1},
    /* The token is a header of our own: libcurl would send it to another host, too. */
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_MAXREDIRS, 0},
    {CURLOPT_UNRESTRICTED_AUTH, 0},
    /* The defaults, written down: who we talk to is proved. */
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_PROXY_SSL_VERIFYPEER, 1},
    {CURLOPT_PROXY_SSL_VERIFYHOST, 2},
    /* libcurl asks for it by itself since 8.16 only. */
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    /* No early data: a handshake that fails has sent nothing. */
    {CURLOPT_SSL_OPTIONS, 0},
    {CURLOPT_HTTP09_ALLOWED, 0},
    /* Our headers are for TagoIO, not for the proxy; its headers are not TagoIO's. */
    {CURLOPT_HEADEROPT, CURLHEADER_SEPARATE},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    /* No credentials from elsewhere. */
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
    /* Address translation forgets silent connections; an audit query can take long. */
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_TCP_KEEPALIVE, 1},
    {CURLOPT_TCP_KEEPIDLE, 30},
    {CURLOPT_TCP_KEEPINTVL, 15},
    /* Load balancers commonly close what was idle for 60 s; a changed address or a
       revoked certificate is seen after ten minutes. */
    {CURLOPT_MAXAGE_CONN, 50},
    {CURLOPT_MAXLIFETIME_CONN, 600},
    /* Giving up must not wait for a resolver thread that is stuck. */
    {exit_quickly, 1},
};

static CURLcode set_texts(CURL *easy, const tagoio_pool_options *options) {
    const char *scheme = tagoio_url_is_secure(options->base_url) ? "https" : "http";
    /* What is sent to this machine leaves it for no proxy. */
    const char *proxy = tagoio_url_is_loopback(options->base_url) ? "" : options->proxy;
    const struct {
        CURLoption option;
        const char *value; /* NULL: libcurl's default */
    } texts[] = {
        {protocols, scheme},
        /* What is offered must not depend on how libcurl was built. */
        {CURLOPT_ACCEPT_ENCODING, "gzip"},
        /* A file, not a folder: libcurl keeps what it read in the multi handle. */
        {CURLOPT_CAINFO, options->ca_file},
        /* A proxy that was asked for is used; NULL leaves both to the environment. */
        {CURLOPT_PROXY, proxy},
        {CURLOPT_NOPROXY, proxy == NULL ? NULL : ""},
    };
    CURLcode code = CURLE_OK;
    for (size_t i = 0; code == CURLE_OK && i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].option != 0 && texts[i].value != NULL) {
            code = curl_easy_setopt(easy, texts[i].option, texts[i].value);
        }
    }
    if (options->ca_file != NULL) {
        /* The file's certificates instead of those in libcurl's own folder, not beside
           them. Refused where the TLS library knows no folders, which is as good. */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    return code;
}

CURLcode tagoio_curl_set_options(CURL *easy, const tagoio_pool_options *options) {
    CURLcode code = CURLE_OK;
    for (size_t i = 0; code == CURLE_OK && i < sizeof switches / sizeof *switches;
         i++) {
        if (switches[i].option != 0) {
            code = curl_easy_setopt(easy, switches[i].option, switches[i].value);
        }
    }
    return code == CURLE_OK ? set_texts(easy, options) : code;
}
