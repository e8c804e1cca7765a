/* SPDX-License-Identifier: MIT */
/* Secrets: the client's token, and what a request carries under a secret's name. */
#include "core/secrets.h"
#include "core/json.h"

#include <stdlib.h>
#include <string.h>

static const char *const secret_names[] = {"token", "password", "pin_code"};
static const char mask[] = "***";

static bool keep_take(tagoio_secrets *secrets, tagoio_text text) {
    size_t bytes = (secrets->count + 1) * sizeof *secrets->items;
    tagoio_text *items =
        text.failed == TAGOIO_NONE ? realloc(secrets->items, bytes) : NULL;
    if (items == NULL) {
        tagoio_text_clear(&text);
        return false;
    }
    items[secrets->count++] = text;
    secrets->items = items;
    return true;
}

/* The string between the quotes of its JSON. Secrets are ASCII or came as JSON, so that
   only memory is missing when there is no such string. */
static bool add_json_form(tagoio_secrets *secrets, const char *bytes, size_t count) {
    json_t *string = json_stringn(bytes, count);
    if (string == NULL) {
        return false;
    }
    tagoio_text quoted = {.limit = SIZE_MAX / 2};
    tagoio_text inner = {.limit = SIZE_MAX / 2};
    bool done = tagoio_json_write(&quoted, string, 0, NULL) &&
                tagoio_text_add(&inner, quoted.bytes + 1, quoted.length - 2) &&
                keep_take(secrets, inner);
    tagoio_text_clear(&quoted);
    json_decref(string);
    return done;
}

bool tagoio_secrets_add(tagoio_secrets *secrets, const char *bytes, size_t count) {
    if (count < TAGOIO_SHORTEST_SECRET) {
        return true;
    }
    tagoio_text plain = {.limit = SIZE_MAX / 2};
    tagoio_text encoded = {.limit = SIZE_MAX / 2};
    tagoio_text_add(&plain, bytes, count);
    tagoio_text_add_encoded(&encoded, bytes, count);
    bool unlike = plain.failed == TAGOIO_NONE && encoded.length != plain.length;
    if (!keep_take(secrets, plain)) {
        tagoio_text_clear(&encoded);
        return false;
    }
    if (!unlike) { /* then JSON does not escape it either */
        tagoio_text_clear(&encoded);
        return encoded.failed == TAGOIO_NONE;
    }
    return keep_take(secrets, encoded) && add_json_form(secrets, bytes, count);
}

bool tagoio_secrets_is_name(const char *name) {
    for (size_t i = 0; i < sizeof secret_names / sizeof secret_names[0]; i++) {
        if (strcmp(name, secret_names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_number(tagoio_secrets *secrets, const json_t *number) {
    tagoio_text text = {.limit = SIZE_MAX / 2};
    bool done = tagoio_json_write(&text, number, 0, NULL) &&
                tagoio_secrets_add(secrets, text.bytes, text.length);
    tagoio_text_clear(&text);
    return done;
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

/* How long the longest secret is that text begins with; 0: none. */
static size_t match(const tagoio_secrets *secrets, const char *text, size_t count) {
    size_t longest = 0;
    for (; secrets != NULL; secrets = secrets->outer) {
        for (size_t i = 0; i < secrets->count; i++) {
            const tagoio_text *item = &secrets->items[i];
            if (item->length > longest && item->length <= count &&
                item->bytes[0] == text[0] &&
                memcmp(item->bytes, text, item->length) == 0) {
                longest = item->length;
            }
        }
    }
    return longest;
}

bool tagoio_secrets_scrub(const tagoio_secrets *secrets, const char *text, size_t count,
                          tagoio_text *clean) {
    size_t shown = 0; /* up to here text is in clean */
    for (size_t i = 0; i < count;) {
        size_t secret = match(secrets, text + i, count - i);
        if (secret == 0) {
            i++;
            continue;
        }
        tagoio_text_add(clean, text + shown, i - shown);
        tagoio_text_add_string(clean, mask);
        i += secret;
        shown = i;
    }
    return tagoio_text_add(clean, text + shown, count - shown);
}

static json_t *scrub_string(const tagoio_secrets *secrets, const char *text,
                            size_t count) {
    tagoio_text clean = {.limit = SIZE_MAX / 2};
    json_t *string = NULL;
    if (tagoio_secrets_scrub(secrets, text, count, &clean)) {
        /* A secret may begin inside a character only if it is no UTF-8 itself. */
        string = json_stringn_nocheck(clean.bytes, clean.length);
    }
    tagoio_text_clear(&clean);
    return string;
}

static json_t *scrub_array(const tagoio_secrets *secrets, const json_t *value) {
    json_t *copy = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = tagoio_secrets_scrub_json(secrets, json_array_get(value, i));
        if (json_array_append_new(copy, item) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

static json_t *scrub_object(const tagoio_secrets *secrets, json_t *value) {
    json_t *copy = json_object();
    void *at = json_object_iter(value);
    for (; at != NULL; at = json_object_iter_next(value, at)) {
        const char *name = json_object_iter_key(at);
        json_t *key = scrub_string(secrets, name, strlen(name));
        json_t *item = tagoio_secrets_scrub_json(secrets, json_object_iter_value(at));
        bool done =
            key != NULL && json_object_set_new(copy, json_string_value(key), item) == 0;
        if (key == NULL) {
            json_decref(item);
        }
        json_decref(key);
        if (!done) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

/* A pin that was sent may come back as a number. */
static json_t *scrub_number(const tagoio_secrets *secrets, const json_t *value) {
    tagoio_text text = {.limit = SIZE_MAX / 2};
    json_t *copy = NULL;
    if (tagoio_json_write(&text, value, 0, NULL)) {
        bool secret = match(secrets, text.bytes, text.length) == text.length;
        copy = secret ? json_string(mask) : json_incref((json_t *)value);
    }
    tagoio_text_clear(&text);
    return copy;
}

json_t *tagoio_secrets_scrub_json(const tagoio_secrets *secrets, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        return scrub_string(secrets, json_string_value(value),
                            json_string_length(value));
    case JSON_ARRAY:
        return scrub_array(secrets, value);
    case JSON_OBJECT:
        return scrub_object(secrets, (json_t *)value);
    case JSON_INTEGER:
    case JSON_REAL:
        return scrub_number(secrets, value);
    default:
        return json_incref((json_t *)value);
    }
}

void tagoio_secrets_clear(tagoio_secrets *secrets) {
    for (size_t i = 0; i < secrets->count; i++) {
        tagoio_text_clear(&secrets->items[i]);
    }
    free(secrets->items);
    *secrets = (tagoio_secrets){.outer = NULL};
}
