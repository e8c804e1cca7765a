/* SPDX-License-Identifier: MIT */
/* A response as it comes in, within its limits. */
#include "core/response.h"
#include "core/buffer.h"
#include "core/date.h"

#include <string.h>

/* RFC 9111 1.2.2: what is greater counts as this, not as nothing. */
static const int64_t longest_hint_s = (int64_t)1 << 31;

static const char no_memory[] = "not enough memory for the response";

static const char *const request_id_names[] = {
    "x-request-id",    "request-id",  "x-correlation-id", "x-amzn-requestid",
    "x-amzn-trace-id", "x-amz-cf-id", "cf-ray",
};

/* Always false, as the event that it ends. */
static bool refuse(tagoio_response *response, tagoio_error_kind kind, const char *why) {
    response->refused = kind;
    response->refusal = why;
    return false;
}

static bool count_header_bytes(tagoio_response *response, size_t bytes) {
    response->header_bytes += bytes;
    return response->header_bytes <= TAGOIO_MAX_HEADER_BYTES ||
           refuse(response, TAGOIO_ERROR_PROTOCOL, "headers of more than 64 KiB");
}

bool tagoio_response_status(tagoio_response *response, int status) {
    if (response->state == TAGOIO_RESPONSE_NOTHING && (status < 100 || status >= 200)) {
        response->state = TAGOIO_RESPONSE_HEADERS;
        response->status = status >= 200 ? status : 0;
    }
    return count_header_bytes(response, sizeof "HTTP/1.1 200\r\n" - 1);
}

/* A value that is too long is none: half of it would be another one. */
static void copy_value(char copy[TAGOIO_MAX_HEADER_VALUE_BYTES], const char *value,
                       size_t count) {
    if (count < TAGOIO_MAX_HEADER_VALUE_BYTES) {
        memcpy(copy, value, count);
        copy[count] = '\0';
    }
}

static void read_header(tagoio_response *response, const char *name, size_t name_bytes,
                        const char *value, size_t value_bytes) {
    if (tagoio_is_name("retry-after", name, name_bytes)) {
        copy_value(response->retry_after, value, value_bytes);
    }
    for (size_t i = 0; i < sizeof request_id_names / sizeof request_id_names[0]; i++) {
        if (response->request_id[0] == '\0' &&
            tagoio_is_name(request_id_names[i], name, name_bytes)) {
            copy_value(response->request_id, value, value_bytes);
        }
    }
}

/* key is a name in lower case; what there is of that name already goes before value. */
static bool join_header(json_t *headers, const char *key, const char *value,
                        size_t count) {
    const json_t *before = json_object_get(headers, key);
    tagoio_buffer joined = {.limit = TAGOIO_NO_LIMIT};
    if (before != NULL) {
        tagoio_buffer_add(&joined, json_string_value(before),
                          json_string_length(before));
        tagoio_buffer_add_string(&joined, ", ");
    }
    bool ok = tagoio_buffer_add(&joined, value, count) &&
              json_object_set_new_nocheck(
                  headers, key, json_stringn_nocheck(joined.bytes, joined.length)) == 0;
    tagoio_buffer_clear(&joined);
    return ok;
}

static bool keep_header(tagoio_response *response, const char *name, size_t name_bytes,
                        const char *value, size_t value_bytes) {
    tagoio_buffer key = {.limit = TAGOIO_MAX_HEADER_BYTES};
    if (response->headers == NULL) {
        response->headers = json_object();
    }
    bool ok = tagoio_buffer_add(&key, name, name_bytes);
    for (size_t i = 0; i < key.length; i++) {
        key.bytes[i] = tagoio_lower(key.bytes[i]);
    }
    ok = ok && join_header(response->headers, key.bytes, value, value_bytes);
    tagoio_buffer_clear(&key);
    return ok || refuse(response, TAGOIO_ERROR_MEMORY, no_memory);
}

bool tagoio_response_header(tagoio_response *response, const char *name,
                            size_t name_bytes, const char *value, size_t value_bytes) {
    if (!count_header_bytes(response, name_bytes + 1 + value_bytes)) {
        return false;
    }
    if (response->state != TAGOIO_RESPONSE_HEADERS || name_bytes == 0 ||
        memchr(name, '\0', name_bytes) != NULL) {
        return true;
    }
    tagoio_trim(&value, &value_bytes);
    read_header(response, name, name_bytes, value, value_bytes);
    return !response->keep_headers ||
           keep_header(response, name, name_bytes, value, value_bytes);
}

bool tagoio_response_body(tagoio_response *response, const char *bytes, size_t count) {
    response->state = TAGOIO_RESPONSE_BODY;
    if (tagoio_buffer_add(&response->body, bytes, count)) {
        return true;
    }
    return response->body.state == TAGOIO_BUFFER_NO_MEMORY
               ? refuse(response, TAGOIO_ERROR_MEMORY, no_memory)
               : refuse(response, TAGOIO_ERROR_PROTOCOL,
                        "a response of more than max_response_bytes");
}

void tagoio_response_clear(tagoio_response *response) {
    json_decref(response->headers);
    tagoio_buffer_clear(&response->body);
    *response = (tagoio_response){.body = response->body,
                                  .keep_headers = response->keep_headers};
}

int64_t tagoio_digits_value(const char *text, size_t count) {
    int64_t value = count > 0 ? 0 : -1;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
        value = value > longest_hint_s ? longest_hint_s : value;
    }
    return value;
}

int64_t tagoio_response_retry_after_s(const tagoio_response *response, int64_t wall_s) {
    int64_t date;
    if (tagoio_date_parse_http(response->retry_after, &date)) {
        bool passes = response->status == 429 || response->status == 503;
        return date > wall_s ? date - wall_s : passes ? 0 : -1;
    }
    return tagoio_digits_value(response->retry_after, strlen(response->retry_after));
}
