/* Single values: references replaced, then typed. */
#ifndef TG_CONF_CHECK_SCALAR_H
#define TG_CONF_CHECK_SCALAR_H

#include "conf/check.h"
#include "conf/subst.h"

/* Replaces the references in `n` and finds its kind anew; false when that is an error (and said).
 */
bool scalar_substitute(struct check *c, enum subst_mode mode, struct node *n);
/* The typed value; NULL when it is as if absent. */
const struct node *scalar_check(struct check *c, const struct key *key, const struct node *raw);

#endif
