/* SPDX-License-Identifier: MIT */
/* A program that forks: parent and children go on with the same client, over a warm
   connection that is the parent's. */
#define _POSIX_C_SOURCE 200809L

#include "host/host.h"
#include "support/check.h"
#include "support/session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 6, ROUNDS = 5, PROFILES = 3, MOST = 4 /* connections */ };

static const char *const profiles[PROFILES] = {
    "5bbe3d1d4d3ad10021e1d2a1", "5bbe3d1d4d3ad10021e1d2b2", "5bbe3d1d4d3ad10021e1d2c3"};

/* Whether the response is there, is that of this profile, and came at once. */
static bool is_answered(tagoio_call *call, const char *profile) {
    tagoio_report report = tagoio_call_report(call);
    const json_t *info = json_object_get(report.result, "info");
    const char *id = json_string_value(json_object_get(info, "id"));
    return report.kind == TAGOIO_ERROR_NONE && report.attempts == 1 && id != NULL &&
           strcmp(id, profile) == 0;
}

/* All profiles at once, again and again: a response of another process would be
 * noticed.
 */
static bool is_served(const session *it) {
    bool served = true;
    for (int round = 0; round < ROUNDS; round++) {
        tagoio_call *calls[PROFILES];
        for (int i = 0; i < PROFILES; i++) {
            calls[i] = session_start(it, "profile.info", json_pack("[s]", profiles[i]));
        }
        session_finish(it);
        for (int i = 0; i < PROFILES; i++) {
            served = is_answered(calls[i], profiles[i]) && served;
            tagoio_call_unref(calls[i]);
        }
    }
    return served;
}

/* A control route of the emulator, over a client of its own; its response, owned. */
static json_t *control(const char *method, const char *route, json_t *body) {
    tagoio_error err;
    session it = session_open(session_variable("EMULATOR_HTTP"));
    tagoio_call *call = tagoio_call_new_row(
        it.settings, tagoio_operation_request(method, true),
        json_pack("[[ss]no]", "_emulator", route, body), tagoio_host_now_ms(), &err);
    tagoio_pool_start(it.pool, it.scope, call, &err);
    session_finish(&it);
    json_t *response = json_incref(tagoio_call_report(call).result);
    tagoio_call_unref(call);
    session_close(&it);
    return response;
}

/* A number of the emulator's counts; 0: it does not say. */
static int64_t count_of(const char *name) {
    json_t *counts = control("GET", "counts", json_null());
    int64_t count = json_integer_value(json_object_get(counts, name));
    json_decref(counts);
    return count;
}

/* Calls whose responses are held back: then nothing but a release ends them. */
static void start_held(const session *it, tagoio_call **calls, int count) {
    char path[64];
    snprintf(path, sizeof path, "/profile/%s", profiles[0]);
    json_decref(control("POST", "inject",
                        json_pack("{s:{s:s},s:b,s:i}", "match", "path", path, "hold", 1,
                                  "times", count)));
    for (int i = 0; i < count; i++) {
        calls[i] = session_start(it, "profile.info", json_pack("[s]", profiles[0]));
    }
    while (count_of("holding") < count &&
           tagoio_call_want(calls[0], 0) == TAGOIO_WAIT) {
        tagoio_pool_step(it->pool, 10);
    }
    check_true(tagoio_call_want(calls[0], 0) == TAGOIO_WAIT);
}

/* What a child does first: whatever it is, what the parent goes on with is over. */
static bool begin_child(const session *it, tagoio_call *under_way, int which) {
    tagoio_call *call;
    bool answered;
    switch (which) {
    case 0:
        return tagoio_pool_step(it->pool, 0) == 0;
    case 1:
        return tagoio_pool_fd(it->pool) >= 0;
    case 2:
        return tagoio_pool_timeout_ms(it->pool) == 0; /* an event is to be told */
    case 3:
        tagoio_pool_cancel(it->pool, under_way);
        return true;
    case 4:
        tagoio_scope_cancel(it->scope);
        return true;
    default:
        call = session_perform(it, "profile.info", json_pack("[s]", profiles[1]));
        answered = is_answered(call, profiles[1]);
        tagoio_call_unref(call);
        return answered;
    }
}

/* In a child: everything is done with what the parent made, and then freed. */
static bool be_child(const session *it, tagoio_call *under_way, int which) {
    bool begun = begin_child(it, under_way, which) &&
                 tagoio_call_report(under_way).kind == TAGOIO_ERROR_CANCELED;
    bool served = is_served(it) && tagoio_pool_timeout_ms(it->pool) == -1;
    tagoio_call_unref(under_way);
    session_close(it);
    return begun && served;
}

/* Success is a byte, for a memory checker has its own idea of a child's exit code. */
static void fork_children(const session *it, tagoio_call *under_way, int pipe) {
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();
        check_true(pid >= 0);
        if (pid == 0) {
            _exit(be_child(it, under_way, i) && write(pipe, "!", 1) == 1 ? 0 : 1);
        }
    }
}

static void wait_for_children(void) {
    while (wait(NULL) > 0) {
    }
}

static int count_bytes(int pipe) {
    char bytes[CHILDREN + 1];
    int count = 0;
    ssize_t got;
    while ((got = read(pipe, bytes, sizeof bytes)) > 0) {
        count += (int)got;
    }
    return count;
}

/* While calls of the parent's are on their way; their responses come when all children
   have ended, or earlier. */
static void check_forks(const char *base_url, int busy, bool after_the_end) {
    int ends[2];
    check_true(pipe(ends) == 0);
    session it = session_open(base_url);
    check_true(is_served(&it));
    tagoio_call *calls[MOST];
    start_held(&it, calls, busy);

    fork_children(&it, calls[0], ends[1]);
    close(ends[1]);
    if (after_the_end) {
        wait_for_children();
    }
    int64_t connections = count_of("connections");
    json_decref(control("POST", "release", json_object()));
    struct pollfd ready = {.fd = tagoio_pool_fd(it.pool), .events = POLLIN};
    check_number(1, poll(&ready, 1, 10000)); /* a response */
    session_finish(&it);
    for (int i = 0; i < busy; i++) {
        check_true(is_answered(calls[i], profiles[0]));
        tagoio_call_unref(calls[i]);
    }
    check_true(is_served(&it));
    check_true(!after_the_end || count_of("connections") == connections);
    check_number(CHILDREN, count_bytes(ends[0]));
    close(ends[0]);
    wait_for_children();
    session_close(&it);
}

static void test_both(const char *base_url) {
    check_case("parent and children are served, %.5s", base_url);
    check_forks(base_url, MOST, false);
    check_case("a child's end leaves the parent's connections alone, %.5s", base_url);
    check_forks(base_url, 1, true);
}

static void test_http(void) { test_both(session_variable("EMULATOR_HTTP")); }

static void test_https(void) { test_both(session_variable("EMULATOR_HTTPS")); }

int main(void) {
    const check_test tests[] = {test_http, test_https};
    return check_run(tests, check_count(tests));
}
