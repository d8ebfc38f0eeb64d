/* One thread's event loop: libevent underneath, with a turn's clock, lazily re-armed timers, work
 * put off to the end of the turn, and the hot buffers that every connection of the thread shares.
 * Everything here is used by the loop's own thread only; other threads use an inbox. */
#ifndef TG_NET_LOOP_H
#define TG_NET_LOOP_H

#include "base/rand.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct ticket_keys;

enum {
    LOOP_READ = 32768,            /* the most that is received at once: it stays in the cache */
    LOOP_RX = 131072 + LOOP_READ, /* bytes of the receive buffer: with what was parked before */
    LOOP_SHARE = 32, /* reads in a row of one connection, then others have their turn */
};

/* Work for the end of the turn; embedded in its object. */
struct task {
    struct task *next;
    void (*run)(struct task *);
    bool queued;
};

/* A deadline; embedded in its object. Zero-initialised with `fire` set is idle. */
struct timer {
    void (*fire)(struct timer *);
    uint64_t due_ms;  /* when it shall fire, in the loop's time; 0: idle */
    uint64_t heap_ms; /* where it stands in the heap: never later than due_ms */
    uint32_t slot;    /* place in the heap + 1, 0: not in it */
};

struct loop {
    struct event_base *base;
    uint64_t now_ns;  /* monotonic, read once a turn */
    uint64_t now_ms;  /* the same in milliseconds */
    uint64_t wall_ns; /* UTC, read once a turn */
    uint64_t turns;   /* liveness: raised each turn (relaxed atomic store) */
    bool in_turn;     /* the clocks were read since the last wait */
    struct rand rand;
    char *rx;                        /* LOOP_RX bytes, valid until the event callback returns */
    struct ticket_keys *ticket_keys; /* of TLS servers in this thread; see tls.h */
    struct loop_private *private;
};

/* NULL only if the kernel gives no epoll descriptor. */
struct loop *loop_new(void);
/* All streams, timers and inboxes of the loop must be gone. */
void loop_free(struct loop *l);
/* Turns until loop_stop. */
void loop_run(struct loop *l);
/* From the loop's own thread. */
void loop_stop(struct loop *l);
/* Runs `t` once before the loop waits again; a task queued by a task runs in the same pass. Queuing
 * twice is once. */
void loop_task(struct loop *l, struct task *t);
/* The same, but one turn later and after a look at the events, without waiting for any: for work
 * that used up its share of a turn. */
void loop_task_next(struct loop *l, struct task *t);
/* Not run; does nothing if it is not queued. Costs a walk over the queue. */
void loop_task_cancel(struct loop *l, struct task *t);
/* Clock readings refreshed outside the turn's begin (after long work). */
void loop_update_time(struct loop *l);

/* First line of every callback that libevent calls: reads the clocks once a turn, after the
 * wait. */
static inline void loop_enter(struct loop *l)
{
    if (!l->in_turn)
        loop_update_time(l);
}

/* Fires once, `after_ms` from the turn's time, at most a few ms late; setting again moves it. To
 * later costs a store: the heap is put right when the old time comes. */
void timer_set(struct loop *l, struct timer *t, uint64_t after_ms);
/* Idle afterwards; does nothing if it is already. */
void timer_clear(struct loop *l, struct timer *t);

static inline bool timer_pending(const struct timer *t)
{
    return t->due_ms != 0;
}

#endif
