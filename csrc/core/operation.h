/* SPDX-License-Identifier: MIT */
/* A row for each operation: how it is called and what it sends. Those of our own are a
   table in core/operation.c, the only place that spells a path; those that programs
   describe are made by core/describe.c. */
#ifndef TAGOIO_CORE_OPERATION_H
#define TAGOIO_CORE_OPERATION_H

#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* What may be retried after a failure (core/retry.c); bits, for sets of classes. */
typedef enum tagoio_retry_class {
    TAGOIO_RETRY_CLASS_SAFE = 1 << 0,        /* reads */
    TAGOIO_RETRY_CLASS_IDEMPOTENT = 1 << 1,  /* twice has the effect of once */
    TAGOIO_RETRY_CLASS_DESTRUCTIVE = 1 << 2, /* irreversible, or one-time credentials */
    TAGOIO_RETRY_CLASS_NEVER = 1 << 3        /* twice costs money, secrets or mail */
} tagoio_retry_class;

/* What TagoIO promises as the result of a success. */
typedef enum tagoio_result {
    TAGOIO_RESULT_OBJECT,
    TAGOIO_RESULT_ARRAY,
    TAGOIO_RESULT_TEXT, /* a sentence for people; true stands in where there is none */
    TAGOIO_RESULT_ANY   /* anything, true for none; or an object without an envelope */
} tagoio_result;

/* Where an argument goes. */
typedef enum tagoio_location {
    TAGOIO_LOCATION_NONE,
    TAGOIO_LOCATION_PATH,        /* a string, the next {} of the path */
    TAGOIO_LOCATION_SECRET_PATH, /* the same, and never shown */
    TAGOIO_LOCATION_QUERY,       /* a table with keys of the row's; may be left out */
    TAGOIO_LOCATION_BODY,        /* a table with keys, sent as it is */
    TAGOIO_LOCATION_TABLE,       /* a table with keys or a list, sent as it is */
    TAGOIO_LOCATION_MEMBER,      /* a string, the only member of the body */
    TAGOIO_LOCATION_SEGMENTS,    /* a list of strings, all of the path */
    TAGOIO_LOCATION_ANY_QUERY,   /* a table with any keys; may be left out */
    TAGOIO_LOCATION_ANY_BODY     /* a table or a list, sent as it is; may be left out */
} tagoio_location;

typedef struct tagoio_argument_row {
    const char *name; /* "profileID" */
    tagoio_location location;
} tagoio_argument_row;

/* The types of query parameters. Each also accepts null, sent as an empty value. */
typedef enum tagoio_type {
    TAGOIO_TYPE_TEXT,
    TAGOIO_TYPE_COUNT, /* a whole number */
    TAGOIO_TYPE_FLAG,  /* a boolean, sent only when true */
    TAGOIO_TYPE_DATE,  /* a string, or a number of seconds since 1970 */
    TAGOIO_TYPE_LIST,  /* an array of strings */
    TAGOIO_TYPE_ORDER, /* "name,asc", or an array of both */
    TAGOIO_TYPE_MAP    /* a table of anything */
} tagoio_type;

typedef struct tagoio_parameter {
    const char *key; /* NULL ends a list */
    tagoio_type type;
    const char *default_value; /* what is sent when it is not given, percent-encoded */
} tagoio_parameter;

/* Whether a request carries the client's token. */
typedef enum tagoio_token_rule {
    TAGOIO_TOKEN_NEEDED,   /* refused where the client has none */
    TAGOIO_TOKEN_OPTIONAL, /* if the client has one */
    TAGOIO_TOKEN_NEVER /* the route asks for a password, or for a token of its own */
} tagoio_token_rule;

enum { TAGOIO_MAX_PATH_ARGUMENTS = 6 };

struct tagoio_operation {
    const char *name; /* "profile.info" */
    const char *method;
    const char *path; /* "/profile/{}" */
    tagoio_retry_class retry_class;
    tagoio_result result;
    /* And a body and a query; one without a name ends them. */
    tagoio_argument_row arguments[TAGOIO_MAX_PATH_ARGUMENTS + 3];
    const tagoio_parameter *query;
    const char *body_date; /* the member of the body that is a date */
    tagoio_token_rule token_rule;
    struct tagoio_description *owner; /* NULL: static */
};

size_t tagoio_operation_argument_count(const tagoio_operation *operation);

#pragma GCC visibility pop

#endif
