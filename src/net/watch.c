/* See watch.h. */
#include "net/watch.h"

#include "net/loop_private.h"

#include <event2/event.h>

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    (void)fd;
    (void)what;
    loop_enter(w->loop);
    w->on_readable(w);
}

int watch_open(struct watch *w, struct loop *l, int fd, void (*on_readable)(struct watch *))
{
    w->on_readable = on_readable;
    w->loop = l;
    event_assign(&w->event, l->base, fd, EV_READ | EV_PERSIST, on_event, w);
    return event_add(&w->event, NULL);
}

void watch_close(struct watch *w)
{
    event_del(&w->event);
}
