/* SPDX-License-Identifier: MIT */
/* The table of operations, as the official SDKs put them on the wire: JavaScript
   tago-io/sdk-js 12.3.1, Profile.ts and Account.ts, Python tago-io/sdk-python 5.1.2,
   Profile.py. */
#include "core/operation.h"

#include <string.h>

/* clang-format off */
static const tagoio_parameter summary_query[] = {
    {"onlyAmount", TAGOIO_TYPE_FLAG, NULL},
    {NULL, TAGOIO_TYPE_TEXT, NULL},
};

/* The defaults are those of the Python SDK's documentation. */
static const tagoio_parameter token_query[] = {
    {"page", TAGOIO_TYPE_COUNT, "page=1"},
    {"amount", TAGOIO_TYPE_COUNT, "amount=20"},
    {"fields", TAGOIO_TYPE_LIST,
     "fields%5B0%5D=name&fields%5B1%5D=token&fields%5B2%5D=permission"},
    {"filter", TAGOIO_TYPE_MAP, NULL},
    {"orderBy", TAGOIO_TYPE_ORDER, "orderBy=created_at%2Casc"},
    {NULL, TAGOIO_TYPE_TEXT, NULL},
};

static const tagoio_parameter create_query[] = {
    {"allocate_free_resources", TAGOIO_TYPE_FLAG, NULL},
    {NULL, TAGOIO_TYPE_TEXT, NULL},
};

static const tagoio_parameter statistic_query[] = {
    {"date", TAGOIO_TYPE_DATE, NULL},
    {"start_date", TAGOIO_TYPE_DATE, NULL},
    {"end_date", TAGOIO_TYPE_DATE, NULL},
    {"periodicity", TAGOIO_TYPE_TEXT, NULL},
    {"timezone", TAGOIO_TYPE_TEXT, NULL},
    {NULL, TAGOIO_TYPE_TEXT, NULL},
};

static const tagoio_parameter audit_query[] = {
    {"resourceID", TAGOIO_TYPE_TEXT, NULL},
    {"resourceName", TAGOIO_TYPE_TEXT, NULL},
    {"find", TAGOIO_TYPE_TEXT, NULL},
    {"start_date", TAGOIO_TYPE_DATE, NULL},
    {"end_date", TAGOIO_TYPE_DATE, NULL},
    {"limit", TAGOIO_TYPE_COUNT, NULL},
    {NULL, TAGOIO_TYPE_TEXT, NULL},
};

static const tagoio_operation operations[] = {
    {"profile.info", "GET", "/profile/{}",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_OBJECT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}}},
    {"profile.list", "GET", "/profile",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_ARRAY,
     .arguments = {{NULL, TAGOIO_LOCATION_NONE}}},
    {"profile.summary", "GET", "/profile/{}/summary",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_OBJECT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"query", TAGOIO_LOCATION_QUERY}},
     .query = summary_query},
    {"profile.tokenList", "GET", "/profile/{}/token",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_ARRAY,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"query", TAGOIO_LOCATION_QUERY}},
     .query = token_query},
    {"profile.create", "POST", "/profile/",
     TAGOIO_RETRY_CLASS_NEVER, TAGOIO_RESULT_OBJECT,
     .arguments = {{"body", TAGOIO_LOCATION_BODY}, {"query", TAGOIO_LOCATION_QUERY}},
     .query = create_query},
    {"profile.edit", "PUT", "/profile/{}",
     TAGOIO_RETRY_CLASS_IDEMPOTENT, TAGOIO_RESULT_TEXT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"body", TAGOIO_LOCATION_BODY}}},
    {"profile.delete", "DELETE", "/profile/{}",
     TAGOIO_RETRY_CLASS_DESTRUCTIVE, TAGOIO_RESULT_TEXT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"body", TAGOIO_LOCATION_BODY}}},
    {"profile.usageStatisticList", "GET", "/profile/{}/statistics",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_ARRAY,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"query", TAGOIO_LOCATION_QUERY}},
     .query = statistic_query},
    {"profile.auditLog", "GET", "/profile/{}/auditlog",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_OBJECT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"query", TAGOIO_LOCATION_QUERY}},
     .query = audit_query},
    {"profile.auditLogQuery", "GET", "/profile/{}/auditlog/{}",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_OBJECT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"queryId", TAGOIO_LOCATION_PATH}}},
    {"profile.serviceEdit", "POST", "/profile/{}/services",
     TAGOIO_RETRY_CLASS_NEVER, TAGOIO_RESULT_TEXT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"body", TAGOIO_LOCATION_BODY}}},
    {"profile.transferTokenToAnotherProfile", "PUT", "/profile/switch/{}",
     TAGOIO_RETRY_CLASS_DESTRUCTIVE, TAGOIO_RESULT_TEXT,
     .arguments = {{"targetProfileID", TAGOIO_LOCATION_PATH}}},
    {"profile.tokenCreate", "POST", "/profile/{}/token",
     TAGOIO_RETRY_CLASS_NEVER, TAGOIO_RESULT_OBJECT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"body", TAGOIO_LOCATION_BODY}},
     .body_date = "expire_time"},
    {"profile.tokenDelete", "DELETE", "/profile/{}/token/{}",
     TAGOIO_RETRY_CLASS_IDEMPOTENT, TAGOIO_RESULT_TEXT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"token", TAGOIO_LOCATION_SECRET_PATH}}},
    {"profile.addTeamMember", "POST", "/profile/{}/team",
     TAGOIO_RETRY_CLASS_NEVER, TAGOIO_RESULT_TEXT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"email", TAGOIO_LOCATION_MEMBER}}},
    {"profile.teamList", "GET", "/profile/{}/team",
     TAGOIO_RETRY_CLASS_SAFE, TAGOIO_RESULT_ARRAY,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}}},
    {"profile.deleteTeamMember", "DELETE", "/profile/{}/team/{}",
     TAGOIO_RETRY_CLASS_IDEMPOTENT, TAGOIO_RESULT_TEXT,
     .arguments = {{"profileID", TAGOIO_LOCATION_PATH}, {"accountId", TAGOIO_LOCATION_PATH}}},
    {"account.login", "POST", "/account/login",
     TAGOIO_RETRY_CLASS_DESTRUCTIVE, TAGOIO_RESULT_OBJECT,
     .arguments = {{"body", TAGOIO_LOCATION_BODY}},
     .token_rule = TAGOIO_TOKEN_NEVER},
    {"account.requestLoginPINCode", "POST", "/account/login/otp",
     TAGOIO_RETRY_CLASS_NEVER, TAGOIO_RESULT_TEXT,
     .arguments = {{"body", TAGOIO_LOCATION_BODY}},
     .token_rule = TAGOIO_TOKEN_NEVER},
    {"account.tokenCreate", "POST", "/account/profile/token",
     TAGOIO_RETRY_CLASS_NEVER, TAGOIO_RESULT_OBJECT,
     .arguments = {{"body", TAGOIO_LOCATION_BODY}},
     .token_rule = TAGOIO_TOKEN_NEVER},
    /* GET, but each changes something, once: the token is that of an invitation. */
    {"account.acceptTeamInvitation", "GET", "/profile/team/accept/{}",
     TAGOIO_RETRY_CLASS_IDEMPOTENT, TAGOIO_RESULT_TEXT,
     .arguments = {{"token", TAGOIO_LOCATION_SECRET_PATH}},
     .token_rule = TAGOIO_TOKEN_NEVER},
    {"account.declineTeamInvitation", "GET", "/profile/team/decline/{}",
     TAGOIO_RETRY_CLASS_IDEMPOTENT, TAGOIO_RESULT_TEXT,
     .arguments = {{"token", TAGOIO_LOCATION_SECRET_PATH}},
     .token_rule = TAGOIO_TOKEN_NEVER},
};

#define REQUEST(method, retry_class)                                                   \
    {"request." method, method, "", retry_class, TAGOIO_RESULT_ANY,                        \
     .arguments = {{"path", TAGOIO_LOCATION_SEGMENTS},                                     \
                   {"query", TAGOIO_LOCATION_ANY_QUERY},                                   \
                   {"body", TAGOIO_LOCATION_ANY_BODY}},                                    \
     .token_rule = TAGOIO_TOKEN_OPTIONAL}

/* Any endpoint: a row for each method, and each again for what may be retried. */
static const tagoio_operation requests[] = {
    REQUEST("GET", TAGOIO_RETRY_CLASS_SAFE),
    REQUEST("POST", TAGOIO_RETRY_CLASS_NEVER),
    REQUEST("PUT", TAGOIO_RETRY_CLASS_NEVER),
    REQUEST("PATCH", TAGOIO_RETRY_CLASS_NEVER),
    REQUEST("DELETE", TAGOIO_RETRY_CLASS_NEVER),
    REQUEST("POST", TAGOIO_RETRY_CLASS_IDEMPOTENT),
    REQUEST("PUT", TAGOIO_RETRY_CLASS_IDEMPOTENT),
    REQUEST("PATCH", TAGOIO_RETRY_CLASS_IDEMPOTENT),
    REQUEST("DELETE", TAGOIO_RETRY_CLASS_IDEMPOTENT),
};
/* clang-format on */

static const size_t operation_count = sizeof operations / sizeof operations[0];
static const size_t request_count = sizeof requests / sizeof requests[0];

const tagoio_operation *tagoio_operation_at(size_t index) {
    return index < operation_count ? &operations[index] : NULL;
}

const tagoio_operation *tagoio_operation_find(const char *name) {
    for (size_t i = 0; i < operation_count; i++) {
        if (strcmp(operations[i].name, name) == 0) {
            return &operations[i];
        }
    }
    return NULL;
}

const tagoio_operation *tagoio_operation_request(const char *method, bool idempotent) {
    tagoio_retry_class other =
        idempotent ? TAGOIO_RETRY_CLASS_NEVER : TAGOIO_RETRY_CLASS_IDEMPOTENT;
    for (size_t i = 0; i < request_count; i++) {
        if (strcmp(requests[i].method, method) == 0 &&
            requests[i].retry_class != other) {
            return &requests[i];
        }
    }
    return NULL;
}

const char *tagoio_operation_name(const tagoio_operation *operation) {
    return operation->name;
}

const char *tagoio_operation_method(const tagoio_operation *operation) {
    return operation->method;
}

const char *tagoio_operation_path(const tagoio_operation *operation) {
    return operation->path[0] != '\0' ? operation->path : NULL;
}

size_t tagoio_operation_argument_count(const tagoio_operation *operation) {
    size_t count = 0;
    while (operation->arguments[count].name != NULL) {
        count++;
    }
    return count;
}

tagoio_argument tagoio_operation_argument(const tagoio_operation *operation,
                                          size_t index) {
    if (index >= tagoio_operation_argument_count(operation)) {
        return (tagoio_argument){.name = NULL};
    }
    const tagoio_argument_row *row = &operation->arguments[index];
    return (tagoio_argument){.name = row->name,
                             .is_body = row->location == TAGOIO_LOCATION_BODY ||
                                        row->location == TAGOIO_LOCATION_TABLE ||
                                        row->location == TAGOIO_LOCATION_ANY_BODY};
}

const char *tagoio_operation_query_key(const tagoio_operation *operation,
                                       size_t index) {
    const tagoio_parameter *row = operation->query;
    while (row != NULL && row->key != NULL && index > 0) {
        row++;
        index--;
    }
    return row != NULL ? row->key : NULL;
}
