/* YAML text to a tree of values as written, with the place of each. */
#ifndef TG_CONF_PARSE_H
#define TG_CONF_PARSE_H

#include "base/arena.h"
#include "conf/conf.h"

enum {
    PARSE_DEPTH_MAX = 64,
    PARSE_ALIAS_NODES_MAX = 100000, /* what aliases may expand to, in all */
};

/*
 * YAML 1.2 (with `json`: strict JSON). NULL and an error when it is not well-formed; faults that
 * leave a readable tree (duplicate keys, merge keys, unknown anchors) add an error each and the
 * tree is returned. Nodes lie in `arena` and keep `file`; an aliased node is shared, not copied.
 */
const struct node *parse_text(struct arena *arena, const char *file, struct str text, bool json,
                              struct conf_errors *errs);

#endif
