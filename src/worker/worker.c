/* See worker.h. */
#include "worker/worker.h"

#include "base/xmem.h"
#include "core/conn.h"
#include "core/life.h"
#include "net/tls_mem.h"

#include <stdlib.h>
#include <unistd.h>

enum { HEARTBEAT_MS = 500 };

static void on_accept(struct listener *l, int fd, const struct addr *peer)
{
    struct worker_listener *wl = container_of(l, struct worker_listener, listener);
    struct core *c = &wl->worker->core;
    const struct snapshot_listener *sl = snapshot_listener(c->snapshot, wl->address);
    if (sl)
        conn_accept(c, sl, fd, peer);
    else
        close(fd);
}

static void on_heartbeat(struct timer *t)
{
    struct worker *w = container_of(t, struct worker, heartbeat);
    life_trim(&w->core);
    timer_set(w->loop, t, HEARTBEAT_MS);
}

/* Takes what the kernel accepted already, then closes. */
static void stop_listeners(struct worker *w)
{
    for (size_t i = 0; i < w->listener_count; i++) {
        struct listener *l = &w->listeners[i].listener;
        if (!l->open)
            continue;
        listener_drain(l);
        close(l->fd);
    }
}

static void on_core_drained(struct core *c)
{
    struct worker *w = container_of(c, struct worker, core);
    if (w->drained_sent)
        return;
    w->drained_sent = true;
    inbox_post(c->control, &w->drained);
}

static void on_drain(struct message *m)
{
    struct worker *w = container_of(m, struct worker, drain);
    stop_listeners(w);
    core_drain(&w->core);
}

static void on_stop(struct message *m)
{
    struct worker *w = container_of(m, struct worker, stop);
    stop_listeners(w);
    w->core.on_drained = NULL;
    timer_clear(w->loop, &w->heartbeat);
    core_abort_all(&w->core);
    pool_fini(&w->core.pool);
    loop_stop(w->loop);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    tls_mem_thread();
    timer_set(w->loop, &w->heartbeat, HEARTBEAT_MS);
    loop_run(w->loop);
    return NULL;
}

struct worker *worker_new(const struct worker_options *o)
{
    struct worker *w = xcalloc(1, sizeof *w);
    w->loop = loop_new();
    w->inbox = w->loop ? inbox_new(w->loop) : NULL;
    if (!w->inbox) {
        worker_free(&w);
        return NULL;
    }
    w->heartbeat.fire = on_heartbeat;
    w->drain.run = on_drain;
    w->stop.run = on_stop;
    w->drained.run = o->on_drained;
    w->core.h1.loop = w->loop;
    w->core.scratch = route_scratch_new();
    w->core.module =
        (struct req_worker){.loop = w->loop, .metrics = o->metrics, .access_ring = o->log};
    w->core.shared = o->shared;
    w->core.control = o->control;
    w->core.worker = o->index;
    w->core.on_drained = on_core_drained;
    core_init(&w->core);
    w->listeners = xcalloc(LISTENERS_MAX, sizeof *w->listeners);
    return w;
}

int worker_listen(struct worker *w, int fd, const char *address)
{
    struct worker_listener *l = &w->listeners[w->listener_count];
    ensure(w->listener_count < LISTENERS_MAX);
    l->worker = w;
    l->address = xstrdup(address);
    w->listener_count++;
    return listener_open(&l->listener, w->loop, fd, on_accept);
}

static void on_adopt(struct message *m)
{
    struct snapshot_worker *sw = container_of(m, struct snapshot_worker, adopt);
    core_adopt(sw->core, sw->snapshot);
}

void worker_begin_with(struct worker *w, struct snapshot *s)
{
    core_of_snapshot(&w->core, s)->core = &w->core;
    core_adopt(&w->core, s);
}

int worker_start(struct worker *w)
{
    w->running = pthread_create(&w->thread, NULL, worker_main, w) == 0;
    return w->running ? 0 : -1;
}

void worker_adopt(struct worker *w, struct snapshot *s)
{
    struct snapshot_worker *sw = core_of_snapshot(&w->core, s);
    sw->core = &w->core;
    sw->adopt.run = on_adopt;
    inbox_post(w->inbox, &sw->adopt);
}

void worker_drain(struct worker *w)
{
    inbox_post(w->inbox, &w->drain);
}

void worker_stop(struct worker *w)
{
    if (!w->running)
        return;
    inbox_post(w->inbox, &w->stop);
    pthread_join(w->thread, NULL);
    w->running = false;
}

void worker_free(struct worker **wp)
{
    struct worker *w = *wp;
    *wp = NULL;
    for (size_t i = 0; i < w->listener_count; i++) {
        if (w->listeners[i].listener.open) {
            listener_stop(&w->listeners[i].listener);
            close(w->listeners[i].listener.fd);
        }
        free(w->listeners[i].address);
    }
    free(w->listeners);
    if (w->inbox)
        inbox_free(w->inbox);
    if (w->core.scratch) {
        if (w->core.snapshot)
            core_retire(&w->core);
        core_fini(&w->core);
    }
    if (w->loop)
        loop_free(w->loop);
    free(w);
}
