/* SPDX-License-Identifier: MIT */
/* Kinds of errors and their texts. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [TAGOIO_NONE] = "none",         [TAGOIO_MISUSE] = "misuse",
    [TAGOIO_INVALID] = "invalid",   [TAGOIO_CONNECT] = "connect",
    [TAGOIO_TLS] = "tls",           [TAGOIO_TIMEOUT] = "timeout",
    [TAGOIO_NETWORK] = "network",   [TAGOIO_API] = "api",
    [TAGOIO_PROTOCOL] = "protocol", [TAGOIO_CANCELED] = "canceled",
    [TAGOIO_MEMORY] = "memory",
};

const char *tagoio_kind_name(tagoio_kind kind) { return kind_names[kind]; }

bool tagoio_error_set(tagoio_error *err, tagoio_kind kind, const char *format, ...) {
    if (err == NULL || err->kind != TAGOIO_NONE) {
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
    return tagoio_error_set(err, TAGOIO_MEMORY, "not enough memory");
}
