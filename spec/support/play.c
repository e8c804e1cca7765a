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

tagoio_now play_now(int64_t now_ms) {
    return (tagoio_now){.now_ms = now_ms, .wall_s = PLAY_WALL_S, .jitter = 0.5};
}

tagoio_request play_begin(tagoio_call *call, int64_t now_ms) {
    tagoio_request request = {.method = NULL};
    if (tagoio_call_begin(call, now_ms, &request)) {
        tagoio_call_sending(call, now_ms);
    }
    return request;
}

bool play_header(tagoio_call *call, const char *name, const char *value) {
    return tagoio_call_header(call, name, strlen(name), value, strlen(value));
}

static bool play_line(tagoio_call *call, const char *line, size_t count) {
    const char *colon = memchr(line, ':', count);
    if (strncmp(line, "HTTP/", strlen("HTTP/")) == 0) {
        return tagoio_call_status(call, atoi(line + strcspn(line, " ")));
    }
    size_t name = colon == NULL ? count : (size_t)(colon - line);
    size_t rest = colon == NULL ? 0 : count - name - 1;
    return tagoio_call_header(call, line, name, line + count - rest, rest);
}

bool play_head(tagoio_call *call, const char *head) {
    if (strlen(head) == 3) {
        return tagoio_call_status(call, atoi(head));
    }
    bool taken = true;
    bool over = false; /* what follows an empty line are trailers, or a status */
    while (*head != '\0') {
        size_t count = strcspn(head, "\n");
        over = count == 0 || (over && head[0] != 'H');
        taken = (over ? tagoio_call_header(call, "", 0, head, count)
                      : play_line(call, head, count)) &&
                taken;
        head += count + (head[count] == '\n');
    }
    return taken;
}

void play_answer(tagoio_call *call, const tagoio_now *now, const char *head,
                 const char *body) {
    play_begin(call, now->now_ms);
    play_head(call, head);
    tagoio_call_body(call, body, strlen(body));
    tagoio_call_complete(call, now);
}

void play_fault(tagoio_call *call, const tagoio_now *now, const char *head,
                tagoio_failure_reason reason, bool sent) {
    play_begin(call, now->now_ms);
    if (head != NULL) {
        play_head(call, head);
    }
    tagoio_call_fail(call, now,
                     &(tagoio_failure){.reason = reason, .text = "said", .sent = sent});
}
