/* Where the check is in the tree, and how it says what is wrong there. */
#ifndef TG_CONF_WALK_H
#define TG_CONF_WALK_H

#include "conf/check.h"

/* Step into a key or an entry of a list; walk_leave with what these return steps back. */
size_t walk_key(struct check *c, const char *name);
size_t walk_index(struct check *c, size_t index);
void walk_leave(struct check *c, size_t mark);

/* Null at the place of `raw`: what a wrong value leaves in the checked tree. */
const struct node *walk_poison(struct check *c, const struct node *raw);
/* An error at `raw`; returns its poison. */
const struct node *walk_wrong(struct check *c, const struct node *raw, const char *text);
/* The same for a list, map or single value where `wanted` should stand. */
const struct node *walk_wrong_kind(struct check *c, const struct node *raw, const char *wanted);
/* How a value is called in a message: itself, unless it may be a secret. */
const char *walk_shown(struct check *c, const struct node *n);

#endif
