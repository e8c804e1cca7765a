/* SPDX-License-Identifier: MIT */
/* A program that knows only what make install-c installed: it performs an operation,
   then drives two at once through a poll loop of its own. It prints how each ended. */
#include <tagoio/host.h>
#include <tagoio/pool.h>

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static bool fail(const char *message) {
    fprintf(stderr, "%s\n", message);
    return false;
}

static void print_report(const tagoio_call *call) {
    tagoio_report report = tagoio_call_report(call);
    if (report.kind != TAGOIO_ERROR_NONE) {
        printf("%s: %s\n", tagoio_error_kind_name(report.kind), report.message);
    } else if (json_is_array(report.result)) {
        printf("%d rows\n", (int)json_array_size(report.result));
    } else {
        const json_t *info = json_object_get(report.result, "info");
        printf("%s\n", json_string_value(json_object_get(info, "name")));
    }
}

static void print_events(tagoio_pool *pool) {
    tagoio_call *call;
    while ((call = tagoio_pool_next_event(pool)) != NULL) {
        if (tagoio_call_want(call, tagoio_host_now_ms()) == TAGOIO_DONE) {
            print_report(call);
        }
        tagoio_call_unref(call);
    }
}

static void drive(tagoio_pool *pool) {
    while (tagoio_pool_step(pool, 0) > 0) {
        print_events(pool);
        int64_t timeout_ms = tagoio_pool_timeout_ms(pool);
        struct pollfd ready = {.fd = tagoio_pool_fd(pool), .events = POLLIN};
        poll(&ready, 1, timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX);
    }
    print_events(pool);
}

static bool start(tagoio_pool *pool, tagoio_scope *scope, tagoio_settings *settings,
                  const char *operation, json_t *arguments) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_call *call =
        tagoio_call_new(settings, operation, arguments, tagoio_host_now_ms(), &err);
    bool started = call != NULL && tagoio_pool_start(pool, scope, call, &err);
    tagoio_call_unref(call);
    return started || fail(err.message);
}

static bool run(tagoio_pool *pool, tagoio_scope *scope, tagoio_settings *settings) {
    if (!start(pool, scope, settings, "profile.info", json_pack("[s]", "current"))) {
        return false;
    }
    drive(pool);
    if (!start(pool, scope, settings, "profile.list", json_array()) ||
        !start(pool, scope, settings, "profile.list", json_array())) {
        return false;
    }
    drive(pool);
    return true;
}

int main(void) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    const tagoio_pool_options at = {.base_url = getenv("EMULATOR_HTTP"),
                                    .max_connections = 2};
    tagoio_pool *pool = tagoio_pool_new(&at, &err);
    tagoio_scope *scope = pool != NULL ? tagoio_scope_new(pool) : NULL;
    tagoio_options options = tagoio_options_default();
    options.token = getenv("EMULATOR_TOKEN");
    options.base_url = at.base_url;
    tagoio_settings *settings = tagoio_settings_new(&options, NULL, &err);
    bool ran = scope != NULL && settings != NULL ? run(pool, scope, settings)
                                                 : fail(err.message);
    tagoio_settings_unref(settings);
    tagoio_scope_free(scope);
    tagoio_pool_unref(pool);
    return ran ? 0 : 1;
}
