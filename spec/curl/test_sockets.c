/* SPDX-License-Identifier: MIT */
/* The sockets of a pool's connections: found by their addresses, and whose response it
   is that waits on one. libcurl opens them, a listener of this program's answers. */
#define _DEFAULT_SOURCE

#include "curl/sockets.h"
#include "support/check.h"
#include "support/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#include <sys/ioctl.h>
#endif

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/* Where the port is does not depend on the family. */
static int port_of(int fd) {
    struct sockaddr_in6 address = {0};
    socklen_t bytes = sizeof address;
    check_true(getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
    return ntohs(address.sin6_port);
}

/* On a free port. */
static int listen_on(const void *address, socklen_t bytes, int family) {
    int fd = socket(family, SOCK_STREAM, 0);
    if (bind(fd, address, bytes) != 0 || listen(fd, 128) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int listener_new(void) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = listen_on(&address, sizeof address, AF_INET);
    check_true(fd >= 0);
    return fd;
}

/* -1: this machine has no IPv6. */
static int listener_new_v6(void) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return listen_on(&address, sizeof address, AF_INET6);
}

/* A connection that libcurl opened, and its other end. */
typedef struct {
    CURL *easy;
    curl_socket_t fd;
    int server;
} pair;

static void pair_connect(pair *it, int listener) {
    check_number(CURLE_OK, curl_easy_perform(it->easy));
    curl_easy_getinfo(it->easy, CURLINFO_ACTIVESOCKET, &it->fd);
    it->server = accept(listener, NULL, NULL);
}

static void pair_open_to(pair *it, const char *host, tagoio_sockets *sockets,
                         int listener) {
    char url[64];
    *it = (pair){.easy = curl_easy_init(), .fd = CURL_SOCKET_BAD};
    snprintf(url, sizeof url, "http://%s:%d", host, port_of(listener));
    curl_easy_setopt(it->easy, CURLOPT_URL, url);
    curl_easy_setopt(it->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(it->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(it->easy, CURLOPT_FRESH_CONNECT, 1L);
    tagoio_sockets_watch(sockets, it->easy);
    pair_connect(it, listener);
}

static pair pair_open(tagoio_sockets *sockets, int listener) {
    pair it;
    pair_open_to(&it, "127.0.0.1", sockets, listener);
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

static void say(pair it, const char *bytes, size_t count) {
    check_true(send(it.server, bytes, count, 0) == (ssize_t)count);
    check_input(it);
}

static void respond(pair it) { say(it, response, strlen(response)); }

/* The server has the request; its response will acknowledge it. */
static void request(pair it) {
    char byte = '?';
    check_true(send(it.fd, &byte, 1, 0) == 1);
    check_true(recv(it.server, &byte, 1, 0) == 1);
}

static void set_up(fixture *it) {
    it->listener = listener_new();
    it->pair = pair_open(&it->sockets, it->listener);
    it->connection = join(&it->sockets, it->pair);
    tagoio_connection_set_serial(it->connection);
}

static void leave(fixture *it) { tagoio_connection_leave(it->connection); }

static void tear_down(fixture *it) {
    leave(it);
    pair_close(it->pair);
    close(it->listener);
}

static void test_next_user(void) {
    check_case(
        "a response to the next request on a connection is not blamed on the one "
        "before, which is not collected yet");
    fixture it = {0};
    set_up(&it);
    check_true(tagoio_connection_is_reusable(join(&it.sockets, it.pair)));
    respond(it.pair);
    check_true(!tagoio_connection_has_response(it.connection));
    leave(&it);
    check_true(tagoio_connection_has_response(it.connection)); /* the next one's turn */
    tear_down(&it);
}

static void test_refused_user(void) {
    check_case("a stray response is seen although the next request was refused for it, "
               "and its connection closed");
    fixture it = {0};
    set_up(&it);
    respond(it.pair);
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
    errno = EAGAIN; /* of something else */
    check_true(!tagoio_connection_has_response(it.connection));
    check_true(!tagoio_connection_is_reusable(it.connection));
    check_true(!tagoio_connection_has_response(it.connection));
    tear_down(&it);
}

/* TLS 1.3 hides an alert in a record of data. */
static void test_input(void) {
    static const struct {
        const char *bytes;
        size_t count;
        bool is_response;
    } inputs[] = {
        {"HTTP/1.1 200 OK\r\n", 17, true},  {"H", 1, true},
        {"\x17\x03\x03\x00\x20", 5, true},  /* data, just long enough */
        {"\x17\x03\x03\x01\x00", 5, true},  /* data, longer */
        {"\x17\x03\x03\x00\x1f", 5, false}, /* data, too short */
        {"\x17\x03\x03\x00", 4, false},     /* the length has not come yet */
        {"\x14\x03\x03\x00\x20", 5, false}, /* of the other types: the first */
        {"\x18\x03\x03\x00\x20", 5, false}, /* and the last */
        {"\x13\x03\x03\x00\x20", 5, true},  /* no record */
        {"\x19\x03\x03\x00\x20", 5, true},
    };
    for (int i = 0; i < check_count(inputs); i++) {
        check_case("what waits on a connection is a response or not: input %d", i + 1);
        fixture it = {0};
        set_up(&it);
        check_true(!tagoio_connection_has_response(it.connection));
        say(it.pair, inputs[i].bytes, inputs[i].count);
        errno = EAGAIN; /* of something else */
        check_true(tagoio_connection_has_response(it.connection) ==
                   inputs[i].is_response);
        check_true(!tagoio_connection_is_reusable(it.connection));
        tear_down(&it);
    }
}

static void test_broken(void) {
    check_case("a connection that was reset has no response, and is not used again");
    fixture it = {0};
    set_up(&it);
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    check_true(setsockopt(it.pair.server, SOL_SOCKET, SO_LINGER, &now, sizeof now) ==
               0);
    close(it.pair.server);
    it.pair.server = -1;
    check_input(it.pair);
    check_true(!tagoio_connection_is_reusable(it.connection));
    check_true(!tagoio_connection_has_response(it.connection));
    tear_down(&it);
}

#ifdef __linux__
static void wait_until_acknowledged(int fd) {
    int count = 0;
    while (ioctl(fd, SIOCOUTQ, &count) == 0 && count > 0) {
        poll(NULL, 0, 1);
    }
}
#endif

static void test_ahead(void) {
    check_case(
        "a response is ahead of its request when it acknowledges none of it, or came "
        "before it");
    fixture it = {0};
    set_up(&it);
    request(it.pair);
    respond(it.pair);
    char bytes[sizeof response];
    check_true(recv(it.pair.fd, bytes, sizeof bytes, 0) > 0);
    check_true(tagoio_connection_is_reusable(it.connection));
    request(it.pair);
    respond(it.pair);
#ifdef __linux__
    check_true(!tagoio_connection_is_ahead(it.connection));
    check_true(recv(it.pair.fd, bytes, sizeof bytes, 0) > 0);
    check_true(tagoio_connection_is_reusable(it.connection));
    respond(it.pair);
    check_true(tagoio_connection_is_ahead(it.connection));
    check_true(recv(it.pair.fd, bytes, sizeof bytes, 0) > 0);
    check_true(tagoio_connection_is_reusable(it.connection));
    request(it.pair);
    wait_until_acknowledged(it.pair.fd);
    check_true(tagoio_connection_is_ahead(it.connection)); /* the TLS library had it */
#endif
    pair_close(it.pair);
    check_true(!tagoio_connection_is_ahead(it.connection));
    leave(&it);
    close(it.listener);
}

static void test_first_request(void) {
    check_case("a response is not ahead on a connection that was not asked for before");
    fixture it = {0};
    set_up(&it);
    check_true(!tagoio_connection_is_ahead(it.connection));
    respond(it.pair);
    check_true(!tagoio_connection_is_ahead(it.connection));
    tear_down(&it);
}

static void test_retired(void) {
    check_case(
        "a retired connection is used by nobody else, and shut down when its last "
        "user has left");
    fixture it = {0};
    char byte;
    set_up(&it);
    check_true(join(&it.sockets, it.pair) == it.connection);
    tagoio_connection_retire(it.connection);
    check_true(!tagoio_connection_is_reusable(it.connection));
    leave(&it);
    check_true(recv(it.pair.server, &byte, 1, MSG_DONTWAIT) < 0);
    leave(&it);
    check_true(recv(it.pair.server, &byte, 1, 0) == 0);
    pair_close(it.pair);
    close(it.listener);
}

static void test_shared(void) {
    check_case(
        "over HTTP/2 input is ordinary: a connection is shared, and no response is "
        "a stray one");
    fixture it = {0};
    it.listener = listener_new();
    it.pair = pair_open(&it.sockets, it.listener);
    it.connection = join(&it.sockets, it.pair);
    respond(it.pair);
    check_true(join(&it.sockets, it.pair) == it.connection);
    check_true(!tagoio_connection_is_taken(it.connection));
    check_true(tagoio_connection_is_reusable(it.connection));
    leave(&it);
    check_true(!tagoio_connection_has_response(it.connection));
    tear_down(&it);
}

static void test_taken(void) {
    check_case(
        "over HTTP/1 a connection with another user is taken, and with none not");
    fixture it = {0};
    set_up(&it);
    check_true(!tagoio_connection_is_taken(it.connection));
    check_true(join(&it.sockets, it.pair) == it.connection);
    check_true(tagoio_connection_is_taken(it.connection));
    leave(&it);
    check_true(!tagoio_connection_is_taken(it.connection));
    tear_down(&it);
}

static void test_unknown(void) {
    check_case(
        "a connection that is not known, for want of memory, carries one request");
    tagoio_sockets sockets = {0};
    check_true(!tagoio_connection_is_reusable(NULL));
    check_true(!tagoio_connection_is_taken(NULL));
    tagoio_connection_retire(NULL);
    tagoio_connection_leave(NULL);
    check_true(sockets.closed == NULL);
}

static void test_addresses(void) {
    check_case("a connection is found by both its addresses and its local port alone");
    fixture it = {0};
    set_up(&it);
    int port = port_of(it.pair.fd);
    tagoio_sockets *sockets = &it.sockets;
    check_true(tagoio_sockets_join(sockets, "127.0.0.2", "127.0.0.1", port) == NULL);
    check_true(tagoio_sockets_join(sockets, "127.0.0.1", "127.0.0.2", port) == NULL);
    check_true(tagoio_sockets_join(sockets, "127.0.0.1", "127.0.0.1",
                                   port ^ TAGOIO_SOCKET_BUCKETS) == NULL);
    tear_down(&it);
}

static void test_addresses_v6(void) {
    int listener = listener_new_v6();
    if (listener < 0) {
        return;
    }
    check_case("a connection over IPv6 is found by its addresses");
    tagoio_sockets sockets = {0};
    pair it;
    pair_open_to(&it, "[::1]", &sockets, listener);
    int port = port_of(it.fd);
    tagoio_connection *connection = tagoio_sockets_join(&sockets, "::1", "::1", port);
    check_true(connection != NULL);
    check_true(tagoio_sockets_join(&sockets, "127.0.0.1", "127.0.0.1", port) == NULL);
    tagoio_connection_leave(connection);
    pair_close(it);
    close(listener);
}

static void test_closed_untold(void) {
    check_case("a socket that was closed without a word, before its address was asked "
               "for, is not found");
    tagoio_sockets sockets = {0};
    int listener = listener_new();
    pair it = pair_open(&sockets, listener);
    int port = port_of(it.fd);
    close(it.fd);
    check_true(tagoio_sockets_join(&sockets, "127.0.0.1", "127.0.0.1", port) == NULL);
    curl_easy_cleanup(it.easy);
    check_true(sockets.portless == NULL && sockets.closed == NULL);

    check_case("nor is it when its descriptor is another connection's");
    pair other = pair_open(&sockets, listener);
    pair next = pair_open(&sockets, listener);
    close(next.server);
    close(other.fd);
    pair_connect(&next, listener);
    check_number(other.fd, next.fd);
    port = port_of(next.fd);
    tagoio_connection *connection = join(&sockets, next);
    pair_close(next);
    check_true(tagoio_sockets_join(&sockets, "127.0.0.1", "127.0.0.1", port) == NULL);
    tagoio_connection_leave(connection);
    pair_close(other);
    close(it.server);
    close(listener);
}

static void test_no_descriptor(void) {
    check_case("without a free descriptor none of the program's is taken for one");
    tagoio_sockets sockets = {0};
    struct rlimit before;
    int listener = listener_new();
    pair it = pair_open(&sockets, listener);
    check_true(getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    check_true(setrlimit(RLIMIT_NOFILE, &none) == 0);
    check_true(curl_easy_perform(it.easy) != CURLE_OK);
    check_true(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int fd = 0; fd < 3; fd++) {
        check_true(fcntl(fd, F_GETFD) != -1);
    }
    pair_close(it);
    close(listener);
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
        tagoio_connection_leave(again);
    }
    for (int i = 0; i < PAIRS; i++) {
        pair_close(pairs[i]);
        check_true(tagoio_sockets_join(&sockets, "127.0.0.1", "127.0.0.1", ports[i]) ==
                   NULL);
        tagoio_connection_leave(found[i]);
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
    for (int i = 0; i < TAGOIO_SOCKET_BUCKETS; i++) {
        check_true(sockets.by_descriptor[i] == NULL);
    }
    pair_close(used);
    pair_close(unused);
    close(listener);
}

static void test_path(void) {
    check_case("a connection to a path, as of a SOCKS proxy, has no port");
    tagoio_sockets sockets = {0};
    char folder[] = "/tmp/test_sockets.XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    check_true(mkdtemp(folder) != NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    check_true(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    check_true(listen(listener, 1) == 0);

    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1");
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, address.sun_path);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    tagoio_sockets_watch(&sockets, easy);
    check_number(CURLE_OK, curl_easy_perform(easy));
    check_true(tagoio_sockets_join(&sockets, "", "", 0) == NULL);
    check_true(sockets.portless != NULL);
    curl_easy_cleanup(easy);
    close(listener);
    unlink(address.sun_path);
    rmdir(folder);
}

static void test_memory(void) {
    check_case("of connections that are gone nothing is kept");
    check_number(0, memory_balance(MEMORY_C));
}

int main(void) {
    const check_test tests[] = {
        test_next_user,     test_refused_user,  test_end_is_no_response,
        test_input,         test_broken,        test_ahead,
        test_first_request, test_retired,       test_shared,
        test_taken,         test_unknown,       test_addresses,
        test_addresses_v6,  test_closed_untold, test_no_descriptor,
        test_many,          test_abandon,       test_path,
        test_memory};
    return check_run(tests, check_count(tests));
}
