/* Making the tree of route_tree.h: nodes are collected with their candidates in a table of their
 * own that grows, then laid out for look-ups. */
#include "core/route_hash.h"
#include "core/route_tree.h"

#include "base/check.h"
#include "base/xmem.h"

#include <assert.h>
#include <stdlib.h>

enum { CACHE_LINE = 64 };

/* Parents come before their children. */
struct draft {
    uint64_t hash;
    struct str segment;
    uint32_t parent;
    uint32_t place;       /* in the tree, once that is made */
    uint32_t records;     /* how many */
    int32_t max_priority; /* of the candidates here and below */
};

struct record {
    uint32_t draft;
    unsigned matchers;
    struct route_cand cand;
};

struct route_builder {
    struct draft *drafts;
    uint32_t *slots; /* of drafts by hash; 0, a root, is empty */
    struct record *records;
    size_t n_drafts, cap_drafts, n_slots, n_records, cap_records;
    uint32_t n_roots;
};

static uint32_t *find(const struct route_builder *b, uint32_t parent, uint64_t hash,
                      struct str segment)
{
    for (size_t i = hash & (b->n_slots - 1);; i = (i + 1) & (b->n_slots - 1)) {
        const struct draft *d = &b->drafts[b->slots[i]];
        if (b->slots[i] == 0 ||
            (d->hash == hash && d->parent == parent && str_eq(d->segment, segment)))
            return &b->slots[i];
    }
}

static uint32_t draft_new(struct route_builder *b, uint32_t parent, uint64_t hash,
                          struct str segment)
{
    if (b->n_drafts == b->cap_drafts) {
        b->cap_drafts = b->cap_drafts ? b->cap_drafts * 2 : 16;
        b->drafts = xrealloc(b->drafts, b->cap_drafts * sizeof *b->drafts);
    }
    ensure(b->n_drafts < ROUTE_NODE_NONE / 4);
    b->drafts[b->n_drafts] = (struct draft){
        .hash = hash, .segment = segment, .parent = parent, .max_priority = INT32_MIN};
    return (uint32_t)b->n_drafts++;
}

static void slots_grow(struct route_builder *b)
{
    if (b->n_drafts * 2 < b->n_slots)
        return;
    b->n_slots = b->n_slots ? b->n_slots * 2 : 32;
    free(b->slots);
    b->slots = xcalloc(b->n_slots, sizeof *b->slots);
    for (uint32_t i = b->n_roots; i < b->n_drafts; i++)
        *find(b, b->drafts[i].parent, b->drafts[i].hash, b->drafts[i].segment) = i;
}

struct route_builder *route_builder_new(uint32_t roots)
{
    struct route_builder *b = xcalloc(1, sizeof *b);
    ensure(roots > 0);
    b->n_roots = roots;
    for (uint32_t i = 0; i < roots; i++)
        draft_new(b, ROUTE_NODE_NONE, i, STR_NULL);
    return b;
}

void route_builder_free(struct route_builder **b)
{
    if (!*b)
        return;
    free((*b)->drafts);
    free((*b)->slots);
    free((*b)->records);
    free(*b);
    *b = NULL;
}

uint32_t route_builder_put(struct route_builder *b, uint32_t parent, struct str segment)
{
    slots_grow(b);
    ensure(segment.n < UINT32_MAX);
    uint64_t hash = route_hash(b->drafts[parent].hash, segment);
    uint32_t *slot = find(b, parent, hash, segment);
    if (*slot == 0)
        *slot = draft_new(b, parent, hash, segment);
    return *slot;
}

uint32_t route_builder_put_path(struct route_builder *b, uint32_t parent, struct str path)
{
    const char *end = path.p + path.n;
    for (const char *p = path.p, *stop; p < end; p = stop) {
        stop = memchr(p + 1, '/', (size_t)(end - p - 1));
        stop = stop ? stop : end;
        parent = route_builder_put(b, parent, str_make(p + 1, (size_t)(stop - p - 1)));
    }
    return parent;
}

void route_builder_add(struct route_builder *b, uint32_t node, enum route_list list,
                       const struct route_cand *c, unsigned matchers)
{
    if (b->n_records == b->cap_records) {
        b->cap_records = b->cap_records ? b->cap_records * 2 : 16;
        b->records = xrealloc(b->records, b->cap_records * sizeof *b->records);
    }
    struct record *r = &b->records[b->n_records++];
    *r = (struct record){node, matchers, *c};
    r->cand.list = (uint8_t)list;
    b->drafts[node].records++;
    for (uint32_t i = node; i != ROUTE_NODE_NONE; i = b->drafts[i].parent)
        if (b->drafts[i].max_priority < c->priority)
            b->drafts[i].max_priority = c->priority;
}

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int record_compare(const void *x, const void *y)
{
    const struct record *a = x, *b = y;
    int by = ORDER(a->draft, b->draft);
    by = by ? by : ORDER(a->cand.list, b->cand.list);
    by = by ? by : ORDER(b->cand.priority, a->cand.priority);
    if (a->cand.list != ROUTE_LIST_REGEX)
        by = by ? by : ORDER(b->matchers, a->matchers);
    return by ? by : route_cand_compare(&a->cand, &b->cand);
}

/* A table at most five eighths full, all of it empty, and the roots behind it. */
static void table_make(const struct route_builder *b, struct route_tree *t)
{
    static_assert(sizeof(struct route_node) == CACHE_LINE, "a node is a cache line");
    t->groups = 1;
    while (b->n_drafts > t->groups * 5)
        t->groups *= 2;
    size_t n = t->groups * ROUTE_GROUP + b->n_roots;
    t->tags = xcalloc(t->groups, sizeof *t->tags);
    t->nodes = aligned_alloc(CACHE_LINE, n * sizeof *t->nodes);
    ensure(t->nodes != NULL);
    t->segments = xcalloc(n, sizeof *t->segments);
    for (size_t i = 0; i < n; i++)
        t->nodes[i] = (struct route_node){.parent = ROUTE_NODE_NONE,
                                          .up = ROUTE_NODE_NONE,
                                          .regex = ROUTE_NODE_NONE,
                                          .lists = ROUTE_NODE_NONE,
                                          .only.list = ROUTE_LISTS};
}

/* Takes an empty place for a hash; groups fill from their lowest byte. */
static uint32_t place_take(struct route_tree *t, uint64_t hash)
{
    size_t group = hash & (t->groups - 1);
    while (t->tags[group] >> 56)
        group = (group + 1) & (t->groups - 1);
    unsigned i = 0;
    while (t->tags[group] >> (8 * i) & 0xff)
        i++;
    t->tags[group] |= (uint64_t)route_tag(hash) << (8 * i);
    return (uint32_t)(group * ROUTE_GROUP) + i;
}

static void place_drafts(struct route_builder *b, struct route_tree *t)
{
    for (uint32_t i = 0; i < b->n_drafts; i++) {
        struct draft *d = &b->drafts[i];
        d->place = i < b->n_roots ? route_tree_root(t, i).node : place_take(t, d->hash);
        struct route_node *n = &t->nodes[d->place];
        n->segment_n = (uint32_t)d->segment.n;
        if (i >= b->n_roots)
            n->parent = b->drafts[d->parent].place;
        if (d->segment.n && d->segment.n <= ROUTE_NODE_TEXT)
            memcpy(n->text, d->segment.p, d->segment.n);
        t->segments[d->place] = d->segment.p;
    }
}

/* Lists for the nodes that need them: those of hosts, and those of several candidates. */
static void place_records(const struct route_builder *b, struct route_tree *t)
{
    size_t n_lists = 0, at = 0;
    t->lists = xcalloc(b->n_drafts, sizeof *t->lists);
    t->cands = xcalloc(b->n_records + 1, sizeof *t->cands);
    for (size_t i = 0; i < b->n_records; i++)
        t->cands[i] = b->records[i].cand;
    for (uint32_t i = 0; i < b->n_drafts; i++) {
        const struct draft *d = &b->drafts[i];
        struct route_node *n = &t->nodes[d->place];
        bool host = i < b->n_roots || d->parent < b->n_roots;
        if (d->records == 1)
            n->only = t->cands[at];
        if (d->records < 2 && !host) {
            at += d->records;
            continue;
        }
        n->lists = (uint32_t)n_lists;
        struct route_lists *l = &t->lists[n_lists++];
        l->from = (uint32_t)at;
        l->max_priority = d->max_priority;
        for (uint32_t list = 0, left = d->records; list < ROUTE_LISTS; list++) {
            for (; left && t->cands[at].list == list; left--)
                at++;
            l->end[list] = (uint32_t)at;
        }
    }
    ensure(at == b->n_records);
}

static bool has(const struct route_tree *t, const struct route_node *n, enum route_list list)
{
    const struct route_cand *c;
    return route_tree_list(t, n, list, &c) > c;
}

static void link_up(const struct route_builder *b, struct route_tree *t)
{
    for (uint32_t i = 0; i < b->n_drafts; i++) {
        uint32_t place = b->drafts[i].place;
        struct route_node *n = &t->nodes[place];
        if (n->parent != ROUTE_NODE_NONE) {
            const struct route_node *above = &t->nodes[n->parent];
            bool prefixes = has(t, above, ROUTE_LIST_BELOW) || has(t, above, ROUTE_LIST_PREFIX);
            n->up = prefixes ? n->parent : above->up;
            n->regex = above->regex;
        }
        if (has(t, n, ROUTE_LIST_REGEX))
            n->regex = place;
    }
}

void route_builder_finish(struct route_builder *b, struct route_tree *t)
{
    if (b->n_records)
        qsort(b->records, b->n_records, sizeof *b->records, record_compare);
    table_make(b, t);
    place_drafts(b, t);
    place_records(b, t);
    link_up(b, t);
}
