/* One worker's view of the gateway: what its connections and requests share. Everything here is the
 * worker thread's own; the atomics are read by the control thread. */
#ifndef TG_CORE_CORE_H
#define TG_CORE_CORE_H

#include "core/metrics.h"
#include "core/req.h"
#include "core/snapshot.h"
#include "http/h1_body.h"
#include "upstream/pool.h"

#include <stdatomic.h>

struct inbox;
struct ring;

/* Shared by the workers; touched at accept and close only. */
struct core_shared {
    _Atomic uint32_t connections;
};

struct core {
    struct h1_env h1; /* h1.loop is the worker's loop */
    struct pool pool;
    struct snapshot *snapshot;
    struct route_scratch *scratch;
    struct req_worker module; /* what modules may use */
    struct core_shared *shared;
    struct list conns;               /* struct conn */
    struct list live;                /* struct req */
    struct list spare;               /* struct req to use again */
    struct inbox *control;           /* where snapshots go when they are done */
    unsigned worker;                 /* index */
    unsigned spare_count, spare_low; /* low: the least since life_trim */
    bool draining;
    void (*on_drained)(struct core *c); /* draining and nothing is left */
    _Atomic uint32_t live_count, conn_count;
};

/* `c` is zeroed but for h1.loop, scratch, metrics, log, shared, control and worker. */
void core_init(struct core *c);
void core_fini(struct core *c);

/* The snapshot of new requests from now on; the old one is let go of when its last request ends. */
void core_adopt(struct core *c, struct snapshot *s);

/* The thread ends: the current snapshot is let go of. No request runs any more. */
void core_retire(struct core *c);

static inline struct snapshot_worker *core_of_snapshot(const struct core *c, struct snapshot *s)
{
    return &s->workers[c->worker];
}

/* A snapshot lives while the core runs on it or anything of a request has it pinned. */
void core_pin(struct core *c, struct snapshot *s);
void core_unpin(struct core *c, struct snapshot *s);

/* Idle connections close, the others after their answer; on_drained follows when all are gone,
 * maybe at once. */
void core_drain(struct core *c);
/* A connection was closed and taken off the list. */
void core_conn_gone(struct core *c);
/* What still runs is cut off. */
void core_abort_all(struct core *c);

#endif
