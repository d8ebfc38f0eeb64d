/* See listener.h. */
#include "net/listener.h"

#include "base/check.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <netinet/tcp.h>

enum { ACCEPTS_PER_TURN = 32, PAUSE_MS = 100 };

static void pause_accepting(struct listener *l)
{
    event_del(&l->event);
    timer_set(l->loop, &l->pause, PAUSE_MS);
    __atomic_store_n(&l->paused, l->paused + 1, __ATOMIC_RELAXED);
}

static void on_pause_over(struct timer *t)
{
    struct listener *l = container_of(t, struct listener, pause);
    if (event_add(&l->event, NULL) < 0)
        timer_set(l->loop, &l->pause, PAUSE_MS);
}

/* Errors of the connection that was about to be accepted (accept(2)): the next one may be fine. */
static bool is_of_connection(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET: return true;
    default: return false;
    }
}

/* 1: accepted, 0: nothing there, -1: nothing to be had now. */
static int accept_one(struct listener *l)
{
    struct addr peer;
    int fd;
    do {
        peer.len = sizeof peer - offsetof(struct addr, sa);
        peer.un.sun_path[0] = 0;
        fd = accept4(l->fd, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && is_of_connection(errno));
    if (fd < 0)
        return errno == EAGAIN ? 0 : -1;
    l->on_accept(l, fd, &peer);
    return 1;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct listener *l = arg;
    (void)fd;
    (void)what;
    loop_enter(l->loop);
    for (int i = 0; i < ACCEPTS_PER_TURN && l->open; i++) {
        int got = accept_one(l);
        if (got < 0)
            pause_accepting(l);
        if (got <= 0)
            return;
    }
}

int listener_open(struct listener *l, struct loop *loop, int fd,
                  void (*on_accept)(struct listener *, int, const struct addr *))
{
    *l = (struct listener){.loop = loop, .fd = fd, .on_accept = on_accept};
    l->pause.fire = on_pause_over;
    /* Accepted sockets inherit it; a Unix socket refuses, which is right. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (event_assign(&l->event, loop->base, fd, EV_READ | EV_PERSIST, on_ready, l) < 0 ||
        event_add(&l->event, NULL) < 0)
        return -1;
    l->open = true;
    return 0;
}

void listener_stop(struct listener *l)
{
    if (!l->open)
        return;
    l->open = false;
    event_del(&l->event);
    timer_clear(l->loop, &l->pause);
}

void listener_drain(struct listener *l)
{
    while (l->open && accept_one(l) > 0)
        ;
    listener_stop(l);
}
