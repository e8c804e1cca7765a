/* SPDX-License-Identifier: MIT */
/* The sockets of a pool's connections. libcurl lets nobody look at the connection that
   it is about to reuse, so sockets are remembered from their opening to their closing,
   and found by their addresses. It includes libcurl's header and the system's. */
#define _DEFAULT_SOURCE /* MSG_DONTWAIT */

#include "curl/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/tcp.h> /* newer than the C library's */
#endif

struct tagoio_connection {
    tagoio_connection *next;
    curl_socket_t fd; /* CURL_SOCKET_BAD: closed */
    char remote[INET6_ADDRSTRLEN];
    char local[INET6_ADDRSTRLEN];
    int local_port; /* 0: not asked yet */
    int users;
    bool serial;
    bool retired;
    uint64_t acknowledged; /* when the last request was about to go out, as below */
    uint64_t received;
};

/* ---- addresses ---- */

/* The port; 0 where it is no internet address. */
static int read_address(const struct sockaddr *address, char text[INET6_ADDRSTRLEN]) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    text[0] = '\0';
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, text, INET6_ADDRSTRLEN);
        return ntohs(v4.sin_port);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, text, INET6_ADDRSTRLEN);
        return ntohs(v6.sin6_port);
    }
    return 0;
}

/* A socket has its local address once it is being connected, and then keeps it. */
static void learn_local_address(tagoio_connection *connection) {
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;
    if (connection->local_port == 0 && connection->fd != CURL_SOCKET_BAD &&
        getsockname(connection->fd, (struct sockaddr *)&address, &bytes) == 0) {
        connection->local_port =
            read_address((const struct sockaddr *)&address, connection->local);
    }
}

/* ---- from opening to closing ---- */

static curl_socket_t on_open(void *data, curlsocktype purpose,
                             struct curl_sockaddr *address) {
    (void)purpose;
    tagoio_sockets *sockets = data;
    curl_socket_t fd = socket(address->family, address->socktype, address->protocol);
    if (fd == CURL_SOCKET_BAD) {
        return fd;
    }
    /* As libcurl's own are: programs that the host starts have no use for them. */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    tagoio_connection *connection = calloc(1, sizeof *connection);
    if (connection != NULL) { /* else it is unknown, and carries one request */
        connection->fd = fd;
        read_address(&address->addr, connection->remote);
        connection->next = sockets->first;
        sockets->first = connection;
    }
    return fd;
}

static void forget(tagoio_sockets *sockets, tagoio_connection *connection) {
    tagoio_connection **at = &sockets->first;
    while (*at != connection) {
        at = &(*at)->next;
    }
    *at = connection->next;
    free(connection);
}

static int on_close(void *data, curl_socket_t fd) {
    tagoio_sockets *sockets = data;
    tagoio_connection *connection = sockets->first;
    while (connection != NULL && connection->fd != fd) {
        connection = connection->next;
    }
    if (connection != NULL) {
        connection->fd = CURL_SOCKET_BAD;
        if (connection->users == 0) {
            forget(sockets, connection);
        }
    }
    return close(fd);
}

CURLcode tagoio_sockets_watch(tagoio_sockets *sockets, CURL *easy) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    }
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    }
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
    }
    return code;
}

void tagoio_sockets_abandon(tagoio_sockets *sockets) {
    while (sockets->first != NULL) {
        forget(sockets, sockets->first);
    }
}

/* ---- users ---- */

tagoio_connection *tagoio_sockets_join(tagoio_sockets *sockets, const char *remote,
                                       const char *local, int local_port) {
    for (tagoio_connection *at = sockets->first; at != NULL; at = at->next) {
        learn_local_address(at);
        if (at->fd != CURL_SOCKET_BAD && at->local_port == local_port &&
            strcmp(at->local, local) == 0 && strcmp(at->remote, remote) == 0) {
            at->users++;
            return at;
        }
    }
    return NULL;
}

void tagoio_sockets_leave(tagoio_sockets *sockets, tagoio_connection *connection) {
    if (connection == NULL || --connection->users > 0) {
        return;
    }
    if (connection->fd == CURL_SOCKET_BAD) {
        forget(sockets, connection);
    } else if (connection->retired) {
        shutdown(connection->fd, SHUT_RDWR); /* libcurl finds it dead, and closes it */
    }
}

/* ---- one connection ---- */

/* How many bytes of ours the other side's TCP has acknowledged, and how many of its
   came; 0: the system does not say. Every segment acknowledges what its sender had
   received. */
static void count_bytes(curl_socket_t fd, uint64_t *acknowledged, uint64_t *received) {
    *acknowledged = 0;
    *received = 0;
#ifdef __linux__
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0) {
        *acknowledged = info.tcpi_bytes_acked;
        *received = info.tcpi_bytes_received;
    }
#else
    (void)fd;
#endif
}

/* Something to read, the end, or an error: all but "nothing yet". */
static bool has_input(curl_socket_t fd) {
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool tagoio_connection_is_reusable(tagoio_connection *connection) {
    if (connection == NULL || connection->retired) {
        return false;
    }
    if (!connection->serial) {
        return true;
    }
    count_bytes(connection->fd, &connection->acknowledged, &connection->received);
    return !has_input(connection->fd);
}

void tagoio_connection_set_serial(tagoio_connection *connection) {
    connection->serial = true;
}

bool tagoio_connection_is_ahead(const tagoio_connection *connection) {
    uint64_t acknowledged;
    uint64_t received;
    if (connection->fd == CURL_SOCKET_BAD || connection->acknowledged == 0) {
        return false;
    }
    count_bytes(connection->fd, &acknowledged, &received);
    return acknowledged == connection->acknowledged || received == connection->received;
}

bool tagoio_connection_has_response(const tagoio_connection *connection) {
    enum { first_type = 20, last_type = 24, data_type = 23, shortest_response = 32 };
    unsigned char head[5]; /* of a TLS record: type, version, length */
    if (connection->fd == CURL_SOCKET_BAD || !connection->serial) {
        return false;
    }
    ssize_t got = recv(connection->fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (got <= 0 || head[0] < first_type || head[0] > last_type) {
        return got > 0;
    }
    return got == (ssize_t)sizeof head && head[0] == data_type &&
           (head[3] << 8 | head[4]) >= shortest_response;
}

void tagoio_connection_retire(tagoio_connection *connection) {
    if (connection != NULL) {
        connection->retired = true;
    }
}
