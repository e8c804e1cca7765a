/* SPDX-License-Identifier: MIT */
/* The core and the libcurl pool as a C program uses them, without Lua: operations
   against the emulator, which EMULATOR_HTTP and the like name. */
#include "support/check.h"
#include "support/memory.h"
#include "support/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_profile_comes_and_goes(void) {
    check_case("a profile is made, read and deleted");
    session it = session_open(session_variable("EMULATOR_HTTP"));
    tagoio_call *made =
        session_perform(&it, "profile.create", json_pack("[{s:s}]", "name", "From C"));
    tagoio_report report = tagoio_call_report(made);
    check_text(NULL, report.message);
    const char *id = json_string_value(json_object_get(report.result, "id"));
    check_true(id != NULL);

    tagoio_call *read = session_perform(&it, "profile.info", json_pack("[s]", id));
    const json_t *info = json_object_get(tagoio_call_report(read).result, "info");
    check_text("From C", json_string_value(json_object_get(info, "name")));

    json_t *arguments =
        json_pack("[s{s:s}]", id, "password", session_variable("EMULATOR_PASSWORD"));
    tagoio_call *deleted = session_perform(&it, "profile.delete", arguments);
    check_text("Successfully Removed",
               json_string_value(tagoio_call_report(deleted).result));

    tagoio_call *gone = session_perform(&it, "profile.info", json_pack("[s]", id));
    report = tagoio_call_report(gone);
    check_number(TAGOIO_ERROR_API, report.kind);
    check_number(404, report.status);
    check_within("profile.info: Profile not found (HTTP 404, ", report.message);

    tagoio_call *all[] = {made, read, deleted, gone};
    for (int i = 0; i < check_count(all); i++) {
        tagoio_call_unref(all[i]);
    }
    session_close(&it);
}

static void test_calls_over_https(void) {
    check_case("more calls than connections over https all have their results");
    session it = session_open(session_variable("EMULATOR_HTTPS"));
    tagoio_call *calls[8];
    for (int i = 0; i < check_count(calls); i++) {
        calls[i] = session_start(&it, "profile.list", json_array());
    }
    session_finish(&it);
    for (int i = 0; i < check_count(calls); i++) {
        tagoio_report report = tagoio_call_report(calls[i]);
        check_text(NULL, report.message);
        check_number(3, (int64_t)json_array_size(report.result));
        tagoio_call_unref(calls[i]);
    }
    check_case("a pool without calls is never due");
    check_number(-1, tagoio_pool_timeout_ms(it.pool));
    session_close(&it);
}

/* A server of our own: what it has not answered cannot be done. A call that does not
   come fails the test. */
static int listen_on_loopback(char *url, size_t size) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    check_true(bind(listener, (struct sockaddr *)&at, sizeof at) == 0);
    check_true(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO,
                          &(struct timeval){.tv_sec = 10},
                          sizeof(struct timeval)) == 0);
    check_true(listen(listener, 2) == 0);
    check_true(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
    snprintf(url, size, "http://127.0.0.1:%d", ntohs(at.sin_port));
    return listener;
}

/* The connection on which a request has come. */
static int accept_request(const session *it, int listener) {
    char bytes[4096];
    tagoio_pool_step(it->pool, 0);
    int connection = accept(listener, NULL, NULL);
    while (recv(connection, bytes, sizeof bytes, MSG_DONTWAIT) < 0 && errno == EAGAIN) {
        tagoio_pool_step(it->pool, 10);
    }
    return connection;
}

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n"
                               "{\"status\":true,\"result\":[]}";

/* A call that is answered on a connection of its own, which is then returned. */
static int check_call(const session *it, int listener) {
    tagoio_call *call = session_start(it, "profile.list", json_array());
    int connection = accept_request(it, listener);
    check_true(write(connection, response, sizeof response - 1) > 0);
    session_finish(it);
    check_text(NULL, tagoio_call_report(call).message);
    check_number(TAGOIO_ERROR_NONE, tagoio_call_report(call).kind);
    tagoio_call_unref(call);
    return connection;
}

/* Two calls that are answered when both are on their way. */
static void check_two_calls(const session *it, int listener) {
    tagoio_call *calls[2];
    int connections[2];
    for (int i = 0; i < 2; i++) {
        calls[i] = session_start(it, "profile.list", json_array());
        connections[i] = accept_request(it, listener);
    }
    for (int i = 0; i < 2; i++) {
        check_true(write(connections[i], response, sizeof response - 1) > 0);
    }
    session_finish(it);
    for (int i = 0; i < 2; i++) {
        check_text(NULL, tagoio_call_report(calls[i]).message);
        tagoio_call_unref(calls[i]);
        close(connections[i]);
    }
}

static void test_calls_overlap(void) {
    check_case("the second request comes before the first is answered");
    char url[64];
    int listener = listen_on_loopback(url, sizeof url);
    session it = session_open(url);
    check_two_calls(&it, listener);
    session_close(&it);
    close(listener);
}

static void test_due_over_tls(void) {
    check_case("a pool whose calls may share connections is due again and again");
    char http[64];
    char url[sizeof http + 1];
    int listener = listen_on_loopback(http, sizeof http);
    snprintf(url, sizeof url, "https%s", http + strlen("http"));
    session it = session_open(url);
    tagoio_call *calls[2];
    for (int i = 0; i < check_count(calls); i++) {
        calls[i] = session_start(&it, "profile.list", json_array());
    }
    int64_t due_ms = 0;
    for (int i = 0; i < 10000 && due_ms == 0; i++) {
        tagoio_pool_step(it.pool, 0);
        due_ms = tagoio_pool_timeout_ms(it.pool);
    }
    check_true(due_ms > 0 && due_ms <= 30);
    for (int i = 0; i < check_count(calls); i++) {
        tagoio_call_unref(calls[i]);
    }
    session_close(&it);
    close(listener);
}

static void test_cancel(void) {
    check_case("a call that is canceled says so, and the next one works");
    char url[64];
    int listener = listen_on_loopback(url, sizeof url);
    session it = session_open(url);
    tagoio_call *call = session_start(&it, "profile.list", json_array());
    int silent = accept_request(&it, listener);
    tagoio_pool_cancel(it.pool, call);
    check_number(TAGOIO_DONE, tagoio_call_want(call, 0));
    check_number(TAGOIO_ERROR_CANCELED, tagoio_call_report(call).kind);
    tagoio_call_unref(call);

    int answering = check_call(&it, listener);
    session_close(&it);
    close(answering);
    close(silent);
    close(listener);
}

static void test_cancel_of_others(void) {
    check_case("a write that is canceled before a step was not sent");
    session it = session_open(session_variable("EMULATOR_HTTP"));
    json_t *arguments = json_pack("[{s:s}]", "name", "never made");
    tagoio_call *call = session_start(&it, "profile.create", arguments);
    tagoio_pool_cancel(it.pool, call);
    check_number(TAGOIO_ERROR_CANCELED, tagoio_call_report(call).kind);
    check_true(!tagoio_call_report(call).maybe_applied);
    tagoio_call_unref(call);

    check_case("calls that somebody else canceled are taken out");
    call = session_start(&it, "profile.list", json_array());
    tagoio_call_cancel(call, 0);
    tagoio_scope_cancel(it.scope);
    check_number(0, (int64_t)tagoio_pool_step(it.pool, 0));
    tagoio_call_unref(call);
    session_close(&it);
}

static void test_nobody_listens(void) {
    check_case("a server that does not listen is an error of the kind connect");
    session it = session_open("http://127.0.0.1:1");
    tagoio_call *call = session_perform(&it, "profile.list", json_array());
    tagoio_report report = tagoio_call_report(call);
    check_number(TAGOIO_ERROR_CONNECT, report.kind);
    check_number(0, report.status);
    check_true(!report.maybe_applied);
    check_within("profile.list: ", report.message);
    tagoio_call_unref(call);
    session_close(&it);
}

static const char busy[] = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n"
                           "Connection: close\r\n\r\n";

/* The same, with three attempts a call. */
static session retrying_session(const session *it) {
    tagoio_options options = *tagoio_settings_options(it->settings);
    options.attempts = 3;
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    return (session){it->pool, it->scope, tagoio_settings_new(&options, NULL, &err)};
}

static void test_cancel_in_backoff(void) {
    static const char patient[] = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n"
                                  "Retry-After: 9\r\nConnection: close\r\n\r\n";
    check_case("a call that is canceled before a retry leaves its handle to one other");
    char url[64];
    int listener = listen_on_loopback(url, sizeof url);
    session it = session_open(url);
    session retrying = retrying_session(&it);
    tagoio_call *call = session_start(&retrying, "profile.list", json_array());
    int failing = accept_request(&it, listener);
    check_true(write(failing, patient, sizeof patient - 1) > 0);
    tagoio_call *told = NULL;
    while ((told = tagoio_pool_next_event(it.pool)) == NULL) {
        tagoio_pool_step(it.pool, 10);
    }
    tagoio_pool_cancel(it.pool, call);
    check_number(TAGOIO_ERROR_CANCELED, tagoio_call_report(call).kind);
    check_number(1, tagoio_call_report(call).attempts);
    check_two_calls(&it, listener);
    tagoio_call_unref(told);
    tagoio_call_unref(call);
    tagoio_settings_unref(retrying.settings);
    session_close(&it);
    close(failing);
    close(listener);
}

static void test_untold_retries(void) {
    check_case("a call that ends before anybody asked for its retries is told once");
    char url[64];
    int listener = listen_on_loopback(url, sizeof url);
    session it = session_open(url);
    session retrying = retrying_session(&it);
    tagoio_call *call = session_start(&retrying, "profile.list", json_array());
    for (int i = 0; i < 3; i++) {
        while (tagoio_call_report(call).attempts <= i) {
            tagoio_pool_step(it.pool, 10);
        }
        int failing = accept_request(&it, listener);
        check_true(write(failing, busy, sizeof busy - 1) > 0);
        while (tagoio_call_attempt(call, i + 1) == NULL) {
            tagoio_pool_step(it.pool, 10);
        }
        close(failing);
    }
    check_number(0, (int64_t)tagoio_pool_step(it.pool, 0));
    tagoio_call *told = tagoio_pool_next_event(it.pool);
    check_true(told == call);
    check_number(3, tagoio_call_report(call).attempts);
    check_true(tagoio_pool_next_event(it.pool) == NULL);
    tagoio_call_unref(told);
    tagoio_call_unref(call);
    tagoio_settings_unref(retrying.settings);
    session_close(&it);
    close(listener);
}

static const char limited[] = "HTTP/1.1 429 X\r\nContent-Length: 0\r\n"
                              "Retry-After: 1\r\n\r\n";

/* How many steps of up to 10 s a call takes until its request may go out. */
static int count_steps(const session *it) {
    int steps = 0;
    tagoio_call *call = session_start(it, "profile.list", json_array());
    while (tagoio_call_want(call, 0) != TAGOIO_WAIT) {
        tagoio_pool_step(it->pool, 10000);
        steps++;
    }
    tagoio_call_unref(call);
    return steps;
}

static void test_limit_after_fork(void) {
    check_case(
        "a child keeps a processor busy while a limit that its parent met holds");
    char url[64];
    int status = 1;
    int listener = listen_on_loopback(url, sizeof url);
    session it = session_open(url);
    tagoio_call *call = session_start(&it, "profile.list", json_array());
    int connection = accept_request(&it, listener);
    check_true(write(connection, limited, sizeof limited - 1) > 0);
    session_finish(&it);
    check_number(429, tagoio_call_report(call).status);
    pid_t child = fork();
    if (child == 0) {
        int steps = count_steps(&it);
        /* A memory checker has its own idea of a child's exit code. */
        const char *program = steps > 0 && steps < 10 ? "true" : "false";
        execlp(program, program, (char *)NULL);
        _exit(1);
    }
    check_true(waitpid(child, &status, 0) == child);
    check_number(0, status);
    tagoio_call_unref(call);
    session_close(&it);
    close(connection);
    close(listener);
}

static void test_last_scope(void) {
    check_case("connections are closed with the last scope, whoever holds the pool");
    char url[64];
    char byte;
    int listener = listen_on_loopback(url, sizeof url);
    session it = session_open(url);
    tagoio_scope *other = tagoio_scope_new(it.pool);
    int connection = check_call(&it, listener);
    tagoio_scope_free(other);
    check_true(recv(connection, &byte, 1, MSG_DONTWAIT) == -1);
    tagoio_scope_free(it.scope);
    check_number(0, recv(connection, &byte, 1, MSG_DONTWAIT));
    close(connection);

    check_case("the next scope opens others, and what is left ends with the pool");
    it.scope = tagoio_scope_new(it.pool);
    close(check_call(&it, listener));
    tagoio_scope_free(it.scope);
    it.scope = NULL;
    int poller = tagoio_pool_fd(it.pool);
    check_true(fcntl(poller, F_GETFD) != -1);
    session_close(&it);
    check_true(fcntl(poller, F_GETFD) == -1);
    close(listener);
}

/* A program without standard input has 0 free. */
static void test_descriptor_0(void) {
    check_case("a pool whose descriptor is 0 works, and closes it");
    int input = dup(0);
    close(0);
    session it = session_open(session_variable("EMULATOR_HTTP"));
    check_number(0, tagoio_pool_fd(it.pool));
    tagoio_call *call = session_perform(&it, "profile.list", json_array());
    check_text(NULL, tagoio_call_report(call).message);
    check_number(0, tagoio_pool_fd(it.pool));
    tagoio_call_unref(call);
    session_close(&it);
    check_true(fcntl(0, F_GETFD) == -1);
    dup2(input, 0);
    close(input);
}

static void test_memory(void) {
    check_case(
        "of pools that are gone, and of calls that nobody asked them for, nothing "
        "is kept");
    check_number(0, memory_balance(MEMORY_C));
}

int main(void) {
    const check_test tests[] = {test_cancel_in_backoff,
                                test_due_over_tls,
                                test_untold_retries,
                                test_limit_after_fork,
                                test_last_scope,
                                test_descriptor_0,
                                test_profile_comes_and_goes,
                                test_calls_over_https,
                                test_calls_overlap,
                                test_cancel,
                                test_cancel_of_others,
                                test_nobody_listens,
                                test_memory};
    return check_run(tests, check_count(tests));
}
