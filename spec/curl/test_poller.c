/* SPDX-License-Identifier: MIT */
/* What the poller does, by epoll or by kqueue: both must pass the same test. */
#define _POSIX_C_SOURCE 200809L

#include "curl/poller.h"
#include "support/check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { at_once = 8 };

/* A poller and two connected sockets. */
typedef struct fixture {
    int poller;
    int ours;
    int theirs;
} fixture;

static fixture open_all(void) {
    int ends[2] = {-1, -1};
    check_true(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fixture it = {.poller = tagoio_poller_new(), .ours = ends[0], .theirs = ends[1]};
    check_true(it.poller >= 0);
    return it;
}

static void close_all(const fixture *it) {
    tagoio_poller_forget(it->poller, it->ours);
    close(it->poller);
    close(it->ours);
    close(it->theirs);
}

/* What a socket is ready for: with kqueue, reading and writing are told apart. */
static tagoio_ready look(const fixture *it, int socket) {
    tagoio_ready ready[at_once];
    tagoio_ready sum = {.socket = socket};
    int count = tagoio_poller_wait(it->poller, ready, at_once, 0);
    for (int i = 0; i < count; i++) {
        if (ready[i].socket == socket) {
            sum.readable = sum.readable || ready[i].readable;
            sum.writable = sum.writable || ready[i].writable;
        }
    }
    return sum;
}

static void check_ready(const fixture *it, bool readable, bool writable) {
    tagoio_ready ready = look(it, it->ours);
    check_number(readable, ready.readable);
    check_number(writable, ready.writable);
    /* The descriptor itself says as much to an event loop. */
    struct pollfd outside = {.fd = it->poller, .events = POLLIN};
    check_number(readable || writable, poll(&outside, 1, 0));
}

static void send_byte(const fixture *it) { check_true(write(it->theirs, "x", 1) == 1); }

static void test_reading_and_writing(void) {
    fixture it = open_all();
    check_case("a socket that is watched for reading is ready once bytes have come");
    check_true(tagoio_poller_watch(it.poller, it.ours, true, false, false));
    check_ready(&it, false, false);
    send_byte(&it);
    check_ready(&it, true, false);
    check_case("it stays ready until they are read");
    check_ready(&it, true, false);

    check_case("what it is watched for can change to writing, to both and to reading");
    check_true(tagoio_poller_watch(it.poller, it.ours, false, true, true));
    check_ready(&it, false, true);
    check_true(tagoio_poller_watch(it.poller, it.ours, true, true, true));
    check_ready(&it, true, true);
    check_true(tagoio_poller_watch(it.poller, it.ours, true, false, true));
    check_ready(&it, true, false);

    check_case("a socket that is forgotten is not ready, and can be watched anew");
    tagoio_poller_forget(it.poller, it.ours);
    check_ready(&it, false, false);
    tagoio_poller_forget(it.poller, it.ours);
    check_true(tagoio_poller_watch(it.poller, it.ours, true, true, false));
    check_ready(&it, true, true);
    close_all(&it);
}

static void test_closed(void) {
    check_case("a connection that the other side closed is ready, as for its end");
    fixture it = open_all();
    check_true(tagoio_poller_watch(it.poller, it.ours, true, false, false));
    close(it.theirs);
    check_true(look(&it, it.ours).readable);
    close_all(&it);

    check_case("it is ready also where it is watched for writing alone");
    it = open_all();
    check_true(tagoio_poller_watch(it.poller, it.ours, false, true, false));
    close(it.theirs);
    check_true(look(&it, it.ours).writable);
    close_all(&it);
}

static void test_many(void) {
    check_case("of many that are ready, those that fit are told, and the rest later");
    enum { pairs = 5 };
    fixture it = open_all();
    int ends[pairs][2];
    for (int i = 0; i < pairs; i++) {
        check_true(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) == 0);
        check_true(write(ends[i][1], "x", 1) == 1);
        check_true(tagoio_poller_watch(it.poller, ends[i][0], true, false, false));
    }
    int told = 0;
    tagoio_ready ready[2];
    for (int i = 0; i < pairs && told < pairs; i++) {
        int count = tagoio_poller_wait(it.poller, ready, check_count(ready), 0);
        check_true(count >= 1 && count <= check_count(ready));
        for (int j = 0; j < count; j++) {
            told += ready[j].readable;
            tagoio_poller_forget(it.poller, ready[j].socket);
        }
    }
    check_number(pairs, told);
    check_number(0, tagoio_poller_wait(it.poller, ready, check_count(ready), 0));
    for (int i = 0; i < pairs; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    close_all(&it);
}

static void test_exec(void) {
    check_case("a program that is started does not inherit the poller");
    fixture it = open_all();
    check_true((fcntl(it.poller, F_GETFD) & FD_CLOEXEC) != 0);
    close_all(&it);
}

/* The kernel gives a child no kqueue: its number there is free for something else. */
static void test_abandon(void) {
    check_case("the child of a fork closes its copy of the poller, and nothing else");
    fixture it = open_all();
#if defined(__linux__) && !defined(TAGOIO_KQUEUE)
    tagoio_poller_abandon(it.poller);
    check_number(-1, fcntl(it.poller, F_GETFD));
#else
    check_true(dup2(it.theirs, it.poller) == it.poller);
    tagoio_poller_abandon(it.poller);
    check_true(fcntl(it.poller, F_GETFD) >= 0);
    close(it.poller);
#endif
    close(it.ours);
    close(it.theirs);
}

int main(void) {
    const check_test tests[] = {test_reading_and_writing, test_closed, test_many,
                                test_exec, test_abandon};
    return check_run(tests, check_count(tests));
}
