/* Intrusive doubly linked circular lists: a node is in one list at most, unlinking is safe
 * twice. */
#ifndef TG_BASE_LIST_H
#define TG_BASE_LIST_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define list_entry(ptr, type, member) container_of(ptr, type, member)

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

/* True for a head without nodes and for a node in no list. */
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert(struct list *before, struct list *node)
{
    node->prev = before->prev;
    node->next = before;
    before->prev->next = node;
    before->prev = node;
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert(head, node);
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert(head->next, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline struct list *list_first(struct list *head)
{
    return list_empty(head) ? NULL : head->next;
}

static inline struct list *list_pop_front(struct list *head)
{
    struct list *node = list_first(head);
    if (node)
        list_remove(node);
    return node;
}

/* `node` may be removed in the body. */
#define list_for_each(node, head)                                                                  \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);              \
         node = node##_next, node##_next = node->next)

#endif
