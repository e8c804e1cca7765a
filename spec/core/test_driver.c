/* SPDX-License-Identifier: MIT */
/* The core and the libcurl driver as a C program uses them, without Lua: operations
   against the emulator, which EMULATOR_HTTP and the like name. */
#include "check.h"
#include "curl/driver.h"
#include "tagoio.h"

#include <stdlib.h>
#include <string.h>

typedef struct session {
    tagoio_driver *driver;
    tagoio_settings *settings;
} session;

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static session open_session(const char *base_url) {
    tagoio_error err = {.kind = TAGOIO_NONE};
    session it = {NULL, NULL};
    it.driver =
        tagoio_driver_new(&(tagoio_driver_options){.base_url = base_url,
                                                   .ca_file = variable("EMULATOR_CA"),
                                                   .proxy = "",
                                                   .max_connections = 4},
                          &err);
    check_text("", err.message);
    tagoio_options options = tagoio_options_default();
    options.token = variable("EMULATOR_TOKEN");
    options.base_url = tagoio_driver_base_url(it.driver);
    options.attempts = 1;
    it.settings = tagoio_settings_new(&options, NULL, &err);
    check_text("", err.message);
    return it;
}

static void close_session(const session *it) {
    tagoio_settings_unref(it->settings);
    tagoio_driver_unref(it->driver);
}

static tagoio_call *start(const session *it, const char *operation, json_t *arguments) {
    tagoio_error err = {.kind = TAGOIO_NONE};
    tagoio_call *call = tagoio_call_new(it->settings, operation, arguments,
                                        tagoio_driver_now_ms(), &err);
    check_text("", err.message);
    check_true(call != NULL && tagoio_driver_start(it->driver, call, &err));
    return call;
}

static void finish(const session *it) {
    while (tagoio_driver_step(it->driver, 1000) > 0) {
    }
}

/* The report's pointers live as long as the call: free it after them. */
static tagoio_call *perform(const session *it, const char *operation,
                            json_t *arguments) {
    tagoio_call *call = start(it, operation, arguments);
    finish(it);
    return call;
}

static void test_profile_comes_and_goes(void) {
    check_case("a profile is made, read and deleted");
    session it = open_session(variable("EMULATOR_HTTP"));
    tagoio_call *made =
        perform(&it, "profile.create", json_pack("[{s:s}]", "name", "From C"));
    tagoio_report report = tagoio_call_report(made);
    check_text(NULL, report.message);
    const char *id = json_string_value(json_object_get(report.result, "id"));
    check_true(id != NULL);

    tagoio_call *read = perform(&it, "profile.info", json_pack("[s]", id));
    const json_t *info = json_object_get(tagoio_call_report(read).result, "info");
    check_text("From C", json_string_value(json_object_get(info, "name")));

    json_t *arguments =
        json_pack("[s{s:s}]", id, "password", variable("EMULATOR_PASSWORD"));
    tagoio_call *deleted = perform(&it, "profile.delete", arguments);
    check_text("Successfully Removed",
               json_string_value(tagoio_call_report(deleted).result));

    tagoio_call *gone = perform(&it, "profile.info", json_pack("[s]", id));
    report = tagoio_call_report(gone);
    check_number(TAGOIO_API, report.kind);
    check_number(404, report.status);
    check_within("profile.info: Profile not found (HTTP 404, ", report.message);

    tagoio_call *all[] = {made, read, deleted, gone};
    for (int i = 0; i < check_count(all); i++) {
        tagoio_call_unref(all[i]);
    }
    close_session(&it);
}

static void test_calls_overlap(void) {
    check_case("several calls are on their way at once, over https");
    session it = open_session(variable("EMULATOR_HTTPS"));
    tagoio_call *calls[8];
    for (int i = 0; i < check_count(calls); i++) {
        calls[i] = start(&it, "profile.list", json_array());
    }
    check_number(8, (int64_t)tagoio_driver_step(it.driver, 0));
    finish(&it);
    for (int i = 0; i < check_count(calls); i++) {
        tagoio_report report = tagoio_call_report(calls[i]);
        check_text(NULL, report.message);
        check_number(3, (int64_t)json_array_size(report.result));
        tagoio_call_unref(calls[i]);
    }
    close_session(&it);
}

static void test_cancel(void) {
    check_case("a call that is canceled says so, and the next one works");
    session it = open_session(variable("EMULATOR_HTTP"));
    tagoio_call *call = start(&it, "profile.list", json_array());
    tagoio_driver_step(it.driver, 0);
    tagoio_driver_cancel(it.driver, call);
    check_number(TAGOIO_DONE, tagoio_call_want(call, 0));
    check_number(TAGOIO_CANCELED, tagoio_call_report(call).kind);
    tagoio_call_unref(call);
    call = perform(&it, "profile.list", json_array());
    check_number(TAGOIO_NONE, tagoio_call_report(call).kind);
    tagoio_call_unref(call);
    close_session(&it);
}

static void test_nobody_listens(void) {
    check_case("a server that does not listen is an error of the kind connect");
    session it = open_session("http://127.0.0.1:1");
    tagoio_call *call = perform(&it, "profile.list", json_array());
    tagoio_report report = tagoio_call_report(call);
    check_number(TAGOIO_CONNECT, report.kind);
    check_number(0, report.status);
    check_true(!report.maybe_applied);
    check_within("profile.list: ", report.message);
    tagoio_call_unref(call);
    close_session(&it);
}

int main(void) {
    const check_test tests[] = {test_profile_comes_and_goes, test_calls_overlap,
                                test_cancel, test_nobody_listens};
    return check_run(tests, check_count(tests));
}
