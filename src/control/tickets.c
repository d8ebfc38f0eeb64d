/* See tickets.h. */
#include "control/tickets.h"

#include "base/xmem.h"

#include <stdlib.h>

/* One set on its way round: to each worker and back. */
struct ticket_message {
    struct message message;
    struct ticket_version *version;
    struct worker *worker;
};

struct ticket_version {
    struct ticket_keys *keys;
    struct tickets *tickets;
    struct ticket_version *before; /* freed when every worker has this one */
    unsigned waiting;              /* workers that have not said so yet */
    struct ticket_message messages[];
};

static void version_free(struct ticket_version *v)
{
    if (!v)
        return;
    version_free(v->before);
    free(v->keys);
    free(v);
}

static void on_taken(struct message *m)
{
    struct ticket_version *v = container_of(m, struct ticket_message, message)->version;
    if (--v->waiting == 0) {
        version_free(v->before);
        v->before = NULL;
    }
}

/* In the worker. */
static void on_take(struct message *m)
{
    struct ticket_message *tm = container_of(m, struct ticket_message, message);
    tm->worker->loop->ticket_keys = tm->version->keys;
    m->run = on_taken;
    inbox_post(tm->version->tickets->control, m);
}

static struct ticket_version *version_new(struct tickets *t)
{
    struct ticket_version *v = xcalloc(1, sizeof *v + t->worker_count * sizeof v->messages[0]);
    v->keys = ticket_keys_rotate(t->current ? t->current->keys : NULL);
    v->tickets = t;
    v->before = t->current;
    t->current = v;
    for (unsigned i = 0; i < t->worker_count; i++)
        v->messages[i] = (struct ticket_message){{NULL, on_take}, v, t->workers[i]};
    return v;
}

static void on_rotate(struct timer *timer)
{
    struct tickets *t = container_of(timer, struct tickets, timer);
    timer_set(t->loop, timer, t->rotate_ms);
    if (t->current->waiting)
        return; /* a worker has not taken the last one yet */
    struct ticket_version *v = version_new(t);
    v->waiting = t->worker_count;
    for (unsigned i = 0; i < t->worker_count; i++)
        inbox_post(t->workers[i]->inbox, &v->messages[i].message);
}

void tickets_start(struct tickets *t, uint64_t rotate_ms)
{
    struct ticket_version *v = version_new(t);
    for (unsigned i = 0; i < t->worker_count; i++)
        t->workers[i]->loop->ticket_keys = v->keys;
    t->rotate_ms = rotate_ms;
    t->timer.fire = on_rotate;
    timer_set(t->loop, &t->timer, rotate_ms);
}

void tickets_stop(struct tickets *t)
{
    if (!t->current)
        return;
    timer_clear(t->loop, &t->timer);
    version_free(t->current);
    t->current = NULL;
}
