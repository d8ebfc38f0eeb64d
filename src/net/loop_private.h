/* What the files of net know of a loop and the layers above do not: the heap of its timers and the
 * buffers that all TLS streams of the thread share. */
#ifndef TG_NET_LOOP_PRIVATE_H
#define TG_NET_LOOP_PRIVATE_H

#include "net/loop.h"

#include <event2/event_struct.h>

struct stream_tls_io;

/* The key stands beside the pointer so that sifting does not touch the timers themselves. */
struct timer_place {
    uint64_t ms;
    struct timer *timer;
};

struct task_queue {
    struct task *first, **last;
};

struct loop_private {
    bool stop;
    struct task_queue now, next; /* this turn's end, the next turn's end */
    struct timer_place *heap;
    uint32_t timers, room;
    uint64_t armed_ms; /* when `alarm` ends the wait; 0: not armed */
    struct event alarm;
    struct stream_tls_io *tls; /* made by the first TLS stream */
};

/* Fires what is due, at most a fixed number; true if more is due. */
bool timer_fire_due(struct loop *l);
/* Makes the next wait end when the first timer is due. */
void timer_arm(struct loop *l);

#endif
