/* SPDX-License-Identifier: MIT */
/* The core: TagoIO's profile operations as calls that say what they want, without I/O.
   All that a driver or a binding needs is here. It includes jansson and the C library;
   it knows neither Lua nor libcurl.

   A call is one operation on its way. Only events move it:

       READY --begin--> IN_FLIGHT --retryable response or failure--> BACKOFF
                         |    ^                                       |
                         |    +------------- begin, when due ---------+
                         |
                         +--final response or failure--> DONE <--cancel, from any state

   A driver asks what a call wants, does it, and reports what happened. The one below
   waits for one call; exchange() sends the request, reports what comes back with
   tagoio_call_status, _header and _body, and returns whether all of it came:

       while ((want = tagoio_call_want(call, now_ms())) != TAGOIO_DONE) {
           tagoio_request request;
           tagoio_failure failure;
           if (want == TAGOIO_BACKOFF) {
               sleep_until(tagoio_call_retry_at_ms(call));
           } else if (tagoio_call_begin(call, now_ms(), &request)) {
               tagoio_call_sending(call, now_ms());
               bool complete = exchange(call, &request, &failure);
               tagoio_now now = {now_ms(), time(NULL), jitter()};
               if (complete) {
                   tagoio_call_complete(call, &now);
               } else {
                   tagoio_call_fail(call, &now, &failure);
               }
           }
       }

   Then tagoio_call_report says how the call ended. One that moves many calls looks at
   each of them when its time has come, or its response. */
#ifndef TAGOIO_H
#define TAGOIO_H

#if defined(__has_include) && !defined(__cppcheck__)
#if !__has_include(<jansson.h>)
#error "jansson.h is missing. It is in: Debian, Ubuntu libjansson-dev;"
#error "Alpine jansson-dev; Fedora jansson-devel; Homebrew jansson. Or set JANSSON_DIR."
#endif
#endif

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if JANSSON_VERSION_HEX < 0x020d00
#error "jansson 2.13 or newer is needed. It is in: Debian, Ubuntu libjansson-dev;"
#error "Alpine jansson-dev; Fedora jansson-devel; Homebrew jansson. Or set JANSSON_DIR."
#endif

#pragma GCC visibility push(hidden)

#if defined(__GNUC__)
#define TAGOIO_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define TAGOIO_PRINTF(text, first)
#endif

#define TAGOIO_VERSION "0.1.0"

/* Limits. Past one of them a call fails, and the next call works. */
#define TAGOIO_MAX_URL_BYTES        (64u * 1024)        /* kind invalid */
#define TAGOIO_MAX_REQUEST_BYTES    (64u * 1024 * 1024) /* kind invalid */
#define TAGOIO_MAX_HEADER_BYTES     (64u * 1024) /* of one response; kind protocol */
#define TAGOIO_MAX_RESPONSE_BYTES   (64u * 1024 * 1024) /* decoded; the default */
#define TAGOIO_MAX_DETAILS_BYTES    (256u * 1024) /* of an error's body; else absent */
#define TAGOIO_MAX_JSON_DEPTH       128           /* both ways */
#define TAGOIO_MAX_JSON_VALUES      2000000u      /* of a text that is read */
#define TAGOIO_MAX_MESSAGE_BYTES    512           /* of an error */
#define TAGOIO_MAX_REQUEST_ID_BYTES 128  /* of what is kept; with the final NUL */
#define TAGOIO_MAX_TOKEN_BYTES      4096 /* also of a User-Agent; kind misuse */
#define TAGOIO_MAX_HEADERS          32   /* of the program's own; kind misuse */
#define TAGOIO_MAX_HEADERS_BYTES    (16 * 1024) /* names and values of these */
#define TAGOIO_MAX_ATTEMPTS         100
#define TAGOIO_MAX_TIME_MS          (3600 * 1000) /* of every option that is a time */

/* ---- errors ---- */

/* Three enums say what went wrong, each to another reader. A driver reports a
   tagoio_failure_reason: what stopped a transfer. The core makes of it, or of a
   response, a tagoio_retry_reason, by which the policy decides about a retry
   (core/retry.h). The user sees a tagoio_error_kind: what can be done about it. A kind
   is never an HTTP status. */
typedef enum tagoio_error_kind {
    TAGOIO_ERROR_NONE,
    TAGOIO_ERROR_MISUSE,  /* a bug in the caller: wrong type, missing argument, ... */
    TAGOIO_ERROR_INVALID, /* nothing was sent, and trying again unchanged cannot help */
    TAGOIO_ERROR_CONNECT, /* no connection: name not found, refused, unreachable */
    TAGOIO_ERROR_TLS,     /* no trust: handshake or certificate */
    TAGOIO_ERROR_TIMEOUT, /* too late */
    TAGOIO_ERROR_NETWORK, /* the connection was lost */
    TAGOIO_ERROR_API,     /* TagoIO said no: 4xx, 5xx, or status false */
    TAGOIO_ERROR_PROTOCOL, /* a response that TagoIO does not promise */
    TAGOIO_ERROR_CANCELED,
    TAGOIO_ERROR_MEMORY
} tagoio_error_kind;

/* The kind's name as Lua sees it ("timeout"); static. */
const char *tagoio_error_kind_name(tagoio_error_kind kind);

/* Filled by the function that failed; owned by the caller, who may pass NULL. */
typedef struct tagoio_error {
    tagoio_error_kind kind;
    char message[TAGOIO_MAX_MESSAGE_BYTES];
} tagoio_error;

/* The first error wins: one that is there already stays. Always false. */
bool tagoio_error_set(tagoio_error *err, tagoio_error_kind kind, const char *format,
                      ...) TAGOIO_PRINTF(3, 4);

/* Out of memory, which needs no details. Always false. */
bool tagoio_error_memory(tagoio_error *err);

/* ---- text ---- */

typedef enum tagoio_buffer_state {
    TAGOIO_BUFFER_OK,
    TAGOIO_BUFFER_FULL, /* the limit was reached */
    TAGOIO_BUFFER_NO_MEMORY
} tagoio_buffer_state;

/* Growing bytes with a limit, for everything that may hold a secret: wiped when freed.
   An addition that does not fit changes the state, and those after it do nothing: build
   first, ask once. Zero-initialised with a limit it is ready. */
typedef struct tagoio_buffer {
    char *bytes; /* NUL-terminated once something was added, NULL before */
    size_t length;
    size_t capacity;
    size_t limit; /* the most bytes it takes */
    tagoio_buffer_state state;
} tagoio_buffer;

bool tagoio_buffer_add(tagoio_buffer *buffer, const char *bytes, size_t count);
bool tagoio_buffer_add_string(tagoio_buffer *buffer, const char *string);

/* Forgets the contents, keeps the limit. */
void tagoio_buffer_clear(tagoio_buffer *buffer);

/* Overwrites memory in a way that the compiler keeps. */
void tagoio_wipe(void *memory, size_t bytes);

/* A copy of a string, NULL when out of memory; freed, and its secrets wiped, by the
   other one, which accepts NULL. */
char *tagoio_string_copy(const char *string);
void tagoio_string_free(char *string);

/* Copies text for a message: one line, printable, valid UTF-8, cut before the first
   character that does not fit. Control characters become blanks, bytes that are not
   UTF-8 become question marks. Ends with a NUL; size is at least 1. The result is never
   longer than the text, and to may be the text itself. Its length. */
size_t tagoio_printable(char *to, size_t size, const char *text, size_t count);

/* Allocates nothing, unlike jansson's own check. */
bool tagoio_is_utf8(const char *text, size_t count);

/* JSON text. Reals are written with the fewest digits with which all of them read back
   the same, members sorted by name; indent is a number of spaces, 0 for one line. The
   result is freed with free(); NULL with an error of kind invalid or memory. */
char *tagoio_json_encode(const json_t *value, size_t indent, tagoio_error *err);

/* NULL with an error of kind protocol (no JSON, too deep, too many values), memory. */
json_t *tagoio_json_decode(const char *text, size_t bytes, tagoio_error *err);

/* ---- dates ---- */

enum { TAGOIO_DATE_BYTES = sizeof "2023-02-21T15:17:35.880Z" };

/* Seconds since 1970 as ISO-8601 in UTC with milliseconds. Kind invalid when it must be
   milliseconds (over 1e11) or lies outside the years 0 to 9999. */
bool tagoio_date_format(double seconds, char text[TAGOIO_DATE_BYTES],
                        tagoio_error *err);

/* An ISO-8601 date as seconds since 1970: a day, or a day and a time with an optional
   fraction and zone, UTC by default ("2023-02-21", "2023-02-21T15:17:35.880Z",
   "2023-02-21 12:17-03:00"). False when text is not a date. */
bool tagoio_date_parse(const char *text, double *seconds);

/* ---- settings ---- */

/* How a client's calls are made. Shared by reference count, immutable but for the retry
   budget, which clients derived from one another share. Not thread-safe. */
typedef struct tagoio_settings tagoio_settings;

typedef struct tagoio_options {
    const char *token;    /* header value: printable ASCII, not empty. NULL: none, and
                             operations that need one are refused */
    const char *base_url; /* scheme://host[:port][/prefix], no slash at the end */
    const char *user_agent;
    int64_t timeout_ms; /* over all attempts and the backoffs between them */
    int64_t attempt_timeout_ms;
    int64_t connect_timeout_ms;
    int64_t max_retry_after_ms; /* the longest delay that a server may ask for */
    int attempts;               /* the first included; 1 to TAGOIO_MAX_ATTEMPTS */
    size_t max_response_bytes;
    bool keep_headers; /* the report has the headers of every response */
} tagoio_options;

/* Every option at its default; there is no token then, and no base_url. */
tagoio_options tagoio_options_default(void);

/* Checks and copies the options. With a parent, the new settings share its retry
   budget. NULL with an error of kind misuse, which begins with the option's name, or
   memory. */
tagoio_settings *tagoio_settings_new(const tagoio_options *options,
                                     tagoio_settings *parent, tagoio_error *err);
tagoio_settings *tagoio_settings_ref(tagoio_settings *settings);
void tagoio_settings_unref(tagoio_settings *settings);

/* The copy; borrowed until the settings are freed. */
const tagoio_options *tagoio_settings_options(const tagoio_settings *settings);

/* ---- operations ---- */

/* How an operation is called and what it sends: a row of our own table, which is
   static, or one that a program describes. */
typedef struct tagoio_operation tagoio_operation;

/* The operations in documented order; NULL past the last. */
const tagoio_operation *tagoio_operation_at(size_t index);

/* NULL when there is none of that name ("profile.info"). */
const tagoio_operation *tagoio_operation_find(const char *name);

/* The row for any endpoint: GET, POST, PUT, PATCH or DELETE, else NULL. Its arguments
   are a list of segments, a query and a body. Reads are always idempotent. */
const tagoio_operation *tagoio_operation_request(const char *method, bool idempotent);

/* A row of the program's own, by the same rules, from a description:

       {"method": "PUT", "path": "/device/{deviceID}", "body": true,
        "query": {"page": "count", "amount": ["count", 20]},
        "retry": "idempotent", "result": "object", "secret": ["deviceID"]}

   Each {name} of the path is an argument and one segment, percent-encoded; then come
   body, an object or an array, and query. Its keys have a type: text, count (a whole
   number), flag (a boolean), date, list (of strings), order, map; or a type and what is
   sent by default. retry is safe for GET, never for other methods, or idempotent.
   result is object, array, text or any, the default. Arguments that are secret, or
   named like one (token), are never shown. The name is as "device.info",
   of at most 100 characters.

   The row belongs to the caller, and calls keep it alive. NULL with an error of kind
   misuse, invalid or memory that names the row and the key. */
const tagoio_operation *
tagoio_operation_new(const char *name, const json_t *description, tagoio_error *err);

/* Nothing happens to static rows, and NULL is accepted by unref. */
const tagoio_operation *tagoio_operation_ref(const tagoio_operation *operation);
void tagoio_operation_unref(const tagoio_operation *operation);

const char *tagoio_operation_name(const tagoio_operation *operation);
const char *tagoio_operation_method(const tagoio_operation *operation);

/* "/profile/{}"; NULL where the caller chooses the path. */
const char *tagoio_operation_path(const tagoio_operation *operation);

typedef struct tagoio_argument {
    const char *name; /* "profileID"; NULL past the last */
    bool is_body;     /* a table with keys that TagoIO defines */
} tagoio_argument;

tagoio_argument tagoio_operation_argument(const tagoio_operation *operation,
                                          size_t index);

/* A key that the query may have; NULL past the last. */
const char *tagoio_operation_query_key(const tagoio_operation *operation, size_t index);

/* ---- calls ---- */

/* Time and jitter are arguments: the core reads neither a clock nor a random source. */
typedef struct tagoio_now {
    int64_t now_ms; /* of a clock that never goes back; its zero means nothing */
    int64_t wall_s; /* seconds since 1970, for dates in headers */
    double jitter;  /* 0 <= jitter < 1, new at every event */
} tagoio_now;

/* One operation on its way. A driver asks what it wants and reports what happened. */
typedef struct tagoio_call tagoio_call;

/* Takes the arguments, a JSON array in the operation's documented order, even on
   failure; a missing argument may be null. The time allowed begins to run. NULL with an
   error of kind misuse, invalid or memory; then nothing will be sent. */
tagoio_call *tagoio_call_new(tagoio_settings *settings, const char *operation,
                             json_t *arguments_take, int64_t now_ms, tagoio_error *err);

/* The same for a row. */
tagoio_call *tagoio_call_new_row(tagoio_settings *settings, const tagoio_operation *row,
                                 json_t *arguments_take, int64_t now_ms,
                                 tagoio_error *err);

/* Its time ends then, unless it ends before: a group of calls has one deadline. To be
   said before the first event. */
void tagoio_call_set_deadline(tagoio_call *call, int64_t deadline_ms);

typedef struct tagoio_header {
    const char *name;
    const char *value;
} tagoio_header;

/* Headers of the program's own; zero-initialised there are none. */
typedef struct tagoio_headers {
    tagoio_header *items; /* the strings are owned */
    size_t count;
    size_t bytes; /* of all names and values */
} tagoio_headers;

/* Adds a copy of one that is checked: a name as RFC 9110 has it, once, and none that
   HTTP or the core sets itself; a value without control characters. False with an error
   of kind misuse, which does not show the value, or memory. */
bool tagoio_headers_add(tagoio_headers *headers, const char *name, const char *value,
                        tagoio_error *err);
void tagoio_headers_clear(tagoio_headers *headers);

/* Sends these headers in each attempt; their values are secrets, what follows a first
   word in one, as "Bearer", and the value of each cookie. To be called once, before the
   call begins. Takes them, also on failure. False: memory. */
bool tagoio_call_take_headers(tagoio_call *call, tagoio_headers *headers);

tagoio_call *tagoio_call_ref(tagoio_call *call);
void tagoio_call_unref(tagoio_call *call);

typedef enum tagoio_want {
    TAGOIO_BEGIN,   /* send the request, and say so with tagoio_call_begin */
    TAGOIO_WAIT,    /* for the response that is under way */
    TAGOIO_BACKOFF, /* until tagoio_call_retry_at_ms, then ask again */
    TAGOIO_DONE     /* see tagoio_call_report */
} tagoio_want;

/* The question; it changes nothing. */
tagoio_want tagoio_call_want(const tagoio_call *call, int64_t now_ms);

/* When a backoff ends, as far as is known now. A call also backs off, before its first
   attempt too, while a rate limit is closed for its token: ask again at that time. */
int64_t tagoio_call_retry_at_ms(const tagoio_call *call);

/* What to send in an attempt; borrowed until the call is freed. */
typedef struct tagoio_request {
    const char *method;
    const char *url;
    const tagoio_header *headers; /* all of them, but what is HTTP's own: Host, ... */
    size_t header_count;
    const char *body; /* NULL: none; "": an empty one that is announced */
    size_t body_bytes;
    int64_t timeout_ms;         /* of this attempt; at least 1 */
    int64_t connect_timeout_ms; /* at most that */
    size_t max_response_bytes;
    bool multiplex; /* may share a connection over HTTP/2, which may send it twice */
    bool fresh_connection; /* the last one died: do not trust another that was idle */
} tagoio_request;

/* The events. begin: fills the request, which is going out. False: nothing is to be
   sent; the call does not want to begin, or it would be too late and is done. */
bool tagoio_call_begin(tagoio_call *call, int64_t now_ms, tagoio_request *request);

/* The request leaves the driver's queue: the time since begin was spent in it. A driver
   without a queue says so at once. False: a rate limit has been closed meanwhile; do
   not send, and ask again what the call wants. */
bool tagoio_call_sending(tagoio_call *call, int64_t now_ms);

/* The response as it comes: the status, 100 to 999, again after a 1xx; each header;
   pieces of the decoded body, with which the headers end. False when a limit is passed
   or memory is out: stop the transfer and report its end in any way, the call knows
   why. Blanks around a value do not matter. What is no header but was received among
   them, a trailer for instance, is reported without a name: it is counted alone. */
bool tagoio_call_status(tagoio_call *call, int status);
bool tagoio_call_header(tagoio_call *call, const char *name, size_t name_bytes,
                        const char *value, size_t value_bytes);
bool tagoio_call_body(tagoio_call *call, const char *bytes, size_t count);

/* The response is complete. */
void tagoio_call_complete(tagoio_call *call, const tagoio_now *now);

/* What stopped a transfer before its response was complete. */
typedef enum tagoio_failure_reason {
    TAGOIO_FAILURE_RESOLVE,
    TAGOIO_FAILURE_CONNECT,
    TAGOIO_FAILURE_HANDSHAKE,
    TAGOIO_FAILURE_CERTIFICATE,
    TAGOIO_FAILURE_LOST,
    TAGOIO_FAILURE_TIMEOUT,
    TAGOIO_FAILURE_ENCODING, /* the body's content encoding */
    TAGOIO_FAILURE_BROKEN,   /* not HTTP */
    TAGOIO_FAILURE_TOO_LARGE,
    TAGOIO_FAILURE_MEMORY,
    TAGOIO_FAILURE_LOCAL /* the driver itself */
} tagoio_failure_reason;

/* The reason that a transport names by its kind: connect, tls, timeout or network.
   False when kind is none of these. */
bool tagoio_failure_reason_from_kind(const char *kind, tagoio_failure_reason *reason);

typedef struct tagoio_failure {
    tagoio_failure_reason reason;
    const char *text; /* what the driver knows, for people; copied */
    bool verbatim;    /* the text says everything: the reason's own words do not precede
                         it */
    bool sent;        /* false only with proof that no byte of the request went out */
} tagoio_failure;

void tagoio_call_fail(tagoio_call *call, const tagoio_now *now,
                      const tagoio_failure *failure);

/* The driver's own pointer, NULL at first: what it keeps of the call. */
void tagoio_call_set_driver(tagoio_call *call, void *driver);
void *tagoio_call_driver(const tagoio_call *call);

/* From any state to done, once; a call that is done stays as it is. */
void tagoio_call_cancel(tagoio_call *call, int64_t now_ms);

/* How a call that is done ended; borrowed until the call is freed. Filled from events,
   the same for success and failure. */
typedef struct tagoio_report {
    tagoio_error_kind kind; /* TAGOIO_ERROR_NONE: success */
    json_t *result;         /* of a success: never null or false */
    const char *operation;  /* "profile.info" */
    const char *method;
    const char *path;       /* NULL: the caller chose it */
    const char *message;    /* of a failure, with the operation first; of a success
                               TagoIO's warning, or NULL */
    const char *request_id; /* NULL: none came */
    json_t *headers; /* the response's, of a request to any endpoint: names in lower
                        case, values of one name joined by commas; NULL: none */
    json_t *details; /* the body of an error response; NULL: not JSON, or too large */
    int status;      /* of the last response, 0: none */
    int attempts;
    int64_t elapsed_ms;
    int64_t queued_ms;
    int64_t retry_after_s; /* -1: nothing was said */
    bool maybe_applied;    /* a write failed and may still have happened */
} tagoio_report;

tagoio_report tagoio_call_report(const tagoio_call *call);

/* How one attempt of a call ended, for logs and metrics. */
typedef struct tagoio_attempt {
    int number;             /* from 1 on */
    tagoio_error_kind kind; /* TAGOIO_ERROR_NONE: success */
    int status;             /* 0: none came */
    size_t body_bytes;      /* of the response, decoded */
    int64_t elapsed_ms;     /* of this attempt */
    int64_t queued_ms;      /* of that, spent waiting for a free connection */
    int64_t retry_delay_ms; /* before the next one, -1: it was the last */
    char request_id[TAGOIO_MAX_REQUEST_ID_BYTES]; /* "": none came */
} tagoio_attempt;

/* The attempt with that number, from 1 on; NULL: it has not ended. Borrowed until the
   next event. */
const tagoio_attempt *tagoio_call_attempt(const tagoio_call *call, int number);

#pragma GCC visibility pop

#endif
