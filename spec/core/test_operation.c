/* SPDX-License-Identifier: MIT */
/* What each operation sends for which arguments, and which arguments it refuses. The
   expectations are those of TagoIO's SDKs on the wire, not of the table of operations.
 */
#include "support/check.h"
#include "support/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_DEFAULTS                                                                 \
    "page=1&amount=20&fields%5B0%5D=name&fields%5B1%5D=token"                          \
    "&fields%5B2%5D=permission&orderBy=created_at%2Casc"

typedef struct request_row {
    const char *operation; /* without "profile." */
    const char *arguments; /* as JSON */
    const char *method;
    const char *path; /* with the query */
    const char *body; /* NULL: none */
} request_row;

/* clang-format off */
static const request_row requests[] = {
    {"info", "[\"5f\"]", "GET", "/profile/5f", NULL},
    {"info", "[\"current\"]", "GET", "/profile/current", NULL},
    {"list", "[]", "GET", "/profile", NULL},
    {"summary", "[\"5f\"]", "GET", "/profile/5f/summary", NULL},
    {"summary", "[\"5f\", null]", "GET", "/profile/5f/summary", NULL},
    {"summary", "[\"5f\", {\"onlyAmount\": true}]", "GET", "/profile/5f/summary?onlyAmount=true", NULL},
    {"summary", "[\"5f\", {\"onlyAmount\": false}]", "GET", "/profile/5f/summary", NULL},
    {"summary", "[\"5f\", {\"onlyAmount\": null}]", "GET", "/profile/5f/summary?onlyAmount=", NULL},
    {"tokenList", "[\"5f\"]", "GET", "/profile/5f/token?" TOKEN_DEFAULTS, NULL},
    {"tokenList", "[\"5f\", {}]", "GET", "/profile/5f/token?" TOKEN_DEFAULTS, NULL},
    {"tokenList", "[\"5f\", {\"page\": 2, \"amount\": 100, \"fields\": [\"name\"], \"orderBy\": \"name,desc\"}]", "GET", "/profile/5f/token?page=2&amount=100&fields%5B0%5D=name&orderBy=name%2Cdesc", NULL},
    {"create", "[{\"name\": \"My profile\"}]", "POST", "/profile/", "{\"name\":\"My profile\"}"},
    {"create", "[{\"name\": \"a\"}, {\"allocate_free_resources\": true}]", "POST", "/profile/?allocate_free_resources=true", "{\"name\":\"a\"}"},
    {"create", "[{\"name\": \"a\"}, {\"allocate_free_resources\": false}]", "POST", "/profile/", "{\"name\":\"a\"}"},
    {"create", "[{}]", "POST", "/profile/", "{}"},
    {"edit", "[\"5f\", {\"name\": \"b\", \"logo_url\": null, \"any\": [1, {\"x\": true}]}]", "PUT", "/profile/5f", "{\"any\":[1,{\"x\":true}],\"logo_url\":null,\"name\":\"b\"}"},
    {"delete", "[\"5f\", {\"password\": \"p\", \"pin_code\": \"123456\", \"otp_type\": \"email\"}]", "DELETE", "/profile/5f", "{\"otp_type\":\"email\",\"password\":\"p\",\"pin_code\":\"123456\"}"},
    {"usageStatisticList", "[\"5f\"]", "GET", "/profile/5f/statistics", NULL},
    {"usageStatisticList", "[\"5f\", {\"date\": \"2024-09-01\"}]", "GET", "/profile/5f/statistics?date=2024-09-01", NULL},
    {"usageStatisticList", "[\"5f\", {\"timezone\": \"America/Sao_Paulo\", \"periodicity\": \"hour\", \"end_date\": 1725235199.5, \"start_date\": 1725148800}]", "GET", "/profile/5f/statistics?start_date=2024-09-01T00%3A00%3A00.000Z&end_date=2024-09-01T23%3A59%3A59.500Z&periodicity=hour&timezone=America%2FSao_Paulo", NULL},
    {"auditLog", "[\"5f\"]", "GET", "/profile/5f/auditlog", NULL},
    {"auditLog", "[\"5f\", {\"resourceID\": \"r\", \"resourceName\": \"device\", \"find\": \"x y\", \"start_date\": 0, \"end_date\": \"now\", \"limit\": 5}]", "GET", "/profile/5f/auditlog?resourceID=r&resourceName=device&find=x%20y&start_date=1970-01-01T00%3A00%3A00.000Z&end_date=now&limit=5", NULL},
    {"auditLogQuery", "[\"5f\", \"q1\"]", "GET", "/profile/5f/auditlog/q1", NULL},
    {"serviceEdit", "[\"5f\", {\"input\": 1000000, \"file_storage\": 0.5}]", "POST", "/profile/5f/services", "{\"file_storage\":0.5,\"input\":1000000}"},
    {"transferTokenToAnotherProfile", "[\"5f\"]", "PUT", "/profile/switch/5f", NULL},
    {"tokenCreate", "[\"5f\", {\"name\": \"t\", \"permission\": \"full\"}]", "POST", "/profile/5f/token", "{\"name\":\"t\",\"permission\":\"full\"}"},
    {"tokenCreate", "[\"5f\", {\"expire_time\": 1725148800}]", "POST", "/profile/5f/token", "{\"expire_time\":\"2024-09-01T00:00:00.000Z\"}"},
    {"tokenCreate", "[\"5f\", {\"expire_time\": 1725148800.1234}]", "POST", "/profile/5f/token", "{\"expire_time\":\"2024-09-01T00:00:00.123Z\"}"},
    {"tokenCreate", "[\"5f\", {\"expire_time\": \"3 months\"}]", "POST", "/profile/5f/token", "{\"expire_time\":\"3 months\"}"},
    {"tokenCreate", "[\"5f\", {\"expire_time\": null}]", "POST", "/profile/5f/token", "{\"expire_time\":null}"},
    {"tokenDelete", "[\"5f\", \"p-12/34\"]", "DELETE", "/profile/5f/token/p-12%2F34", NULL},
    {"addTeamMember", "[\"5f\", \"a@b.c\"]", "POST", "/profile/5f/team", "{\"email\":\"a@b.c\"}"},
    {"teamList", "[\"5f\"]", "GET", "/profile/5f/team", NULL},
    {"deleteTeamMember", "[\"5f\", \"u1\"]", "DELETE", "/profile/5f/team/u1", NULL},
    /* path segments */
    {"info", "[\"a/b ?x#y\"]", "GET", "/profile/a%2Fb%20%3Fx%23y", NULL},
    {"info", "[\"...\"]", "GET", "/profile/...", NULL},
    {"info", "[\".a\"]", "GET", "/profile/.a", NULL},
    {"info", "[\"%2e%2e\"]", "GET", "/profile/%252e%252e", NULL},
    {"info", "[\"\\u00e9\\u20ac\\ud83d\\ude00\"]", "GET", "/profile/%C3%A9%E2%82%AC%F0%9F%98%80", NULL},
    {"info", "[\"{}\"]", "GET", "/profile/%7B%7D", NULL},
    {"tokenDelete", "[\"{}\", \"{}\"]", "DELETE", "/profile/%7B%7D/token/%7B%7D", NULL},
    {"info", "[\"AZaz09-._~\"]", "GET", "/profile/AZaz09-._~", NULL},
    {"info", "[\"!\\\"#$%&'()*+,/:;<=>?@[\\\\]^`{|}\"]", "GET", "/profile/%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D", NULL},
    /* query values */
    {"tokenList", "[\"5f\", {\"page\": null, \"amount\": 0, \"fields\": null, \"orderBy\": null}]", "GET", "/profile/5f/token?page=&amount=0&fields=&orderBy=", NULL},
    {"tokenList", "[\"5f\", {\"fields\": []}]", "GET", "/profile/5f/token?page=1&amount=20&orderBy=created_at%2Casc", NULL},
    {"tokenList", "[\"5f\", {\"fields\": {}}]", "GET", "/profile/5f/token?page=1&amount=20&orderBy=created_at%2Casc", NULL},
    {"tokenList", "[\"5f\", {\"fields\": [\"a\", \"b&c\"], \"filter\": {}}]", "GET", "/profile/5f/token?page=1&amount=20&fields%5B0%5D=a&fields%5B1%5D=b%26c&orderBy=created_at%2Casc", NULL},
    {"auditLog", "[\"5f\", {\"find\": \"\", \"limit\": null, \"start_date\": null}]", "GET", "/profile/5f/auditlog?find=&start_date=&limit=", NULL},
    {"auditLog", "[\"5f\", {\"find\": \"a\\r\\nb\\u0000c\"}]", "GET", "/profile/5f/auditlog?find=a%0D%0Ab%00c", NULL},
    {"auditLog", "[\"5f\", {\"start_date\": -1, \"end_date\": \"2024-01-01 00:00:00+03:00\"}]", "GET", "/profile/5f/auditlog?start_date=1969-12-31T23%3A59%3A59.000Z&end_date=2024-01-01%2000%3A00%3A00%2B03%3A00", NULL},
    {"auditLog", "[\"5f\", {\"start_date\": 1e11}]", "GET", "/profile/5f/auditlog?start_date=5138-11-16T09%3A46%3A40.000Z", NULL},
};

/* tokenList with one more member in its query: what it sends of that. */
static const char *const filters[][2] = {
    {"\"filter\": {\"name\": \"x\"}", "filter%5Bname%5D=x"},
    {"\"filter\": {\"name\": \"*a b*\"}", "filter%5Bname%5D=%2Aa%20b%2A"},
    {"\"filter\": {\"tags\": [{\"key\": \"k\", \"value\": \"v\"}]}", "filter%5Btags%5D%5B0%5D%5Bkey%5D=k&filter%5Btags%5D%5B0%5D%5Bvalue%5D=v"},
    {"\"filter\": {\"d\": [\"x\", \"y\"]}", "filter%5Bd%5D%5B0%5D=x&filter%5Bd%5D%5B1%5D=y"},
    {"\"filter\": {\"d\": [[1], []]}", "filter%5Bd%5D%5B0%5D%5B0%5D=1"},
    {"\"filter\": {\"a b\": {\"]\": 1}}", "filter%5Ba%20b%5D%5B%5D%5D=1"},
    {"\"filter\": {\"on\": true}", "filter%5Bon%5D=true"},
    {"\"filter\": {\"on\": false}", "filter%5Bon%5D=false"},
    {"\"filter\": {\"none\": null}", "filter%5Bnone%5D="},
    {"\"filter\": {\"n\": -3}", "filter%5Bn%5D=-3"},
    {"\"filter\": {\"n\": 0.1}", "filter%5Bn%5D=0.1"},
    {"\"filter\": {\"n\": 9007199254740993}", "filter%5Bn%5D=9007199254740993"},
    {"\"filter\": {\"e\": {}, \"f\": [], \"g\": \"\"}", "filter%5Bg%5D="},
    {"\"filter\": null", "filter="},
};

/* orderBy, and what follows "orderBy=". */
static const char *const orders[][2] = {
    {"\"name\"", "name"},
    {"\"name,asc\"", "name%2Casc"},
    {"[\"name\", \"desc\"]", "name%2Cdesc"},
    {"[\"name\"]", "name"},
    {"[\"\\u0000a\", \"b\"]", "%00a%2Cb"},
    {"\"\"", ""},
};
/* clang-format on */

static tagoio_call *try_call(tagoio_settings *settings, const char *operation,
                             const char *arguments, tagoio_error *err) {
    *err = (tagoio_error){.kind = TAGOIO_ERROR_NONE};
    char name[80];
    snprintf(name, sizeof name, "profile.%s", operation);
    return tagoio_call_new(settings, name, play_json(arguments), 0, err);
}

static const tagoio_header request_headers[] = {
    {"token", PLAY_TOKEN},
    {"User-Agent", "TagoIO-SDK|C|" TAGOIO_VERSION " (External)"},
    {"Accept", "application/json"},
    {"Content-Type", "application/json"},
};

static void check_request(tagoio_settings *settings, const request_row *row) {
    check_case("%s %s", row->operation, row->arguments);
    tagoio_error err;
    tagoio_call *call = try_call(settings, row->operation, row->arguments, &err);
    check_text("", err.message);
    if (!check_true(call != NULL)) {
        return;
    }
    char url[2000];
    snprintf(url, sizeof url, "%s%s", PLAY_URL, row->path);
    tagoio_request request = play_begin(call, 0);
    check_text(row->method, request.method);
    check_text(url, request.url);
    check_number(row->body == NULL ? 0 : (int64_t)strlen(row->body),
                 (int64_t)request.body_bytes);
    bool announced =
        strcmp(row->method, "PUT") == 0 || strcmp(row->method, "POST") == 0;
    check_text(row->body == NULL && announced ? "" : row->body, request.body);
    check_number(row->body == NULL ? 3 : 4, (int64_t)request.header_count);
    for (size_t i = 0; i < request.header_count; i++) {
        check_text(request_headers[i].name, request.headers[i].name);
        check_text(request_headers[i].value, request.headers[i].value);
    }
    tagoio_call_unref(call);
}

static void test_requests(void) {
    tagoio_settings *settings = play_settings(NULL);
    for (int i = 0; i < check_count(requests); i++) {
        check_request(settings, &requests[i]);
    }
    tagoio_settings_unref(settings);
}

static void check_token_list(tagoio_settings *settings, const char *member,
                             const char *query) {
    char arguments[500];
    char path[1000];
    snprintf(arguments, sizeof arguments, "[\"5f\", {%s}]", member);
    snprintf(path, sizeof path, "/profile/5f/token?%s", query);
    check_request(settings, &(request_row){"tokenList", arguments, "GET", path, NULL});
}

static void test_filters(void) {
    tagoio_settings *settings = play_settings(NULL);
    char member[300];
    char query[600];
    for (int i = 0; i < check_count(filters); i++) {
        snprintf(query, sizeof query, "%.*s%s&orderBy=created_at%%2Casc",
                 (int)(strstr(TOKEN_DEFAULTS, "orderBy") - TOKEN_DEFAULTS),
                 TOKEN_DEFAULTS, filters[i][1]);
        check_token_list(settings, filters[i][0], query);
    }
    for (int i = 0; i < check_count(orders); i++) {
        snprintf(member, sizeof member, "\"orderBy\": %s", orders[i][0]);
        snprintf(query, sizeof query, "%.*sorderBy=%s",
                 (int)(strstr(TOKEN_DEFAULTS, "orderBy") - TOKEN_DEFAULTS),
                 TOKEN_DEFAULTS, orders[i][1]);
        check_token_list(settings, member, query);
    }
    tagoio_settings_unref(settings);
}

static void test_base_url(void) {
    check_case("a prefix of the base URL is kept");
    tagoio_options options = play_options();
    options.base_url = "http://127.0.0.1:8080/a/b";
    options.user_agent = "agent";
    tagoio_settings *settings = play_settings(&options);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    tagoio_request request = play_begin(call, 0);
    check_text("http://127.0.0.1:8080/a/b/profile", request.url);
    check_text("agent", request.headers[1].value);
    check_number(10000, request.connect_timeout_ms);
    check_number(TAGOIO_MAX_RESPONSE_BYTES, (int64_t)request.max_response_bytes);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* ---- what is refused ---- */

typedef struct refusal_row {
    const char *operation;
    const char *arguments;
    tagoio_error_kind kind;
    const char *message; /* behind "profile.": all of it */
} refusal_row;

#define AUDIT_KEYS "resourceID, resourceName, find, start_date, end_date, limit"

/* clang-format off */
#define ACCENTS_9  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define ACCENTS_10 ACCENTS_9 "\xc3\xa9"

static const refusal_row refusals[] = {
    /* path segments */
    {"info", "[\"\"]", TAGOIO_ERROR_INVALID, "info: profileID must not be empty"},
    {"info", "[\".\"]", TAGOIO_ERROR_INVALID, "info: profileID must not be . or .., which paths drop"},
    {"info", "[\"..\"]", TAGOIO_ERROR_INVALID, "info: profileID must not be . or .., which paths drop"},
    {"info", "[\"a\\u0000b\"]", TAGOIO_ERROR_INVALID, "info: profileID must not hold a control byte"},
    {"info", "[\"\\u0000\"]", TAGOIO_ERROR_INVALID, "info: profileID must not hold a control byte"},
    {"info", "[\"a\\r\\nb\"]", TAGOIO_ERROR_INVALID, "info: profileID must not hold a control byte"},
    {"info", "[\"\\t\"]", TAGOIO_ERROR_INVALID, "info: profileID must not hold a control byte"},
    {"info", "[\"\\u001f\"]", TAGOIO_ERROR_INVALID, "info: profileID must not hold a control byte"},
    {"info", "[\"\\u007f\"]", TAGOIO_ERROR_INVALID, "info: profileID must not hold a control byte"},
    {"info", "[]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got nothing)"},
    {"info", "[null]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got nothing)"},
    {"info", "[5]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got a number)"},
    {"info", "[0.5]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got a number)"},
    {"info", "[true]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got a boolean)"},
    {"info", "[{}]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got a table)"},
    {"info", "[[]]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got a list)"},
    {"auditLogQuery", "[\"a\"]", TAGOIO_ERROR_MISUSE, "auditLogQuery: queryId must be a string (got nothing)"},
    {"auditLogQuery", "[\"a\", \"..\"]", TAGOIO_ERROR_INVALID, "auditLogQuery: queryId must not be . or .., which paths drop"},
    {"tokenDelete", "[\"a\", \"\"]", TAGOIO_ERROR_INVALID, "tokenDelete: token must not be empty"},
    {"tokenDelete", "[\"a\", 1]", TAGOIO_ERROR_MISUSE, "tokenDelete: token must be a string (got a number)"},
    {"deleteTeamMember", "[\"a\", \"..\"]", TAGOIO_ERROR_INVALID, "deleteTeamMember: accountId must not be . or .., which paths drop"},
    {"transferTokenToAnotherProfile", "[\"\"]", TAGOIO_ERROR_INVALID, "transferTokenToAnotherProfile: targetProfileID must not be empty"},
    /* how many */
    {"list", "[\"a\"]", TAGOIO_ERROR_MISUSE, "list: takes 0 arguments, got 1"},
    {"info", "[\"a\", {}]", TAGOIO_ERROR_MISUSE, "info: takes 1 arguments, got 2"},
    {"edit", "[\"a\", {}, {}]", TAGOIO_ERROR_MISUSE, "edit: takes 2 arguments, got 3"},
    {"nothing", "[]", TAGOIO_ERROR_MISUSE, "nothing: unknown operation"},
    {"List", "[]", TAGOIO_ERROR_MISUSE, "List: unknown operation"},
    /* queries */
    {"summary", "[\"a\", true]", TAGOIO_ERROR_MISUSE, "summary: query must be { onlyAmount = true } (got a boolean)"},
    {"summary", "[\"a\", false]", TAGOIO_ERROR_MISUSE, "summary: query must be a table with keys (got a boolean)"},
    {"tokenList", "[\"a\", true]", TAGOIO_ERROR_MISUSE, "tokenList: query must be a table with keys (got a boolean)"},
    {"info", "[{\"id\": \"a\"}]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got a table: pass its .id)"},
    {"info", "[{\"info\": {\"id\": \"a\"}}]", TAGOIO_ERROR_MISUSE, "info: profileID must be a string (got a table: pass its .info.id)"},
    {"tokenList", "[\"a\", {\"page\": {\"id\": \"a\"}}]", TAGOIO_ERROR_MISUSE, "tokenList: query.page must be a whole number (got a table)"},
    {"tokenDelete", "[\"a\", {\"token\": \"t\"}]", TAGOIO_ERROR_MISUSE, "tokenDelete: token must be a string (got a table: pass its .token)"},
    {"tokenDelete", "[\"a\", {\"id\": \"t\"}]", TAGOIO_ERROR_MISUSE, "tokenDelete: token must be a string (got a table)"},
    {"summary", "[\"a\", []]", TAGOIO_ERROR_MISUSE, "summary: query must be a table with keys (got a list)"},
    {"summary", "[\"a\", {\"onlyamount\": true}]", TAGOIO_ERROR_MISUSE, "summary: query.onlyamount: unknown key; allowed: onlyAmount"},
    {"summary", "[\"a\", {\"two\\nlines\\u001b[2J\": true}]", TAGOIO_ERROR_MISUSE, "summary: query.two lines [2J: unknown key; allowed: onlyAmount"},
    {"summary", "[\"a\", {\"a" ACCENTS_10 ACCENTS_10 ACCENTS_10 "\": true}]", TAGOIO_ERROR_MISUSE, "summary: query.a" ACCENTS_10 ACCENTS_9 ACCENTS_10 ": unknown key; allowed: onlyAmount"},
    {"tokenList", "[\"a\", {\"token\": \"x\"}]", TAGOIO_ERROR_MISUSE, "tokenList: query.token: unknown key; allowed: page, amount, fields, filter, orderBy"},
    {"create", "[{}, {\"free\": true}]", TAGOIO_ERROR_MISUSE, "create: query.free: unknown key; allowed: allocate_free_resources"},
    {"usageStatisticList", "[\"a\", {\"from\": 1}]", TAGOIO_ERROR_MISUSE, "usageStatisticList: query.from: unknown key; allowed: date, start_date, end_date, periodicity, timezone"},
    {"auditLog", "[\"a\", {\"resourceId\": 1}]", TAGOIO_ERROR_MISUSE, "auditLog: query.resourceId: unknown key; allowed: " AUDIT_KEYS},
    {"summary", "[\"a\", {\"onlyAmount\": \"true\"}]", TAGOIO_ERROR_MISUSE, "summary: query.onlyAmount must be a boolean (got a string)"},
    {"summary", "[\"a\", {\"onlyAmount\": 1}]", TAGOIO_ERROR_MISUSE, "summary: query.onlyAmount must be a boolean (got a number)"},
    {"tokenList", "[\"a\", {\"page\": \"1\"}]", TAGOIO_ERROR_MISUSE, "tokenList: query.page must be a whole number (got a string)"},
    {"tokenList", "[\"a\", {\"amount\": 1.5}]", TAGOIO_ERROR_MISUSE, "tokenList: query.amount must be a whole number (got a number)"},
    {"tokenList", "[\"a\", {\"amount\": false}]", TAGOIO_ERROR_MISUSE, "tokenList: query.amount must be a whole number (got a boolean)"},
    {"tokenList", "[\"a\", {\"fields\": \"name\"}]", TAGOIO_ERROR_MISUSE, "tokenList: query.fields must be a list of strings (got a string)"},
    {"tokenList", "[\"a\", {\"fields\": [1]}]", TAGOIO_ERROR_MISUSE, "tokenList: query.fields must be a list of strings (got a list)"},
    {"tokenList", "[\"a\", {\"fields\": {\"a\": \"b\"}}]", TAGOIO_ERROR_MISUSE, "tokenList: query.fields must be a list of strings (got a table)"},
    {"tokenList", "[\"a\", {\"filter\": \"name\"}]", TAGOIO_ERROR_MISUSE, "tokenList: query.filter must be a table with keys (got a string)"},
    {"tokenList", "[\"a\", {\"filter\": [1]}]", TAGOIO_ERROR_MISUSE, "tokenList: query.filter must be a table with keys (got a list)"},
    {"tokenList", "[\"a\", {\"orderBy\": 1}]", TAGOIO_ERROR_MISUSE, "tokenList: query.orderBy must be \"field,asc\" or { \"field\", \"asc\" } (got a number)"},
    {"tokenList", "[\"a\", {\"orderBy\": []}]", TAGOIO_ERROR_MISUSE, "tokenList: query.orderBy must be \"field,asc\" or { \"field\", \"asc\" } (got a list)"},
    {"tokenList", "[\"a\", {\"orderBy\": {}}]", TAGOIO_ERROR_MISUSE, "tokenList: query.orderBy must be \"field,asc\" or { \"field\", \"asc\" } (got a table)"},
    {"tokenList", "[\"a\", {\"orderBy\": [\"a\", \"b\", \"c\"]}]", TAGOIO_ERROR_MISUSE, "tokenList: query.orderBy must be \"field,asc\" or { \"field\", \"asc\" } (got a list)"},
    {"tokenList", "[\"a\", {\"orderBy\": [\"a\", 1]}]", TAGOIO_ERROR_MISUSE, "tokenList: query.orderBy must be \"field,asc\" or { \"field\", \"asc\" } (got a list)"},
    {"usageStatisticList", "[\"a\", {\"timezone\": 3}]", TAGOIO_ERROR_MISUSE, "usageStatisticList: query.timezone must be a string (got a number)"},
    {"usageStatisticList", "[\"a\", {\"date\": true}]", TAGOIO_ERROR_MISUSE, "usageStatisticList: query.date must be a string or a number of seconds (got a boolean)"},
    /* dates */
    {"usageStatisticList", "[\"a\", {\"date\": 100000000001}]", TAGOIO_ERROR_INVALID, "usageStatisticList: query.date: 100000000001 is too late a date (seconds, not milliseconds)"},
    {"usageStatisticList", "[\"a\", {\"start_date\": 1725148800000}]", TAGOIO_ERROR_INVALID, "usageStatisticList: query.start_date: 1725148800000 is too late a date (seconds, not milliseconds)"},
    {"auditLog", "[\"a\", {\"end_date\": -62167219201}]", TAGOIO_ERROR_INVALID, "auditLog: query.end_date: -62167219201 is a date before the year 0 (seconds since 1970)"},
    {"tokenCreate", "[\"a\", {\"expire_time\": 1725148800000}]", TAGOIO_ERROR_INVALID, "tokenCreate: body.expire_time: 1725148800000 is too late a date (seconds, not milliseconds)"},
    /* bodies */
    {"create", "[]", TAGOIO_ERROR_MISUSE, "create: body must be a table with keys (got nothing)"},
    {"edit", "[\"a\"]", TAGOIO_ERROR_MISUSE, "edit: body must be a table with keys (got nothing)"},
    {"edit", "[\"a\", null]", TAGOIO_ERROR_MISUSE, "edit: body must be a table with keys (got nothing)"},
    {"edit", "[\"a\", []]", TAGOIO_ERROR_MISUSE, "edit: body must be a table with keys (got a list)"},
    {"delete", "[\"a\", \"password\"]", TAGOIO_ERROR_MISUSE, "delete: body must be a table with keys (got a string)"},
    {"serviceEdit", "[\"a\", 5]", TAGOIO_ERROR_MISUSE, "serviceEdit: body must be a table with keys (got a number)"},
    {"tokenCreate", "[\"a\", false]", TAGOIO_ERROR_MISUSE, "tokenCreate: body must be a table with keys (got a boolean)"},
    {"addTeamMember", "[\"a\"]", TAGOIO_ERROR_MISUSE, "addTeamMember: email must be a string (got nothing)"},
    {"addTeamMember", "[\"a\", {\"email\": \"b\"}]", TAGOIO_ERROR_MISUSE, "addTeamMember: email must be a string (got a table)"},
};
/* clang-format on */

static void test_refusals(void) {
    tagoio_settings *settings = play_settings(NULL);
    for (int i = 0; i < check_count(refusals); i++) {
        const refusal_row *row = &refusals[i];
        check_case("%s refuses %s", row->operation, row->arguments);
        tagoio_error err;
        tagoio_call *call = try_call(settings, row->operation, row->arguments, &err);
        check_true(call == NULL);
        check_text(tagoio_error_kind_name(row->kind), tagoio_error_kind_name(err.kind));
        check_true(strncmp(err.message, "profile.", 8) == 0);
        check_text(row->message, err.message + 8);
        tagoio_call_unref(call);
        call = tagoio_call_new(settings, "profile.none", json_array(), 0, NULL);
        check_true(call == NULL); /* without a place for the error */
    }
    tagoio_settings_unref(settings);
}

/* ---- limits ---- */

static char *repeated(char c, size_t count) {
    char *text = malloc(count + 1);
    if (text == NULL) {
        exit(2);
    }
    memset(text, c, count);
    text[count] = '\0';
    return text;
}

static json_t *deep_object(int depth) {
    json_t *value = json_true();
    for (int i = 0; i < depth; i++) {
        value = json_pack("{s:o}", "a", value);
    }
    return value;
}

/* Takes the arguments: what is said when they are too much; NULL: they fit. */
static void check_limit(const char *operation, json_t *arguments, const char *message) {
    tagoio_settings *settings = play_settings(NULL);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_call *call = tagoio_call_new(settings, operation, arguments, 0, &err);
    check_true((call != NULL) == (message == NULL));
    check_text(message == NULL ? "" : message, err.message);
    check_text(message == NULL ? "none" : "invalid", tagoio_error_kind_name(err.kind));
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_url_limit(void) {
    static const char message[] =
        "profile.info: the arguments make a URL of more than 65536 bytes";
    size_t before = strlen(PLAY_URL "/profile/");
    char *text = repeated('a', TAGOIO_MAX_URL_BYTES - before);
    check_case("a URL of 64 KiB");
    check_limit("profile.info", json_pack("[s]", text), NULL);
    free(text);

    check_case("a URL of a byte more");
    text = repeated('a', TAGOIO_MAX_URL_BYTES - before + 1);
    check_limit("profile.info", json_pack("[s]", text), message);
    free(text);

    check_case("an id of a megabyte");
    text = repeated('/', 1024 * 1024);
    check_limit("profile.info", json_pack("[s]", text), message);
    check_case("a filter of a megabyte");
    check_limit("profile.tokenList",
                json_pack("[s, {s:{s:s}}]", "a", "filter", "name", text),
                "profile.tokenList: the arguments make a URL of more than 65536 bytes");
    check_case("a filter's name of a megabyte");
    check_limit("profile.tokenList",
                json_pack("[s, {s:{s:s}}]", "a", "filter", text, "b"),
                "profile.tokenList: query is too long for a URL");
    check_case("an order of a megabyte");
    check_limit("profile.tokenList", json_pack("[s, {s:[s]}]", "a", "orderBy", text),
                "profile.tokenList: the arguments make a URL of more than 65536 bytes");
    free(text);
}

static void test_body_limits(void) {
    check_case("a body 128 deep");
    check_limit("profile.create", json_pack("[o]", deep_object(127)), NULL);
    check_case("a body 129 deep");
    check_limit("profile.create", json_pack("[o]", deep_object(128)),
                "profile.create: body: nested more than 128 deep");
    check_case("a body 2000 deep");
    check_limit("profile.create", json_pack("[o]", deep_object(2000)),
                "profile.create: body: nested more than 128 deep");
    check_case("a filter 200 deep");
    check_limit("profile.tokenList",
                json_pack("[s, {s:o}]", "a", "filter", deep_object(200)),
                "profile.tokenList: query is nested too deep");
    check_case("a body of 64 MiB");
    char *text = repeated('a', TAGOIO_MAX_REQUEST_BYTES - strlen("{\"name\":\"\"}"));
    check_limit("profile.create", json_pack("[{s:s}]", "name", text), NULL);
    free(text);
    check_case("a body of a byte more");
    text = repeated('a', TAGOIO_MAX_REQUEST_BYTES - strlen("{\"name\":\"\"}") + 1);
    check_limit("profile.create", json_pack("[{s:s}]", "name", text),
                "profile.create: body: more than 67108864 bytes of JSON");
    free(text);
}

static void test_arguments_stay(void) {
    check_case("the caller's body is not changed");
    json_t *arguments = play_json("[\"a\", {\"expire_time\": 5, \"name\": \"b\"}]");
    json_t *before = json_deep_copy(arguments);
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = tagoio_call_new(settings, "profile.tokenCreate",
                                        json_incref(arguments), 0, NULL);
    check_true(call != NULL);
    check_true(json_equal(arguments, before));
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
    json_decref(before);
    json_decref(arguments);
}

static void test_without_token(void) {
    static const struct {
        const char *method; /* of a request to any endpoint; NULL: it is an operation */
        const char *operation;
        const char *arguments;
        const char *message;
        bool sends_token; /* where there is one */
    } rows[] = {
        {NULL, "profile.info", "[\"a\"]",
         "profile.info: no token: this client has none", true},
        {NULL, "account.login", "[{}]", "", false},
        {"GET", "request.GET", "[[\"a\"]]", "", true},
    };
    for (int i = 0; i < 2 * check_count(rows); i++) {
        bool has_token = i % 2;
        tagoio_options options = play_options();
        options.token = has_token ? PLAY_TOKEN : NULL;
        const tagoio_operation *row =
            rows[i / 2].method != NULL ? tagoio_operation_request("GET", false)
                                       : tagoio_operation_find(rows[i / 2].operation);
        check_case("%s with%s a token", rows[i / 2].operation, has_token ? "" : "out");
        tagoio_settings *settings = play_settings(&options);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        tagoio_call *call = tagoio_call_new_row(
            settings, row, play_json(rows[i / 2].arguments), 0, &err);
        check_text(has_token ? "" : rows[i / 2].message, err.message);
        check_true((call != NULL) == (err.kind == TAGOIO_ERROR_NONE));
        if (call != NULL) {
            bool sent = strcmp(play_begin(call, 0).headers[0].name, "token") == 0;
            check_true(sent == (has_token && rows[i / 2].sends_token));
        }
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
    }
}

/* ---- settings ---- */

typedef struct option_row {
    const char *name;
    tagoio_options options;
    const char *message; /* NULL: accepted */
} option_row;

#define GOOD                                                                           \
    .token = "t", .base_url = PLAY_URL, .user_agent = "a b", .timeout_ms = 1,          \
    .attempt_timeout_ms = 1, .connect_timeout_ms = 1, .attempts = 1,                   \
    .max_response_bytes = 1
#define BAD_TOKEN                                                                      \
    "token: must be printable ASCII without spaces, and not empty (a line end copied " \
    "along?)"
#define TIMES_8(text) text text text text text text text text
#define LONGEST       TIMES_8(TIMES_8(TIMES_8("abcdefgh")))
#define BAD_AGENT     "user_agent: must be printable ASCII, and not empty"

#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Woverlength-strings" /* the longest token */

/* clang-format off */
static const option_row option_rows[] = {
    {"the least", {GOOD}, NULL},
    {"the most", {GOOD, .timeout_ms = 3600000, .attempt_timeout_ms = 3600000, .connect_timeout_ms = 3600000, .max_retry_after_ms = 3600000, .attempts = 100, .max_response_bytes = SIZE_MAX / 8}, NULL},
    {"no token", {GOOD, .token = NULL}, NULL},
    {"an empty token", {GOOD, .token = ""}, BAD_TOKEN},
    {"a token with a line end", {GOOD, .token = "abc\n"}, BAD_TOKEN},
    {"a token with a space", {GOOD, .token = "a b"}, BAD_TOKEN},
    {"a token beyond ASCII", {GOOD, .token = "\xc3\xa9"}, BAD_TOKEN},
    {"a token with DEL", {GOOD, .token = "a\x7f"}, BAD_TOKEN},
    {"a token in quotes", {GOOD, .token = "\"abc\""}, "token: must be without quotes around it"},
    {"a token with a quote at its end", {GOOD, .token = "abc'"}, "token: must be without quotes around it"},
    {"a token with a quote inside", {GOOD, .token = "a'b"}, NULL},
    {"the longest token", {GOOD, .token = LONGEST}, NULL},
    {"the first and the last characters", {GOOD, .token = "!~", .user_agent = " ~"}, NULL},
    {"the longest agent", {GOOD, .user_agent = LONGEST}, NULL},
    {"the largest response", {GOOD, .max_response_bytes = SIZE_MAX / 2}, NULL},
    {"a longer token", {GOOD, .token = LONGEST "x"}, "token: must be shorter: no token has so many bytes"},
    {"a longer agent", {GOOD, .user_agent = LONGEST "x"}, "user_agent: must be at most 4096 bytes long"},
    {"no agent", {GOOD, .user_agent = NULL}, BAD_AGENT},
    {"an agent with a line end", {GOOD, .user_agent = "a\r\nb: c"}, BAD_AGENT},
    {"no base_url", {GOOD, .base_url = NULL}, "base_url: is not a URL"},
    {"a base_url that is none", {GOOD, .base_url = "api.tago.io"}, "base_url: is not a URL"},
    {"no time", {GOOD, .timeout_ms = 0}, "timeout_ms: out of range"},
    {"a negative time", {GOOD, .timeout_ms = -1}, "timeout_ms: out of range"},
    {"over an hour", {GOOD, .timeout_ms = 3600001}, "timeout_ms: out of range"},
    {"an attempt of no time", {GOOD, .attempt_timeout_ms = 0}, "attempt_timeout_ms: out of range"},
    {"a connect time over an hour", {GOOD, .connect_timeout_ms = 3600001}, "connect_timeout_ms: out of range"},
    {"a negative wait", {GOOD, .max_retry_after_ms = -1}, "max_retry_after_ms: out of range"},
    {"no attempts", {GOOD, .attempts = 0}, "attempts: out of range"},
    {"too many attempts", {GOOD, .attempts = 101}, "attempts: out of range"},
    {"a response of no bytes", {GOOD, .max_response_bytes = 0}, "max_response_bytes: out of range"},
    {"a response of all bytes", {GOOD, .max_response_bytes = SIZE_MAX}, "max_response_bytes: out of range"},
};
/* clang-format on */

static void test_options(void) {
    for (int i = 0; i < check_count(option_rows); i++) {
        const option_row *row = &option_rows[i];
        check_case("options: %s", row->name);
        tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
        tagoio_settings *settings = tagoio_settings_new(&row->options, NULL, &err);
        check_true((settings != NULL) == (row->message == NULL));
        check_text(row->message == NULL ? "" : row->message, err.message);
        check_text(row->message == NULL ? "none" : "misuse",
                   tagoio_error_kind_name(err.kind));
        tagoio_settings_unref(settings);
    }
    check_case("options: the defaults");
    tagoio_options options = tagoio_options_default();
    check_true(options.token == NULL && options.base_url == NULL);
    check_number(60000, options.timeout_ms);
    check_number(30000, options.attempt_timeout_ms);
    check_number(10000, options.connect_timeout_ms);
    check_number(60000, options.max_retry_after_ms);
    check_number(3, options.attempts);
    check_number(64 * 1024 * 1024, (int64_t)options.max_response_bytes);
}

static void test_kind_names(void) {
    static const char *const names[] = {"none",     "misuse",   "invalid", "connect",
                                        "tls",      "timeout",  "network", "api",
                                        "protocol", "canceled", "memory"};
    for (int i = 0; i < check_count(names); i++) {
        check_case("kind %s", names[i]);
        check_text(names[i], tagoio_error_kind_name((tagoio_error_kind)i));
    }
}

int main(void) {
    static const check_test tests[] = {
        test_requests,  test_filters,     test_base_url,       test_refusals,
        test_url_limit, test_body_limits, test_arguments_stay, test_without_token,
        test_options,   test_kind_names,
    };
    return check_run(tests, check_count(tests));
}
