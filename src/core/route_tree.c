/* Look-ups in the tree; see route_tree.h. */
#include "core/route_tree.h"

#include "base/check.h"
#include "core/route_hash.h"

#include <stdlib.h>

void route_tree_fini(struct route_tree *t)
{
    free(t->tags);
    free(t->nodes);
    free(t->segments);
    free(t->lists);
    free(t->cands);
    *t = (struct route_tree){0};
}

static inline bool node_is(const struct route_tree *t, size_t i, uint32_t parent,
                           struct str segment)
{
    const struct route_node *n = &t->nodes[i];
    if (n->parent != parent || n->segment_n != segment.n)
        return false;
    return route_bytes_equal(segment.n <= ROUTE_NODE_TEXT ? n->text : t->segments[i], segment.p,
                             segment.n);
}

static inline uint32_t find(const struct route_tree *t, uint32_t parent, uint64_t hash,
                            struct str segment)
{
    size_t mask = t->groups - 1;
    for (size_t group = hash & mask;; group = (group + 1) & mask) {
        uint64_t tags = t->tags[group];
        for (uint64_t m = route_find_byte(tags, route_tag(hash)); m; m &= m - 1) {
            size_t i = group * ROUTE_GROUP + (unsigned)__builtin_ctzll(m) / 8;
            if (node_is(t, i, parent, segment))
                return (uint32_t)i;
        }
        if (likely(route_find_byte(tags, 0) != 0))
            return ROUTE_NODE_NONE;
    }
}

struct route_place route_tree_root(const struct route_tree *t, uint32_t i)
{
    return (struct route_place){i, (uint32_t)(t->groups * ROUTE_GROUP) + i};
}

bool route_tree_child(const struct route_tree *t, struct route_place parent, struct str segment,
                      struct route_place *out)
{
    out->hash = route_hash(parent.hash, segment);
    out->node = find(t, parent.node, out->hash, segment);
    return out->node != ROUTE_NODE_NONE;
}

uint32_t route_tree_walk(const struct route_tree *t, struct route_place from, struct str path,
                         struct str *rest)
{
    uint32_t node = from.node;
    uint64_t hash = from.hash;
    const char *p = path.p, *end = path.p + path.n, *stop;
    for (; p < end && *p == '/'; p = stop) {
        stop = route_segment_read(p + 1, end, &hash);
        uint32_t child = find(t, node, hash, str_make(p + 1, (size_t)(stop - p - 1)));
        if (child == ROUTE_NODE_NONE)
            break;
        node = child;
    }
    *rest = str_make(p, (size_t)(end - p));
    return node;
}

int32_t route_tree_priority(const struct route_tree *t, uint32_t node)
{
    return t->lists[t->nodes[node].lists].max_priority;
}

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

int route_cand_compare(const struct route_cand *a, const struct route_cand *b)
{
    int by = ORDER(b->priority, a->priority);
    by = by ? by : ORDER(a->entry, b->entry);
    return by ? by : ORDER(a->path, b->path);
}

/* The first of a sorted list that comes after `last`. */
static const struct route_cand *first_after(const struct route_cand *from,
                                            const struct route_cand *end,
                                            const struct route_cand *last)
{
    while (last && from < end) {
        const struct route_cand *middle = from + (end - from) / 2;
        if (route_cand_compare(middle, last) > 0)
            end = middle;
        else
            from = middle + 1;
    }
    return from;
}

const struct route_cand *route_tree_next_regex(const struct route_tree *t, uint32_t node,
                                               const struct route_cand *last)
{
    const struct route_cand *next = NULL, *c;
    for (uint32_t i = t->nodes[node].regex; i != ROUTE_NODE_NONE;) {
        const struct route_node *n = &t->nodes[i];
        const struct route_cand *end = route_tree_list(t, n, ROUTE_LIST_REGEX, &c);
        c = first_after(c, end, last);
        if (c < end && (!next || route_cand_compare(c, next) < 0))
            next = c;
        i = n->parent == ROUTE_NODE_NONE ? ROUTE_NODE_NONE : t->nodes[n->parent].regex;
    }
    return next;
}
