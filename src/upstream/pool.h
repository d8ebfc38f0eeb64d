/* One worker's connections to endpoints: idle ones kept for the next request, last in first out,
 * ended by their timeout, by the peer, or when no snapshot names their endpoint any more. No
 * system call is spent on asking whether an idle one still lives: its registered event has told. */
#ifndef TG_UPSTREAM_POOL_H
#define TG_UPSTREAM_POOL_H

#include "base/list.h"
#include "http/h1_client.h"
#include "net/loop.h"
#include "upstream/endpoint.h"

struct upstream_conn {
    struct h1_client h1;
    struct pool *pool;
    struct endpoint *endpoint;
    struct list link;   /* idle or busy list of its endpoint */
    struct timer timer; /* the user's while busy, the pool's while idle */
    struct task release;
    uint64_t idle_since_ms;
    uint32_t requests; /* served */
    bool pooled;       /* came out of the pool: the peer may have closed it meanwhile */
    bool dead;
    void (*on_timer)(struct upstream_conn *c); /* while busy */
};

struct pool_slot {
    struct list idle, busy;
    uint32_t idle_count, in_flight;
};

struct pool {
    struct h1_env *env;
    struct pool_slot **slots;
    uint32_t slot_count;
    const bool *named; /* by slot: the current snapshot names the endpoint */
    uint32_t named_count;
};

/* Slots below `count` may be used from now on. `named` lives until the next call. Idle connections
 * of endpoints not named are closed. */
void pool_adopt(struct pool *p, const bool *named, uint32_t count);
/* An idle connection at most `max_idle_ms` old, now busy; NULL if there is none. */
struct upstream_conn *pool_get(struct pool *p, struct endpoint *e, uint64_t max_idle_ms);
/* A new, busy one; ops->on_open or on_fault follows. */
struct upstream_conn *pool_dial(struct pool *p, struct endpoint *e, struct tls_client *tls,
                                const struct h1_client_ops *ops, void *user);
/* Done with a connection: kept if it can be used again, else closed. */
void pool_put(struct upstream_conn *c, uint32_t idle_max, uint64_t idle_timeout_ms,
              uint64_t max_requests);
/* Closed; freed at the turn's end. */
void pool_drop(struct upstream_conn *c);
/* Everything closed and freed; no request may be running. */
void pool_fini(struct pool *p);
uint32_t pool_in_flight(const struct pool *p, const struct endpoint *e);

#endif
