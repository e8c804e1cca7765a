/* SPDX-License-Identifier: MIT */
/* The driver that opens tagoio.h, as it stands there: the Makefile takes it out. */
#include "support/check.h"
#include "support/play.h"

#include <string.h>
#include <time.h>

static int64_t clock_ms; /* moved by sleep_until alone */
static int exchanges;

static int64_t now_ms(void) { return clock_ms; }

static double jitter(void) { return 0.5; }

static void sleep_until(int64_t time_ms) { clock_ms = time_ms; }

/* The first response breaks off, the second asks for a delay, the third is there. */
static bool exchange(tagoio_call *call, const tagoio_request *request,
                     tagoio_failure *failure) {
    static const char body[] = "{\"status\":true,\"result\":[]}";
    static const int statuses[] = {200, 503, 200};
    check_text("GET", request->method);
    check_text(PLAY_URL "/profile", request->url);
    check_true(tagoio_call_status(call, statuses[exchanges]));
    check_true(tagoio_call_header(call, "Retry-After", 11, "7", 1));
    check_true(tagoio_call_body(call, body, strlen(body)));
    *failure =
        (tagoio_failure){.reason = TAGOIO_FAILURE_LOST, .text = "reset", .sent = true};
    return exchanges++ > 0;
}

static void drive(tagoio_call *call) {
    tagoio_want want;
#include "loop.inc"
}

static void test_loop(void) {
    check_case("the driver of tagoio.h brings a call to its end");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    drive(call);
    tagoio_report report = tagoio_call_report(call);
    check_number(TAGOIO_ERROR_NONE, report.kind);
    check_number(3, report.attempts);
    check_number(3, exchanges);
    check_number(50 + 7350, report.elapsed_ms);
    check_number(0, report.queued_ms);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

int main(void) {
    static const check_test tests[] = {test_loop};
    return check_run(tests, check_count(tests));
}
