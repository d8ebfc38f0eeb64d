/* See inbox.h: a lock-free stack that the loop's thread takes as a whole and turns round. The
 * eventfd is edge-triggered and never read: each write is an edge. */
#include "net/inbox.h"

#include "base/check.h"
#include "base/xmem.h"
#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct inbox {
    _Alignas(64) _Atomic(struct message *) newest;
    _Alignas(64) struct event event;
    struct loop *loop;
    int fd;
};

void inbox_run(struct inbox *in)
{
    struct message *m = atomic_exchange_explicit(&in->newest, NULL, memory_order_acquire);
    struct message *oldest = NULL;
    while (m) {
        struct message *older = m->next;
        m->next = oldest;
        oldest = m;
        m = older;
    }
    while (oldest) {
        struct message *next = oldest->next;
        oldest->run(oldest);
        oldest = next;
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct inbox *in = arg;
    (void)fd;
    (void)what;
    loop_enter(in->loop);
    inbox_run(in);
}

struct inbox *inbox_new(struct loop *l)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct inbox *in = aligned_alloc(64, sizeof *in);
    ensure(in != NULL);
    atomic_init(&in->newest, NULL);
    in->loop = l;
    in->fd = fd;
    if (event_assign(&in->event, l->base, fd, EV_READ | EV_ET | EV_PERSIST, on_wake, in) == 0 &&
        event_add(&in->event, NULL) == 0)
        return in;
    close(fd);
    free(in);
    return NULL;
}

void inbox_free(struct inbox *in)
{
    inbox_run(in);
    event_del(&in->event);
    close(in->fd);
    free(in);
}

void inbox_post(struct inbox *in, struct message *m)
{
    struct message *newest = atomic_load_explicit(&in->newest, memory_order_relaxed);
    do {
        m->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&in->newest, &newest, m, memory_order_release,
                                                    memory_order_relaxed));
    if (newest)
        return;
    uint64_t one = 1;
    ensure(write(in->fd, &one, sizeof one) == (ssize_t)sizeof one);
}
