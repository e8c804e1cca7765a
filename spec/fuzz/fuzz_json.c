/* SPDX-License-Identifier: MIT */
/* JSON: what our reader takes and what it makes of it is what jansson's does, and what
   is written reads back the same. It differs from jansson in its limits alone: the
   depth is 128 and not 2048, and no input here has two million values; and jansson
   skips a NUL behind a number or a word. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_written(const json_t *value, size_t indent) {
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    char *text = tagoio_json_encode(value, indent, &err);
    fuzz_check(text != NULL && err.kind == TAGOIO_ERROR_NONE);
    fuzz_check(tagoio_is_utf8(text, strlen(text)));
    fuzz_check(indent > 0 || strpbrk(text, "\r\n") == NULL);
    json_t *again = tagoio_json_decode(text, strlen(text), &err);
    fuzz_check(again != NULL && fuzz_same_json(value, again));
    char *twice = tagoio_json_encode(again, indent, NULL);
    fuzz_check(twice != NULL && strcmp(text, twice) == 0);
    free(text);
    free(twice);
    json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    char *text = malloc(size > 0 ? size : 1); /* not a byte more: no NUL behind it */
    fuzz_check(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    json_t *ours = tagoio_json_decode(text, size, &err);
    json_t *theirs = json_loadb(text, size, flags, NULL);
    if (ours != NULL) {
        fuzz_check(theirs != NULL && fuzz_same_json(ours, theirs));
        fuzz_check(fuzz_depth(ours) <= TAGOIO_MAX_JSON_DEPTH);
        check_written(ours, 0);
        check_written(ours, 2);
    } else {
        fuzz_check(err.kind == TAGOIO_ERROR_PROTOCOL);
        bool nul = size > 0 && memchr(text, '\0', size) != NULL;
        fuzz_check(theirs == NULL || nul || fuzz_depth(theirs) > TAGOIO_MAX_JSON_DEPTH);
    }
    json_decref(ours);
    json_decref(theirs);
    free(text);
    fuzz_input in = fuzz_open(data, size);
    json_t *made = fuzz_json(&in, 6);
    check_written(made, 0);
    json_decref(made);
    return 0;
}
