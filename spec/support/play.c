/* SPDX-License-Identifier: MIT */
/* A driver that sends nothing. It includes tagoio.h and nothing of the core's inside.
 */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool there, const char *what) {
    if (!there) {
        fprintf(stderr, "cannot test: %s\n", what);
        exit(2);
    }
}

tagoio_options play_options(void) {
    tagoio_options options = tagoio_options_default();
    options.token = PLAY_TOKEN;
    options.base_url = PLAY_URL;
    return options;
}

tagoio_settings *play_settings(const tagoio_options *options) {
    tagoio_options usual = play_options();
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_settings *settings =
        tagoio_settings_new(options != NULL ? options : &usual, NULL, &err);
    need(settings != NULL, err.message);
    return settings;
}

json_t *play_json(const char *text) {
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    need(value != NULL, text);
    return value;
}

tagoio_call *play_call(tagoio_settings *settings, const char *operation,
                       const char *arguments) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    tagoio_call *call =
        tagoio_call_new(settings, operation, play_json(arguments), 0, &err);
    need(call != NULL, err.message);
    return call;
}

tagoio_now play_moment(int64_t now_ms) {
    return (tagoio_now){.now_ms = now_ms, .wall_s = PLAY_WALL_S, .jitter = 0.5};
}

bool play_head(tagoio_call *call, const char *lines) {
    bool taken = true;
    while (*lines != '\0') {
        size_t count = strcspn(lines, "\n");
        taken = tagoio_call_head(call, lines, count) && taken;
        lines += count + (lines[count] == '\n');
    }
    return taken;
}

static void play_status(tagoio_call *call, const char *head) {
    char line[] = "HTTP/1.1 000 X";
    if (strlen(head) == 3) {
        memcpy(line + strlen("HTTP/1.1 "), head, 3);
        head = line;
    }
    play_head(call, head);
}

void play_answer(tagoio_call *call, const tagoio_now *now, const char *head,
                 const char *body) {
    tagoio_call_begin(call, now->now_ms);
    play_status(call, head);
    tagoio_call_body(call, body, strlen(body));
    tagoio_call_complete(call, now);
}

void play_fault(tagoio_call *call, const tagoio_now *now, const char *head,
                tagoio_failure_reason reason, bool sent) {
    tagoio_call_begin(call, now->now_ms);
    if (head != NULL) {
        play_status(call, head);
    }
    tagoio_call_fail(call, now,
                     &(tagoio_failure){.reason = reason, .text = "said", .sent = sent});
}
