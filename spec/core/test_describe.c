/* SPDX-License-Identifier: MIT */
/* Rows that a program describes: what they send, and which descriptions are refused. */
#include "support/check.h"
#include "support/play.h"

#include <stdio.h>
#include <string.h>

typedef struct sent_row {
    const char *description; /* as JSON */
    const char *arguments;
    const char *method;
    const char *path; /* with the query */
    const char *body; /* NULL: none */
} sent_row;

#define X57 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X63 X57 "xxxxxx"

/* clang-format off */
static const sent_row sent_rows[] = {
    {"{\"method\": \"GET\", \"path\": \"/device\"}", "[]", "GET", "/device", NULL},
    {"{\"method\": \"GET\", \"path\": \"/device/\"}", "[]", "GET", "/device/", NULL},
    {"{\"method\": \"GET\", \"path\": \"/device/{deviceID}/params\"}", "[\"a/b c\"]", "GET", "/device/a%2Fb%20c/params", NULL},
    {"{\"method\": \"GET\", \"path\": \"/{a}/{b}/{c}/{d}/{e}/{f}\"}", "[\"1\", \"2\", \"3\", \"4\", \"5\", \"6\"]", "GET", "/1/2/3/4/5/6", NULL},
    {"{\"method\": \"PUT\", \"path\": \"/{a}/{b}/{c}/{d}/{e}/{f}\", \"body\": true, \"query\": {\"g\": \"flag\"}}", "[\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", {}, {\"g\": true}]", "PUT", "/1/2/3/4/5/6?g=true", "{}"},
    {"{\"method\": \"POST\", \"path\": \"/device\", \"body\": true}", "[{\"name\": \"x\"}]", "POST", "/device", "{\"name\":\"x\"}"},
    {"{\"method\": \"POST\", \"path\": \"/account/allocation\", \"body\": true}", "[[{\"input\": 1}]]", "POST", "/account/allocation", "[{\"input\":1}]"},
    {"{\"method\": \"DELETE\", \"path\": \"/device/{id}\", \"body\": true}", "[\"5f\", {\"a\": 1}]", "DELETE", "/device/5f", "{\"a\":1}"},
    {"{\"method\": \"PATCH\", \"path\": \"/device/{id}\", \"body\": false}", "[\"5f\"]", "PATCH", "/device/5f", ""},
    {"{\"method\": \"PUT\", \"path\": \"/x/{id}\", \"body\": true, \"query\": {\"force\": \"flag\"}}", "[\"5f\", {}, {\"force\": true}]", "PUT", "/x/5f?force=true", "{}"},
    {"{\"method\": \"GET\", \"path\": \"/x\", \"query\": {}}", "[]", "GET", "/x", NULL},
    {"{\"method\": \"GET\", \"path\": \"/x\", \"result\": \"object\"}", "[]", "GET", "/x", NULL},
    {"{\"method\": \"GET\", \"path\": \"/x\", \"secret\": {}}", "[]", "GET", "/x", NULL},
    {"{\"method\": \"GET\", \"path\": \"/.x/..x/x./A-Z~_/{zZ_09}\"}", "[\"1\"]", "GET", "/.x/..x/x./A-Z~_/1", NULL},
    /* in the order of their names; defaults are sent for what is left out */
    {"{\"method\": \"GET\", \"path\": \"/x\", \"query\": {\"page\": [\"count\", 1], \"amount\": [\"count\", 20], \"fields\": [\"list\", [\"id\", \"name\"]]}}", "[]", "GET", "/x?amount=20&fields%5B0%5D=id&fields%5B1%5D=name&page=1", NULL},
    {"{\"method\": \"GET\", \"path\": \"/x\", \"query\": {\"page\": [\"count\", 1], \"amount\": [\"count\", 20]}}", "[{\"page\": 2}]", "GET", "/x?amount=20&page=2", NULL},
    {"{\"method\": \"GET\", \"path\": \"/x\", \"query\": {\"orderBy\": [\"order\", [\"name\", \"asc\"]], \"all\": [\"flag\", false]}}", "[]", "GET", "/x?orderBy=name%2Casc", NULL},
    {"{\"method\": \"GET\", \"path\": \"/x\", \"query\": {\"since\": \"date\", \"filter\": \"map\", \"find\": \"text\"}}", "[{\"since\": 0, \"filter\": {\"a\": \"b\"}, \"find\": \"c d\"}]", "GET", "/x?filter%5Ba%5D=b&find=c%20d&since=1970-01-01T00%3A00%3A00.000Z", NULL},
};

typedef struct refused_row {
    const char *description;
    const char *message; /* without "device.x: " */
} refused_row;

static const refused_row refused_rows[] = {
    {"{}", "method must be one of GET, POST, PUT, PATCH, DELETE (got nothing)"},
    {"{\"method\": \"FETCH\"}", "method must be one of GET, POST, PUT, PATCH, DELETE (got \"FETCH\")"},
    {"{\"method\": \"" X63 "x\"}", "method must be one of GET, POST, PUT, PATCH, DELETE (got \"" X63 "\")"},
    {"{\"method\": 1}", "method must be one of GET, POST, PUT, PATCH, DELETE (got a number)"},
    {"{\"method\": \"GET\"}", "path must be a path, as \"/device/{deviceID}\" (got nothing)"},
    {"{\"method\": \"GET\", \"path\": [\"device\"]}", "path must be a path, as \"/device/{deviceID}\" (got a list)"},
    {"{\"method\": \"GET\", \"path\": \"device\"}", "path must be a path, as \"/device/{deviceID}\" (got \"device\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/../b\"}", "path must be a path of plain segments, as \"/device/{deviceID}\" (got \"/a/../b\")"},
    {"{\"method\": \"GET\", \"path\": \"/a//b\"}", "path must be a path of plain segments, as \"/device/{deviceID}\" (got \"/a//b\")"},
    {"{\"method\": \"GET\", \"path\": \"/a?b=c\"}", "path must be a path of plain segments, as \"/device/{deviceID}\" (got \"/a?b=c\")"},
    {"{\"method\": \"GET\", \"path\": \"/a%2f\"}", "path must be a path of plain segments, as \"/device/{deviceID}\" (got \"/a%2f\")"},
    {"{\"method\": \"GET\", \"path\": \"/./b\"}", "path must be a path of plain segments, as \"/device/{deviceID}\" (got \"/./b\")"},
    {"{\"method\": \"GET\", \"path\": \"/ab:c\"}", "path must be a path of plain segments, as \"/device/{deviceID}\" (got \"/ab:c\")"},
    {"{\"method\": \"GET\", \"path\": \"/a\\u0000b\"}", "path must be a path, as \"/device/{deviceID}\" (got \"/a b\")"},
    {"{\"method\": \"GET\", \"path\": \"/{1a}\"}", "path must be a path whose {name} is a whole segment of letters, digits and underscores (got \"/{1a}\")"},
    {"{\"method\": \"GET\", \"path\": \"/{ab-c}\"}", "path must be a path whose {name} is a whole segment of letters, digits and underscores (got \"/{ab-c}\")"},
    {"{\"method\": \"GET\", \"path\": \"/{ab:c}\"}", "path must be a path whose {name} is a whole segment of letters, digits and underscores (got \"/{ab:c}\")"},
    {"{\"method\": \"GET\", \"path\": \"/{query}\"}", "path must be a path whose names differ, and are not body or query (got \"/{query}\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/x{b}\"}", "path must be a path of plain segments, as \"/device/{deviceID}\" (got \"/a/x{b}\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/{}\"}", "path must be a path whose {name} is a whole segment of letters, digits and underscores (got \"/a/{}\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/{b}c\"}", "path must be a path whose {name} is a whole segment of letters, digits and underscores (got \"/a/{b}c\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/{\"}", "path must be a path whose {name} is a whole segment of letters, digits and underscores (got \"/a/{\")"},
    {"{\"method\": \"GET\", \"path\": \"/{a}/{a}\"}", "path must be a path whose names differ, and are not body or query (got \"/{a}/{a}\")"},
    {"{\"method\": \"GET\", \"path\": \"/{body}\"}", "path must be a path whose names differ, and are not body or query (got \"/{body}\")"},
    {"{\"method\": \"GET\", \"path\": \"/{a}/{b}/{c}/{d}/{e}/{f}/{g}\"}", "path must be a path of at most six names (got \"/{a}/{b}/{c}/{d}/{e}/{f}/{g}\")"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"pathes\": 1}", "unknown key \"pathes\"; there are method, path, body, query, retry, result, secret"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"" X63 "x\": 1}", "unknown key \"" X63 "\"; there are method, path, body, query, retry, result, secret"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"body\": true}", "body cannot be sent with GET"},
    {"{\"method\": \"PUT\", \"path\": \"/a\", \"body\": {\"name\": \"text\"}}", "body must be true or false (got a table)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": [\"page\"]}", "query must be a table of keys and their types (got a list)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": {\"page\": \"counter\"}}", "query.page must be one of text, count, flag, date, list, order, map (got \"counter\")"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": {\"page\": []}}", "query.page must be one of text, count, flag, date, list, order, map (got nothing)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": {\"" X63 "\": 1}}", "query." X57 " must be one of text, count, flag, date, list, order, map (got a number)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": {\"page\": [\"count\", 1, 2]}}", "query.page must be a key and its type, or { type, default } (got a list)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": {\"page\": [\"count\", \"one\"]}}", "query.page must be a whole number (got a string)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": {\"since\": [\"date\", 1e12]}}", "query.since: 1000000000000 is too late a date (seconds, not milliseconds)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"query\": {\"\": \"text\"}}", "query. must be a key and its type, or { type, default } (got \"text\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/{b}\", \"secret\": [1]}", "secret must be a list of names in the path (got a number)"},
    {"{\"method\": \"GET\", \"path\": \"/a/{b}\", \"secret\": {\"b\": 1}}", "secret must be a list of names in the path (got a table)"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"retry\": \"often\"}", "retry must be one of safe, idempotent, never (got \"often\")"},
    {"{\"method\": \"POST\", \"path\": \"/a\", \"retry\": \"safe\"}", "retry must be \"idempotent\" or \"never\" for a write (got \"safe\")"},
    {"{\"method\": \"GET\", \"path\": \"/a\", \"result\": \"list\"}", "result must be one of object, array, text, any (got \"list\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/{b}\", \"secret\": \"b\"}", "secret must be a list of names in the path (got \"b\")"},
    {"{\"method\": \"GET\", \"path\": \"/a/{b}\", \"secret\": [\"c\"]}", "secret must be a list of names in the path (got \"c\")"},
};
/* clang-format on */

#define X100 X57 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const tagoio_operation *describe(const char *text, tagoio_error *err) {
    json_t *description = play_json(text);
    const tagoio_operation *row = tagoio_operation_new("device.x", description, err);
    json_decref(description);
    return row;
}

/* A call of a row that nobody but the call holds. */
static tagoio_call *call_of(const char *description, const char *arguments) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    const tagoio_operation *row = describe(description, &err);
    check_text("", err.message);
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call =
        tagoio_call_new_row(settings, row, play_json(arguments), 0, &err);
    check_text("", err.message);
    tagoio_operation_unref(row);
    tagoio_settings_unref(settings);
    return call;
}

static void test_requests(void) {
    for (int i = 0; i < check_count(sent_rows); i++) {
        const sent_row *row = &sent_rows[i];
        check_case("%s: %s", row->description, row->arguments);
        tagoio_call *call = call_of(row->description, row->arguments);
        if (call != NULL) {
            tagoio_request request = play_begin(call, 0);
            check_text(row->method, request.method);
            check_text(row->path, request.url + strlen(PLAY_URL));
            check_text(row->body, request.body);
        }
        tagoio_call_unref(call);
    }
}

static void test_refusals(void) {
    for (int i = 0; i < check_count(refused_rows); i++) {
        check_case("%s", refused_rows[i].description);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        check_true(describe(refused_rows[i].description, &err) == NULL);
        check_within("device.x: ", err.message);
        check_text(refused_rows[i].message, err.message + strlen("device.x: "));
    }
}

static void test_long_name(void) {
    check_case("a name in the path is shown as far as 99 characters");
    const tagoio_operation *row =
        describe("{\"method\": \"GET\", \"path\": \"/{" X100 "}\"}", NULL);
    tagoio_settings *settings = play_settings(NULL);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_call_new_row(settings, row, json_array(), 0, &err) == NULL);
    char expected[160];
    snprintf(expected, sizeof expected,
             "device.x: %.99s must be a string (got nothing)", X100);
    check_text(expected, err.message);
    tagoio_operation_unref(row);
    tagoio_settings_unref(settings);
}

static void test_too_long(void) {
    check_case("a default that is too long for a URL");
    static char value[TAGOIO_MAX_URL_BYTES + 1];
    memset(value, 'x', sizeof value - 1);
    json_t *description = json_pack("{s:s, s:s, s:{s:[s,s]}}", "method", "GET", "path",
                                    "/a", "query", "page", "text", value);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_operation_new("device.x", description, &err) == NULL);
    check_text("device.x: query.page is too long for a URL", err.message);
    check_text("misuse", tagoio_error_kind_name(err.kind));
    json_decref(description);

    check_case("so is a path");
    value[0] = '/';
    description = json_pack("{s:s, s:s++}", "method", "GET", "path", "/a", value, "");
    err = (tagoio_error){.kind = TAGOIO_ERROR_NONE};
    check_true(tagoio_operation_new("device.x", description, &err) == NULL);
    check_within("device.x: path must be shorter (got \"/a/xxx", err.message);
    json_decref(description);
}

static void test_names(void) {
    char too_long[102] = "device.";
    memset(too_long + strlen(too_long), 'x', sizeof too_long - 1 - strlen(too_long));
    const char *const names[] = {"",      "device", "device.", ".x",    "device.x.",
                                 "a.b.c", "a.1",    "a.b c",   too_long};
    json_t *description = play_json("{\"method\": \"GET\", \"path\": \"/a\"}");
    for (int i = 0; i < check_count(names); i++) {
        check_case("the name \"%s\" is refused", names[i]);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        check_true(tagoio_operation_new(names[i], description, &err) == NULL);
        check_within("must be two names with a dot", err.message);
        char shown[80];
        snprintf(shown, sizeof shown, "(got \"%.63s\")", names[i]);
        check_within(shown, err.message);
    }
    too_long[100] = '\0';
    check_case("a name of 100 characters is the longest");
    const tagoio_operation *row = tagoio_operation_new(too_long, description, NULL);
    check_true(row != NULL);
    tagoio_operation_unref(row);
    json_decref(description);
}

static void test_accessors(void) {
    check_case("a row tells what it is");
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    const tagoio_operation *row =
        describe("{\"method\": \"PUT\", \"path\": \"/device/{deviceID}/{token}\","
                 " \"body\": true, \"query\": {\"b\": \"flag\", \"a\": \"text\"}}",
                 &err);
    check_text("device.x", tagoio_operation_name(row));
    check_text("PUT", tagoio_operation_method(row));
    check_text("/device/{}/{}", tagoio_operation_path(row));
    static const char *const names[] = {"deviceID", "token", "body", "query", NULL};
    for (int i = 0; i < check_count(names); i++) {
        check_text(names[i], tagoio_operation_argument(row, (size_t)i).name);
    }
    check_case("which arguments are bodies");
    const tagoio_operation *create = tagoio_operation_find("profile.create");
    const tagoio_operation *post = tagoio_operation_request("POST", false);
    for (size_t i = 0; i < 5; i++) {
        check_true(tagoio_operation_argument(row, i).is_body == (i == 2));
        check_true(tagoio_operation_argument(create, i).is_body == (i == 0));
        check_true(tagoio_operation_argument(post, i).is_body == (i == 2));
    }
    check_case("a row tells its keys, sorted, and lives as long as its references");
    check_text("a", tagoio_operation_query_key(row, 0));
    check_text("b", tagoio_operation_query_key(row, 1));
    check_text(NULL, tagoio_operation_query_key(row, 2));
    check_true(tagoio_operation_ref(row) == row);
    tagoio_operation_unref(row);
    check_text("device.x", tagoio_operation_name(row));
    tagoio_operation_unref(row);
}

/* How many requests a call makes of which the first is answered 503, the others 200. */
static int attempts_of(const char *description, bool *maybe_applied) {
    tagoio_call *call = call_of(description, "[]");
    int64_t now_ms = 0;
    for (int i = 0; tagoio_call_want(call, now_ms) != TAGOIO_DONE; i++) {
        tagoio_now now = play_now(now_ms);
        play_answer(call, &now, i == 0 ? "503" : "200", "{\"status\": true}");
        now_ms = tagoio_call_retry_at_ms(call);
    }
    tagoio_report report = tagoio_call_report(call);
    int attempts = report.attempts;
    *maybe_applied = report.maybe_applied;
    tagoio_call_unref(call);
    return attempts;
}

static void test_retries(void) {
    static const struct {
        const char *title;
        const char *description;
        int attempts;
        bool maybe_applied;
    } rows[] = {
        {"a read", "{\"method\": \"GET\", \"path\": \"/a\"}", 2, false},
        {"a read that is never retried",
         "{\"method\": \"GET\", \"path\": \"/a\", \"retry\": \"never\"}", 1, true},
        {"a write", "{\"method\": \"PUT\", \"path\": \"/a\"}", 1, true},
        {"a write that is idempotent",
         "{\"method\": \"PUT\", \"path\": \"/a\", \"retry\": \"idempotent\"}", 2,
         false},
    };
    for (int i = 0; i < check_count(rows); i++) { /* the first alone is safe */
        check_case("%s, refused with 503, or canceled", rows[i].title);
        bool maybe_applied;
        check_number(rows[i].attempts,
                     attempts_of(rows[i].description, &maybe_applied));
        check_true(maybe_applied == rows[i].maybe_applied);
        tagoio_call *call = call_of(rows[i].description, "[]");
        play_begin(call, 0);
        tagoio_call_cancel(call, 0);
        check_true(tagoio_call_report(call).maybe_applied == (i > 0));
        tagoio_call_unref(call);
    }
}

/* What is shown of a call whose argument the server sends back. */
static void check_echo(const char *description, const char *message) {
    tagoio_call *call = call_of(description, "[\"x\", \"seven-seas\"]");
    tagoio_now now = play_now(0);
    play_answer(call, &now, "400",
                "{\"status\": false, \"message\": \"no seven-seas\"}");
    check_text(message, tagoio_call_report(call).message);
    tagoio_call_unref(call);
}

static void test_without_token(void) {
    check_case("a row needs no token");
    tagoio_options options = play_options();
    options.token = NULL;
    tagoio_settings *settings = play_settings(&options);
    const tagoio_operation *row =
        describe("{\"method\": \"GET\", \"path\": \"/a\"}", NULL);
    tagoio_call *call = tagoio_call_new_row(settings, row, json_array(), 0, NULL);
    if (check_true(call != NULL)) {
        check_text("User-Agent", play_begin(call, 0).headers[0].name);
    }
    tagoio_call_unref(call);
    tagoio_operation_unref(row);
    tagoio_settings_unref(settings);
}

static void test_secrets(void) {
    check_case("an argument of the path is shown");
    check_echo("{\"method\": \"GET\", \"path\": \"/a/{b}/{name}\"}",
               "device.x: no seven-seas (HTTP 400, api.tago.io)");
    check_case("one that is secret is not");
    check_echo("{\"method\": \"GET\", \"path\": \"/a/{b}/{name}\", \"secret\": [\"b\", "
               "\"name\"]}",
               "device.x: no *** (HTTP 400, api.tago.io)");
    check_case("nor is one that is named like a secret");
    check_echo("{\"method\": \"GET\", \"path\": \"/a/{b}/{token}\"}",
               "device.x: no *** (HTTP 400, api.tago.io)");
}

int main(void) {
    static const check_test tests[] = {
        test_requests,  test_refusals, test_long_name,     test_too_long, test_names,
        test_accessors, test_retries,  test_without_token, test_secrets};
    return check_run(tests, check_count(tests));
}
