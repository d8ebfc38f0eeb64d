/* The contract between the core and a module: the only header of the core that a module includes.
 *
 * Request hooks run in the order of the phases, answer hooks in reverse, also for an answer that
 * the gateway made. on_finish runs exactly once for every filter whose on_request ran, after an
 * abort too. All hooks run in the request's worker; an instance (made from its configuration) is
 * shared by all workers and is not written after create. */
#ifndef TG_CORE_FILTER_H
#define TG_CORE_FILTER_H

#include "base/arena.h"
#include "core/req.h"

struct node;
struct tg_inst;

enum tg_verdict {
    TG_NEXT, /* go on */
    TG_WAIT, /* tg_wait was called: the chain stands until tg_resume */
    TG_DONE, /* an answer was made with tg_reply: the service is not asked */
    TG_FAIL, /* 500 internal_error */
};

/* The contract's order of decisions. */
enum tg_phase {
    TG_PHASE_LOG, /* first, so that its on_finish is due for every request */
    TG_PHASE_ID,
    TG_PHASE_CORS,
    TG_PHASE_IP,
    TG_PHASE_CLIENT_LIMITS,
    TG_PHASE_AUTH,
    TG_PHASE_TENANT,
    TG_PHASE_ACL,
    TG_PHASE_VALIDATE,
    TG_PHASE_LIMITS,
    TG_PHASE_CACHE,
    TG_PHASE_IDEMPOTENCY,
    TG_PHASE_TRANSFORM, /* fields and rewriting, last before the service */
    TG_PHASES
};

/* Given to create: what belongs to the snapshot lives in `arena`. A snapshot has one more chain,
 * built with `route` NULL, for requests that no route takes (bad ones, 404, 405): what is wanted
 * there too, logs and identifiers, makes an instance. */
struct tg_build {
    struct arena *arena;
    const struct node *route; /* its configuration, defaults filled in; or NULL */
    const struct node *root;  /* the whole configuration */
    struct buf *error;        /* what is wrong, when create returns -1 */
};

struct tg_filter {
    const char *name;
    enum tg_phase phase;
    /* Makes the instance for one route; *inst stays NULL if the route does not want this filter. */
    int (*create)(struct tg_build *b, void **inst);
    void (*destroy)(void *inst);
    enum tg_verdict (*on_request)(struct req *r, void *inst);
    void (*on_response)(struct req *r, void *inst); /* r->x.answer may be changed */
    void (*on_finish)(struct req *r, void *inst);
};

/* Ends in a NULL. */
extern const struct tg_filter *const tg_filters[];

/* Answers here instead of the service: problem+json of that code (see core/reply.h). */
void tg_reply_error(struct req *r, const char *code, const char *detail);
/* Waits: `cancel` is called exactly once if the request ends first; after `timeout_ms` too. */
void tg_wait(struct req *r, void (*cancel)(struct req *, void *), void *ctx, uint64_t timeout_ms);
/* From the request's own worker, at any time after tg_wait; the chain goes on at the turn's end. */
void tg_resume(struct req *r);

#endif
