/* SPDX-License-Identifier: MIT */
/* One request in libcurl's hands. libcurl's callbacks are here: they hand bytes to the
   core and do nothing else. */
#include "curl/transfer.h"
#include "curl/options.h"
#include "curl/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- callbacks ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    const tagoio_transfer *t = ((const tagoio_handle *)data)->transfer;
    return tagoio_call_body(t->call, bytes, size * count) ? size * count : 0;
}

/* A response that the server sent without having the request is not its response: it
   waited in the TLS library, or crossed the request on its way. A part of a large body
   may have arrived, but all that a server says to half a request is that it is too
   large. */
static bool is_ahead(const tagoio_transfer *t, long status) {
    enum { content_too_large = 413 };
    curl_off_t uploaded = 0;
    if (!t->reuses || t->multiplex) {
        return false;
    }
    curl_easy_getinfo(t->handle->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    return (uploaded < (curl_off_t)t->request.body_bytes &&
            status != content_too_large) ||
           tagoio_connection_is_ahead(t->connection);
}

/* libcurl has read the line before it hands it on. */
static bool take_status(tagoio_transfer *t, const char *line, size_t count) {
    long status = 0;
    curl_easy_getinfo(t->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    if (count > 5 && line[5] == '1' && t->connection != NULL) {
        tagoio_connection_set_serial(t->connection);
    }
    t->interim = status < 200;
    t->ahead = !t->interim && is_ahead(t, status);
    t->response_started = true;
    t->header_open = !t->ahead;
    return !t->ahead && tagoio_call_status(t->call, (int)status);
}

/* A folded line has no name of its own, and that of a trailer does not count. */
static bool take_header(const tagoio_transfer *t, const char *line, size_t count) {
    const char *colon = memchr(line, ':', count);
    bool is_header =
        t->header_open && colon != NULL && line[0] != ' ' && line[0] != '\t';
    const char *value = is_header ? colon + 1 : line;
    size_t name_bytes = is_header ? (size_t)(colon - line) : 0;
    return tagoio_call_header(t->call, line, name_bytes, value,
                              count - (size_t)(value - line));
}

/* libcurl hands on a response's lines as they are. The first one is its status, and so
   is the one behind the empty line that ends a 1xx response; whatever the others begin
   with, they are headers, and trailers after another empty line. */
static size_t on_header(char *line, size_t size, size_t count, void *data) {
    tagoio_transfer *t = ((const tagoio_handle *)data)->transfer;
    bool taken = true;
    count *= size;
    if (!t->header_open && (!t->response_started || t->interim)) {
        taken = take_status(t, line, count);
    } else if (t->header_open && (line[0] == '\r' || line[0] == '\n')) {
        t->header_open = false;
    } else {
        taken = take_header(t, line, count);
    }
    return taken ? count : 0;
}

/* False is a proof: nothing of the request has left. */
static bool was_sent(const tagoio_transfer *t) {
    long bytes = 0;
    if (t->request_started) {
        curl_easy_getinfo(t->handle->easy, CURLINFO_REQUEST_SIZE, &bytes);
    }
    return bytes > 0;
}

/* libcurl asks here before a request goes out. When a connection that it reused dies
   without a response it sends any request again, POST or not, and asks again: each
   request that reaches a server is an attempt, so that is left to the policy. */
static int on_request(void *data, char *remote, char *local, int remote_port,
                      int local_port) {
    (void)remote_port;
    const tagoio_handle *handle = data;
    tagoio_transfer *t = handle->transfer;
    if (was_sent(t)) {
        return CURL_PREREQFUNC_ABORT;
    }
    long opened = 0;
    curl_easy_getinfo(t->handle->easy, CURLINFO_NUM_CONNECTS, &opened);
    tagoio_connection_leave(t->connection);
    t->connection = tagoio_sockets_join(handle->sockets, remote, local, local_port);
    t->reuses = opened == 0;
    if (!t->multiplex && t->connection != NULL) {
        tagoio_connection_set_serial(t->connection);
    }
    bool mixes = t->multiplex && tagoio_connection_is_taken(t->connection);
    t->refused = t->reuses && (!tagoio_connection_is_reusable(t->connection) || mixes);
    t->request_started = !t->refused;
    return t->refused ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- the request ---- */

static bool set_options(tagoio_handle *handle, const tagoio_pool_options *options) {
    CURL *easy = handle->easy;
    if (tagoio_curl_set_options(easy, options) != CURLE_OK) {
        return false;
    }
    tagoio_sockets_watch(handle->sockets, easy);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, handle);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, handle);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->error);
    return true;
}

tagoio_handle *tagoio_handle_new(const tagoio_pool_options *options,
                                 tagoio_sockets *sockets) {
    tagoio_handle *handle = malloc(sizeof *handle);
    if (handle == NULL) {
        return NULL;
    }
    *handle = (tagoio_handle){.easy = curl_easy_init(), .sockets = sockets};
    if (handle->easy == NULL || !set_options(handle, options)) {
        tagoio_handle_free(handle);
        return NULL;
    }
    return handle;
}

static void clear_headers(tagoio_handle *handle) {
    curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, NULL);
    for (struct curl_slist *at = handle->headers; at != NULL; at = at->next) {
        tagoio_wipe(at->data, strlen(at->data));
    }
    curl_slist_free_all(handle->headers);
    handle->headers = NULL;
}

void tagoio_handle_free(tagoio_handle *handle) {
    curl_easy_cleanup(handle->easy);
    handle->easy = NULL;
    clear_headers(handle);
    free(handle);
}

/* Those of the request, and none of libcurl's own: a large body would wait for 100
   Continue, and it would give an empty one the type of a form. NULL: no more. */
static const tagoio_header *header_at(const tagoio_request *request, size_t index) {
    static const tagoio_header suppressed[] = {{"Expect", ""}, {"Content-Type", ""}};
    size_t count = request->header_count;
    size_t more = request->body_bytes > 0 ? 1 : 2;
    if (index < count) {
        return &request->headers[index];
    }
    return index < count + more ? &suppressed[index - count] : NULL;
}

static bool is_line_of(const char *line, const tagoio_header *header) {
    size_t length = strlen(header->name);
    const char *value = line + length + 1;
    return strncmp(line, header->name, length) == 0 && line[length] == ':' &&
           strcmp(value + (*value == ' '), header->value) == 0;
}

static bool has_headers(const tagoio_handle *handle, const tagoio_request *request) {
    const struct curl_slist *at = handle->headers;
    const tagoio_header *header;
    for (size_t i = 0; (header = header_at(request, i)) != NULL; i++) {
        if (at == NULL || !is_line_of(at->data, header)) {
            return false;
        }
        at = at->next;
    }
    return at == NULL;
}

static bool add_header(tagoio_handle *handle, const tagoio_header *header) {
    tagoio_buffer line = {.limit = TAGOIO_MAX_HEADER_BYTES};
    tagoio_buffer_add_string(&line, header->name);
    tagoio_buffer_add_string(&line, ":");
    tagoio_buffer_add_string(&line, header->value[0] == '\0' ? "" : " ");
    tagoio_buffer_add_string(&line, header->value);
    struct curl_slist *longer = line.state == TAGOIO_BUFFER_OK
                                    ? curl_slist_append(handle->headers, line.bytes)
                                    : NULL;
    tagoio_buffer_clear(&line);
    handle->headers = longer != NULL ? longer : handle->headers;
    return longer != NULL;
}

/* They depend on the client and on whether there is a body, so they are kept. */
static bool set_headers(tagoio_handle *handle, const tagoio_request *request) {
    const tagoio_header *header;
    bool ok = true;
    if (has_headers(handle, request)) {
        return true;
    }
    clear_headers(handle);
    for (size_t i = 0; ok && (header = header_at(request, i)) != NULL; i++) {
        ok = add_header(handle, header);
    }
    curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, handle->headers);
    return ok;
}

/* GET as libcurl's own, or a body, whatever the method is then called. */
static void set_body(tagoio_transfer *t) {
    const tagoio_request *request = &t->request;
    if (request->body == NULL) {
        curl_easy_setopt(t->handle->easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    curl_easy_setopt(t->handle->easy, CURLOPT_POST, 1L);
    /* Not copied: it lives as long as the call. */
    curl_easy_setopt(t->handle->easy, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(t->handle->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)request->body_bytes);
}

/* Requests that go out together share connections where the server speaks HTTP/2. What
   must not be repeated goes over HTTP/1.1: a server that refuses a stream makes libcurl
   send it again. Without TLS there is nothing to share. */
bool tagoio_transfer_may_share(const tagoio_transfer *t) {
    return t->request.multiplex && tagoio_url_is_secure(t->request.url);
}

static void set_version(tagoio_transfer *t, bool multiplex) {
    bool shared = multiplex && tagoio_transfer_may_share(t);
    t->multiplex = shared;
    curl_easy_setopt(t->handle->easy, CURLOPT_HTTP_VERSION,
                     shared ? (long)CURL_HTTP_VERSION_2TLS
                            : (long)CURL_HTTP_VERSION_1_1);
}

void tagoio_transfer_begin(tagoio_transfer *t, int64_t now_ms) {
    t->begun_ms = now_ms;
    t->request_started = false;
    t->refused = false;
    t->response_started = false;
    t->ahead = false;
    t->interim = false;
    t->header_open = false;
}

CURLcode tagoio_transfer_attach(tagoio_transfer *t, int64_t now_ms, bool multiplex,
                                bool forget_names) {
    const tagoio_request *request = &t->request;
    CURL *easy = t->handle->easy;
    t->handle->transfer = t;
    t->added_ms = now_ms;
    set_body(t);
    set_version(t, multiplex);
    CURLcode code = set_headers(t->handle, request) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_URL, request->url);
    }
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)request->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                     (curl_off_t)request->max_response_bytes);
    /* 8.16 to 8.21 keep a failure as long as an address, for which 60 s are usual. */
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, forget_names ? 0L : 60L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
                     request->fresh_connection || t->refused ? 1L : 0L);
    return code;
}

void tagoio_transfer_detach(tagoio_transfer *t) {
    curl_easy_setopt(t->handle->easy, CURLOPT_POSTFIELDS, NULL);
    tagoio_connection_leave(t->connection);
    t->handle->transfer = NULL;
    t->handle = NULL;
    t->connection = NULL;
    t->reuses = false;
}

void tagoio_transfer_abandon(tagoio_transfer *t) {
    t->handle = NULL;
    t->connection = NULL;
}

/* ---- its end ---- */

/* Another response waits behind that of the request, on a connection where none did
   when it went out: which one is whose is not known. */
static bool is_crossed(const tagoio_transfer *t) {
    return t->reuses && tagoio_connection_has_response(t->connection);
}

CURLcode tagoio_transfer_verdict(tagoio_transfer *t, CURLcode code) {
    if (code == CURLE_OK && t->header_open) {
        return CURLE_PARTIAL_FILE; /* for libcurl the close was the header's end */
    }
    if (code == CURLE_OK && is_crossed(t)) {
        t->ahead = true;
        return CURLE_RECV_ERROR;
    }
    return code;
}

enum { too_large = 100 }; /* CURLE_TOO_LARGE, since 8.6 */

static const struct {
    CURLcode code;
    tagoio_failure_reason reason;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, TAGOIO_FAILURE_RESOLVE},
    {CURLE_COULDNT_RESOLVE_HOST, TAGOIO_FAILURE_RESOLVE},
    {CURLE_COULDNT_CONNECT, TAGOIO_FAILURE_CONNECT},
    {CURLE_PROXY, TAGOIO_FAILURE_CONNECT},
    {CURLE_OPERATION_TIMEDOUT, TAGOIO_FAILURE_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, TAGOIO_FAILURE_HANDSHAKE},
    {CURLE_PEER_FAILED_VERIFICATION, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_CERTPROBLEM, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_CLIENTCERT, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_CIPHER, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_ENGINE_INITFAILED, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_CACERT_BADFILE, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_CRL_BADFILE, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_ISSUER_ERROR, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_SSL_INVALIDCERTSTATUS, TAGOIO_FAILURE_CERTIFICATE},
    {CURLE_HTTP2, TAGOIO_FAILURE_LOST},
    {CURLE_HTTP2_STREAM, TAGOIO_FAILURE_LOST},
    {CURLE_PARTIAL_FILE, TAGOIO_FAILURE_LOST},
    {CURLE_ABORTED_BY_CALLBACK, TAGOIO_FAILURE_LOST}, /* on_request: a replay refused */
    {CURLE_GOT_NOTHING, TAGOIO_FAILURE_LOST},
    {CURLE_SEND_ERROR, TAGOIO_FAILURE_LOST},
    {CURLE_RECV_ERROR, TAGOIO_FAILURE_LOST},
    {CURLE_SEND_FAIL_REWIND, TAGOIO_FAILURE_LOST},
    {CURLE_BAD_CONTENT_ENCODING, TAGOIO_FAILURE_ENCODING},
    {CURLE_WRITE_ERROR, TAGOIO_FAILURE_ENCODING}, /* or the core's refusal */
    {CURLE_FILESIZE_EXCEEDED, TAGOIO_FAILURE_TOO_LARGE},
    {CURLE_UNSUPPORTED_PROTOCOL, TAGOIO_FAILURE_BROKEN}, /* HTTP/0.9, or no HTTP */
    {CURLE_WEIRD_SERVER_REPLY, TAGOIO_FAILURE_BROKEN},
    {CURLE_OUT_OF_MEMORY, TAGOIO_FAILURE_MEMORY},
    {(CURLcode)too_large, TAGOIO_FAILURE_TOO_LARGE},
};

static tagoio_failure_reason reason_of(CURLcode code) {
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        if (failures[i].code == code) {
            return failures[i].reason;
        }
    }
    return TAGOIO_FAILURE_LOCAL;
}

/* Where the time went: the reader can change that. */
static const char *timeout_text(tagoio_transfer *t, int64_t now_ms, int64_t queued_ms,
                                bool sent, int max_connections) {
    double all_s = (double)(now_ms - t->begun_ms) / 1000;
    double queued_s = (double)queued_ms / 1000;
    if (queued_s > all_s / 2 && max_connections > 0) {
        snprintf(t->timeout, sizeof t->timeout,
                 "timeout after %.3g s, %.3g s of it waiting for one of %d connections "
                 "(max_connections)",
                 all_s, queued_s, max_connections);
    } else {
        snprintf(t->timeout, sizeof t->timeout, "timeout after %.3g s %s", all_s,
                 sent ? "without a complete response" : "without a connection");
    }
    return t->timeout;
}

tagoio_failure tagoio_transfer_failure(tagoio_transfer *t, CURLcode code,
                                       int64_t now_ms, int max_connections) {
    bool in_queue = t->handle == NULL;
    int64_t queued_ms = (in_queue ? now_ms : t->added_ms) - t->begun_ms;
    tagoio_failure failure = {
        .reason = reason_of(code),
        .text = in_queue || t->handle->error[0] == '\0' ? curl_easy_strerror(code)
                                                        : t->handle->error,
        .sent = !in_queue && was_sent(t),
    };
    if (t->ahead) {
        failure.reason = TAGOIO_FAILURE_LOST;
        failure.text = "a response came before the request";
    } else if (code == CURLE_RECV_ERROR && !t->request_started) {
        failure.reason = TAGOIO_FAILURE_CONNECT; /* a proxy that refused */
    } else if (t->header_open && (failure.reason == TAGOIO_FAILURE_MEMORY ||
                                  code == (CURLcode)too_large)) {
        /* A line that libcurl has no room for; older than 8.6, it has no memory. */
        failure.reason = TAGOIO_FAILURE_TOO_LARGE;
        failure.text = "a line of its head does not end";
    } else if (failure.reason == TAGOIO_FAILURE_TIMEOUT) {
        failure.text =
            timeout_text(t, now_ms, queued_ms, failure.sent, max_connections);
    } else if (t->response_started &&
               (code == CURLE_BAD_FUNCTION_ARGUMENT ||
                (code == CURLE_WEIRD_SERVER_REPLY && !t->header_open))) {
        /* What 7.88, and then 8.x, say of a header that they cannot keep: a folded
           first line, or data that is taken for a trailer because a chunk's size has
           an "x". */
        failure.reason = t->header_open ? TAGOIO_FAILURE_BROKEN : TAGOIO_FAILURE_LOST;
        failure.text = t->header_open ? "a folded line without a header"
                                      : "a chunk that cannot be read";
    } else if (code == CURLE_WRITE_ERROR) {
        failure.text = "data behind its end";
    } else if (code == CURLE_FILESIZE_EXCEEDED) {
        failure.text = "it announces more than max_response_bytes";
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        failure.text = "it was closed after the request, before a response";
    }
    return failure;
}
