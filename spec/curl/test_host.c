/* SPDX-License-Identifier: MIT */
/* The clocks and the source of jitter, against those of the C library. */
#define _POSIX_C_SOURCE 200809L

#include "host/host.h"
#include "support/check.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void test_clocks(void) {
    check_case("the clock is the monotonic one, in milliseconds");
    int64_t before_us = clock_us(CLOCK_MONOTONIC);
    int64_t now_ms = tagoio_host_now_ms();
    check_true(before_us / 1000 <= now_ms);
    check_true(now_ms <= clock_us(CLOCK_MONOTONIC) / 1000);

    check_case("the other one is that of the wall, in seconds");
    tagoio_random random = {.state = 0};
    before_us = clock_us(CLOCK_REALTIME);
    tagoio_now now = tagoio_host_now(&random);
    check_true(before_us / 1000000 <= now.wall_s);
    check_true(now.wall_s <= clock_us(CLOCK_REALTIME) / 1000000);
    check_true(now_ms <= now.now_ms);
}

static void test_jitter(void) {
    enum { draws = 10000, parts = 10 };
    check_case("jitter is spread evenly from 0 to 1");
    tagoio_random random = {.state = 0};
    int counts[parts] = {0};
    for (int i = 0; i < draws; i++) {
        double jitter = tagoio_host_now(&random).jitter;
        if (check_true(jitter >= 0 && jitter < 1)) {
            counts[(int)(jitter * parts)]++;
        }
    }
    for (int i = 0; i < parts; i++) {
        check_true(counts[i] > draws / parts / 2);
    }
    check_case("each source has its own");
    tagoio_random other = {.state = 0};
    tagoio_random one_more = {.state = 0};
    check_true(tagoio_host_now(&other).jitter != tagoio_host_now(&one_more).jitter);
}

static void test_fork(void) {
    check_case("a child is another process, and its jitter another one");
    tagoio_random random = {.state = 0};
    int pipes[2];
    unsigned process = tagoio_host_process();
    double jitter = tagoio_host_now(&random).jitter;
    tagoio_random seeded = random;
    check_true(pipe(pipes) == 0);
    pid_t child = fork();
    if (child == 0) {
        jitter = tagoio_host_now(&random).jitter;
        bool told = write(pipes[1], &jitter, sizeof jitter) == sizeof jitter;
        _exit(told && tagoio_host_process() != process ? 0 : 1);
    }
    int status = 1;
    check_true(waitpid(child, &status, 0) == child);
    check_number(0, status);
    check_true(read(pipes[0], &jitter, sizeof jitter) == sizeof jitter);
    check_true(tagoio_host_now(&seeded).jitter != jitter);
    check_number(process, tagoio_host_process());
    close(pipes[0]);
    close(pipes[1]);
}

int main(void) {
    const check_test tests[] = {test_clocks, test_jitter, test_fork};
    return check_run(tests, check_count(tests));
}
