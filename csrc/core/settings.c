/* SPDX-License-Identifier: MIT */
/* A client's settings: checked, copied, shared. */
#include "core/settings.h"
#include "core/retry.h"

#include <stdlib.h>
#include <string.h>

tagoio_options tagoio_options_default(void) {
    return (tagoio_options){
        .user_agent = "TagoIO-SDK|C|" TAGOIO_VERSION " (External)",
        .timeout_ms = 60 * 1000,
        .attempt_timeout_ms = 30 * 1000,
        .connect_timeout_ms = 10 * 1000,
        .max_retry_after_ms = 60 * 1000,
        .attempts = 3,
        .max_response_bytes = TAGOIO_MAX_RESPONSE_BYTES,
    };
}

/* libcurl sends a header's bytes as they are: a line end would be another header. */
static bool is_header_value(const char *value, char first, char last) {
    if (value == NULL || *value == '\0') {
        return false;
    }
    while (*value >= first && *value <= last) {
        value++;
    }
    return *value == '\0';
}

/* What a token must be that is not; NULL: it is. Quotes come from files in which they
   were not meant for the value. */
static const char *token_problem(const char *token) {
    if (!is_header_value(token, '!', '~')) {
        return "printable ASCII without spaces, and not empty (a line end copied "
               "along?)";
    }
    size_t bytes = strlen(token);
    if (strchr("\"'`", token[0]) != NULL || strchr("\"'`", token[bytes - 1]) != NULL) {
        return "without quotes around it";
    }
    return bytes > TAGOIO_MAX_TOKEN_BYTES ? "shorter: no token has so many bytes"
                                          : NULL;
}

static bool check(const tagoio_options *o, tagoio_error *err) {
    const uint64_t bytes = o->max_response_bytes; /* as wide with a size_t of 32 bits */
    const struct {
        const char *name;
        int64_t value;
        int64_t least;
        int64_t most;
    } numbers[] = {
        {"timeout_ms", o->timeout_ms, 1, TAGOIO_MAX_TIME_MS},
        {"attempt_timeout_ms", o->attempt_timeout_ms, 1, TAGOIO_MAX_TIME_MS},
        {"connect_timeout_ms", o->connect_timeout_ms, 1, TAGOIO_MAX_TIME_MS},
        {"max_retry_after_ms", o->max_retry_after_ms, 0, TAGOIO_MAX_TIME_MS},
        {"attempts", o->attempts, 1, TAGOIO_MAX_ATTEMPTS},
        /* No size_t of 64 bits that an int64_t cannot hold. */
        {"max_response_bytes", bytes > INT64_MAX ? -1 : (int64_t)bytes, 1, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].value < numbers[i].least || numbers[i].value > numbers[i].most) {
            return tagoio_error_set(err, TAGOIO_ERROR_MISUSE, "%s: out of range",
                                    numbers[i].name);
        }
    }
    const char *problem = o->token != NULL ? token_problem(o->token) : NULL;
    if (problem != NULL) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE, "token: must be %s", problem);
    }
    if (!is_header_value(o->user_agent, ' ', '~')) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "user_agent: must be printable ASCII, and not empty");
    }
    if (strlen(o->user_agent) > TAGOIO_MAX_TOKEN_BYTES) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE,
                                "user_agent: must be at most %d bytes long",
                                TAGOIO_MAX_TOKEN_BYTES);
    }
    if (o->base_url == NULL || strstr(o->base_url, "://") == NULL) {
        return tagoio_error_set(err, TAGOIO_ERROR_MISUSE, "base_url: is not a URL");
    }
    return true;
}

static tagoio_family *family_new(void) {
    tagoio_family *family = malloc(sizeof *family);
    if (family != NULL) {
        *family =
            (tagoio_family){.references = 1, .retry_budget = TAGOIO_RETRY_CAPACITY};
    }
    return family;
}

static bool fill_token(tagoio_settings *settings, const char *token) {
    settings->options.token = tagoio_string_copy(token);
    return settings->options.token != NULL &&
           tagoio_secrets_add(&settings->secrets, token, strlen(token));
}

static bool fill(tagoio_settings *settings, const tagoio_options *options,
                 tagoio_settings *parent) {
    settings->references = 1;
    settings->options = *options;
    settings->options.token = NULL;
    settings->options.base_url = tagoio_string_copy(options->base_url);
    settings->options.user_agent = tagoio_string_copy(options->user_agent);
    if (parent != NULL) {
        settings->family = parent->family;
        settings->family->references++;
    } else {
        settings->family = family_new();
    }
    const char *url = settings->options.base_url;
    if (url == NULL || settings->family == NULL ||
        settings->options.user_agent == NULL) {
        return false;
    }
    const char *token = options->token != NULL ? options->token : "";
    settings->gate = tagoio_gates_ref(&settings->family->gates, token);
    if (settings->gate == NULL) {
        return false;
    }
    settings->host = strstr(url, "://") + 3;
    settings->host_bytes = strcspn(settings->host, "/");
    return options->token == NULL || fill_token(settings, options->token);
}

tagoio_settings *tagoio_settings_new(const tagoio_options *options,
                                     tagoio_settings *parent, tagoio_error *err) {
    if (!check(options, err)) {
        return NULL;
    }
    tagoio_settings *settings = calloc(1, sizeof *settings);
    if (settings == NULL || !fill(settings, options, parent)) {
        tagoio_settings_unref(settings);
        tagoio_error_memory(err);
        return NULL;
    }
    return settings;
}

tagoio_settings *tagoio_settings_ref(tagoio_settings *settings) {
    settings->references++;
    return settings;
}

const tagoio_options *tagoio_settings_options(const tagoio_settings *settings) {
    return &settings->options;
}

void tagoio_settings_unref(tagoio_settings *settings) {
    if (settings == NULL || --settings->references > 0) {
        return;
    }
    /* The options' strings are const for their readers; here is their owner. */
    tagoio_string_free((char *)settings->options.token);
    tagoio_string_free((char *)settings->options.base_url);
    tagoio_string_free((char *)settings->options.user_agent);
    if (settings->family != NULL) {
        tagoio_gate_unref(&settings->family->gates, settings->gate);
        if (--settings->family->references == 0) {
            tagoio_gates_forget(&settings->family->gates, INT64_MAX);
            free(settings->family);
        }
    }
    tagoio_secrets_clear(&settings->secrets);
    free(settings);
}
