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

struct tagoio_bucket_link {
    tagoio_connection *connection; /* that it belongs to */
    struct tagoio_bucket_link *next;
    struct tagoio_bucket_link **at; /* what points to it */
};

typedef struct tagoio_bucket_link bucket_link;

struct tagoio_connection {
    bucket_link by_descriptor; /* closed: among those */
    bucket_link by_port;       /* or among those that have none yet; closed: nowhere */
    curl_socket_t fd;          /* CURL_SOCKET_BAD: closed */
    char remote[INET6_ADDRSTRLEN];
    char local[INET6_ADDRSTRLEN];
    int local_port; /* 0: not asked yet */
    int users;
    bool serial;
    bool retired;
    bool stray; /* a response to nobody was there when a request was about to go out */
    uint64_t acknowledged; /* when the last request was about to go out, as below */
    uint64_t received;
};

/* ---- addresses ---- */

/* The port; 0, and no text, where it is no internet address, as a SOCKS proxy's can be.
 */
static int read_address(const struct sockaddr *address, char text[INET6_ADDRSTRLEN]) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
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
    if (getsockname(connection->fd, (struct sockaddr *)&address, &bytes) == 0) {
        connection->local_port =
            read_address((const struct sockaddr *)&address, connection->local);
    }
}

/* ---- lists: finding a connection takes as long among a thousand as among ten ---- */

static void list_add(bucket_link **list, bucket_link *link) {
    link->next = *list;
    link->at = list;
    if (link->next != NULL) {
        link->next->at = &link->next;
    }
    *list = link;
}

static void list_remove(bucket_link *link) {
    *link->at = link->next;
    if (link->next != NULL) {
        link->next->at = link->at;
    }
}

static bucket_link **bucket(bucket_link **buckets, int number) {
    return &buckets[(unsigned)number % TAGOIO_SOCKET_BUCKETS];
}

/* Connections that were opened since the last time go where their port says. */
static void learn_ports(tagoio_sockets *sockets) {
    for (bucket_link *at = sockets->portless, *next; at != NULL; at = next) {
        tagoio_connection *connection = at->connection;
        next = at->next;
        learn_local_address(connection);
        if (connection->local_port != 0) {
            list_remove(at);
            list_add(bucket(sockets->by_port, connection->local_port), at);
        }
    }
}

/* ---- from opening to closing ---- */

static void forget(tagoio_connection *connection) {
    list_remove(&connection->by_descriptor);
    free(connection);
}

static void forget_descriptor(tagoio_sockets *sockets, curl_socket_t fd) {
    const bucket_link *at = *bucket(sockets->by_descriptor, fd);
    while (at != NULL && at->connection->fd != fd) {
        at = at->next;
    }
    if (at != NULL) {
        tagoio_connection *connection = at->connection;
        connection->fd = CURL_SOCKET_BAD;
        list_remove(&connection->by_port);
        list_remove(&connection->by_descriptor);
        list_add(&sockets->closed, &connection->by_descriptor);
        if (connection->users == 0) {
            forget(connection);
        }
    }
}

static curl_socket_t on_open(void *data, curlsocktype purpose,
                             struct curl_sockaddr *address) {
    (void)purpose;
    tagoio_sockets *sockets = data;
    curl_socket_t fd = socket(address->family, address->socktype, address->protocol);
    if (fd == CURL_SOCKET_BAD) {
        return fd;
    }
    /* libcurl closes one that is not connected yet without telling. */
    forget_descriptor(sockets, fd);
    /* As libcurl's own are: programs that the host starts have no use for them. */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    tagoio_connection *connection = calloc(1, sizeof *connection);
    if (connection != NULL) { /* else it is unknown, and carries one request */
        connection->fd = fd;
        read_address(&address->addr, connection->remote);
        connection->by_descriptor.connection = connection;
        connection->by_port.connection = connection;
        list_add(bucket(sockets->by_descriptor, fd), &connection->by_descriptor);
        list_add(&sockets->portless, &connection->by_port);
    }
    return fd;
}

static int on_close(void *data, curl_socket_t fd) {
    forget_descriptor(data, fd);
    return close(fd);
}

void tagoio_sockets_watch(tagoio_sockets *sockets, CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
}

static void forget_all(bucket_link *list) {
    for (bucket_link *next; list != NULL; list = next) {
        next = list->next;
        free(list->connection);
    }
}

void tagoio_sockets_abandon(tagoio_sockets *sockets) {
    for (int i = 0; i < TAGOIO_SOCKET_BUCKETS; i++) {
        forget_all(sockets->by_descriptor[i]);
    }
    forget_all(sockets->closed);
    *sockets = (tagoio_sockets){0};
}

/* ---- users ---- */

tagoio_connection *tagoio_sockets_join(tagoio_sockets *sockets, const char *remote,
                                       const char *local, int local_port) {
    learn_ports(sockets);
    const bucket_link *at = *bucket(sockets->by_port, local_port);
    for (; at != NULL; at = at->next) {
        tagoio_connection *connection = at->connection;
        if (connection->local_port == local_port &&
            strcmp(connection->local, local) == 0 &&
            strcmp(connection->remote, remote) == 0) {
            connection->users++;
            return connection;
        }
    }
    return NULL;
}

void tagoio_connection_leave(tagoio_connection *connection) {
    if (connection == NULL || --connection->users > 0) {
        return;
    }
    if (connection->fd == CURL_SOCKET_BAD) {
        forget(connection);
    } else if (connection->retired) {
        shutdown(connection->fd, SHUT_RDWR); /* libcurl finds it dead, and closes it */
    }
}

/* ---- one connection ---- */

/* How many bytes of ours the other side's TCP has acknowledged, and how many of its
   came; 0: the system does not say. Every segment acknowledges what its sender had
   received. */
static void count_bytes(curl_socket_t fd, uint64_t *acknowledged, uint64_t *received) {
#ifdef __linux__
    struct tcp_info info = {0};
    socklen_t bytes = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes);
    *acknowledged = info.tcpi_bytes_acked;
    *received = info.tcpi_bytes_received;
#else
    (void)fd;
    *acknowledged = 0;
    *received = 0;
#endif
}

typedef enum input { NOTHING_YET, SOME_INPUT, A_RESPONSE } input;

/* What waits to be read: the end, an error, or bytes that are less than a response are
   some input; bytes of HTTP, or a TLS record that may hold one, a response. */
static input waiting_input(curl_socket_t fd) {
    enum { first_type = 20, last_type = 24, data_type = 23, shortest_response = 32 };
    unsigned char head[5]; /* of a TLS record: type, version, length */
    ssize_t got = recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) {
        return NOTHING_YET;
    }
    if (got <= 0) {
        return SOME_INPUT;
    }
    bool is_record = head[0] >= first_type && head[0] <= last_type;
    bool may_hold_one = got == (ssize_t)sizeof head && head[0] == data_type &&
                        (head[3] << 8 | head[4]) >= shortest_response;
    return !is_record || may_hold_one ? A_RESPONSE : SOME_INPUT;
}

bool tagoio_connection_is_reusable(tagoio_connection *connection) {
    if (connection == NULL || connection->retired) {
        return false;
    }
    if (!connection->serial) {
        return true;
    }
    count_bytes(connection->fd, &connection->acknowledged, &connection->received);
    /* Asked now: when the user before this one is asked for its response, libcurl has
       closed what was refused. */
    input waiting = waiting_input(connection->fd);
    connection->stray = waiting == A_RESPONSE;
    return waiting == NOTHING_YET;
}

void tagoio_connection_set_serial(tagoio_connection *connection) {
    connection->serial = true;
}

bool tagoio_connection_is_taken(const tagoio_connection *connection) {
    return connection != NULL && connection->serial && connection->users > 1;
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
    if (connection->fd == CURL_SOCKET_BAD || !connection->serial ||
        connection->users > 1) {
        /* With a user that came later, what is there answers that one: nothing was
           there when it joined, or it is a stray. */
        return connection->stray;
    }
    return waiting_input(connection->fd) == A_RESPONSE;
}

void tagoio_connection_retire(tagoio_connection *connection) {
    if (connection != NULL) {
        connection->retired = true;
    }
}
