/* A descriptor that somebody else reads, watched for the loop: level-triggered. */
#ifndef TG_NET_WATCH_H
#define TG_NET_WATCH_H

#include "net/loop.h"

#include <event2/event_struct.h>

struct watch {
    struct event event;
    struct loop *loop;
    void (*on_readable)(struct watch *w);
};

/* -1: the kernel refuses. The descriptor is not owned. */
int watch_open(struct watch *w, struct loop *l, int fd, void (*on_readable)(struct watch *))
    __attribute__((warn_unused_result));
void watch_close(struct watch *w);

#endif
