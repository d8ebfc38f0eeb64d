/* From a complete head to on_finish: what every request goes through before and after its filters.
 */
#ifndef TG_CORE_LIFE_H
#define TG_CORE_LIFE_H

#include "core/req.h"

/* What the client's codec calls. `user` of exchange_new is the struct conn. */
extern const struct handler_ops life_handler;

/* The memory of an ended request goes back. */
void life_release(struct req *r);
void life_free_spare(struct core *c);
/* Now and then: gives back half of the memory that was not needed since the last time. */
void life_trim(struct core *c);

/* True if the body seen so far is larger than the route allows. */
bool life_body_too_large(const struct req *r);

#endif
