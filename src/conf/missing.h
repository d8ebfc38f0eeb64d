/* Features that are not built in: which keys ask for one, and which routes and listeners lack one.
 */
#ifndef TG_CONF_MISSING_H
#define TG_CONF_MISSING_H

#include "conf/check.h"

/* Does the value ask for nothing beyond what is built in? */
bool missing_is_ready(const struct key *key, const struct node *n);
/* Remembers that the key being checked was given at `at` and its feature is not built in. */
void missing_note(struct check *c, const struct key *key, const struct node *at);

/* Around the check of an entry whose `missing` is to be set (KEY_GATE). */
void missing_begin(struct check *c);
void missing_end(struct check *c, const struct node *entry);

/*
 * Completes `missing` of the gates: a route lacks what its service lacks, and what client_limits
 * asks for unless it has `limits: none`.
 */
void missing_spread(struct check *c, const struct node *root);

#endif
