/* SPDX-License-Identifier: MIT */
/* Kinds of errors and their texts. */

#include "tagoio.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [TAGOIO_ERROR_NONE] = "none",         [TAGOIO_ERROR_MISUSE] = "misuse",
    [TAGOIO_ERROR_INVALID] = "invalid",   [TAGOIO_ERROR_CONNECT] = "connect",
    [TAGOIO_ERROR_TLS] = "tls",           [TAGOIO_ERROR_TIMEOUT] = "timeout",
    [TAGOIO_ERROR_NETWORK] = "network",   [TAGOIO_ERROR_API] = "api",
    [TAGOIO_ERROR_PROTOCOL] = "protocol", [TAGOIO_ERROR_CANCELED] = "canceled",
    [TAGOIO_ERROR_MEMORY] = "memory",
};

const char *tagoio_error_kind_name(tagoio_error_kind kind) { return kind_names[kind]; }

bool tagoio_error_set(tagoio_error *err, tagoio_error_kind kind, const char *format,
                      ...) {
    if (err == NULL || err->kind != TAGOIO_ERROR_NONE) {
        return false;
    }
    char text[2 * sizeof err->message];
    err->kind = kind;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    tagoio_printable(err->message, sizeof err->message, text, strlen(text));
    return false;
}

bool tagoio_error_memory(tagoio_error *err) {
    return tagoio_error_set(err, TAGOIO_ERROR_MEMORY, "not enough memory");
}
