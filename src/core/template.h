/* Texts of request_headers, response_headers and respond with `${word}` in them, compiled when a
 * snapshot is built and filled in per request. */
#ifndef TG_CORE_TEMPLATE_H
#define TG_CORE_TEMPLATE_H

#include "base/arena.h"

struct req;
struct template;

/* `text` as the checked configuration has it: ${tenant} ${subject} ${request_id} ${client_ip}
 * ${route} ${header:NAME} ${path:NAME}, and `$${` for a literal `${`. Lives in `arena`, immutable.
 * NULL: `error` says what is wrong. */
struct template *template_compile(struct arena *arena, const char *text, struct buf *error);
/* The text for this request, in the request's arena or the template's; what the request does not
 * have is empty. */
struct str template_fill(const struct template *t, struct req *r);
/* No `${word}` in it: the same for every request. */
bool template_is_constant(const struct template *t);

#endif
