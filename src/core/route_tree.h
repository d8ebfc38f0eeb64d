/* The index of the request matcher: hosts, and below each host the segments of its paths, as one
 * tree whose edges lie in one hash table. A step costs one probe, however many routes there are.
 *
 * A path "/a/b" is the segments "a", "b"; "/a/b/" has an empty third one; "/" is one empty
 * segment. The table is found by the hash of all segments down to the node, which the path alone
 * gives, so that the probes of a walk do not wait for each other. */
#ifndef TG_CORE_ROUTE_TREE_H
#define TG_CORE_ROUTE_TREE_H

#include "base/str.h"

#include <stdint.h>

struct route_rule;

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
    uint64_t listeners;
    const struct route_rule *rule;
    int32_t priority;
    uint32_t entry, path; /* indices: the router's entry, and in that the path */
    uint16_t methods;
    bool plain; /* nothing else to compare than listeners, methods and path */
};

#define ROUTE_NODE_NONE UINT32_MAX

struct route_node {
    uint64_t hash;
    const char *segment;
    uint32_t segment_n;
    uint32_t parent;
    uint32_t up;    /* nearest node above with prefixes, or ROUTE_NODE_NONE */
    uint32_t regex; /* nearest node from here upwards with regexes, or ROUTE_NODE_NONE */
    uint32_t from, end[ROUTE_LISTS]; /* its candidates, list after list */
    int32_t max_priority;            /* of a host: among all its candidates */
};

struct route_slot {
    uint32_t tag;
    uint32_t node; /* 0: empty */
};

struct route_record; /* a candidate before route_tree_finish */

/* Zero-initialised, then route_tree_init. */
struct route_tree {
    struct route_node *nodes;
    struct route_slot *slots;
    struct route_cand *cands;
    struct route_record *records;
    size_t n_nodes, cap_nodes, n_slots, n_records, cap_records;
};

/* Makes `roots` roots, nodes 0 to roots - 1. */
void route_tree_init(struct route_tree *t, uint32_t roots);
void route_tree_fini(struct route_tree *t);

/* The child, made if need be; the segment's text outlives the tree. */
uint32_t route_tree_put(struct route_tree *t, uint32_t parent, struct str segment);
/* The same for all segments of a path that is empty or begins with '/'. */
uint32_t route_tree_put_path(struct route_tree *t, uint32_t parent, struct str path);
/* Puts a candidate into a list of a node; `matchers` decides the order within it. */
void route_tree_add(struct route_tree *t, uint32_t node, enum route_list list,
                    const struct route_cand *c, unsigned matchers);
/* After the last one: sorts the candidates. Lists are in the order of the contract: by priority,
 * then (but for regexes) by number of matchers, then by place in the file. */
void route_tree_finish(struct route_tree *t);

/* The child of that name, or ROUTE_NODE_NONE. */
uint32_t route_tree_child(const struct route_tree *t, uint32_t parent, struct str segment);
/* The deepest node on the path; `*rest` is what the path has left: nothing, or '/' and more. */
uint32_t route_tree_walk(const struct route_tree *t, uint32_t root, struct str path,
                         struct str *rest);
/* The regex at or above `node` that comes next after `last` (NULL: the first) in the order of
 * priority and file; NULL after the last one. */
const struct route_cand *route_tree_next_regex(const struct route_tree *t, uint32_t node,
                                               const struct route_cand *last);

static inline const struct route_cand *route_list_begin(const struct route_tree *t,
                                                        const struct route_node *n,
                                                        enum route_list list)
{
    return t->cands + (list ? n->end[list - 1] : n->from);
}

static inline const struct route_cand *route_list_end(const struct route_tree *t,
                                                      const struct route_node *n,
                                                      enum route_list list)
{
    return t->cands + n->end[list];
}

#endif
