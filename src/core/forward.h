/* The request as the service sees it: who asked, by which way, and nothing that a client may not
 * say. */
#ifndef TG_CORE_FORWARD_H
#define TG_CORE_FORWARD_H

#include "core/req.h"

/* Before the filters: identity fields of the client dropped, X-Forwarded-* and Via set. */
void forward_prepare(struct req *r);

/* Drops what may not pass in a trailer section, of a request or an answer. */
void forward_trailers(struct headers *trailers);

struct endpoint;

/* Appends the head of a request for `path` to this endpoint, its end included. */
void forward_head(struct req *r, const struct endpoint *e, struct str path, struct buf *out);

#endif
