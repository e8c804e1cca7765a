/* SPDX-License-Identifier: MIT */
/* The floor: what a careful C program does by hand with libcurl and jansson. One call
   after another it has one handle; with many in flight, a handle for each in one multi
   handle, moved by curl_multi_socket_action and epoll. The options are those of
   csrc/curl/options.c that cost something. bench.lua tells what is printed.

   usage: plain info|teamList|idle|decode URL|FILE ID COUNT IN_FLIGHT */
#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

typedef struct transfer {
    CURL *easy;
    char *bytes;
    size_t length;
    size_t size;
} transfer;

typedef struct pool {
    CURLM *multi;
    int epoll;
    long due_ms; /* of libcurl's timer; -1: none */
    const char *url;
    int to_start;
    int active;
} pool;

/* ---- helpers ---- */

static void require(bool ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "plain: %s failed\n", what);
        exit(1);
    }
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long now_ms(void) { return (long)(seconds(CLOCK_MONOTONIC) * 1000); }

static long peak_kb(void) {
    long kb = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kb;
}

/* ---- one transfer ---- */

static size_t keep(char *bytes, size_t size, size_t count, void *context) {
    transfer *into = context;
    (void)size; /* always 1 */
    if (into->length + count > into->size) {
        into->size = 2 * (into->length + count);
        into->bytes = realloc(into->bytes, into->size);
        require(into->bytes != NULL, "realloc");
    }
    memcpy(into->bytes + into->length, bytes, count);
    into->length += count;
    return count;
}

static const struct {
    CURLoption option;
    long value;
} switches[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_TCP_KEEPALIVE, 1},
    {CURLOPT_TCP_KEEPIDLE, 30},
    {CURLOPT_TCP_KEEPINTVL, 15},
    {CURLOPT_MAXAGE_CONN, 50},
    {CURLOPT_MAXLIFETIME_CONN, 600},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_TIMEOUT_MS, 30000},
    {CURLOPT_CONNECTTIMEOUT_MS, 10000},
};

static struct curl_slist *headers(void) {
    char token[256];
    snprintf(token, sizeof token, "token: %s", getenv("EMULATOR_TOKEN"));
    struct curl_slist *list = curl_slist_append(NULL, token);
    return curl_slist_append(list, "Accept: application/json");
}

static void open_transfer(transfer *t, struct curl_slist *list) {
    *t = (transfer){.easy = curl_easy_init()};
    require(t->easy != NULL, "curl_easy_init");
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        curl_easy_setopt(t->easy, switches[i].option, switches[i].value);
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "plain/1.0");
    curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(t->easy, CURLOPT_CAINFO, getenv("EMULATOR_CA"));
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
}

static void close_transfer(transfer *t) {
    curl_easy_cleanup(t->easy);
    free(t->bytes);
}

static void begin(transfer *t, const char *url) {
    t->length = 0;
    curl_easy_setopt(t->easy, CURLOPT_URL, url);
}

static void finish(transfer *t, CURLcode code) {
    require(code == CURLE_OK, curl_easy_strerror(code));
    json_t *value = json_loadb(t->bytes, t->length, 0, NULL);
    require(json_is_true(json_object_get(value, "status")), "the call");
    json_decref(value);
}

/* ---- many in flight ---- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context,
                     void *known) {
    pool *p = context;
    (void)easy;
    struct epoll_event event = {.data.fd = socket};
    event.events = (what & CURL_POLL_IN ? (unsigned)EPOLLIN : 0U) |
                   (what & CURL_POLL_OUT ? (unsigned)EPOLLOUT : 0U);
    int action = what == CURL_POLL_REMOVE ? EPOLL_CTL_DEL
                 : known == NULL          ? EPOLL_CTL_ADD
                                          : EPOLL_CTL_MOD;
    epoll_ctl(p->epoll, action, socket, &event);
    if (action == EPOLL_CTL_ADD) {
        curl_multi_assign(p->multi, socket, p);
    }
    return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *context) {
    pool *p = context;
    (void)multi;
    p->due_ms = wait_ms < 0 ? -1 : now_ms() + wait_ms;
    return 0;
}

static void start(pool *p, transfer *t) {
    p->to_start--;
    p->active++;
    begin(t, p->url);
    require(curl_multi_add_handle(p->multi, t->easy) == CURLM_OK, "adding a handle");
}

static void collect(pool *p) {
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(p->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        transfer *t = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        curl_multi_remove_handle(p->multi, t->easy);
        p->active--;
        finish(t, code);
        if (p->to_start > 0) {
            start(p, t);
        }
    }
}

static int until_due_ms(const pool *p) {
    long left = p->due_ms - now_ms();
    return p->due_ms < 0 ? -1 : left < 0 ? 0 : (int)left;
}

static void step(pool *p, int longest_ms) {
    int running;
    int wait_ms = until_due_ms(p);
    if (wait_ms < 0 || (longest_ms >= 0 && wait_ms > longest_ms)) {
        wait_ms = longest_ms;
    }
    struct epoll_event events[256];
    int count = epoll_wait(p->epoll, events, 256, wait_ms);
    for (int i = 0; i < count; i++) {
        unsigned is = events[i].events;
        int flags = (is & EPOLLIN ? CURL_CSELECT_IN : 0) |
                    (is & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                    (is & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(p->multi, events[i].data.fd, flags, &running);
    }
    if (p->due_ms >= 0 && p->due_ms <= now_ms()) {
        p->due_ms = -1;
        curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect(p);
}

static void open_pool(pool *p, const char *url, int in_flight) {
    *p = (pool){.multi = curl_multi_init(),
                .epoll = epoll_create1(EPOLL_CLOEXEC),
                .due_ms = -1,
                .url = url};
    require(p->multi != NULL && p->epoll >= 0, "making a pool");
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
}

static void start_all(pool *p, transfer *transfers, int in_flight, int count) {
    p->to_start = count;
    for (int i = 0; i < in_flight && p->to_start > 0; i++) {
        start(p, &transfers[i]);
    }
}

/* ---- the works ---- */

static void run(pool *p, transfer *transfers, int in_flight, int count) {
    if (in_flight > 1) {
        start_all(p, transfers, in_flight, count);
        while (p->active > 0) {
            step(p, -1);
        }
        return;
    }
    for (int i = 0; i < count; i++) {
        begin(transfers, p->url);
        finish(transfers, curl_easy_perform(transfers->easy));
    }
}

static void work_calls(pool *p, transfer *transfers, int in_flight, int count) {
    run(p, transfers, in_flight, in_flight);
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    run(p, transfers, in_flight, count);
    printf("%.9f %.9f %ld\n", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu,
           seconds(CLOCK_MONOTONIC) - wall, peak_kb());
}

static void work_idle(pool *p, transfer *transfers, int in_flight) {
    start_all(p, transfers, in_flight, in_flight);
    double ready = seconds(CLOCK_MONOTONIC) + 1 + in_flight / 1000.0;
    while (seconds(CLOCK_MONOTONIC) < ready) {
        step(p, 10);
    }
    int steps = 0;
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    for (; seconds(CLOCK_MONOTONIC) < wall + 0.5; steps += 100) {
        for (int i = 0; i < 100; i++) {
            step(p, 0);
        }
    }
    printf("%.9f %.9f %ld\n", (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / steps,
           (seconds(CLOCK_MONOTONIC) - wall) / steps, peak_kb());
    exit(0); /* the calls are left behind */
}

static void work_decode(const char *path, int count) {
    transfer text = {NULL, NULL, 0, 0};
    char bytes[65536];
    size_t got;
    FILE *file = fopen(path, "r");
    while (file != NULL && (got = fread(bytes, 1, sizeof bytes, file)) > 0) {
        keep(bytes, 1, got, &text);
    }
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) {
        finish(&text, CURLE_OK);
    }
    printf("%.9f %.9f %ld\n", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu,
           seconds(CLOCK_MONOTONIC) - wall, peak_kb());
    free(text.bytes);
    if (file != NULL) {
        fclose(file);
    }
}

int main(int argc, char **argv) {
    if (argc != 6 || getenv("EMULATOR_TOKEN") == NULL) {
        fprintf(stderr, "usage: plain WORK URL|FILE ID COUNT IN_FLIGHT\n");
        return 2;
    }
    const char *work = argv[1];
    int count = atoi(argv[4]), in_flight = atoi(argv[5]);
    char url[1024];
    snprintf(url, sizeof url, "%s/profile/%s%s", argv[2], argv[3],
             strcmp(work, "teamList") == 0 ? "/team" : "");
    if (strcmp(work, "decode") == 0) {
        work_decode(argv[2], count);
        return 0;
    }
    struct curl_slist *list = headers();
    transfer *transfers = calloc((size_t)in_flight, sizeof *transfers);
    require(transfers != NULL && list != NULL, "calloc");
    for (int i = 0; i < in_flight; i++) {
        open_transfer(&transfers[i], list);
    }
    pool p;
    open_pool(&p, url, in_flight);
    if (strcmp(work, "idle") == 0) {
        work_idle(&p, transfers, in_flight);
    }
    work_calls(&p, transfers, in_flight, count);
    for (int i = 0; i < in_flight; i++) {
        close_transfer(&transfers[i]);
    }
    curl_multi_cleanup(p.multi);
    curl_slist_free_all(list);
    free(transfers);
    return 0;
}
