/* What a plain scalar means in YAML 1.2's core schema, as far as a configuration takes part in it.
 */
#ifndef TG_CONF_SCALAR_H
#define TG_CONF_SCALAR_H

#include "base/node.h"

/* Sets kind and value of `n` from its text: null, true/false, integer, real, else a string; a
 * quoted one is always a string. Integers beyond 64 bits are reals. */
void scalar_resolve(struct node *n);

#endif
