/* SPDX-License-Identifier: MIT */
/* The clocks against those of the C library, jitter and forks. */
#define _DEFAULT_SOURCE /* getentropy */

#include "host/host.h"
#include "support/check.h"

#include <string.h>
#include <sys/random.h>
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
    before_us = clock_us(CLOCK_REALTIME);
    tagoio_now now = tagoio_host_now();
    check_true(before_us / 1000000 <= now.wall_s);
    check_true(now.wall_s <= clock_us(CLOCK_REALTIME) / 1000000);
    check_true(now_ms <= now.now_ms);
}

/* ---- jitter ---- */

static struct {
    uint64_t bits; /* those of the next number */
    bool fails;
} entropy;

/* In front of the C library's. */
int getentropy(void *buffer, size_t bytes) {
    if (!entropy.fails && check_number(sizeof entropy.bits, (int64_t)bytes)) {
        memcpy(buffer, &entropy.bits, bytes);
    }
    return entropy.fails ? -1 : 0;
}

static void test_jitter(void) {
    static const struct {
        uint64_t bits;
        double jitter;
    } numbers[] = {{0, 0}, {UINT64_MAX, 1 - 0x1p-53}, {UINT64_MAX / 2 + 1, 0.5}};
    for (int i = 0; i < check_count(numbers); i++) {
        check_case("jitter is a random number from 0 to below 1: %g",
                   numbers[i].jitter);
        entropy.bits = numbers[i].bits;
        check_true(tagoio_host_now().jitter == numbers[i].jitter);
    }
}

static void test_no_entropy(void) {
    enum { draws = 10000, parts = 10 };
    check_case("without entropy, jitter is spread evenly from 0 to 1");
    int counts[parts] = {0};
    entropy.fails = true;
    for (int i = 0; i < draws; i++) {
        double jitter = tagoio_host_now().jitter;
        if (check_true(jitter >= 0 && jitter < 1)) {
            counts[(int)(jitter * parts)]++;
        }
    }
    for (int i = 0; i < parts; i++) {
        check_true(counts[i] > draws / parts / 2);
    }
    entropy.fails = false;
}

/* ---- forks ---- */

static void test_fork(void) {
    check_case("a child is another process, and its parent is the same as before");
    unsigned process = tagoio_host_process();
    pid_t child = fork();
    if (child == 0) {
        _exit(tagoio_host_process() != process ? 0 : 1);
    }
    int status = 1;
    check_true(waitpid(child, &status, 0) == child);
    check_number(0, status);
    check_number(process, tagoio_host_process());
}

int main(void) {
    const check_test tests[] = {test_clocks, test_jitter, test_no_entropy, test_fork};
    return check_run(tests, check_count(tests));
}
