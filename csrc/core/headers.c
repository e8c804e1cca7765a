/* SPDX-License-Identifier: MIT */
/* Headers of the program's own: which ones a request may have beside ours. */
#include "core/buffer.h"

#include <stdlib.h>
#include <string.h>

static const char by_http[] = "HTTP sets it for each request";
static const char by_json[] = "requests and responses are JSON";

static const struct {
    const char *name;
    const char *why;
} refused[] = {
    {"accept", by_json},
    {"accept-encoding", "it says what can be decoded here"},
    {"connection", by_http},
    {"content-encoding", by_json},
    {"content-length", by_http},
    {"content-type", by_json},
    {"expect", by_http},
    {"host", by_http},
    {"http2-settings", by_http},
    {"keep-alive", by_http},
    {"proxy-authorization", "use the option proxy"},
    {"proxy-connection", by_http},
    {"te", by_http},
    {"token", "use the option token"},
    {"trailer", by_http},
    {"transfer-encoding", by_http},
    {"upgrade", by_http},
    {"user-agent", "use the option user_agent"},
};

static bool is_token_character(char c) {
    return (c >= '0' && c <= '9') ||
           (tagoio_lower(c) >= 'a' && tagoio_lower(c) <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* What is wrong with a name; NULL: nothing. */
static const char *name_problem(const char *name) {
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (tagoio_is_name(refused[i].name, name, strlen(name))) {
            return refused[i].why;
        }
    }
    const char *at = name;
    while (is_token_character(*at)) {
        at++;
    }
    return *name == '\0' || *at != '\0' ? "this is not the name of a header" : NULL;
}

/* What a value must be that is not. libcurl drops a header without a value, and HTTP/2
   refuses blanks around one. */
static const char *value_problem(const char *value) {
    size_t bytes = strlen(value);
    if (bytes == 0 || tagoio_is_blank(value[0]) || tagoio_is_blank(value[bytes - 1])) {
        return "must be a string that is not empty, without blanks around it";
    }
    for (const char *at = value; *at != '\0'; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == '\x7f') {
            return "must be a string without line breaks and other control characters";
        }
    }
    return NULL;
}

/* The value is a secret: no message has it. Always false. */
static bool refuse(const char *name, const char *verb, const char *problem,
                   tagoio_error *err) {
    char shown[61];
    tagoio_printable(shown, sizeof shown, name, strlen(name));
    return tagoio_error_set(err, TAGOIO_ERROR_MISUSE, "headers[\"%s\"] %s%s", shown,
                            verb, problem);
}

static bool check(const tagoio_headers *headers, const char *name, const char *value,
                  tagoio_error *err) {
    const char *problem = name_problem(name);
    if (problem != NULL) {
        return refuse(name, "cannot be set: ", problem, err);
    }
    problem = value_problem(value);
    for (size_t i = 0; i < headers->count && problem == NULL; i++) {
        bool is_twice = tagoio_is_name(headers->items[i].name, name, strlen(name));
        problem = is_twice ? "is there twice: its case does not matter" : NULL;
    }
    if (problem != NULL) {
        return refuse(name, "", problem, err);
    }
    if (headers->count == TAGOIO_MAX_HEADERS ||
        headers->bytes + strlen(name) + strlen(value) > TAGOIO_MAX_HEADERS_BYTES) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "headers must be at most %d, of %d bytes together",
                                TAGOIO_MAX_HEADERS, TAGOIO_MAX_HEADERS_BYTES);
    }
    return true;
}

bool tagoio_headers_add(tagoio_headers *headers, const char *name, const char *value,
                        tagoio_error *err) {
    if (!check(headers, name, value, err)) {
        return false;
    }
    size_t bytes = (headers->count + 1) * sizeof *headers->items;
    tagoio_header *items = realloc(headers->items, bytes);
    if (items == NULL) {
        return tagoio_error_memory(err);
    }
    headers->items = items;
    headers->bytes += strlen(name) + strlen(value);
    tagoio_header *header = &items[headers->count++];
    *header = (tagoio_header){tagoio_string_copy(name), tagoio_string_copy(value)};
    return (header->name != NULL && header->value != NULL) || tagoio_error_memory(err);
}

void tagoio_headers_clear(tagoio_headers *headers) {
    for (size_t i = 0; i < headers->count; i++) {
        /* They are const for their readers; here is their owner. */
        tagoio_string_free((char *)headers->items[i].name);
        tagoio_string_free((char *)headers->items[i].value);
    }
    free(headers->items);
    *headers = (tagoio_headers){.items = NULL};
}
