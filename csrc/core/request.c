/* SPDX-License-Identifier: MIT */
/* From an operation's arguments to the bytes that go out: one generic reader of the
   rows in core/operation.c. */
#include "core/request.h"
#include "core/date.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct builder {
    tagoio_encoded_request *encoded;
    const tagoio_operation *operation;
    const tagoio_argument_row *argument; /* the one that is being read */
    bool has_query;
    tagoio_error *err;
} builder;

const char *tagoio_json_type_name(const json_t *value) {
    static const char *const names[] = {
        [JSON_OBJECT] = "a table",  [JSON_ARRAY] = "a list",
        [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",   [JSON_TRUE] = "a boolean",
        [JSON_FALSE] = "a boolean", [JSON_NULL] = "nothing",
    };
    return value == NULL ? "nothing" : names[json_typeof(value)];
}

enum { longest_where = 100 };

/* "body.expire_time", or "path[2]". */
static const char *where(const builder *b, const char *key, char text[longest_where]) {
    bool named = key != NULL && key[0] != '['; /* an index says where it stands */
    char shown[61] = "";
    if (key != NULL) {
        tagoio_printable(shown, sizeof shown, key, strlen(key));
    }
    snprintf(text, longest_where, "%s%s%s", b->argument->name, named ? "." : "", shown);
    return text;
}

/* What a value must be, or is. Always false. */
static bool refuse(const builder *b, tagoio_error_kind kind, const char *key,
                   const char *predicate) {
    char text[longest_where];
    return tagoio_error_set(b->err, kind, "%s: %s %s", b->operation->name,
                            where(b, key, text), predicate);
}

/* What somebody else found wrong with it. Always false. */
static bool pass_on(const builder *b, tagoio_error_kind kind, const char *key,
                    const char *why) {
    char text[longest_where];
    return tagoio_error_set(b->err, kind, "%s: %s: %s", b->operation->name,
                            where(b, key, text), why);
}

/* What to pass instead of a table, as far as it can be told: of a row of a list its
   id. */
static const char *advice(const builder *b, const json_t *value) {
    tagoio_location location = b->argument->location;
    if (location == TAGOIO_LOCATION_SECRET_PATH) {
        return json_object_get(value, "token") != NULL ? ": pass its .token" : "";
    }
    if (location == TAGOIO_LOCATION_PATH || location == TAGOIO_LOCATION_SEGMENTS) {
        const json_t *info = json_object_get(value, "info");
        return json_object_get(value, "id") != NULL  ? ": pass its .id"
               : json_object_get(info, "id") != NULL ? ": pass its .info.id"
                                                     : "";
    }
    return "";
}

static bool refuse_type(const builder *b, const char *key, const char *needed,
                        const json_t *value) {
    char text[longest_where];
    return tagoio_error_set(b->err, TAGOIO_ERROR_MISUSE, "%s: %s must be %s (got %s%s)",
                            b->operation->name, where(b, key, text), needed,
                            tagoio_json_type_name(value), advice(b, value));
}

/* Dates are refused without knowing where they stand: put that in front. */
static bool add_date(builder *b, const char *key, double seconds,
                     char date[TAGOIO_DATE_BYTES]) {
    tagoio_error why = {.kind = TAGOIO_ERROR_NONE};
    if (tagoio_date_format(seconds, date, &why)) {
        return true;
    }
    return pass_on(b, why.kind, key, why.message);
}

static bool add_segment(builder *b, const char *key, const json_t *value,
                        bool is_secret) {
    if (!json_is_string(value)) {
        return refuse_type(b, key, "a string", value);
    }
    const char *bytes = json_string_value(value);
    size_t count = json_string_length(value);
    if (count == 0) {
        return refuse(b, TAGOIO_ERROR_INVALID, key, "must not be empty");
    }
    if (strcmp(bytes, ".") == 0 || strcmp(bytes, "..") == 0) {
        return refuse(b, TAGOIO_ERROR_INVALID, key,
                      "must not be . or .., which paths drop");
    }
    for (size_t i = 0; i < count; i++) {
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f) {
            return refuse(b, TAGOIO_ERROR_INVALID, key, "must not hold a control byte");
        }
    }
    tagoio_buffer_add_encoded(&b->encoded->url, bytes, count);
    if (is_secret && !tagoio_secrets_add(&b->encoded->secrets, bytes, count)) {
        return tagoio_error_memory(b->err);
    }
    return true;
}

/* What follows the name of a secret is one: /profile/5f/token/p-1f0d3f6a */
static bool add_segments(builder *b, const json_t *list) {
    size_t count = json_array_size(list);
    if (count == 0) {
        return refuse_type(b, NULL, "a list of strings", list);
    }
    bool is_secret = false;
    for (size_t i = 0; i < count; i++) {
        char key[24];
        snprintf(key, sizeof key, "[%zu]", i + 1);
        const json_t *segment = json_array_get(list, i);
        tagoio_buffer_add_string(&b->encoded->url, "/");
        if (!add_segment(b, key, segment, is_secret)) {
            return false;
        }
        is_secret = tagoio_secrets_is_name(json_string_value(segment));
    }
    return true;
}

static void add_separator(builder *b) {
    tagoio_buffer_add_string(&b->encoded->url, b->has_query ? "&" : "?");
    b->has_query = true;
}

static void add_pair(builder *b, const tagoio_buffer *key, const char *value,
                     size_t count) {
    add_separator(b);
    tagoio_buffer_add_encoded(&b->encoded->url, key->bytes, key->length);
    tagoio_buffer_add_string(&b->encoded->url, "=");
    tagoio_buffer_add_encoded(&b->encoded->url, value, count);
}

static bool add_scalar(builder *b, const tagoio_buffer *key, const json_t *value) {
    if (json_is_string(value)) {
        add_pair(b, key, json_string_value(value), json_string_length(value));
        return true;
    }
    if (json_is_null(value)) {
        add_pair(b, key, "", 0);
        return true;
    }
    tagoio_buffer text = {.limit = TAGOIO_MAX_URL_BYTES};
    bool ok = tagoio_json_write(&text, value, 0, b->err);
    if (ok) {
        add_pair(b, key, text.bytes, text.length);
    }
    tagoio_buffer_clear(&text);
    return ok;
}

static bool add_value(builder *b, tagoio_buffer *key, const json_t *value, int depth);

static bool check_key(const builder *b, const tagoio_buffer *key) {
    if (key->state == TAGOIO_BUFFER_NO_MEMORY) {
        return tagoio_error_memory(b->err);
    }
    return key->state == TAGOIO_BUFFER_OK ||
           refuse(b, TAGOIO_ERROR_INVALID, NULL, "is too long for a URL");
}

/* The key of a child stands behind its parent's, in brackets, while it is written; at
   depth 0 there is no parent. */
static bool add_child(builder *b, tagoio_buffer *key, const char *name,
                      const json_t *value, int depth) {
    size_t parent = key->length;
    tagoio_buffer_add_string(key, depth > 0 ? "[" : "");
    tagoio_buffer_add_string(key, name);
    tagoio_buffer_add_string(key, depth > 0 ? "]" : "");
    if (!check_key(b, key)) {
        return false;
    }
    bool ok = add_value(b, key, value, depth + 1);
    key->length = parent;
    return ok;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted: a Lua table has no order, and the same query is always the same URL. */
static bool add_members(builder *b, tagoio_buffer *key, const json_t *object,
                        int depth) {
    size_t count = 0;
    const char **names = calloc(json_object_size(object) + 1, sizeof *names);
    if (names == NULL) {
        return tagoio_error_memory(b->err);
    }
    void *at = json_object_iter((json_t *)object);
    for (; at != NULL; at = json_object_iter_next((json_t *)object, at)) {
        names[count++] = json_object_iter_key(at);
    }
    qsort(names, count, sizeof *names, compare_names);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = add_child(b, key, names[i], json_object_get(object, names[i]), depth);
    }
    free(names);
    return ok;
}

/* Nested keys in brackets, as the JavaScript SDK writes them: filter[tags][0][key] */
static bool add_value(builder *b, tagoio_buffer *key, const json_t *value, int depth) {
    if (depth > TAGOIO_MAX_JSON_DEPTH) {
        return refuse(b, TAGOIO_ERROR_INVALID, NULL, "is nested too deep");
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        if (!add_child(b, key, index, json_array_get(value, i), depth)) {
            return false;
        }
    }
    if (json_is_object(value)) {
        return add_members(b, key, value, depth);
    }
    return json_is_array(value) || add_scalar(b, key, value);
}

static bool is_list_of_strings(const json_t *value) {
    if (json_is_object(value)) {
        return json_object_size(value) == 0; /* an empty Lua table */
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_string(json_array_get(value, i))) {
            return false;
        }
    }
    return json_is_array(value);
}

static bool is_of_type(tagoio_type type, const json_t *value) {
    switch (type) {
    case TAGOIO_TYPE_TEXT:
        return json_is_string(value);
    case TAGOIO_TYPE_COUNT:
        return json_is_integer(value);
    case TAGOIO_TYPE_FLAG:
        return json_is_boolean(value);
    case TAGOIO_TYPE_DATE:
        return json_is_string(value) || json_is_number(value);
    case TAGOIO_TYPE_LIST:
        return is_list_of_strings(value);
    case TAGOIO_TYPE_ORDER:
        return json_is_string(value) ||
               (is_list_of_strings(value) && json_array_size(value) > 0 &&
                json_array_size(value) <= 2);
    case TAGOIO_TYPE_MAP:
        break;
    }
    return json_is_object(value);
}

static const char *const type_texts[] = {
    [TAGOIO_TYPE_TEXT] = "a string",
    [TAGOIO_TYPE_COUNT] = "a whole number",
    [TAGOIO_TYPE_FLAG] = "a boolean",
    [TAGOIO_TYPE_DATE] = "a string or a number of seconds",
    [TAGOIO_TYPE_LIST] = "a list of strings",
    [TAGOIO_TYPE_ORDER] = "\"field,asc\" or { \"field\", \"asc\" }",
    [TAGOIO_TYPE_MAP] = "a table with keys",
};

static void add_order(builder *b, const tagoio_buffer *key, const json_t *value) {
    tagoio_buffer text = {.limit = TAGOIO_MAX_URL_BYTES};
    for (size_t i = 0; i < json_array_size(value); i++) {
        tagoio_buffer_add_string(&text, i > 0 ? "," : "");
        const json_t *part = json_array_get(value, i);
        tagoio_buffer_add(&text, json_string_value(part), json_string_length(part));
    }
    if (text.state != TAGOIO_BUFFER_OK) {
        b->encoded->url.state = text.state;
    } else {
        add_pair(b, key, text.bytes, text.length);
    }
    tagoio_buffer_clear(&text);
}

static bool add_typed(builder *b, const tagoio_parameter *row, tagoio_buffer *key,
                      const json_t *value) {
    if (row->type == TAGOIO_TYPE_FLAG && json_is_false(value)) {
        return true;
    }
    if (row->type == TAGOIO_TYPE_ORDER && json_is_array(value)) {
        add_order(b, key, value);
        return true;
    }
    if (row->type == TAGOIO_TYPE_DATE && json_is_number(value)) {
        char date[TAGOIO_DATE_BYTES];
        if (!add_date(b, row->key, json_number_value(value), date)) {
            return false;
        }
        add_pair(b, key, date, strlen(date));
        return true;
    }
    return add_value(b, key, value, 1);
}

static bool add_parameter(builder *b, const tagoio_parameter *row,
                          const json_t *value) {
    if (value == NULL) {
        if (row->default_value != NULL) {
            add_separator(b);
            tagoio_buffer_add_string(&b->encoded->url, row->default_value);
        }
        return true;
    }
    if (!json_is_null(value) && !is_of_type(row->type, value)) {
        return refuse_type(b, row->key, type_texts[row->type], value);
    }
    tagoio_buffer key = {.limit = TAGOIO_MAX_URL_BYTES};
    bool ok = tagoio_buffer_add_string(&key, row->key) ? add_typed(b, row, &key, value)
                                                       : tagoio_error_memory(b->err);
    tagoio_buffer_clear(&key);
    return ok;
}

static bool is_parameter(const tagoio_parameter *rows, const char *key) {
    while (rows->key != NULL && strcmp(rows->key, key) != 0) {
        rows++;
    }
    return rows->key != NULL;
}

/* Always false, as what it calls. */
static bool refuse_key(const builder *b, const char *key) {
    tagoio_buffer why = {.limit = TAGOIO_MAX_MESSAGE_BYTES};
    tagoio_buffer_add_string(&why, "unknown key; allowed:");
    for (const tagoio_parameter *row = b->operation->query; row->key != NULL; row++) {
        tagoio_buffer_add_string(&why, row == b->operation->query ? " " : ", ");
        tagoio_buffer_add_string(&why, row->key);
    }
    bool ok = why.state == TAGOIO_BUFFER_NO_MEMORY
                  ? tagoio_error_memory(b->err)
                  : pass_on(b, TAGOIO_ERROR_MISUSE, key, why.bytes);
    tagoio_buffer_clear(&why);
    return ok;
}

/* The Python SDK takes the only flag of create as an argument of its own. */
static bool refuse_query(const builder *b, const json_t *query) {
    const tagoio_parameter *first = &b->operation->query[0];
    if (first->type == TAGOIO_TYPE_FLAG && json_is_true(query)) {
        return tagoio_error_set(b->err, TAGOIO_ERROR_MISUSE,
                                "%s: query must be { %s = true } (got a boolean)",
                                b->operation->name, first->key);
    }
    return refuse_type(b, NULL, "a table with keys", query);
}

static bool keep_secrets(const builder *b, const json_t *value) {
    return tagoio_secrets_add_members(&b->encoded->secrets, value) ||
           tagoio_error_memory(b->err);
}

static bool add_query(builder *b, const json_t *query) {
    bool given = query != NULL && !json_is_null(query);
    if (given && !json_is_object(query)) {
        return refuse_query(b, query);
    }
    void *at = json_object_iter((json_t *)query);
    for (; at != NULL; at = json_object_iter_next((json_t *)query, at)) {
        if (!is_parameter(b->operation->query, json_object_iter_key(at))) {
            return refuse_key(b, json_object_iter_key(at));
        }
    }
    for (const tagoio_parameter *row = b->operation->query; row->key != NULL; row++) {
        if (!add_parameter(b, row, json_object_get(query, row->key))) {
            return false;
        }
    }
    return keep_secrets(b, query);
}

static bool add_any_query(builder *b, const json_t *query) {
    bool given = query != NULL && !json_is_null(query);
    if (given && !json_is_object(query)) {
        return refuse_type(b, NULL, "a table with keys", query);
    }
    tagoio_buffer key = {.limit = TAGOIO_MAX_URL_BYTES};
    bool ok = add_members(b, &key, query, 0);
    tagoio_buffer_clear(&key);
    return ok && keep_secrets(b, query);
}

static bool write_body(builder *b, const json_t *body) {
    tagoio_error why = {.kind = TAGOIO_ERROR_NONE};
    if (!tagoio_json_write(&b->encoded->body, body, 0, &why)) {
        return pass_on(b, why.kind, NULL, why.message);
    }
    return keep_secrets(b, body);
}

/* A date given as a number goes out as text, in a copy: the table is the caller's. */
static bool write_dated_body(builder *b, const json_t *body) {
    const char *key = b->operation->body_date;
    char date[TAGOIO_DATE_BYTES];
    if (!add_date(b, key, json_number_value(json_object_get(body, key)), date)) {
        return false;
    }
    json_t *copy = tagoio_json_copy(body);
    bool ok = json_object_set_new(copy, key, json_string(date)) == 0
                  ? write_body(b, copy)
                  : tagoio_error_memory(b->err);
    json_decref(copy);
    return ok;
}

static bool add_body(builder *b, const json_t *body) {
    if (!json_is_object(body)) {
        return refuse_type(b, NULL, "a table with keys", body);
    }
    const char *key = b->operation->body_date;
    bool dated = key != NULL && json_is_number(json_object_get(body, key));
    return dated ? write_dated_body(b, body) : write_body(b, body);
}

static bool add_table(builder *b, const json_t *body) {
    if (!json_is_object(body) && !json_is_array(body)) {
        return refuse_type(b, NULL, "a table", body);
    }
    return write_body(b, body);
}

static bool add_any_body(builder *b, const json_t *body) {
    return body == NULL || json_is_null(body) || add_table(b, body);
}

static bool add_member(builder *b, const json_t *value) {
    if (!json_is_string(value)) {
        return refuse_type(b, NULL, "a string", value);
    }
    json_t *body = json_object();
    bool ok = json_object_set(body, b->argument->name, (json_t *)value) == 0
                  ? write_body(b, body)
                  : tagoio_error_memory(b->err);
    json_decref(body);
    return ok;
}

/* Fills the {} of the path from left to right. */
static bool add_path(builder *b, const json_t *arguments) {
    const char *path = b->operation->path;
    const char *gap;
    for (size_t i = 0; (gap = strstr(path, "{}")) != NULL; i++) {
        b->argument = &b->operation->arguments[i];
        tagoio_buffer_add(&b->encoded->url, path, (size_t)(gap - path));
        bool is_secret = b->argument->location == TAGOIO_LOCATION_SECRET_PATH;
        if (!add_segment(b, NULL, json_array_get(arguments, i), is_secret)) {
            return false;
        }
        path = gap + 2;
    }
    tagoio_buffer_add_string(&b->encoded->url, path);
    return true;
}

static bool add_argument(builder *b, const json_t *value) {
    switch (b->argument->location) {
    case TAGOIO_LOCATION_QUERY:
        return add_query(b, value);
    case TAGOIO_LOCATION_BODY:
        return add_body(b, value);
    case TAGOIO_LOCATION_TABLE:
        return add_table(b, value);
    case TAGOIO_LOCATION_MEMBER:
        return add_member(b, value);
    case TAGOIO_LOCATION_SEGMENTS:
        return add_segments(b, value);
    case TAGOIO_LOCATION_ANY_QUERY:
        return add_any_query(b, value);
    case TAGOIO_LOCATION_ANY_BODY:
        return add_any_body(b, value);
    case TAGOIO_LOCATION_NONE:
    case TAGOIO_LOCATION_PATH:
    case TAGOIO_LOCATION_SECRET_PATH:
        break;
    }
    return true;
}

bool tagoio_encode_request(tagoio_encoded_request *encoded,
                           const tagoio_operation *operation, const char *base_url,
                           const json_t *arguments, tagoio_error *err) {
    builder b = {.encoded = encoded, .operation = operation, .err = err};
    size_t count = tagoio_operation_argument_count(operation);
    if (json_array_size(arguments) > count) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "%s: takes %zu arguments, got %zu", operation->name,
                                count, json_array_size(arguments));
    }
    encoded->url.limit = TAGOIO_MAX_URL_BYTES;
    encoded->body.limit = TAGOIO_MAX_REQUEST_BYTES;
    tagoio_buffer_add_string(&encoded->url, base_url);
    if (!add_path(&b, arguments)) {
        return false;
    }
    for (size_t i = 0; operation->arguments[i].name != NULL; i++) {
        b.argument = &operation->arguments[i];
        if (!add_argument(&b, json_array_get(arguments, i))) {
            return false;
        }
    }
    if (encoded->url.state == TAGOIO_BUFFER_FULL) {
        return tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                                "%s: the arguments make a URL of more than %u bytes",
                                operation->name, TAGOIO_MAX_URL_BYTES);
    }
    return encoded->url.state == TAGOIO_BUFFER_OK || tagoio_error_memory(err);
}

bool tagoio_encode_parameter(tagoio_buffer *text, const tagoio_operation *operation,
                             const tagoio_parameter *parameter, const json_t *value,
                             tagoio_error *err) {
    static const tagoio_argument_row argument = {"query", TAGOIO_LOCATION_QUERY};
    tagoio_encoded_request encoded = {.url = {.limit = text->limit}};
    builder b = {
        .encoded = &encoded, .operation = operation, .argument = &argument, .err = err};
    bool ok = add_parameter(&b, parameter, value);
    if (ok && encoded.url.state == TAGOIO_BUFFER_FULL) {
        ok = refuse(&b, TAGOIO_ERROR_MISUSE, parameter->key, "is too long for a URL");
    }
    if (ok && encoded.url.length != 0) { /* after the question mark */
        tagoio_buffer_add_string(text, encoded.url.bytes + 1);
    }
    ok = ok &&
         ((encoded.url.state == TAGOIO_BUFFER_OK && text->state == TAGOIO_BUFFER_OK) ||
          tagoio_error_memory(err));
    tagoio_encoded_request_clear(&encoded);
    return ok;
}

void tagoio_encoded_request_clear(tagoio_encoded_request *encoded) {
    tagoio_buffer_clear(&encoded->url);
    tagoio_buffer_clear(&encoded->body);
    tagoio_secrets_clear(&encoded->secrets);
}
