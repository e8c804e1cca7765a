/* SPDX-License-Identifier: MIT */
/* What a step costs when nothing is ready: one system call and no allocation, however
   many calls are on their way. Counted, not timed: this program's functions come before
   those of the C library, for libcurl too. And before libcurl's, which forgets a
   request then. */
#define _GNU_SOURCE /* syscall, RTLD_NEXT */

#include "curl/libcurl.h"
#include "curl/pool.h"
#include "host/host.h"
#include "support/check.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

#include <arpa/inet.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- what is counted ---- */

static int waits; /* epoll_wait */
static int wait_asked_ms;
static bool waits_never;
static int others; /* system calls on sockets and on the poller */
static int allocations;

#define REPLACES __attribute__((__visibility__("default")))

REPLACES int epoll_wait(int poller, struct epoll_event *events, int capacity,
                        int wait_ms) {
    waits++;
    wait_asked_ms = wait_ms;
    return (int)syscall(SYS_epoll_pwait, poller, events, capacity,
                        waits_never ? 0 : wait_ms, NULL, 8);
}

REPLACES int epoll_ctl(int poller, int what, int fd, struct epoll_event *event) {
    others++;
    return (int)syscall(SYS_epoll_ctl, poller, what, fd, event);
}

REPLACES int poll(struct pollfd *fds, nfds_t count, int wait_ms) {
    struct timespec wait = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};
    others++;
    return (int)syscall(SYS_ppoll, fds, count, wait_ms < 0 ? NULL : &wait, NULL, 8);
}

REPLACES ssize_t recv(int fd, void *bytes, size_t count, int flags) {
    others++;
    return (ssize_t)syscall(SYS_recvfrom, fd, bytes, count, flags, NULL, NULL);
}

REPLACES ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    others++;
    return (ssize_t)syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0);
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);

REPLACES void *malloc(size_t bytes) {
    allocations++;
    return __libc_malloc(bytes);
}

REPLACES void *calloc(size_t count, size_t bytes) {
    allocations++;
    return __libc_calloc(count, bytes);
}

REPLACES void *realloc(void *block, size_t bytes) {
    allocations++;
    return __libc_realloc(block, bytes);
}

/* ---- a libcurl that does nothing ---- */

typedef CURLMcode socket_action(CURLM *, curl_socket_t, int, int *);

static bool libcurl_forgets;

REPLACES CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t socket,
                                            int events, int *running) {
    socket_action *real;
    *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_socket_action");
    return libcurl_forgets ? CURLM_OK : real(multi, socket, events, running);
}

/* ---- a server that does not respond ---- */

static int listen_on_loopback(char *url, size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check_true(bind(fd, (struct sockaddr *)&address, bytes) == 0 &&
               listen(fd, 128) == 0 &&
               getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
    snprintf(url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

enum { most = 100 };

/* Steps until the requests of all calls have come. */
static void take_requests(tagoio_pool *pool, int server, int *peers, int count) {
    for (int taken = 0; taken < count;) {
        tagoio_pool_step(pool, 10);
        int fd = accept(server, NULL, NULL);
        if (fd >= 0) {
            char byte;
            while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0) {
                tagoio_pool_step(pool, 10);
            }
            peers[taken++] = fd;
        }
    }
}

/* ---- the test ---- */

/* A hundred steps; not those in which libcurl had something to do at a certain time. */
static void check_steps(tagoio_pool *pool, size_t count) {
    for (int still = 0; still < 100;) {
        int64_t moved_ms = tagoio_pool_moved_ms(pool);
        bool is_later = tagoio_host_now_ms() > moved_ms;
        waits = others = allocations = 0;
        size_t pending = tagoio_pool_step(pool, 0);
        if (is_later && tagoio_pool_moved_ms(pool) == moved_ms) {
            still++;
            if (!check_number((int64_t)count, (int64_t)pending) ||
                !check_number(1, waits) || !check_number(0, others) ||
                !check_number(0, allocations)) {
                return;
            }
        }
    }
}

static int wait_of_step(tagoio_pool *pool, int wait_ms) {
    waits_never = true;
    tagoio_pool_step(pool, wait_ms);
    waits_never = false;
    return wait_asked_ms;
}

/* With calls on their way, of which one is canceled. */
static void check_waits(tagoio_pool *pool, tagoio_call *call) {
    check_case(
        "a step waits for as long as it may, and not when an event is to be told");
    check_number(7, wait_of_step(pool, 7));
    int until_timeout_ms = wait_of_step(pool, 1000000);
    check_true(until_timeout_ms > 7 && until_timeout_ms <= 30000);
    tagoio_pool_cancel(pool, call);
    check_number(0, wait_of_step(pool, 7));
    tagoio_call_unref(tagoio_pool_next_event(pool));
    check_number(7, wait_of_step(pool, 7));
}

static tagoio_settings *new_settings(const tagoio_pool *pool, tagoio_error *err) {
    tagoio_options options = tagoio_options_default();
    options.token = "p-1f0d3f6a-6d9c-4b8e-9a3e-7c5b2e4d1a90";
    options.timeout_ms = libcurl_forgets ? 100 : options.timeout_ms;
    options.base_url = tagoio_pool_base_url(pool);
    return tagoio_settings_new(&options, NULL, err);
}

static void test_idle_step_of(int count) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    char url[40];
    int peers[most];
    tagoio_call *calls[most];
    int server = listen_on_loopback(url, sizeof url);
    tagoio_pool *pool = tagoio_pool_new(
        &(tagoio_pool_options){.base_url = url, .proxy = "", .max_connections = count},
        &err);
    tagoio_scope *scope = tagoio_scope_new(pool);
    tagoio_settings *settings = new_settings(pool, &err);
    for (int i = 0; i < count; i++) {
        calls[i] = tagoio_call_new(settings, "profile.list", json_array(),
                                   tagoio_host_now_ms(), &err);
        check_true(tagoio_pool_start(pool, scope, calls[i], &err));
    }
    take_requests(pool, server, peers, count);
    check_steps(pool, (size_t)count);
    if (count > 1) {
        check_waits(pool, calls[0]);
    }
    tagoio_scope_free(scope);
    tagoio_pool_unref(pool);
    tagoio_settings_unref(settings);
    for (int i = 0; i < count; i++) {
        tagoio_call_unref(calls[i]);
        close(peers[i]);
    }
    close(server);
}

static void test_one_call(void) {
    check_case("with one call on its way an idle step makes one system call");
    test_idle_step_of(1);
}

static void test_many_calls(void) {
    check_case("with a hundred it makes no more, and allocates nothing");
    test_idle_step_of(most);
}

/* As 8.22 does when memory runs out in curl_multi_remove_handle. */
static void test_forgotten_request(void) {
    enum { far_too_late_ms = 20000 };
    check_case("a call whose request libcurl has forgotten ends by its deadline");
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    libcurl_forgets = true;
    tagoio_pool *pool = tagoio_pool_new(
        &(tagoio_pool_options){
            .base_url = "http://127.0.0.1", .proxy = "", .max_connections = 1},
        &err);
    tagoio_scope *scope = tagoio_scope_new(pool);
    tagoio_settings *settings = new_settings(pool, &err);
    int64_t started_ms = tagoio_host_now_ms();
    tagoio_call *call =
        tagoio_call_new(settings, "profile.list", json_array(), started_ms, &err);
    check_true(tagoio_pool_start(pool, scope, call, &err));
    while (tagoio_pool_step(pool, 10) > 0 &&
           tagoio_host_now_ms() < started_ms + far_too_late_ms) {
    }
    tagoio_report report = tagoio_call_report(call);
    check_number(TAGOIO_ERROR_TIMEOUT, report.kind);
    check_true(report.elapsed_ms >= 100);
    tagoio_scope_free(scope);
    tagoio_pool_unref(pool);
    tagoio_settings_unref(settings);
    tagoio_call_unref(call);
    libcurl_forgets = false;
}

int main(void) {
    const check_test tests[] = {test_one_call, test_many_calls, test_forgotten_request};
    return check_run(tests, check_count(tests));
}

#else

static void test_nothing(void) {
    check_case("another allocator is in place: nothing can be counted");
}

int main(void) {
    const check_test tests[] = {test_nothing};
    return check_run(tests, check_count(tests));
}

#endif
