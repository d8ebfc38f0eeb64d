/* Accepts on a listening socket that somebody else opened: level-triggered, at most 32 a turn, with
 * a pause of 100 ms when the process or the machine has no descriptor left. */
#ifndef TG_NET_LISTENER_H
#define TG_NET_LISTENER_H

#include "net/addr.h"
#include "net/loop.h"

#include <event2/event_struct.h>

struct listener {
    struct event event;
    struct loop *loop;
    int fd; /* not owned: the supervisor's */
    bool open;
    struct timer pause;
    uint64_t paused; /* how often it had to (relaxed atomic store) */
    /* `fd` is non-blocking, close-on-exec and the callee's; TCP_NODELAY is set. */
    void (*on_accept)(struct listener *l, int fd, const struct addr *peer);
};

int listener_open(struct listener *l, struct loop *loop, int fd,
                  void (*on_accept)(struct listener *, int, const struct addr *))
    __attribute__((warn_unused_result));
/* Stops listening to events; the descriptor stays open, what waits in its queue stays there. */
void listener_stop(struct listener *l);
/* Accepts what is in the queue until EAGAIN, then stops. */
void listener_drain(struct listener *l);

#endif
