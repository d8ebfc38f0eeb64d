/* Routes that answer 501 for a reason that lies outside of them. */
#ifndef TG_CONF_MISSING_H
#define TG_CONF_MISSING_H

#include "conf/check.h"

/*
 * Completes `missing` of the gates: a route lacks what its service lacks, and what client_limits
 * asks for unless it has `limits: none`.
 */
void missing_spread(struct check *c, const struct node *root);

#endif
