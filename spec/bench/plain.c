/* SPDX-License-Identifier: MIT */
/* What a C program would do by hand: GET a URL again and again over one connection with
   libcurl, and parse each answer with jansson. Prints the seconds of processor time
   that it took, and those that passed.

   usage: plain URL COUNT, with EMULATOR_TOKEN in the environment */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct buffer {
    char *bytes;
    size_t length;
    size_t size;
} buffer;

static size_t keep(char *bytes, size_t size, size_t count, void *context) {
    buffer *into = context;
    (void)size; /* always 1 */
    if (into->length + count > into->size) {
        size_t larger = 2 * (into->length + count);
        char *moved = realloc(into->bytes, larger);
        if (moved == NULL) {
            return 0;
        }
        into->bytes = moved;
        into->size = larger;
    }
    memcpy(into->bytes + into->length, bytes, count);
    into->length += count;
    return count;
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void get(CURL *easy, buffer *answer) {
    answer->length = 0;
    CURLcode code = curl_easy_perform(easy);
    json_t *value = json_loadb(answer->bytes, answer->length, 0, NULL);
    if (code != CURLE_OK || !json_is_true(json_object_get(value, "status"))) {
        fprintf(stderr, "plain: no success: %s\n", curl_easy_strerror(code));
        exit(1);
    }
    json_decref(value);
}

int main(int count, char **arguments) {
    const char *token = getenv("EMULATOR_TOKEN");
    if (count != 3 || token == NULL) {
        fprintf(stderr, "usage: plain URL COUNT\n");
        return 2;
    }
    char header[256];
    snprintf(header, sizeof header, "token: %s", token);
    struct curl_slist *headers = curl_slist_append(NULL, header);
    buffer answer = {NULL, 0, 0};
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, arguments[1]);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    get(easy, &answer);
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    for (long left = strtol(arguments[2], NULL, 10); left > 0; left--) {
        get(easy, &answer);
    }
    printf("%.6f %.6f\n", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu,
           seconds(CLOCK_MONOTONIC) - wall);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    free(answer.bytes);
    return 0;
}
