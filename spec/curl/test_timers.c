/* SPDX-License-Identifier: MIT */
/* Timers and lists against models that are too simple to be wrong, by sequences that
   look random and are the same each time. */
#include "curl/list.h"
#include "curl/timers.h"
#include "support/check.h"

enum { timer_count = 200, link_count = 50, rounds = 20000 };

static uint64_t state;

static int random_below(int limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)((state >> 33) % (unsigned)limit);
}

/* ---- timers ---- */

/* The model: when each is due, -1: not set. */
static tagoio_timer timers[timer_count];
static int64_t due_ms[timer_count];

static int64_t earliest_ms(void) {
    int64_t found_ms = -1;
    for (int i = 0; i < timer_count; i++) {
        if (due_ms[i] >= 0 && (found_ms < 0 || due_ms[i] < found_ms)) {
            found_ms = due_ms[i];
        }
    }
    return found_ms;
}

static size_t set_count(void) {
    size_t count = 0;
    for (int i = 0; i < timer_count; i++) {
        count += due_ms[i] >= 0;
    }
    return count;
}

static bool agrees(const tagoio_timers *heap) {
    const tagoio_timer *first = tagoio_timers_first(heap);
    return check_number(earliest_ms(), first == NULL ? -1 : first->due_ms) &&
           check_number((int64_t)set_count(), (int64_t)heap->count) &&
           check_true(first == NULL || due_ms[first - timers] == first->due_ms);
}

static void set(tagoio_timers *heap, int which, int64_t at_ms) {
    check_true(tagoio_timers_reserve(heap, set_count() + 1));
    tagoio_timers_set(heap, &timers[which], at_ms);
    due_ms[which] = at_ms;
}

static void clear(tagoio_timers *heap, int which) {
    tagoio_timers_clear(heap, &timers[which]);
    due_ms[which] = -1;
}

static void start_timers(uint64_t seed) {
    state = seed;
    for (int i = 0; i < timer_count; i++) {
        timers[i] = (tagoio_timer){.position = 0};
        due_ms[i] = -1;
    }
}

/* Few times make many ties. */
static void try_timers(uint64_t seed, int times) {
    check_case("timers that are set and cleared anyhow, %d times, seed %d", times,
               (int)seed);
    tagoio_timers heap = {.heap = NULL};
    start_timers(seed);
    bool ok = agrees(&heap);
    for (int i = 0; ok && i < rounds; i++) {
        int which = random_below(timer_count);
        if (random_below(5) < 3) {
            set(&heap, which, random_below(times));
        } else {
            clear(&heap, which);
        }
        ok = agrees(&heap);
    }
    check_true(heap.count > 1);
    int64_t last_ms = 0;
    for (tagoio_timer *first; ok && (first = tagoio_timers_first(&heap)) != NULL;) {
        ok = check_true(first->due_ms >= last_ms);
        last_ms = first->due_ms;
        clear(&heap, (int)(first - timers));
        ok = agrees(&heap) && ok;
    }
    tagoio_timers_free(&heap);
}

static void test_timers(void) {
    try_timers(1, 1000000);
    try_timers(2, 10);
    try_timers(3, 1);
}

/* AddressSanitizer would end a program that asks for too much. */
const char *__asan_default_options(void);
__attribute__((__visibility__("default"))) const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

static void test_room(void) {
    check_case("room for more timers than there is memory is refused, the others stay");
    tagoio_timers heap = {.heap = NULL};
    start_timers(4);
    set(&heap, 0, 1);
    check_true(!tagoio_timers_reserve(&heap, SIZE_MAX / 64));
    check_true(agrees(&heap));
    set(&heap, 1, 2);
    check_true(agrees(&heap));
    tagoio_timers_free(&heap);
}

/* ---- lists ---- */

typedef struct member {
    int64_t payload; /* so that the link is not at the beginning */
    tagoio_link link;
} member;

static member members[link_count];
static int order[link_count]; /* the model */
static int order_count;

static void model_remove(int which) {
    int kept = 0;
    for (int i = 0; i < order_count; i++) {
        if (order[i] != which) {
            order[kept++] = order[i];
        }
    }
    order_count = kept;
}

static bool is_in_order(const tagoio_link *head) {
    const tagoio_link *at = head;
    for (int i = 0; i < order_count; i++) {
        if (!check_true(at->next == &members[order[i]].link) ||
            !check_true(at->next->previous == at)) {
            return false;
        }
        at = at->next;
    }
    const tagoio_link *first = order_count > 0 ? &members[order[0]].link : NULL;
    return check_true(at->next == head) && check_true(head->previous == at) &&
           check_true(tagoio_list_first(head) == first);
}

static void test_list(void) {
    check_case("a list keeps the order of what is added, whatever leaves it");
    tagoio_link head;
    state = 4;
    tagoio_list_empty(&head);
    bool ok = is_in_order(&head);
    for (int i = 0; ok && i < rounds; i++) {
        int which = random_below(link_count);
        tagoio_list_remove(&members[which].link);
        model_remove(which);
        if (random_below(2) == 0) {
            tagoio_list_add(&head, &members[which].link);
            order[order_count++] = which;
        }
        ok = is_in_order(&head);
    }
    check_true(order_count > 1);
    check_case("a link leads back to what it lives in");
    tagoio_link *first = tagoio_list_first(&head);
    check_true(TAGOIO_MEMBER(first, member, link) == &members[order[0]]);
}

int main(void) {
    const check_test tests[] = {test_timers, test_room, test_list};
    return check_run(tests, check_count(tests));
}
