/* See route_tree.h. */
#include "core/route_tree.h"

#include "base/check.h"
#include "base/xmem.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct route_record {
    uint32_t node;
    uint32_t list; /* enum route_list */
    unsigned matchers;
    struct route_cand cand;
};

static uint64_t step_hash(uint64_t above, struct str segment)
{
    return XXH3_64bits_withSeed(segment.p, segment.n, above);
}

static bool node_is(const struct route_node *n, uint32_t parent, struct str segment)
{
    return n->parent == parent && str_eq(str_make(n->segment, n->segment_n), segment);
}

/* The slot of that child, or the empty one where it would be. */
static struct route_slot *find(const struct route_tree *t, uint32_t parent, uint64_t hash,
                               struct str segment)
{
    size_t mask = t->n_slots - 1, i = hash & mask;
    uint32_t tag = (uint32_t)(hash >> 32);
    for (;; i = (i + 1) & mask) {
        struct route_slot *slot = &t->slots[i];
        if (slot->node == 0 ||
            (slot->tag == tag && node_is(&t->nodes[slot->node], parent, segment)))
            return slot;
    }
}

static uint32_t node_new(struct route_tree *t, uint32_t parent, uint64_t hash, struct str segment)
{
    if (t->n_nodes == t->cap_nodes) {
        t->cap_nodes = t->cap_nodes ? t->cap_nodes * 2 : 16;
        t->nodes = xrealloc(t->nodes, t->cap_nodes * sizeof *t->nodes);
    }
    ensure(t->n_nodes < ROUTE_NODE_NONE);
    t->nodes[t->n_nodes] = (struct route_node){
        .hash = hash,
        .segment = segment.p,
        .segment_n = (uint32_t)segment.n,
        .parent = parent,
        .max_priority = INT32_MIN,
    };
    return (uint32_t)t->n_nodes++;
}

/* At most half full: most probes end at the first slot. */
static void slots_grow(struct route_tree *t)
{
    if ((t->n_nodes + 1) * 2 <= t->n_slots)
        return;
    t->n_slots = t->n_slots ? t->n_slots * 2 : 32;
    free(t->slots);
    t->slots = xcalloc(t->n_slots, sizeof *t->slots);
    for (uint32_t i = 0; i < t->n_nodes; i++) {
        const struct route_node *n = &t->nodes[i];
        if (n->parent != ROUTE_NODE_NONE)
            *find(t, n->parent, n->hash, str_make(n->segment, n->segment_n)) =
                (struct route_slot){(uint32_t)(n->hash >> 32), i};
    }
}

void route_tree_init(struct route_tree *t, uint32_t roots)
{
    ensure(roots > 0); /* node 0 marks an empty slot: it is nobody's child */
    slots_grow(t);
    for (uint32_t i = 0; i < roots; i++)
        node_new(t, ROUTE_NODE_NONE, i + 1, STR_NULL);
}

void route_tree_fini(struct route_tree *t)
{
    free(t->nodes);
    free(t->slots);
    free(t->cands);
    free(t->records);
    *t = (struct route_tree){0};
}

uint32_t route_tree_put(struct route_tree *t, uint32_t parent, struct str segment)
{
    slots_grow(t);
    uint64_t hash = step_hash(t->nodes[parent].hash, segment);
    struct route_slot *slot = find(t, parent, hash, segment);
    if (slot->node == 0)
        *slot = (struct route_slot){(uint32_t)(hash >> 32), node_new(t, parent, hash, segment)};
    return slot->node;
}

/* Takes the first segment off a path that begins with '/'. */
static struct str next_segment(struct str *rest)
{
    const char *p = rest->p + 1, *end = rest->p + rest->n;
    const char *slash = memchr(p, '/', (size_t)(end - p));
    const char *stop = slash ? slash : end;
    *rest = str_make(stop, (size_t)(end - stop));
    return str_make(p, (size_t)(stop - p));
}

uint32_t route_tree_put_path(struct route_tree *t, uint32_t parent, struct str path)
{
    while (path.n)
        parent = route_tree_put(t, parent, next_segment(&path));
    return parent;
}

void route_tree_add(struct route_tree *t, uint32_t node, enum route_list list,
                    const struct route_cand *c, unsigned matchers)
{
    if (t->n_records == t->cap_records) {
        t->cap_records = t->cap_records ? t->cap_records * 2 : 16;
        t->records = xrealloc(t->records, t->cap_records * sizeof *t->records);
    }
    t->records[t->n_records++] = (struct route_record){node, list, matchers, *c};
    for (uint32_t i = node; i != ROUTE_NODE_NONE; i = t->nodes[i].parent)
        if (t->nodes[i].max_priority < c->priority)
            t->nodes[i].max_priority = c->priority;
}

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int cand_compare(const struct route_cand *a, const struct route_cand *b)
{
    int by = ORDER(b->priority, a->priority);
    by = by ? by : ORDER(a->entry, b->entry);
    return by ? by : ORDER(a->path, b->path);
}

static int record_compare(const void *x, const void *y)
{
    const struct route_record *a = x, *b = y;
    int by = ORDER(a->node, b->node);
    by = by ? by : ORDER(a->list, b->list);
    by = by ? by : ORDER(b->cand.priority, a->cand.priority);
    if (a->list != ROUTE_LIST_REGEX)
        by = by ? by : ORDER(b->matchers, a->matchers);
    return by ? by : cand_compare(&a->cand, &b->cand);
}

static bool list_empty(const struct route_node *n, enum route_list list)
{
    return n->end[list] == n->end[list - 1];
}

/* Parents have smaller indices than their children. */
static void link_up(struct route_tree *t)
{
    for (uint32_t i = 0; i < t->n_nodes; i++) {
        struct route_node *n = &t->nodes[i];
        const struct route_node *above = n->parent == ROUTE_NODE_NONE ? NULL : &t->nodes[n->parent];
        bool prefixes =
            above && !(list_empty(above, ROUTE_LIST_BELOW) && list_empty(above, ROUTE_LIST_PREFIX));
        n->up = prefixes ? n->parent : above ? above->up : ROUTE_NODE_NONE;
        n->regex = !list_empty(n, ROUTE_LIST_REGEX) ? i : above ? above->regex : ROUTE_NODE_NONE;
    }
}

void route_tree_finish(struct route_tree *t)
{
    if (t->n_records)
        qsort(t->records, t->n_records, sizeof *t->records, record_compare);
    t->cands = xcalloc(t->n_records + 1, sizeof *t->cands);
    size_t at = 0;
    for (uint32_t i = 0; i < t->n_nodes; i++) {
        struct route_node *n = &t->nodes[i];
        n->from = (uint32_t)at;
        for (uint32_t list = 0; list < ROUTE_LISTS; list++) {
            for (; at < t->n_records && t->records[at].node == i && t->records[at].list == list;
                 at++)
                t->cands[at] = t->records[at].cand;
            n->end[list] = (uint32_t)at;
        }
    }
    ensure(at == t->n_records);
    free(t->records);
    t->records = NULL;
    link_up(t);
}

uint32_t route_tree_child(const struct route_tree *t, uint32_t parent, struct str segment)
{
    uint32_t node = find(t, parent, step_hash(t->nodes[parent].hash, segment), segment)->node;
    return node ? node : ROUTE_NODE_NONE;
}

uint32_t route_tree_walk(const struct route_tree *t, uint32_t root, struct str path,
                         struct str *rest)
{
    uint32_t node = root;
    uint64_t hash = t->nodes[root].hash;
    *rest = path;
    while (rest->n && rest->p[0] == '/') {
        struct str after = *rest, segment = next_segment(&after);
        hash = step_hash(hash, segment);
        uint32_t child = find(t, node, hash, segment)->node;
        if (!child)
            break;
        node = child;
        *rest = after;
    }
    return node;
}

/* First candidate of a sorted list that comes after `last`. */
static const struct route_cand *first_after(const struct route_cand *from,
                                            const struct route_cand *end,
                                            const struct route_cand *last)
{
    while (last && from < end) {
        const struct route_cand *middle = from + (end - from) / 2;
        if (cand_compare(middle, last) > 0)
            end = middle;
        else
            from = middle + 1;
    }
    return from;
}

const struct route_cand *route_tree_next_regex(const struct route_tree *t, uint32_t node,
                                               const struct route_cand *last)
{
    const struct route_cand *next = NULL;
    for (uint32_t i = t->nodes[node].regex; i != ROUTE_NODE_NONE;) {
        const struct route_node *n = &t->nodes[i];
        const struct route_cand *end = route_list_end(t, n, ROUTE_LIST_REGEX);
        const struct route_cand *c =
            first_after(route_list_begin(t, n, ROUTE_LIST_REGEX), end, last);
        if (c < end && (!next || cand_compare(c, next) < 0))
            next = c;
        i = n->parent == ROUTE_NODE_NONE ? ROUTE_NODE_NONE : t->nodes[n->parent].regex;
    }
    return next;
}
