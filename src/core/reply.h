/* Answers that the gateway makes itself: problem+json (RFC 9457) with the contract's codes. */
#ifndef TG_CORE_REPLY_H
#define TG_CORE_REPLY_H

#include "core/req.h"

/* One row of the contract's table. */
struct reply_code {
    const char *code;
    uint16_t status;
    bool close;           /* the connection ends with it */
    uint16_t retry_after; /* seconds; 0: no Retry-After */
};

/* Row of a code; the programmer's error if there is none. */
const struct reply_code *reply_lookup(const char *code);
/* The code that goes with a status of the parser. */
const char *reply_code_of_status(unsigned status);

/* Answers with that code; `detail` is for people, may be NULL. Nothing may have been sent yet.
 * Fields added to r->x.answer before (Allow, WWW-Authenticate …) go with it. */
void reply_error(struct req *r, const char *code, const char *detail);

/* `{"type":…}` of an error, in the arena. */
struct str reply_problem(struct arena *arena, unsigned status, const char *code, const char *detail,
                         struct str request_id);

/* The route's `respond`. */
void reply_respond(struct req *r);

#endif
