/* SPDX-License-Identifier: MIT */
/* A program that signals rain upon while it calls: nothing is lost, and its handlers
   stay its own. */
#define _XOPEN_SOURCE 700

#include "support/check.h"
#include "support/session.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int signals[] = {SIGPIPE, SIGCHLD, SIGALRM};

enum { SIGNALS = sizeof signals / sizeof signals[0], CALLS = 40 };

static volatile sig_atomic_t caught[SIGNALS];

static void on_signal(int number) {
    for (int i = 0; i < SIGNALS; i++) {
        caught[i] += signals[i] == number;
    }
}

/* Without SA_RESTART: every system call may be interrupted. */
static void install_handlers(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) {
        check_true(sigaction(signals[i], &action, NULL) == 0);
    }
}

static void check_handlers(void) {
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction action;
        sigset_t blocked;
        check_true(sigaction(signals[i], NULL, &action) == 0);
        check_true(action.sa_handler == on_signal);
        check_true(sigprocmask(SIG_BLOCK, NULL, &blocked) == 0);
        check_true(sigismember(&blocked, signals[i]) == 0);
    }
}

/* A child that sends them as fast as it can, until it is stopped. */
static pid_t start_storm(void) {
    pid_t target = getpid();
    pid_t pid = fork();
    for (int i = 0; pid == 0; i = (i + 1) % SIGNALS) {
        if (kill(target, signals[i]) != 0) {
            _exit(0);
        }
    }
    return pid;
}

/* Whether each has come since these were counted. */
static bool all_came_since(const sig_atomic_t before[SIGNALS]) {
    bool all = true;
    for (int i = 0; i < SIGNALS; i++) {
        all = all && caught[i] != before[i];
    }
    return all;
}

/* Calls until each signal has come while they were under way, however busy the machine
   is. */
static void check_calls(const char *base_url) {
    sig_atomic_t before[SIGNALS];
    session it = session_open(base_url);
    for (int i = 0; i < SIGNALS; i++) {
        before[i] = caught[i];
    }
    for (int i = 0; i < CALLS || !all_came_since(before); i++) {
        tagoio_call *call = session_perform(&it, "profile.list", json_array());
        tagoio_report report = tagoio_call_report(call);
        check_text(NULL, report.message);
        check_number(1, report.attempts);
        tagoio_call_unref(call);
    }
    session_close(&it);
}

static void test_storm(void) {
    check_case("a storm of SIGPIPE, SIGCHLD and SIGALRM changes nothing");
    install_handlers();
    pid_t storm = start_storm();
    check_true(storm > 0);
    check_calls(session_variable("EMULATOR_HTTP"));
    check_calls(session_variable("EMULATOR_HTTPS"));
    kill(storm, SIGKILL);
    while (waitpid(storm, NULL, 0) != storm) {
    }
    check_handlers();
}

int main(void) {
    const check_test tests[] = {test_storm};
    return check_run(tests, check_count(tests));
}
