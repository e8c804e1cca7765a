/* SPDX-License-Identifier: MIT */
/* A doubly linked list whose links live inside its members: adding and removing take
   constant time and no memory. */
#ifndef TAGOIO_CURL_LIST_H
#define TAGOIO_CURL_LIST_H

#include <stddef.h>

/* A member's link, or the head of a list: then next is the first and previous the last.
   Zero-initialised, a link is in no list and a head must be made empty first. */
typedef struct tagoio_link {
    struct tagoio_link *next;
    struct tagoio_link *previous;
} tagoio_link;

/* The member that a link lives in. */
#define TAGOIO_MEMBER(link, type, field)                                               \
    ((type *)((char *)(link)-offsetof(type, field)))

static inline void tagoio_list_empty(tagoio_link *head) {
    head->next = head;
    head->previous = head;
}

/* Adds a link, which is in no list, at the end. */
static inline void tagoio_list_add(tagoio_link *head, tagoio_link *link) {
    link->next = head;
    link->previous = head->previous;
    head->previous->next = link;
    head->previous = link;
}

/* Nothing happens to a link that is in no list. */
static inline void tagoio_list_remove(tagoio_link *link) {
    if (link->next != NULL) {
        link->previous->next = link->next;
        link->next->previous = link->previous;
        link->next = NULL;
        link->previous = NULL;
    }
}

/* NULL: the list is empty. */
static inline tagoio_link *tagoio_list_first(const tagoio_link *head) {
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is in no list */
    return head->next == head ? NULL : head->next;
}

#endif
