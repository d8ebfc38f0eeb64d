/* The last link of the chain: asks the service and streams its answer back. One attempt at a time;
 * a second one only when a pooled connection turned out to be closed and nothing was lost by
 * asking again. */
#ifndef TG_CORE_PROXY_H
#define TG_CORE_PROXY_H

#include "core/req.h"

void proxy_start(struct req *r);
/* The client's codec shows body bytes (r->x.in). */
void proxy_request_body(struct req *r);
/* The client took everything: go on reading from the service. */
void proxy_client_drained(struct req *r);
/* The running attempt, if any, is given up: its connection closes. */
void proxy_cancel(struct req *r);

#endif
