/* SPDX-License-Identifier: MIT */
/* Plays the driver for a call, under an invented clock: what a test says happens. It
   includes tagoio.h and nothing of the core's inside. */
#ifndef TAGOIO_SPEC_PLAY_H
#define TAGOIO_SPEC_PLAY_H

#include "tagoio.h"

/* A token of no user, and where it goes. */
#define PLAY_TOKEN "p-play-0123456789"
#define PLAY_URL   "https://api.tago.io"

/* Options at their defaults, with token and base_url. */
tagoio_options play_options(void);

/* Settings of these options or, from NULL, of play_options(). Ends the program when
   there are none; so do the other functions that give something. */
tagoio_settings *play_settings(const tagoio_options *options);

/* JSON text as a value, for instance of arguments. */
json_t *play_json(const char *text);

/* A call; it holds its own reference to the settings. */
tagoio_call *play_call(tagoio_settings *settings, const char *operation,
                       const char *arguments);

/* Wall clock of play_now: the 50th second of a minute. */
enum { PLAY_WALL_S = 1700000030 };

/* Jitter is a half. */
tagoio_now play_now(int64_t now_ms);

/* The call begins and is sent at once; a request without a method: it did not. */
tagoio_request play_begin(tagoio_call *call, int64_t now_ms);

bool play_header(tagoio_call *call, const char *name, const char *value);

/* The status and the headers of a response, as lines divided by "\n"; "200" is
   "HTTP/1.1 200 X". */
bool play_head(tagoio_call *call, const char *head);

/* The call begins, its response comes and is complete. */
void play_answer(tagoio_call *call, const tagoio_now *now, const char *head,
                 const char *body);

/* The call begins and fails; with a head (may be NULL), after that came. */
void play_fault(tagoio_call *call, const tagoio_now *now, const char *head,
                tagoio_failure_reason reason, bool sent);

#endif
