/* The index of the request matcher: hosts, and below each host the segments of its paths, as one
 * tree that lies in one hash table. A step costs one probe, however many routes there are.
 *
 * A path "/a/b" is the segments "a", "b"; "/a/b/" has an empty third one; "/" is one empty segment.
 * A node is found by the hash of all segments down to it, which the path alone gives, so the probes
 * of a walk do not wait for each other; a tag of one byte tells most strangers apart; and a node is
 * one cache line that holds its name and, if it has only one, its candidate. */
#ifndef TG_CORE_ROUTE_TREE_H
#define TG_CORE_ROUTE_TREE_H

#include "base/str.h"

#include <stdint.h>

/* Which paths a candidate at a node takes; also the order in which they are asked. */
enum route_list {
    ROUTE_LIST_EXACT,  /* the one that ends here */
    ROUTE_LIST_BELOW,  /* those that go on with '/': a prefix with a slash at its end */
    ROUTE_LIST_PREFIX, /* both */
    ROUTE_LIST_REGEX,  /* those that its regex matches; all of them begin here */
    ROUTE_LISTS
};

/* One path of one rule at one host, with copies of what decides most requests. */
struct route_cand {
    uint32_t entry, path; /* indices: the router's entry, and in that the path */
    int32_t priority;
    uint16_t methods;
    bool plain;   /* nothing else to compare than methods and path */
    uint8_t list; /* enum route_list; ROUTE_LISTS: this is no candidate */
};

/* Lists are in the order of the contract: by priority, then (but for regexes) by number of
 * matchers, then by place in the file. */
struct route_lists {
    uint32_t from, end[ROUTE_LISTS]; /* indices of candidates, list after list */
    int32_t max_priority;            /* among all candidates here and below */
};

#define ROUTE_NODE_NONE UINT32_MAX
/* Bytes of a segment that lie in the node itself. */
#define ROUTE_NODE_TEXT 28

struct route_node {
    uint32_t parent;    /* ROUTE_NODE_NONE: a root */
    uint32_t up;        /* nearest node above with prefixes, or ROUTE_NODE_NONE */
    uint32_t regex;     /* nearest node from here upwards with regexes, or ROUTE_NODE_NONE */
    uint32_t lists;     /* index of its lists, or ROUTE_NODE_NONE: at most one candidate */
    uint32_t segment_n; /* bytes of the segment */
    struct route_cand only;
    char text[ROUTE_NODE_TEXT]; /* the segment, if it is that short */
};

/* Places of the table go in groups of eight; a group is chosen by the low bits of the hash. */
#define ROUTE_GROUP 8

/* Immutable. */
struct route_tree {
    uint64_t *tags;           /* for each group its nodes' tags, a byte each; 0: an empty place */
    struct route_node *nodes; /* those of the table, then the roots */
    size_t groups;            /* a power of two */
    const char **segments;    /* of the nodes: where the segment is written */
    struct route_lists *lists;
    struct route_cand *cands;
};

/* A node and the hash of what leads to it. */
struct route_place {
    uint64_t hash;
    uint32_t node;
};

/* A tree being made; see route_tree_build.c. */
struct route_builder;

/* With roots 0 to roots - 1. */
struct route_builder *route_builder_new(uint32_t roots) __attribute__((returns_nonnull));
/* The child, made if need be; the segment's text outlives the tree. */
uint32_t route_builder_put(struct route_builder *b, uint32_t parent, struct str segment);
/* The same for all segments of a path that is empty or begins with '/'. */
uint32_t route_builder_put_path(struct route_builder *b, uint32_t parent, struct str path);
/* Puts a candidate into a list of a node; `matchers` decides the order within it. */
void route_builder_add(struct route_builder *b, uint32_t node, enum route_list list,
                       const struct route_cand *c, unsigned matchers);
/* Makes the tree. */
void route_builder_finish(struct route_builder *b, struct route_tree *t);
/* Frees *b and sets it to NULL. */
void route_builder_free(struct route_builder **b);

/* Frees what the tree holds; it may be zero. */
void route_tree_fini(struct route_tree *t);

/* Order of regexes: by priority, then by place in the file. */
int route_cand_compare(const struct route_cand *a, const struct route_cand *b);

/* Root number i. */
struct route_place route_tree_root(const struct route_tree *t, uint32_t i);
/* The child of that name; false if there is none. */
bool route_tree_child(const struct route_tree *t, struct route_place parent, struct str segment,
                      struct route_place *out);
/* The deepest node on the path; `*rest` is what the path has left: nothing, or '/' and more. */
uint32_t route_tree_walk(const struct route_tree *t, struct route_place from, struct str path,
                         struct str *rest);
/* Highest priority of the candidates of a root or a child of one, and below. */
int32_t route_tree_priority(const struct route_tree *t, uint32_t node);
/* The candidates of one list of a node: from *c to before the end that is returned. */
static inline const struct route_cand *route_tree_list(const struct route_tree *t,
                                                       const struct route_node *n,
                                                       enum route_list list,
                                                       const struct route_cand **c)
{
    if (n->lists == ROUTE_NODE_NONE) {
        *c = &n->only;
        return *c + (n->only.list == list);
    }
    const struct route_lists *l = &t->lists[n->lists];
    *c = t->cands + (list ? l->end[list - 1] : l->from);
    return t->cands + l->end[list];
}

/* The regex at or above `node` that comes next after `last` (NULL: the first) in the order of
 * priority and file; NULL after the last one. */
const struct route_cand *route_tree_next_regex(const struct route_tree *t, uint32_t node,
                                               const struct route_cand *last);

#endif
