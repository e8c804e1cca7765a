/* SPDX-License-Identifier: MIT */
/* Clients of the emulator, for the C tests. It includes the driver's header alone. */
#include "session.h"
#include "check.h"

#include <stdlib.h>

const char *session_variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

session session_open(const char *base_url) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    session it = {NULL, NULL};
    it.driver = tagoio_driver_new(
        &(tagoio_driver_options){.base_url = base_url,
                                 .ca_file = session_variable("EMULATOR_CA"),
                                 .proxy = "",
                                 .max_connections = 4},
        &err);
    check_text("", err.message);
    tagoio_options options = tagoio_options_default();
    options.token = session_variable("EMULATOR_TOKEN");
    options.base_url = tagoio_driver_base_url(it.driver);
    options.attempts = 1;
    it.settings = tagoio_settings_new(&options, NULL, &err);
    check_text("", err.message);
    return it;
}

void session_close(const session *it) {
    tagoio_settings_unref(it->settings);
    tagoio_driver_unref(it->driver);
}

tagoio_call *session_start(const session *it, const char *operation,
                           json_t *arguments) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_call *call =
        tagoio_call_new(it->settings, operation, arguments, tagoio_host_now_ms(), &err);
    check_text("", err.message);
    check_true(call != NULL && tagoio_driver_start(it->driver, call, &err));
    return call;
}

void session_finish(const session *it) {
    while (tagoio_driver_step(it->driver, 1000) > 0) {
    }
}

tagoio_call *session_perform(const session *it, const char *operation,
                             json_t *arguments) {
    tagoio_call *call = session_start(it, operation, arguments);
    session_finish(it);
    return call;
}
