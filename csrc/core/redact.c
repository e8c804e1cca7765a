/* SPDX-License-Identifier: MIT */
/* Secrets: the client's token, and what a request carries under a secret's name. */
#include "core/redact.h"
#include "core/echo.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const secret_names[] = {"token", "password", "pin_code"};
static const char mask[] = "***";

static bool keep_take(tagoio_secrets *secrets, tagoio_buffer text) {
    size_t bytes = (secrets->count + 1) * sizeof *secrets->items;
    tagoio_buffer *items =
        text.state == TAGOIO_BUFFER_OK ? realloc(secrets->items, bytes) : NULL;
    if (items == NULL) {
        tagoio_buffer_clear(&text);
        return false;
    }
    items[secrets->count++] = text;
    secrets->items = items;
    return true;
}

/* Headers and pages lose the blanks around a value, so a secret is kept without. */
bool tagoio_secrets_add(tagoio_secrets *secrets, const char *bytes, size_t count) {
    tagoio_trim(&bytes, &count);
    if (count < TAGOIO_SHORTEST_SECRET) {
        return true;
    }
    tagoio_buffer plain = {.limit = TAGOIO_NO_LIMIT};
    tagoio_buffer_add(&plain, bytes, count);
    return keep_take(secrets, plain);
}

/* "name=value; name=value" */
static bool add_cookies(tagoio_secrets *secrets, const char *at) {
    bool ok = true;
    while (ok && *at != '\0') {
        size_t count = strcspn(at, ";");
        size_t name = strcspn(at, "=;");
        ok = name == count ||
             tagoio_secrets_add(secrets, at + name + 1, count - name - 1);
        at += count;
        at += *at == ';';
    }
    return ok;
}

bool tagoio_secrets_add_header(tagoio_secrets *secrets, const tagoio_header *header) {
    const char *value = header->value;
    const char *after_word = value + strcspn(value, " ");
    bool is_cookie = tagoio_is_name("cookie", header->name, strlen(header->name));
    return tagoio_secrets_add(secrets, value, strlen(value)) &&
           tagoio_secrets_add(secrets, after_word, strlen(after_word)) &&
           (!is_cookie || add_cookies(secrets, value));
}

bool tagoio_secrets_is_name(const char *name) {
    for (size_t i = 0; i < sizeof secret_names / sizeof secret_names[0]; i++) {
        if (strcmp(name, secret_names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* As a pin is written: 918273.0 is 918273. */
static bool add_digits(tagoio_buffer *text, const json_t *value) {
    double number = json_real_value(value);
    if (!json_is_real(value) || !(number > -1e15 && number < 1e15) ||
        (double)(int64_t)number < number || (double)(int64_t)number > number) {
        return tagoio_json_write(text, value, 0, NULL);
    }
    char digits[24];
    snprintf(digits, sizeof digits, "%.0f", number);
    return tagoio_buffer_add_string(text, digits);
}

static bool add_number(tagoio_secrets *secrets, const json_t *number) {
    tagoio_buffer text = {.limit = TAGOIO_NO_LIMIT};
    bool ok = add_digits(&text, number) &&
              tagoio_secrets_add(secrets, text.bytes, text.length);
    tagoio_buffer_clear(&text);
    return ok;
}

/* What is below a secret's name is secret, however it is nested. */
static bool add_below(tagoio_secrets *secrets, const json_t *value, bool is_secret) {
    if (is_secret && json_is_string(value)) {
        return tagoio_secrets_add(secrets, json_string_value(value),
                                  json_string_length(value));
    }
    if (is_secret && json_is_number(value)) {
        return add_number(secrets, value);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!add_below(secrets, json_array_get(value, i), is_secret)) {
            return false;
        }
    }
    void *at = json_object_iter((json_t *)value);
    for (; at != NULL; at = json_object_iter_next((json_t *)value, at)) {
        if (!add_below(secrets, json_object_iter_value(at),
                       is_secret || tagoio_secrets_is_name(json_object_iter_key(at)))) {
            return false;
        }
    }
    return true;
}

bool tagoio_secrets_add_members(tagoio_secrets *secrets, const json_t *value) {
    return add_below(secrets, value, false);
}

/* How much of text is the longest secret that it begins with; 0: none. */
static size_t match(const tagoio_secrets *secrets, const char *text, size_t count) {
    size_t longest = 0;
    for (; secrets != NULL; secrets = secrets->outer) {
        for (size_t i = 0; i < secrets->count; i++) {
            const tagoio_buffer *item = &secrets->items[i];
            size_t bytes = tagoio_echo_bytes(item->bytes, item->length, text, count);
            longest = bytes > longest ? bytes : longest;
        }
    }
    return longest;
}

bool tagoio_redact(const tagoio_secrets *secrets, const char *text, size_t count,
                   tagoio_buffer *clean) {
    size_t i = 0;
    size_t shown = 0; /* up to here text is in clean */
    while (i < count && clean->length + (i - shown) < clean->limit &&
           clean->state == TAGOIO_BUFFER_OK) {
        size_t secret = match(secrets, text + i, count - i);
        if (secret == 0) {
            i++;
            continue;
        }
        tagoio_buffer_add(clean, text + shown, i - shown);
        tagoio_buffer_add_string(clean, mask);
        i += secret;
        shown = i;
    }
    tagoio_buffer_add(clean, text + shown, i - shown);
    return clean->state != TAGOIO_BUFFER_NO_MEMORY;
}

static json_t *redact_string(const tagoio_secrets *secrets, const char *text,
                             size_t count) {
    tagoio_buffer clean = {.limit = TAGOIO_NO_LIMIT};
    json_t *string = NULL;
    if (tagoio_redact(secrets, text, count, &clean)) {
        /* A secret may begin inside a character only if it is not UTF-8 itself. */
        string = json_stringn_nocheck(clean.bytes, clean.length);
    }
    tagoio_buffer_clear(&clean);
    return string;
}

static json_t *redact_array(const tagoio_secrets *secrets, const json_t *value) {
    json_t *copy = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = tagoio_redact_json(secrets, json_array_get(value, i));
        if (json_array_append_new(copy, item) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

static json_t *redact_object(const tagoio_secrets *secrets, json_t *value) {
    json_t *copy = json_object();
    void *at = json_object_iter(value);
    for (; at != NULL; at = json_object_iter_next(value, at)) {
        const char *name = json_object_iter_key(at);
        json_t *key = redact_string(secrets, name, strlen(name));
        json_t *item = tagoio_redact_json(secrets, json_object_iter_value(at));
        bool ok =
            key != NULL && json_object_set_new(copy, json_string_value(key), item) == 0;
        if (key == NULL) {
            json_decref(item);
        }
        json_decref(key);
        if (!ok) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

/* The digits of a secret that is a number; a number has no zeros in front. */
static bool is_same_number(const tagoio_buffer *secret, const char *digits) {
    const char *significant = secret->bytes + strspn(secret->bytes, "0");
    return strcmp(secret->bytes, digits) == 0 ||
           (strlen(significant) >= TAGOIO_SHORTEST_SECRET &&
            strcmp(significant, digits) == 0);
}

static bool is_secret_number(const tagoio_secrets *secrets, const char *digits) {
    for (; secrets != NULL; secrets = secrets->outer) {
        for (size_t i = 0; i < secrets->count; i++) {
            if (is_same_number(&secrets->items[i], digits)) {
                return true;
            }
        }
    }
    return false;
}

/* A pin that was sent may come back as a number. */
static json_t *redact_number(const tagoio_secrets *secrets, const json_t *value) {
    tagoio_buffer text = {.limit = TAGOIO_NO_LIMIT};
    json_t *copy = NULL;
    if (add_digits(&text, value)) {
        copy = is_secret_number(secrets, text.bytes) ? json_string(mask)
                                                     : json_incref((json_t *)value);
    }
    tagoio_buffer_clear(&text);
    return copy;
}

json_t *tagoio_redact_json(const tagoio_secrets *secrets, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        return redact_string(secrets, json_string_value(value),
                             json_string_length(value));
    case JSON_ARRAY:
        return redact_array(secrets, value);
    case JSON_OBJECT:
        return redact_object(secrets, (json_t *)value);
    case JSON_INTEGER:
    case JSON_REAL:
        return redact_number(secrets, value);
    default:
        return json_incref((json_t *)value);
    }
}

void tagoio_secrets_clear(tagoio_secrets *secrets) {
    for (size_t i = 0; i < secrets->count; i++) {
        tagoio_buffer_clear(&secrets->items[i]);
    }
    free(secrets->items);
    *secrets = (tagoio_secrets){.outer = NULL};
}
