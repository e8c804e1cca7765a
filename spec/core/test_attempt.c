/* SPDX-License-Identifier: MIT */
/* What is kept of each attempt of a call. */
#include "check.h"
#include "play.h"

static void test_each_attempt_is_kept(void) {
    check_case("a failed attempt, a success");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    tagoio_moment at = play_moment(1000);
    check_true(tagoio_call_attempt(call, 1) == NULL);
    tagoio_call_begin(call, 900);
    play_head(call, "HTTP/1.1 503 Busy\nX-Request-Id: r-1 " PLAY_TOKEN "\n\n");
    tagoio_call_feed(call, "soon", 4);
    check_true(tagoio_call_attempt(call, 1) == NULL);
    tagoio_call_answer(call, &at);

    const tagoio_attempt *first = tagoio_call_attempt(call, 1);
    check_number(TAGOIO_API, first->kind);
    check_number(503, first->status);
    check_number(4, (int64_t)first->body_bytes);
    check_number(100, first->elapsed_ms);
    check_number(50, first->rest_ms);
    check_text("r-1 ***", first->request_id);
    check_true(tagoio_call_attempt(call, 2) == NULL);

    at = play_moment(2000);
    play_answer(call, &at, "200", "{\"status\":true,\"result\":[]}");
    const tagoio_attempt *second = tagoio_call_attempt(call, 2);
    check_number(TAGOIO_NONE, second->kind);
    check_number(200, second->status);
    check_number(-1, second->rest_ms);
    check_text("", second->request_id);
    check_text(NULL, tagoio_call_report(call).request_id);
    check_true(tagoio_call_attempt(call, 0) == NULL);
    check_true(tagoio_call_attempt(call, 3) == NULL);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_canceled_attempt(void) {
    check_case("an attempt that is canceled has ended; one that never began is none");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, "profile.list", "[]");
    tagoio_call_begin(call, 100);
    tagoio_call_cancel(call, 300);
    check_number(TAGOIO_CANCELED, tagoio_call_attempt(call, 1)->kind);
    check_number(200, tagoio_call_attempt(call, 1)->elapsed_ms);
    check_number(-1, tagoio_call_attempt(call, 1)->rest_ms);
    tagoio_call_unref(call);

    call = play_call(settings, "profile.list", "[]");
    tagoio_call_cancel(call, 300);
    check_true(tagoio_call_attempt(call, 1) == NULL);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

int main(void) {
    const check_test tests[] = {test_each_attempt_is_kept, test_canceled_attempt};
    return check_run(tests, check_count(tests));
}
