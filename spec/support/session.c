/* SPDX-License-Identifier: MIT */
/* Clients of the emulator, for the C tests. It includes the pool's header alone. */
#include "session.h"
#include "check.h"
#include "host/host.h"

#include <stdlib.h>

const char *session_variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

session session_open(const char *base_url) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    session it = {NULL, NULL, NULL};
    it.pool = tagoio_pool_new(
        &(tagoio_pool_options){.base_url = base_url,
                               .ca_file = session_variable("EMULATOR_CA"),
                               .proxy = "",
                               .max_connections = 4},
        &err);
    check_text("", err.message);
    tagoio_options options = tagoio_options_default();
    options.token = session_variable("EMULATOR_TOKEN");
    options.base_url = tagoio_pool_base_url(it.pool);
    options.attempts = 1;
    it.scope = tagoio_scope_new(it.pool);
    check_true(it.scope != NULL);
    it.settings = tagoio_settings_new(&options, NULL, &err);
    check_text("", err.message);
    return it;
}

void session_close(const session *it) {
    tagoio_settings_unref(it->settings);
    tagoio_scope_free(it->scope);
    tagoio_pool_unref(it->pool);
}

tagoio_call *session_start(const session *it, const char *operation,
                           json_t *arguments) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_call *call =
        tagoio_call_new(it->settings, operation, arguments, tagoio_host_now_ms(), &err);
    check_text("", err.message);
    check_true(call != NULL && tagoio_pool_start(it->pool, it->scope, call, &err));
    return call;
}

void session_finish(const session *it) {
    while (tagoio_pool_step(it->pool, 1000) > 0) {
    }
    tagoio_call *call;
    while ((call = tagoio_pool_next_event(it->pool)) != NULL) {
        tagoio_call_unref(call); /* the pool's reference */
    }
}

tagoio_call *session_perform(const session *it, const char *operation,
                             json_t *arguments) {
    tagoio_call *call = session_start(it, operation, arguments);
    session_finish(it);
    return call;
}
