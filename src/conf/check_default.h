/* Keys left out: their defaults, made once and shared. */
#ifndef TG_CONF_CHECK_DEFAULT_H
#define TG_CONF_CHECK_DEFAULT_H

#include "conf/check.h"

/*
 * Adds the defaults of all keys that are not among the items since `first`; one that is required
 * and has none is an error at `raw`, the map being checked.
 */
void default_fill(struct check *c, const struct key *keys, const struct node *raw, size_t first);

#endif
