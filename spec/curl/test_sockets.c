/* SPDX-License-Identifier: MIT */
/* The sockets of a pool's connections: found by their addresses, and whose response it
   is that waits on one. libcurl opens them, a listener of this program's answers. */
#define _DEFAULT_SOURCE

#include "curl/sockets.h"
#include "support/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static struct sockaddr_in address_of(int fd) {
    struct sockaddr_in address = {0};
    socklen_t bytes = sizeof address;
    check_true(getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
    return address;
}

static int port_of(int fd) { return ntohs(address_of(fd).sin_port); }

/* On a free port of loopback. */
static int listener_new(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    check_true(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    check_true(listen(fd, 128) == 0);
    return fd;
}

/* A connection that libcurl opened, and its other end. */
typedef struct {
    CURL *easy;
    curl_socket_t fd;
    int server;
} pair;

static pair pair_open(tagoio_sockets *sockets, int listener) {
    pair it = {.easy = curl_easy_init(), .fd = CURL_SOCKET_BAD};
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port_of(listener));
    curl_easy_setopt(it.easy, CURLOPT_URL, url);
    curl_easy_setopt(it.easy, CURLOPT_PROXY, "");
    curl_easy_setopt(it.easy, CURLOPT_CONNECT_ONLY, 1L);
    check_true(tagoio_sockets_watch(sockets, it.easy) == CURLE_OK);
    check_number(CURLE_OK, curl_easy_perform(it.easy));
    curl_easy_getinfo(it.easy, CURLINFO_ACTIVESOCKET, &it.fd);
    it.server = accept(listener, NULL, NULL);
    return it;
}

static void pair_close(pair it) {
    curl_easy_cleanup(it.easy);
    close(it.server);
}

/* All that a test with one connection needs. */
typedef struct {
    tagoio_sockets sockets;
    int listener;
    pair pair;
    tagoio_connection *connection; /* joined once */
} fixture;

static tagoio_connection *join(tagoio_sockets *sockets, pair it) {
    return tagoio_sockets_join(sockets, "127.0.0.1", "127.0.0.1", port_of(it.fd));
}

/* What the server did has come. */
static void check_input(pair it) {
    struct pollfd poller = {.fd = it.fd, .events = POLLIN};
    check_number(1, poll(&poller, 1, 10000));
}

static void say(pair it, const char *text) {
    check_true(send(it.server, text, strlen(text), 0) == (ssize_t)strlen(text));
    check_input(it);
}

static void set_up(fixture *it) {
    it->listener = listener_new();
    it->pair = pair_open(&it->sockets, it->listener);
    it->connection = join(&it->sockets, it->pair);
    tagoio_connection_set_serial(it->connection);
}

static void leave(fixture *it) { tagoio_sockets_leave(&it->sockets, it->connection); }

static void test_next_user(void) {
    check_case(
        "a response to the next request on a connection is not blamed on the one "
        "before, which is not collected yet");
    fixture it = {0};
    set_up(&it);
    check_true(tagoio_connection_is_reusable(join(&it.sockets, it.pair)));
    say(it.pair, response);
    check_true(!tagoio_connection_has_response(it.connection));
    leave(&it);
    check_true(tagoio_connection_has_response(it.connection)); /* the next one's turn */
    leave(&it);
    pair_close(it.pair);
    close(it.listener);
}

static void test_refused_user(void) {
    check_case("a stray response is seen although the next request was refused for it, "
               "and its connection closed");
    fixture it = {0};
    set_up(&it);
    say(it.pair, response);
    check_true(!tagoio_connection_is_reusable(join(&it.sockets, it.pair)));
    pair_close(it.pair);
    check_true(tagoio_connection_has_response(it.connection));
    leave(&it);
    leave(&it);
    close(it.listener);
}

static void test_end_is_no_response(void) {
    check_case("the end of a connection is no response");
    fixture it = {0};
    set_up(&it);
    check_true(shutdown(it.pair.server, SHUT_WR) == 0);
    check_input(it.pair);
    check_true(!tagoio_connection_has_response(it.connection));
    check_true(!tagoio_connection_is_reusable(it.connection));
    check_true(!tagoio_connection_has_response(it.connection));
    leave(&it);
    pair_close(it.pair);
    close(it.listener);
}

static void test_many(void) {
    check_case("each of many connections is found by its addresses until it is closed");
    enum { PAIRS = 300 };
    tagoio_sockets sockets = {0};
    int listener = listener_new();
    static pair pairs[PAIRS];
    static tagoio_connection *found[PAIRS];
    int ports[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        pairs[i] = pair_open(&sockets, listener);
        ports[i] = port_of(pairs[i].fd);
        found[i] = i % 2 == 0 ? join(&sockets, pairs[i]) : NULL;
    }
    for (int i = 0; i < PAIRS; i++) {
        tagoio_connection *again = join(&sockets, pairs[i]);
        check_true(again != NULL && (i % 2 != 0 || again == found[i]));
        tagoio_sockets_leave(&sockets, again);
    }
    for (int i = 0; i < PAIRS; i++) {
        pair_close(pairs[i]);
        check_true(tagoio_sockets_join(&sockets, "127.0.0.1", "127.0.0.1", ports[i]) ==
                   NULL);
        tagoio_sockets_leave(&sockets, found[i]);
    }
    check_true(sockets.portless == NULL && sockets.closed == NULL);
    close(listener);
}

static void test_abandon(void) {
    check_case("what is abandoned is found no more, open or closed");
    tagoio_sockets sockets = {0};
    int listener = listener_new();
    pair used = pair_open(&sockets, listener);
    pair unused = pair_open(&sockets, listener);
    pair gone = pair_open(&sockets, listener);
    check_true(join(&sockets, used) != NULL && join(&sockets, gone) != NULL);
    pair_close(gone);
    tagoio_sockets_abandon(&sockets);
    check_true(join(&sockets, used) == NULL && join(&sockets, unused) == NULL);
    pair_close(used);
    pair_close(unused);
    close(listener);
}

int main(void) {
    const check_test tests[] = {test_next_user, test_refused_user,
                                test_end_is_no_response, test_many, test_abandon};
    return check_run(tests, check_count(tests));
}
