/* SPDX-License-Identifier: MIT */
/* Rows of `resource`: a description is refused with a message, or it makes an operation
   that is what it says, and whose requests are right. */
#include "fuzz.h"
#include "request_oracle.h"

#include <stdio.h>
#include <string.h>

static json_t *word(fuzz_input *in, const char *const *words, unsigned count) {
    unsigned choice = fuzz_below(in, count + 2);
    return choice < count ? json_string(words[choice]) : fuzz_json(in, 1);
}
#define WORD(in, words) word((in), (words), sizeof(words) / sizeof *(words))

static json_t *path(fuzz_input *in) {
    static const char *const pieces[] = {
        "/device", "/{id}", "/{token}", "/",    "/{",   "}",        "/..",  "/a.b~c",
        "/{b}",    "/{c}",  "/{d}",     "/{e}", "/{f}", "/{query}", "/%41", "/{id"};
    char text[512] = "";
    unsigned count = 1 + fuzz_below(in, 8);
    for (unsigned i = 0; i < count; i++) {
        unsigned piece = fuzz_below(in, 20);
        fuzz_string other =
            piece < 16 ? (fuzz_string){.length = 0} : fuzz_text(in, false);
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%.200s",
                 piece < 16 ? pieces[piece] : other.bytes);
    }
    json_t *value = json_string(text);
    return value != NULL ? value : json_null(); /* a character was cut */
}

static json_t *query(fuzz_input *in) {
    static const char *const types[] = {"text", "count", "flag", "date",
                                        "list", "order", "map"};
    json_t *value = json_object();
    unsigned count = fuzz_below(in, 5);
    for (unsigned i = 0; i < count; i++) {
        fuzz_string key = fuzz_text(in, false);
        json_t *type = WORD(in, types);
        if (fuzz_below(in, 2)) {
            type = json_pack("[o, o]", type, fuzz_json(in, 2));
        }
        json_object_set_new(value, key.bytes, type);
    }
    return value;
}

static json_t *secrets(fuzz_input *in) {
    static const char *const names[] = {"id", "token", "b", "query", "body"};
    json_t *list = json_array();
    unsigned count = fuzz_below(in, 3);
    for (unsigned i = 0; i < count; i++) {
        json_array_append_new(list, WORD(in, names));
    }
    return list;
}

static json_t *description(fuzz_input *in) {
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    static const char *const retries[] = {"safe", "idempotent", "never"};
    static const char *const results[] = {"object", "array", "text", "any"};
    json_t *value = json_object();
    unsigned keys = fuzz_below(in, 256);
    json_object_set_new(value, "method", WORD(in, methods));
    json_object_set_new(value, "path", path(in));
    if (keys & 1) {
        json_object_set_new(value, "query", query(in));
    }
    if (keys & 2) {
        json_object_set_new(value, "body", json_boolean(fuzz_below(in, 4)));
    }
    if (keys & 4) {
        json_object_set_new(value, "secret", secrets(in));
    }
    if (keys & 8) {
        json_object_set_new(value, "retry", WORD(in, retries));
    }
    if (keys & 16) {
        json_object_set_new(value, "result", WORD(in, results));
    }
    if ((keys & 224) == 224) {
        fuzz_string key = fuzz_text(in, false);
        json_object_set_new(value, key.bytes, fuzz_json(in, 3));
    }
    return value;
}

static void check_text(const json_t *value, const char *expected) {
    fuzz_check(strcmp(json_string_value(value), expected) == 0);
}

/* The names in the path are the arguments, in its order. */
static void check_names(const tagoio_operation *row, const char *text) {
    size_t argument = 0;
    while ((text = strchr(text, '{')) != NULL) {
        const char *name = row->arguments[argument].name;
        size_t count = strcspn(++text, "}");
        fuzz_check(name != NULL && strlen(name) == count);
        fuzz_check(memcmp(name, text, count) == 0);
        bool is_secret =
            row->arguments[argument++].location == TAGOIO_LOCATION_SECRET_PATH;
        fuzz_check(is_secret || strcmp(name, "token") != 0);
    }
    fuzz_check(argument <= 6);
}

static void check_row(const tagoio_operation *row, const json_t *source) {
    check_text(json_object_get(source, "method"), row->method);
    check_names(row, json_string_value(json_object_get(source, "path")));
    bool is_read = strcmp(row->method, "GET") == 0;
    fuzz_check(is_read || row->retry_class != TAGOIO_RETRY_CLASS_SAFE);
    fuzz_check(strstr(row->path, "..") == NULL || strstr(row->path, "/../") == NULL);
    json_t *keys = json_object_get(source, "query");
    size_t count = 0;
    while (tagoio_operation_query_key(row, count) != NULL) {
        fuzz_check(json_object_get(keys, tagoio_operation_query_key(row, count++)));
    }
    fuzz_check(count == json_object_size(keys));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    fuzz_input in = fuzz_open(data, size);
    bool any = fuzz_below(&in, 32) == 31;
    fuzz_string name = fuzz_text(&in, false);
    const char *called = fuzz_below(&in, 4) == 3 ? name.bytes : "device.list";
    json_t *source = any ? fuzz_json(&in, 4) : description(&in);
    const tagoio_operation *row = tagoio_operation_new(called, source, &err);
    fuzz_check((row != NULL) == (err.kind == TAGOIO_ERROR_NONE));
    if (row != NULL) {
        check_row(row, source);
        for (int i = 0; i < 3; i++) {
            json_t *arguments = fuzz_arguments(&in, row);
            oracle_check(row, arguments);
            json_decref(arguments);
        }
    } else {
        fuzz_check(err.kind == TAGOIO_ERROR_MISUSE || err.kind == TAGOIO_ERROR_INVALID);
        fuzz_check(tagoio_is_utf8(err.message, strlen(err.message)));
    }
    tagoio_operation_unref(row);
    json_decref(source);
    return 0;
}
