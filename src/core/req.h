/* A request's life in the core: what was decided about it and what was counted. The exchange part
 * is the wire's view; everything here is decided by route, filters and proxy. Owned by one
 * worker. */
#ifndef TG_CORE_REQ_H
#define TG_CORE_REQ_H

#include "base/list.h"
#include "base/timetext.h"
#include "core/route.h"
#include "http/exchange.h"
#include "net/addr.h"
#include "net/loop.h"

struct attempt;
struct conn;
struct core;
struct endpoint;
struct metrics;
struct ring;
struct route;
struct snapshot;
struct variant;

enum { REQUEST_ID_MAX = 64, REQ_FILTERS_MAX = 32 };

/* What of its worker a module may use; one per worker, filled by the core. */
struct req_worker {
    struct loop *loop;
    struct metrics *metrics;
    struct ring *access_ring; /* lines for the access log; NULL: there is none */
    struct timetext time;     /* of log lines */
};

/* What took part, for logs, metrics and templates: STR_NULL what did not. Set by the core when it
 * is decided; the bytes live as long as the request. */
struct req_names {
    struct str listener, route, service, variant;
    struct str endpoint;                /* "10.0.10.11:8080" */
    struct str tls_version, tls_cipher; /* of the client's connection; "TLSv1.3" */
};

struct req {
    struct exchange x;         /* first: the codec allocates through it */
    struct list link;          /* in core->live */
    struct core *core;         /* the worker's */
    struct req_worker *worker; /* the worker's */
    struct req_names names;
    struct conn *conn;             /* the client's connection */
    struct snapshot *snapshot;     /* pinned */
    const struct route *route;     /* never NULL: the snapshot's `no_route` until one matched */
    const struct variant *variant; /* the one that answered or was tried last */
    struct endpoint *endpoint;
    struct attempt *attempt; /* the running one, or NULL */

    struct str host;      /* lower-case, no port */
    struct str path;      /* normalised; after rewriting see proxy */
    struct str query;     /* p == NULL: none */
    struct str client_ip; /* text, the trusted view */
    struct str request_id;
    struct str tenant, subject; /* once authenticated, else STR_NULL */
    struct route_match match;   /* as router_match left it: ${path:NAME} */
    uint16_t client_port;
    struct str error_code; /* of an answer made here: "no_route"; else empty */

    uint64_t start_ns; /* loop time when its first byte was read */
    uint64_t upstream_start_ns, upstream_head_ns, upstream_end_ns; /* 0: not reached */
    uint64_t end_ns; /* clock read when it finished, before any on_finish */
    uint64_t upstream_bytes_in, upstream_bytes_out;
    uint16_t attempts;
    bool answered; /* an answer was begun, by the service or here */
    bool aborted;  /* the client left first: logged as 499 */

    /* Filter chain. */
    uint8_t filter_next;  /* the next on_request to run */
    uint32_t filters_ran; /* a bit each: on_finish is due for them */
    bool waiting;         /* a filter said TG_WAIT */
    bool resumed;
    void (*cancel)(struct req *, void *);
    void *cancel_ctx;
    struct timer wait_timer;
    struct task run; /* continues the chain at the turn's end */
    bool dead;       /* ended while `run` was queued: freed there */
};

/* Status for logs and metrics: 499 when the client left first. */
static inline uint16_t req_code(const struct req *r)
{
    return r->aborted ? 499 : r->x.status;
}

static inline struct req *req_of(struct exchange *x)
{
    return (struct req *)(void *)x;
}

#endif
