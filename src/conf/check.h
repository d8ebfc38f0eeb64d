/* A tree as parsed against the tables of keys: types, unknown and missing keys, defaults. */
#ifndef TG_CONF_CHECK_H
#define TG_CONF_CHECK_H

#include "base/schema.h"
#include "conf/source.h"

/* An entry of a list whose features may be missing (KEY_GATE). */
struct gate {
    const struct node *entry;
    struct node *missing; /* its `missing`: null until a missing feature is found */
};

struct check {
    struct arena *arena;
    struct sources *sources;
    struct conf_errors *errs;
    struct buf path;         /* of the value being checked */
    struct map defaults;     /* address of a struct key -> its default's node */
    struct node_item *items; /* entries of the maps being built */
    size_t item_count, item_capacity;
    struct conf_inactive *inactive;
    size_t inactive_count, inactive_capacity;
    struct gate *gates;
    size_t gate_count, gate_capacity;
    const char *missing; /* first deciding feature that the current gate lacks */
    size_t gate_path;    /* length of the current gate's path */
};

/*
 * Checks `raw` (a map; NODE_NULL is an empty one) against `keys`. Always returns a map; what was
 * wrong is in `errs` and stands in the map as null, so that later checks can tell wrong from
 * absent.
 */
const struct node *check_root(struct check *c, const struct key *keys, const struct node *raw);
/* A map as the value of `key`: NULL when it is as if absent. Defaults of maps are made this way. */
const struct node *check_map(struct check *c, const struct key *key, const struct node *raw);
/* Adds an entry to the map being built. */
void check_push(struct check *c, struct node_item item);
void check_fini(struct check *c);

#endif
