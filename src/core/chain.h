/* The filter chain of a request: down in phase order until one answers, then the service is asked;
 * the answer's head passes those that ran in reverse; on_finish runs once for each of them. */
#ifndef TG_CORE_CHAIN_H
#define TG_CORE_CHAIN_H

#include "core/req.h"

/* From the first filter; ends in the proxy, the route's own answer, or a filter's. */
void chain_start(struct req *r);
/* For a request that will be refused: no decision is waited for or made any more, the rest of the
 * filters that decide nothing (logs, identifiers, fields) run. */
void chain_run_common(struct req *r);
/* The answer's head is complete: filters that ran may change it. */
void chain_answer(struct req *r);
/* The request ends: cancels a wait, calls on_finish. */
void chain_finish(struct req *r);

#endif
