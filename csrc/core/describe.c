/* SPDX-License-Identifier: MIT */
/* Rows that programs describe at run time. A description is checked to its end when it
   is made, so that a call with the row can only go wrong by its arguments. */
#include "core/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tagoio_description {
    tagoio_operation row;
    int references;
    json_t *strings; /* an array that owns what the row points to */
    tagoio_parameter *query;
} tagoio_description;

/* A description that is being read. */
typedef struct reader {
    tagoio_description *target;
    const json_t *source;
    tagoio_error *err;
} reader;

/* ---- refusals ---- */

/* "device.list: query.page must be one of text, ... (got "counter")" */
static bool refuse(const reader *r, const char *key, const char *needed,
                   const json_t *got) {
    char shown[64] = "";
    char name[64];
    const char *text = json_string_value(got);
    tagoio_printable(name, sizeof name, key, strlen(key));
    if (text != NULL) {
        tagoio_printable(shown, sizeof shown, text, json_string_length(got));
    }
    const char *quote = text != NULL ? "\"" : "";
    return tagoio_error_set(r->err, TAGOIO_ERROR_MISUSE,
                            "%s: %s must be %s (got %s%s%s)", r->target->row.name, name,
                            needed, quote,
                            text != NULL ? shown : tagoio_json_type_name(got), quote);
}

/* Of lists that NULL ends: the position of a word; -1, and an error. */
static int find_word(const reader *r, const char *const *words, const char *key,
                     const json_t *got) {
    char needed[128] = "one of ";
    for (int i = 0; words[i] != NULL; i++) {
        if (json_is_string(got) && strcmp(words[i], json_string_value(got)) == 0) {
            return i;
        }
        size_t length = strlen(needed);
        snprintf(needed + length, sizeof needed - length, "%s%s", i > 0 ? ", " : "",
                 words[i]);
    }
    refuse(r, key, needed, got);
    return -1;
}

static bool check_keys(const reader *r) {
    static const char *const known[] = {"method", "path",   "body",   "query",
                                        "retry",  "result", "secret", NULL};
    void *at = json_object_iter((json_t *)r->source);
    for (; at != NULL; at = json_object_iter_next((json_t *)r->source, at)) {
        const char *key = json_object_iter_key(at);
        int i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            char shown[64];
            tagoio_printable(shown, sizeof shown, key, strlen(key));
            return tagoio_error_set(r->err, TAGOIO_ERROR_MISUSE,
                                    "%s: unknown key \"%s\"; there are method, path, "
                                    "body, query, retry, result, secret",
                                    r->target->row.name, shown);
        }
    }
    return true;
}

/* ---- what the row points to ---- */

/* A copy that lives as long as the row. NULL: memory. */
static const char *keep(const reader *r, const char *text, size_t count) {
    json_t *string = json_stringn_nocheck(text, count);
    if (json_array_append_new(r->target->strings, string) != 0) {
        tagoio_error_memory(r->err);
        return NULL;
    }
    return json_string_value(string);
}

static void add_argument(const reader *r, const char *name, tagoio_location location) {
    tagoio_operation *row = &r->target->row;
    size_t count = tagoio_operation_argument_count(row);
    row->arguments[count] = (tagoio_argument_row){name, location};
}

static tagoio_argument_row *find_argument(const reader *r, const char *name) {
    tagoio_operation *row = &r->target->row;
    tagoio_argument_row *at = row->arguments;
    while (at->name != NULL && strcmp(at->name, name) != 0) {
        at++;
    }
    return at->name != NULL ? at : NULL;
}

/* ---- the path ---- */

#define DIGITS "0123456789"
#define NAME   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" DIGITS

static bool is_name(const char *text, size_t count) {
    return count > 0 && strchr(DIGITS, text[0]) == NULL && strspn(text, NAME) >= count;
}

/* Characters that a URL has as they are. */
static bool is_word(const char *text, size_t count) {
    bool is_dots = (count == 1 || count == 2) && strspn(text, ".") >= count;
    return !is_dots && strspn(text, NAME "-.~") >= count;
}

static bool refuse_path(const reader *r, const char *needed) {
    return refuse(r, "path", needed, json_object_get(r->source, "path"));
}

/* {name}: an argument. */
static bool read_gap(const reader *r, const char *segment, size_t count,
                     tagoio_buffer *path) {
    if (segment[count - 1] != '}' || !is_name(segment + 1, count - 2)) {
        return refuse_path(r,
                           "a path whose {name} is a whole segment of letters, digits "
                           "and underscores");
    }
    const char *name = keep(r, segment + 1, count - 2);
    if (name == NULL) {
        return false;
    }
    if (find_argument(r, name) != NULL || strcmp(name, "body") == 0 ||
        strcmp(name, "query") == 0) {
        return refuse_path(r, "a path whose names differ, and are not body or query");
    }
    if (tagoio_operation_argument_count(&r->target->row) == TAGOIO_MAX_PATH_ARGUMENTS) {
        return refuse_path(r, "a path of at most six names");
    }
    bool is_secret = tagoio_secrets_is_name(name);
    add_argument(r, name,
                 is_secret ? TAGOIO_LOCATION_SECRET_PATH : TAGOIO_LOCATION_PATH);
    tagoio_buffer_add_string(path, "{}");
    return true;
}

/* Empty it may be at the end alone: "/profile/". */
static bool read_word(const reader *r, const char *segment, size_t count,
                      tagoio_buffer *path) {
    if (!is_word(segment, count) || (count == 0 && segment[0] == '/')) {
        return refuse_path(r, "a path of plain segments, as \"/device/{deviceID}\"");
    }
    tagoio_buffer_add(path, segment, count);
    return true;
}

static bool read_segments(const reader *r, const char *text, tagoio_buffer *path) {
    while (*text == '/') {
        size_t count = strcspn(++text, "/");
        tagoio_buffer_add_string(path, "/");
        if (text[0] == '{' && !read_gap(r, text, count, path)) {
            return false;
        }
        if (text[0] != '{' && !read_word(r, text, count, path)) {
            return false;
        }
        text += count;
    }
    return true;
}

/* The row has it as our own have theirs: "/device/{}". */
static bool read_path(const reader *r) {
    const json_t *source = json_object_get(r->source, "path");
    const char *text = json_string_value(source);
    if (text == NULL || text[0] != '/' || strlen(text) != json_string_length(source)) {
        return refuse_path(r, "a path, as \"/device/{deviceID}\"");
    }
    tagoio_buffer path = {.limit = TAGOIO_MAX_URL_BYTES};
    bool ok = read_segments(r, text, &path);
    if (ok && path.state == TAGOIO_BUFFER_FULL) {
        ok = refuse_path(r, "shorter");
    } else if (ok) {
        ok = path.state == TAGOIO_BUFFER_OK || tagoio_error_memory(r->err);
        r->target->row.path = ok ? keep(r, path.bytes, path.length) : NULL;
        ok = r->target->row.path != NULL;
    }
    tagoio_buffer_clear(&path);
    return ok;
}

/* ---- the query ---- */

static const char *const type_names[] = {
    [TAGOIO_TYPE_TEXT] = "text", [TAGOIO_TYPE_COUNT] = "count",
    [TAGOIO_TYPE_FLAG] = "flag", [TAGOIO_TYPE_DATE] = "date",
    [TAGOIO_TYPE_LIST] = "list", [TAGOIO_TYPE_ORDER] = "order",
    [TAGOIO_TYPE_MAP] = "map",   NULL,
};

/* What is sent by default: ["count", 20] */
static bool read_default(const reader *r, tagoio_parameter *parameter,
                         const json_t *value) {
    tagoio_buffer text = {.limit = TAGOIO_MAX_URL_BYTES};
    bool ok = tagoio_encode_parameter(&text, &r->target->row, parameter, value, r->err);
    if (ok && text.length != 0) {
        parameter->default_value = keep(r, text.bytes, text.length);
        ok = parameter->default_value != NULL;
    }
    tagoio_buffer_clear(&text);
    return ok;
}

static bool read_parameter(const reader *r, tagoio_parameter *parameter,
                           const char *key, const json_t *source) {
    bool has_default = json_array_size(source) == 2;
    const json_t *type = json_is_array(source) ? json_array_get(source, 0) : source;
    char place[80];
    snprintf(place, sizeof place, "query.%.60s", key);
    if (key[0] == '\0' || json_array_size(source) > 2) {
        return refuse(r, place, "a key and its type, or { type, default }", source);
    }
    int found = find_word(r, type_names, place, type);
    parameter->key = found >= 0 ? keep(r, key, strlen(key)) : NULL;
    if (parameter->key == NULL) {
        return false;
    }
    parameter->type = (tagoio_type)found;
    return !has_default || read_default(r, parameter, json_array_get(source, 1));
}

static int compare_keys(const void *a, const void *b) {
    return strcmp(((const tagoio_parameter *)a)->key,
                  ((const tagoio_parameter *)b)->key);
}

/* Sorted: a Lua table has no order, and the same query is always the same URL. */
static bool read_query(const reader *r) {
    json_t *source = json_object_get(r->source, "query");
    size_t size = json_object_size(source);
    if (source != NULL && !json_is_object(source)) {
        return refuse(r, "query", "a table of keys and their types", source);
    }
    if (size == 0) {
        return true;
    }
    tagoio_parameter *query = calloc(size + 1, sizeof *query);
    if (query == NULL) {
        return tagoio_error_memory(r->err);
    }
    r->target->query = query;
    size_t count = 0;
    void *at = json_object_iter(source);
    for (; at != NULL; at = json_object_iter_next(source, at)) {
        if (!read_parameter(r, &query[count++], json_object_iter_key(at),
                            json_object_iter_value(at))) {
            return false;
        }
    }
    qsort(query, count, sizeof *query, compare_keys);
    r->target->row.query = query;
    add_argument(r, "query", TAGOIO_LOCATION_QUERY);
    return true;
}

/* ---- the other keys ---- */

static bool read_method(const reader *r) {
    static const char *const methods[] = {"GET",   "POST",   "PUT",
                                          "PATCH", "DELETE", NULL};
    int found = find_word(r, methods, "method", json_object_get(r->source, "method"));
    if (found >= 0) {
        r->target->row.method = methods[found];
    }
    return found >= 0;
}

static bool is_read(const reader *r) {
    return strcmp(r->target->row.method, "GET") == 0;
}

static bool read_body(const reader *r) {
    const json_t *body = json_object_get(r->source, "body");
    if (body != NULL && !json_is_boolean(body)) {
        return refuse(r, "body", "true or false", body);
    }
    if (json_is_true(body) && is_read(r)) {
        return tagoio_error_set(r->err, TAGOIO_ERROR_MISUSE,
                                "%s: body cannot be sent with GET",
                                r->target->row.name);
    }
    if (json_is_true(body)) {
        add_argument(r, "body", TAGOIO_LOCATION_TABLE);
    }
    return true;
}

/* Reads are safe, and writes never retried, unless the description says otherwise. */
static bool read_retry(const reader *r) {
    static const char *const names[] = {"safe", "idempotent", "never", NULL};
    static const tagoio_retry_class classes[] = {TAGOIO_RETRY_CLASS_SAFE,
                                                 TAGOIO_RETRY_CLASS_IDEMPOTENT,
                                                 TAGOIO_RETRY_CLASS_NEVER};
    const json_t *retry = json_object_get(r->source, "retry");
    r->target->row.retry_class =
        is_read(r) ? TAGOIO_RETRY_CLASS_SAFE : TAGOIO_RETRY_CLASS_NEVER;
    if (retry == NULL) {
        return true;
    }
    int found = find_word(r, names, "retry", retry);
    if (found == 0 && !is_read(r)) {
        return refuse(r, "retry", "\"idempotent\" or \"never\" for a write", retry);
    }
    if (found >= 0) {
        r->target->row.retry_class = classes[found];
    }
    return found >= 0;
}

static bool read_result(const reader *r) {
    static const char *const names[] = {
        [TAGOIO_RESULT_OBJECT] = "object",
        [TAGOIO_RESULT_ARRAY] = "array",
        [TAGOIO_RESULT_TEXT] = "text",
        [TAGOIO_RESULT_ANY] = "any",
        NULL,
    };
    const json_t *result = json_object_get(r->source, "result");
    int found = TAGOIO_RESULT_ANY;
    if (result != NULL) {
        found = find_word(r, names, "result", result);
    }
    if (found >= 0) {
        r->target->row.result = (tagoio_result)found;
    }
    return found >= 0;
}

static bool read_secret(const reader *r) {
    static const char needed[] = "a list of names in the path";
    const json_t *list = json_object_get(r->source, "secret");
    bool is_empty = json_is_object(list) && json_object_size(list) == 0;
    if (list != NULL && !json_is_array(list) && !is_empty) {
        return refuse(r, "secret", needed, list);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *name = json_array_get(list, i);
        tagoio_argument_row *argument =
            json_is_string(name) ? find_argument(r, json_string_value(name)) : NULL;
        if (argument == NULL) {
            return refuse(r, "secret", needed, name);
        }
        argument->location = TAGOIO_LOCATION_SECRET_PATH;
    }
    return true;
}

/* The secrets before body and query: those are no names of the path. */
static bool read_description(const reader *r) {
    return check_keys(r) && read_method(r) && read_path(r) && read_secret(r) &&
           read_body(r) && read_query(r) && read_retry(r) && read_result(r);
}

/* ---- the row ---- */

static void description_free(tagoio_description *target) {
    json_decref(target->strings);
    free(target->query);
    free(target);
}

/* Messages begin with it, and have room for more. */
static bool check_name(const char *name, tagoio_error *err) {
    enum { longest_name = 100 };
    size_t count = strcspn(name, ".");
    bool ok = is_name(name, count) && name[count] == '.' &&
              is_name(name + count + 1, strlen(name + count + 1)) &&
              strlen(name) <= longest_name;
    char shown[64];
    tagoio_printable(shown, sizeof shown, name, strlen(name));
    return ok || tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                  "the name of an operation must be two names with a "
                                  "dot, as device.info, of at most %d characters (got "
                                  "\"%s\")",
                                  longest_name, shown);
}

const tagoio_operation *
tagoio_operation_new(const char *name, const json_t *description, tagoio_error *err) {
    if (!check_name(name, err)) {
        return NULL;
    }
    tagoio_description *target = calloc(1, sizeof *target);
    reader r = {.target = target, .source = description, .err = err};
    if (target == NULL) {
        tagoio_error_memory(err);
        return NULL;
    }
    target->references = 1;
    target->row.owner = target;
    target->row.token_rule = TAGOIO_TOKEN_OPTIONAL;
    target->strings = json_array();
    target->row.name = keep(&r, name, strlen(name));
    if (target->row.name == NULL || !read_description(&r)) {
        description_free(target);
        return NULL;
    }
    return &target->row;
}

const tagoio_operation *tagoio_operation_ref(const tagoio_operation *operation) {
    if (operation->owner != NULL) {
        operation->owner->references++;
    }
    return operation;
}

void tagoio_operation_unref(const tagoio_operation *operation) {
    if (operation != NULL && operation->owner != NULL &&
        --operation->owner->references == 0) {
        description_free(operation->owner);
    }
}
