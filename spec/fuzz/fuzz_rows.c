/* SPDX-License-Identifier: MIT */
/* Rows of `resource`: a description that a reader of our own refuses is refused with a
   message; any other makes an operation that is what it says, and whose requests are
   right. */
#include "fuzz.h"
#include "request_oracle.h"

#include <stdio.h>
#include <string.h>

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};
static const char *const retries[] = {"safe", "idempotent", "never", NULL};
static const char *const results[] = {"object", "array", "text", "any", NULL};
static const tagoio_retry_class retry_classes[] = {
    TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RETRY_CLASS_IDEMPOTENT, TAGOIO_RETRY_CLASS_NEVER};
static const char *const types[] = {"text", "count", "flag", "date",
                                    "list", "order", "map",  NULL};
static const char *const known[] = {"method", "path",   "query",  "body",
                                    "retry",  "result", "secret", NULL};

/* ---- making a description ---- */

/* One of the words, or any value. */
static json_t *word(fuzz_input *in, const char *const *words) {
    unsigned choice = fuzz_below(in, 9);
    unsigned i = 0;
    while (words[i] != NULL && i < choice) {
        i++;
    }
    return words[i] != NULL ? json_string(words[i]) : fuzz_json(in, 1);
}

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
    json_t *value = json_object();
    unsigned count = fuzz_below(in, 5);
    for (unsigned i = 0; i < count; i++) {
        fuzz_string key = fuzz_text(in, false);
        json_t *type = word(in, types);
        if (fuzz_below(in, 2)) {
            type = json_pack("[o, o]", type, fuzz_json(in, 2));
        }
        json_object_set_new(value, key.bytes, type);
    }
    return value;
}

static json_t *secrets(fuzz_input *in) {
    static const char *const names[] = {"id", "token", "b", "query", "body", NULL};
    json_t *list = json_array();
    unsigned count = fuzz_below(in, 3);
    for (unsigned i = 0; i < count; i++) {
        json_array_append_new(list, word(in, names));
    }
    return list;
}

static json_t *description(fuzz_input *in) {
    json_t *value = json_object();
    unsigned keys = fuzz_below(in, 256);
    json_object_set_new(value, "method", word(in, methods));
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
        json_object_set_new(value, "retry", word(in, retries));
    }
    if (keys & 16) {
        json_object_set_new(value, "result", word(in, results));
    }
    if ((keys & 224) == 224) {
        fuzz_string key = fuzz_text(in, false);
        json_object_set_new(value, key.bytes, fuzz_json(in, 3));
    }
    return value;
}

/* ---- judging it ---- */

static bool is_one_of(const json_t *value, const char *const *words, size_t *index) {
    const char *text = json_string_value(value);
    for (*index = 0; text != NULL && words[*index] != NULL; ++*index) {
        if (strcmp(text, words[*index]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_name(const char *text, size_t count) {
    static const char characters[] = "0123456789_abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return count > 0 && strspn(text, characters) >= count &&
           strchr("0123456789", *text) == NULL;
}

/* Whether {name} stands in the path, before its end. */
static bool has_gap(const char *path, const char *end, const char *name, size_t count) {
    for (const char *at = path; at < end; at++) {
        if (*at == '{' && strncmp(at + 1, name, count) == 0 && at[count + 1] == '}') {
            return true;
        }
    }
    return false;
}

static bool is_gap(const char *path, const char *at, size_t count) {
    size_t name_bytes = count - 2;
    return count > 2 && at[count - 1] == '}' && is_name(at + 1, name_bytes) &&
           !has_gap(path, at, at + 1, name_bytes) &&
           strncmp(at, "{body}", count) != 0 && strncmp(at, "{query}", count) != 0;
}

static bool is_segment(const char *at, size_t count) {
    static const char characters[] = "-.~0123456789_abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return strspn(at, characters) == count && (count > 0 || *at == '\0') &&
           (count != 1 || at[0] != '.') && (count != 2 || memcmp(at, "..", 2) != 0);
}

static bool is_path(const json_t *value) {
    const char *path = json_string_value(value);
    int gaps = 0;
    if (path == NULL || strlen(path) != json_string_length(value) || *path != '/') {
        return false;
    }
    for (const char *at = path; *at == '/';) {
        size_t count = strcspn(++at, "/");
        gaps += *at == '{';
        if (*at == '{' ? !is_gap(path, at, count) : !is_segment(at, count)) {
            return false;
        }
        at += count;
    }
    return gaps <= 6;
}

static bool is_query(const json_t *query) {
    const char *key;
    json_t *value;
    size_t type;
    json_object_foreach((json_t *)query, key, value) {
        size_t count = json_array_size(value);
        if (*key == '\0' || count > 2 ||
            !is_one_of(json_is_array(value) ? json_array_get(value, 0) : value, types,
                       &type) ||
            (count == 2 &&
             !oracle_is_typed((tagoio_type)type, json_array_get(value, 1)))) {
            return false;
        }
    }
    return query == NULL || json_is_object(query);
}

static bool is_secret(const json_t *list, const char *path) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL || !is_name(name, strlen(name)) ||
            !has_gap(path, path + strlen(path), name, strlen(name))) {
            return false;
        }
    }
    return list == NULL || json_is_array(list) ||
           (json_is_object(list) && json_object_size(list) == 0);
}

static bool is_description(const json_t *source) {
    size_t i;
    size_t keys = 0;
    for (i = 0; known[i] != NULL; i++) {
        keys += json_object_get(source, known[i]) != NULL;
    }
    const json_t *body = json_object_get(source, "body");
    const json_t *retry = json_object_get(source, "retry");
    const json_t *result = json_object_get(source, "result");
    const json_t *path = json_object_get(source, "path");
    if (keys != json_object_size(source) || !is_path(path) ||
        !is_one_of(json_object_get(source, "method"), methods, &i)) {
        return false;
    }
    bool is_read = i == 0;
    return (body == NULL ||
            (json_is_boolean(body) && !(is_read && json_is_true(body)))) &&
           is_query(json_object_get(source, "query")) &&
           is_secret(json_object_get(source, "secret"), json_string_value(path)) &&
           (result == NULL || is_one_of(result, results, &i)) &&
           (retry == NULL || (is_one_of(retry, retries, &i) && (i > 0 || is_read)));
}

/* Two names with a dot, of 100 bytes at most. */
static bool is_operation(const char *name) {
    size_t count = strcspn(name, ".");
    return is_name(name, count) && name[count] == '.' &&
           is_name(name + count + 1, strlen(name + count + 1)) && strlen(name) <= 100;
}

/* ---- what was made of it ---- */

static bool is_listed(const json_t *list, const char *name) {
    static const char *const secret[] = {"token", "password", "pin_code", NULL};
    json_t *text = json_string(name);
    size_t i;
    bool found = is_one_of(text, secret, &i);
    for (i = 0; i < json_array_size(list); i++) {
        found = found || json_equal(json_array_get(list, i), text);
    }
    json_decref(text);
    return found;
}

/* The names in the path are the arguments, in its order. */
static void check_names(const tagoio_operation *row, const json_t *source) {
    const char *text = json_string_value(json_object_get(source, "path"));
    const tagoio_argument_row *argument = row->arguments;
    for (; (text = strchr(text, '{')) != NULL; argument++) {
        size_t count = strcspn(++text, "}");
        fuzz_check(argument->name != NULL && strlen(argument->name) == count);
        fuzz_check(memcmp(argument->name, text, count) == 0);
        bool is_secret = is_listed(json_object_get(source, "secret"), argument->name);
        fuzz_check(argument->location ==
                   (is_secret ? TAGOIO_LOCATION_SECRET_PATH : TAGOIO_LOCATION_PATH));
    }
}

/* Its keys in their order. */
static void check_keys(const tagoio_operation *row, const json_t *query) {
    size_t count = 0;
    const char *key;
    const char *before = "";
    while ((key = tagoio_operation_query_key(row, count)) != NULL) {
        fuzz_check(json_object_get(query, key) != NULL && strcmp(before, key) < 0);
        before = key;
        count++;
    }
    fuzz_check(count == json_object_size(query));
}

static void check_row(const tagoio_operation *row, const json_t *source) {
    const char *method = json_string_value(json_object_get(source, "method"));
    const json_t *retry = json_object_get(source, "retry");
    const json_t *result = json_object_get(source, "result");
    size_t retry_class = strcmp(method, "GET") == 0 ? 0 : 2;
    size_t shape = 3;
    fuzz_check(retry == NULL || is_one_of(retry, retries, &retry_class));
    fuzz_check(result == NULL || is_one_of(result, results, &shape));
    fuzz_check(strcmp(row->method, method) == 0);
    fuzz_check(row->retry_class == retry_classes[retry_class]);
    fuzz_check(row->result == (tagoio_result)shape);
    check_names(row, source);
    check_keys(row, json_object_get(source, "query"));
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
    fuzz_check((row != NULL) == (is_operation(called) && is_description(source)));
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
