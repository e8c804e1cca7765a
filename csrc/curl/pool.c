/* SPDX-License-Identifier: MIT */
/* The pool: one multi handle, driven by curl_multi_socket_action. All its sockets are
   in one descriptor, its timers in a heap, and calls that end go to a list: no step,
   start, cancel or end walks over all calls. */
#include "curl/pool.h"
#include "curl/list.h"
#include "curl/poller.h"
#include "curl/setup.h"
#include "curl/timers.h"
#include "curl/transfer.h"
#include "host/host.h"

#include <stdlib.h>
#include <unistd.h>

enum { most_ready = 64 }; /* sockets that one step acts on */

struct tagoio_scope {
    tagoio_pool *pool; /* a reference */
    tagoio_link calls;
};

struct tagoio_pool {
    int references;
    int scopes;
    tagoio_pool_options options; /* its strings are owned */
    tagoio_sockets sockets;
    CURLM *multi;     /* NULL: not made yet */
    int poller;       /* -1: not made yet */
    unsigned process; /* that made them */
    bool unwatched;   /* a socket could not be put into the poller */
    bool multiplex;   /* connections may be shared: calls were on their way at once */
    /* A transfer is in one of these lists. */
    tagoio_link waiting; /* for one of max_connections, in order */
    tagoio_link active;  /* in the multi handle */
    tagoio_link backing_off;
    tagoio_link done;
    tagoio_link retried; /* of those that back off: what was not told yet */
    size_t pending;      /* all but those that are done */
    int active_count;
    int multiplexed;        /* of the active ones: may share a connection */
    tagoio_transfer *scout; /* the first of them; NULL: none */
    bool scouts_fail;    /* the last one had no connection: nobody waits for the next */
    bool names_fail;     /* for the last request there was no address */
    int64_t moved_ms;    /* when something was last acted on */
    int64_t reminded_ms; /* when all that share connections were looked at */
    tagoio_timers timers; /* of all that are not done */
    tagoio_handle **idle; /* to use again: making one costs like a request */
    int idle_count;
};

/* ---- the multi handle and its poller ---- */

/* Never fails for libcurl: a callback that does makes the multi handle unusable. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *data,
                     void *known) {
    tagoio_pool *pool = data;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        tagoio_poller_forget(pool->poller, socket);
        return 0;
    }
    bool read = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    bool write = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    if (!tagoio_poller_watch(pool->poller, socket, read, write, known != NULL)) {
        pool->unwatched = true;
    } else if (known == NULL) {
        curl_multi_assign(pool->multi, socket, pool);
    }
    return 0;
}

/* CURLMOPT_QUICK_EXIT. Since 8.20 the threads that look names up are the multi
   handle's, and its end waits for one that is stuck unless it is told not to. By
   number: who is built with an older libcurl may run with such a one, and others refuse
   it. */
static const CURLMoption multi_exits_quickly = (CURLMoption)21;

static bool make_multi(tagoio_pool *pool) {
    if (pool->multi != NULL) {
        return true;
    }
    /* Not before there is something to send: a program whose calls go another way may
       have a TLS library of its own, that another one's set-up would disturb. */
    if (!tagoio_curl_set_up() || pool->poller < 0) {
        return false;
    }
    CURLM *multi = curl_multi_init(); /* libcurl refuses NULL wherever it is given */
    pool->multi = multi;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
    /* As many idle connections are kept as may be busy at once. */
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)pool->options.max_connections);
    curl_multi_setopt(multi, multi_exits_quickly, 1L);
    return multi != NULL;
}

/* ---- requests into and out of the multi handle ---- */

static void move(tagoio_transfer *t, tagoio_link *list) {
    tagoio_list_remove(&t->in_list);
    tagoio_list_add(list, &t->in_list);
}

static tagoio_transfer *first(const tagoio_link *list) {
    tagoio_link *link = tagoio_list_first(list);
    return link == NULL ? NULL : TAGOIO_MEMBER(link, tagoio_transfer, in_list);
}

static tagoio_handle *acquire_handle(tagoio_pool *pool) {
    return pool->idle_count > 0 ? pool->idle[--pool->idle_count]
                                : tagoio_handle_new(&pool->options, &pool->sockets);
}

static void release_handle(tagoio_pool *pool, tagoio_transfer *t) {
    pool->idle[pool->idle_count++] = t->handle; /* of max_connections at most */
    tagoio_transfer_detach(t);
}

/* What the end of a request says of the server. */
static void notice_end(tagoio_pool *pool, const tagoio_transfer *t) {
    if (t->multiplex && (t->request_started || t == pool->scout)) {
        pool->scouts_fail = !t->request_started && t->connection == NULL;
    }
    pool->scout = pool->scout == t ? NULL : pool->scout;
}

/* The request is over, or will not be answered. */
static void detach(tagoio_pool *pool, tagoio_transfer *t) {
    if (t->handle != NULL) {
        curl_multi_remove_handle(pool->multi, t->handle->easy);
        pool->active_count--;
        pool->multiplexed -= t->multiplex;
        notice_end(pool, t);
        release_handle(pool, t);
    }
}

static void finish(tagoio_pool *pool, tagoio_transfer *t) {
    tagoio_timers_clear(&pool->timers, &t->timer);
    tagoio_list_remove(&t->in_scope);
    tagoio_list_remove(&t->in_retried);
    move(t, &pool->done);
    pool->pending--;
}

/* Nothing is sent now: after an attempt, or before one because of a rate limit. */
static void set_aside(tagoio_pool *pool, tagoio_transfer *t) {
    int64_t now_ms = tagoio_host_now_ms();
    tagoio_want want = tagoio_call_want(t->call, now_ms);
    if (want == TAGOIO_DONE) {
        finish(pool, t);
        return;
    }
    /* One that would have to wait for longer than it may is told so at once. */
    int64_t due_ms = want == TAGOIO_BEGIN ? now_ms : tagoio_call_retry_at_ms(t->call);
    move(t, &pool->backing_off);
    tagoio_timers_set(&pool->timers, &t->timer, due_ms);
}

static void attempt_finished(tagoio_pool *pool, tagoio_transfer *t) {
    detach(pool, t);
    tagoio_list_remove(&t->in_retried);
    tagoio_list_add(&pool->retried, &t->in_retried);
    set_aside(pool, t);
}

static void fail(tagoio_pool *pool, tagoio_transfer *t, CURLcode code) {
    tagoio_now now = tagoio_host_now();
    /* One that waits for a scout does not wait for max_connections. */
    int most = pool->options.max_connections;
    bool scouting = t->handle == NULL && pool->active_count < most;
    tagoio_failure failure =
        tagoio_transfer_failure(t, code, now.now_ms, scouting ? 0 : most);
    if (t->ahead || (failure.reason == TAGOIO_FAILURE_TIMEOUT && failure.sent)) {
        tagoio_connection_retire(t->connection);
    }
    pool->names_fail = failure.reason == TAGOIO_FAILURE_RESOLVE;
    tagoio_call_fail(t->call, &now, &failure);
    attempt_finished(pool, t);
}

static void complete(tagoio_pool *pool, tagoio_transfer *t) {
    tagoio_now now = tagoio_host_now();
    pool->names_fail = false;
    tagoio_call_complete(t->call, &now);
    attempt_finished(pool, t);
}

static void add(tagoio_pool *pool, tagoio_transfer *t, int64_t now_ms) {
    CURLcode code = CURLE_OUT_OF_MEMORY;
    t->handle = make_multi(pool) ? acquire_handle(pool) : NULL;
    if (t->handle != NULL) {
        code = tagoio_transfer_attach(t, now_ms, pool->multiplex, pool->names_fail);
        if (code == CURLE_OK &&
            curl_multi_add_handle(pool->multi, t->handle->easy) == CURLM_OK) {
            pool->active_count++;
            pool->multiplexed += t->multiplex;
            if (t->multiplex && pool->scout == NULL && !pool->scouts_fail) {
                pool->scout = t;
            }
            move(t, &pool->active);
            return;
        }
        release_handle(pool, t);
    }
    fail(pool, t, code == CURLE_OK ? CURLE_OUT_OF_MEMORY : code);
}

/* Nothing was sent on a connection that could not be reused: the attempt goes on. */
static void send_on_new_connection(tagoio_pool *pool, tagoio_transfer *t) {
    detach(pool, t);
    move(t, &pool->waiting);
}

static void collect(tagoio_pool *pool) {
    const CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        tagoio_handle *handle = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &handle);
        tagoio_transfer *t = handle->transfer;
        CURLcode code = tagoio_transfer_verdict(t, message->data.result);
        if (code == CURLE_OK) {
            complete(pool, t);
        } else if (t->refused && code == CURLE_ABORTED_BY_CALLBACK) {
            send_on_new_connection(pool, t);
        } else {
            fail(pool, t, code);
        }
    }
}

/* ---- canceling, and forks ---- */

/* In a scope are those that are not done, whatever others did to the call itself. */
static void cancel(tagoio_pool *pool, tagoio_transfer *t) {
    if (t->in_scope.next != NULL) {
        tagoio_call_cancel(t->call, tagoio_host_now_ms());
        detach(pool, t);
        finish(pool, t);
    }
}

static void cancel_all(tagoio_pool *pool) {
    tagoio_link *lists[] = {&pool->waiting, &pool->active, &pool->backing_off};
    tagoio_transfer *t;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        while ((t = first(lists[i])) != NULL) {
            cancel(pool, t);
        }
    }
}

/* After a fork the handles are the parent's: to clean them up would write on its
   connections. They are forgotten, and so are the calls that the parent goes on with;
   the child's copy of the poller would wait for the parent's sockets. */
static void notice_fork(tagoio_pool *pool) {
    if (pool->process == tagoio_host_process()) {
        return;
    }
    pool->process = tagoio_host_process();
    for (tagoio_link *at = pool->active.next; at != &pool->active; at = at->next) {
        tagoio_transfer_abandon(TAGOIO_MEMBER(at, tagoio_transfer, in_list));
    }
    pool->multi = NULL;
    pool->idle_count = 0;
    pool->active_count = 0;
    pool->multiplexed = 0;
    pool->scout = NULL;
    tagoio_sockets_abandon(&pool->sockets);
    tagoio_poller_abandon(pool->poller);
    pool->poller = -1;
    cancel_all(pool);
}

/* ---- stepping ---- */

static void begin(tagoio_pool *pool, tagoio_transfer *t, int64_t now_ms) {
    if (!tagoio_call_begin(t->call, now_ms, &t->request)) {
        set_aside(pool, t);
        return;
    }
    tagoio_transfer_begin(t, now_ms);
    move(t, &pool->waiting);
    tagoio_timers_set(&pool->timers, &t->timer, now_ms + t->request.timeout_ms);
}

/* Backoffs that end, and attempts that take too long: that is not left to libcurl,
   which may forget a request for want of memory. */
static void run_timers(tagoio_pool *pool, int64_t now_ms) {
    tagoio_timer *timer;
    while ((timer = tagoio_timers_first(&pool->timers)) != NULL &&
           timer->due_ms <= now_ms) {
        tagoio_transfer *t = TAGOIO_MEMBER(timer, tagoio_transfer, timer);
        tagoio_want want = tagoio_call_want(t->call, now_ms);
        if (want == TAGOIO_WAIT) {
            fail(pool, t, CURLE_OPERATION_TIMEDOUT);
        } else {
            begin(pool, t, now_ms); /* or not yet: a rate limit was closed again */
        }
    }
}

/* The next request that may go out now. Until the first of those that may share a
   connection has one, the others wait here: libcurl 8 would let them wait for its
   response where the server speaks no HTTP/2. */
static tagoio_transfer *next_to_add(const tagoio_pool *pool) {
    tagoio_transfer *t = first(&pool->waiting);
    bool has_slot = pool->active_count < pool->options.max_connections;
    bool knows = pool->scout == NULL || pool->scout->request_started;
    return has_slot && t != NULL && (knows || !tagoio_transfer_may_share(t)) ? t : NULL;
}

static void acquire_slots(tagoio_pool *pool, int64_t now_ms) {
    tagoio_transfer *t;
    while ((t = next_to_add(pool)) != NULL) {
        if (tagoio_call_sending(t->call, now_ms)) {
            add(pool, t, now_ms);
        } else {
            set_aside(pool, t);
        }
    }
}

/* libcurl or the poller is at its end: nobody else will say so. The multi handle is not
   used again: without memory libcurl 7.88 forgets only a part of a socket, and divides
   by zero when the next one gets its number. */
static void fail_active(tagoio_pool *pool) {
    tagoio_transfer *t;
    pool->unwatched = false;
    while ((t = first(&pool->active)) != NULL) {
        fail(pool, t, CURLE_OUT_OF_MEMORY);
    }
    curl_multi_cleanup(pool->multi);
    pool->multi = NULL;
}

/* To be called when libcurl has acted. */
static void collect_all(tagoio_pool *pool, CURLMcode code) {
    collect(pool);
    if (code != CURLM_OK || pool->unwatched) {
        fail_active(pool);
    }
}

static void act_on(tagoio_pool *pool, curl_socket_t socket, int events) {
    int running;
    pool->moved_ms = tagoio_host_now_ms();
    collect_all(pool, curl_multi_socket_action(pool->multi, socket, events, &running));
}

/* Over HTTP/2 libcurl 7.88 does not look again at what the TLS library holds already,
   such as data that came in a record behind its header. As long as requests may share
   connections, all are looked at now and then; the more there are, the less often. */
static int64_t reminder_ms(const tagoio_pool *pool) {
    return 20 + pool->multiplexed / 10;
}

/* It is deprecated, and nothing else does that. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void remind(tagoio_pool *pool) {
    int running;
    pool->reminded_ms = tagoio_host_now_ms();
    collect_all(pool, curl_multi_socket_all(pool->multi, &running));
}
#pragma GCC diagnostic pop

/* When libcurl has something to do by itself: in that many milliseconds, -1: never. It
   is asked each time: what its timer callback says can be missed by a rounding. */
static int64_t libcurl_timeout_ms(const tagoio_pool *pool) {
    long timeout_ms = -1;
    if (pool->active_count > 0) {
        curl_multi_timeout(pool->multi, &timeout_ms);
    }
    return timeout_ms;
}

static void act(tagoio_pool *pool) {
    int64_t now_ms = tagoio_host_now_ms();
    run_timers(pool, now_ms);
    acquire_slots(pool, now_ms);
    if (pool->multiplexed > 0 && now_ms >= pool->reminded_ms + reminder_ms(pool)) {
        remind(pool);
    }
    for (int i = 0; i < most_ready && libcurl_timeout_ms(pool) == 0; i++) {
        act_on(pool, CURL_SOCKET_TIMEOUT, 0);
    }
}

static int64_t sooner(int64_t a_ms, int64_t b_ms) {
    return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static int64_t next_timeout_ms(const tagoio_pool *pool) {
    const tagoio_timer *timer = tagoio_timers_first(&pool->timers);
    if (first(&pool->done) != NULL || tagoio_list_first(&pool->retried) != NULL ||
        next_to_add(pool) != NULL) {
        return 0;
    }
    int64_t timeout_ms = libcurl_timeout_ms(pool);
    if (timer != NULL) {
        int64_t left_ms = timer->due_ms - tagoio_host_now_ms();
        timeout_ms = sooner(timeout_ms, left_ms > 0 ? left_ms : 0);
    }
    return pool->multiplexed > 0 ? sooner(timeout_ms, reminder_ms(pool)) : timeout_ms;
}

/* Waits until sockets are ready, and acts on them. */
static void poll_sockets(tagoio_pool *pool, int wait_ms) {
    tagoio_ready ready[most_ready];
    int count = tagoio_poller_wait(pool->poller, ready, most_ready, wait_ms);
    for (int i = 0; i < count; i++) {
        int events = (ready[i].readable ? CURL_CSELECT_IN : 0) |
                     (ready[i].writable ? CURL_CSELECT_OUT : 0);
        act_on(pool, ready[i].socket, events);
    }
}

int tagoio_pool_fd(tagoio_pool *pool) {
    notice_fork(pool);
    if (pool->poller < 0) {
        pool->poller = tagoio_poller_new();
    }
    return pool->poller;
}

size_t tagoio_pool_step(tagoio_pool *pool, int wait_ms) {
    tagoio_pool_fd(pool); /* calls that all back off are waited for, too */
    act(pool);
    if (pool->pending > 0) {
        poll_sockets(pool, (int)sooner(next_timeout_ms(pool), wait_ms));
        act(pool);
    }
    return pool->pending;
}

int64_t tagoio_pool_timeout_ms(tagoio_pool *pool) {
    notice_fork(pool);
    return next_timeout_ms(pool);
}

/* Takes a transfer that is done out of the list. The reference that it held. */
static tagoio_call *remove_transfer(tagoio_transfer *t) {
    tagoio_call *call = t->call;
    tagoio_list_remove(&t->in_list);
    tagoio_call_set_driver(call, NULL);
    free(t);
    return call;
}

tagoio_call *tagoio_pool_next_event(tagoio_pool *pool) {
    tagoio_link *link = tagoio_list_first(&pool->retried);
    if (link != NULL) {
        tagoio_list_remove(link);
        return tagoio_call_ref(TAGOIO_MEMBER(link, tagoio_transfer, in_retried)->call);
    }
    tagoio_transfer *t = first(&pool->done);
    return t == NULL ? NULL : remove_transfer(t);
}

int64_t tagoio_pool_moved_ms(const tagoio_pool *pool) { return pool->moved_ms; }

/* ---- starting and canceling ---- */

void tagoio_pool_multiplex(tagoio_pool *pool) { pool->multiplex = true; }

bool tagoio_pool_start(tagoio_pool *pool, tagoio_scope *scope, tagoio_call *call,
                       tagoio_error *err) {
    notice_fork(pool);
    tagoio_transfer *t = malloc(sizeof *t);
    if (t == NULL || !tagoio_timers_reserve(&pool->timers, pool->pending + 1)) {
        free(t);
        return tagoio_error_memory(err);
    }
    *t = (tagoio_transfer){.call = tagoio_call_ref(call)};
    tagoio_call_set_driver(call, t);
    tagoio_list_add(&scope->calls, &t->in_scope);
    pool->pending++;
    pool->multiplex = pool->multiplex || pool->pending > 1;
    begin(pool, t, tagoio_host_now_ms());
    return true;
}

void tagoio_pool_cancel(tagoio_pool *pool, tagoio_call *call) {
    notice_fork(pool);
    tagoio_transfer *t = tagoio_call_driver(call);
    if (t != NULL) {
        cancel(pool, t);
    }
}

void tagoio_scope_cancel(tagoio_scope *scope) {
    notice_fork(scope->pool);
    tagoio_link *link;
    while ((link = tagoio_list_first(&scope->calls)) != NULL) {
        cancel(scope->pool, TAGOIO_MEMBER(link, tagoio_transfer, in_scope));
    }
}

void tagoio_pool_forget(tagoio_pool *pool, tagoio_call *call) {
    tagoio_pool_cancel(pool, call);
    tagoio_transfer *t = tagoio_call_driver(call);
    if (t != NULL) {
        tagoio_call_unref(remove_transfer(t));
    }
}

/* ---- birth and death ---- */

tagoio_pool *tagoio_pool_new(const tagoio_pool_options *options, tagoio_error *err) {
    tagoio_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        tagoio_error_memory(err);
        return NULL;
    }
    pool->references = 1;
    pool->poller = -1;
    tagoio_list_empty(&pool->waiting);
    tagoio_list_empty(&pool->active);
    tagoio_list_empty(&pool->backing_off);
    tagoio_list_empty(&pool->done);
    tagoio_list_empty(&pool->retried);
    pool->idle = calloc((size_t)options->max_connections, sizeof *pool->idle);
    if (pool->idle == NULL) {
        tagoio_error_memory(err);
    } else if (tagoio_pool_options_copy(&pool->options, options, err)) {
        return pool;
    }
    tagoio_pool_unref(pool);
    return NULL;
}

tagoio_pool *tagoio_pool_ref(tagoio_pool *pool) {
    pool->references++;
    return pool;
}

const char *tagoio_pool_base_url(const tagoio_pool *pool) {
    return pool->options.base_url;
}

/* What is open: nothing is, or the parent's no more, after a fork. */
static void close_connections(tagoio_pool *pool) {
    while (pool->idle_count > 0) {
        tagoio_handle_free(pool->idle[--pool->idle_count]);
    }
    curl_multi_cleanup(pool->multi);
    tagoio_sockets_abandon(&pool->sockets);
    pool->multi = NULL;
    close(pool->poller); /* of -1, nothing happens */
    pool->poller = -1;
}

void tagoio_pool_unref(tagoio_pool *pool) {
    if (pool == NULL || --pool->references > 0) {
        return;
    }
    notice_fork(pool);
    tagoio_call *call;
    while ((call = tagoio_pool_next_event(pool)) != NULL) {
        tagoio_call_unref(call);
    }
    close_connections(pool);
    tagoio_timers_free(&pool->timers);
    tagoio_pool_options_free(&pool->options);
    free(pool->idle);
    free(pool);
}

tagoio_scope *tagoio_scope_new(tagoio_pool *pool) {
    tagoio_scope *scope = malloc(sizeof *scope);
    if (scope != NULL) {
        scope->pool = tagoio_pool_ref(pool);
        tagoio_list_empty(&scope->calls);
        pool->scopes++;
    }
    return scope;
}

void tagoio_scope_free(tagoio_scope *scope) {
    if (scope == NULL) {
        return;
    }
    tagoio_scope_cancel(scope);
    if (--scope->pool->scopes == 0) {
        close_connections(scope->pool);
    }
    tagoio_pool_unref(scope->pool);
    free(scope);
}
