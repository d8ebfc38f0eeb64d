/* See loop.h. libevent 2.1 has no hook between the wait and the first callback, so a turn's clocks
 * are read by the first callback (loop_enter); timers and tasks run after the callbacks, outside
 * libevent. */
#include "net/loop_private.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/xmem.h"
#include "net/stream_private.h"

#include <event2/event.h>
#include <stdlib.h>

static void queue_init(struct task_queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void queue_push(struct task_queue *q, struct task *t)
{
    if (t->queued)
        return;
    t->queued = true;
    t->next = NULL;
    *q->last = t;
    q->last = &t->next;
}

static bool queue_remove(struct task_queue *q, struct task *t)
{
    for (struct task **at = &q->first; *at; at = &(*at)->next) {
        if (*at != t)
            continue;
        *at = t->next;
        if (q->last == &t->next)
            q->last = at;
        return true;
    }
    return false;
}

static struct event_base *base_new(void)
{
    struct event_config *c = event_config_new();
    ensure(c != NULL);
    event_config_require_features(c, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
    event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(c, EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *base = event_base_new_with_config(c);
    event_config_free(c);
    return base;
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    (void)fd;
    (void)what;
    l->private->armed_ms = 0;
    loop_enter(l);
}

struct loop *loop_new(void)
{
    struct event_base *base = base_new();
    if (!base)
        return NULL;
    struct loop *l = xcalloc(1, sizeof *l);
    l->private = xcalloc(1, sizeof *l->private);
    l->base = base;
    l->rx = xmalloc(LOOP_RX);
    rand_seed(&l->rand);
    queue_init(&l->private->now);
    queue_init(&l->private->next);
    ensure(evtimer_assign(&l->private->alarm, base, on_alarm, l) == 0);
    loop_update_time(l);
    return l;
}

void loop_free(struct loop *l)
{
    struct loop_private *p = l->private;
    ensure(p->timers == 0);
    event_del(&p->alarm);
    stream_tls_io_free(p->tls);
    event_base_free(l->base);
    free(p->heap);
    free(p);
    free(l->rx);
    free(l);
}

void loop_update_time(struct loop *l)
{
    l->now_ns = clock_mono_ns();
    l->now_ms = l->now_ns / 1000000u;
    l->wall_ns = clock_wall_ns();
    l->in_turn = true;
}

void loop_task(struct loop *l, struct task *t)
{
    queue_push(&l->private->now, t);
}

void loop_task_next(struct loop *l, struct task *t)
{
    queue_push(&l->private->next, t);
}

void loop_task_cancel(struct loop *l, struct task *t)
{
    if (!t->queued)
        return;
    t->queued = false;
    ensure(queue_remove(&l->private->now, t) || queue_remove(&l->private->next, t));
}

static void tasks_run(struct loop *l)
{
    struct task_queue *q = &l->private->now;
    struct task *t;
    while ((t = q->first) != NULL) {
        q->first = t->next;
        if (!q->first)
            q->last = &q->first;
        t->queued = false;
        t->run(t);
    }
}

/* What was put off to this turn joins its tasks; true if there was something. */
static bool tasks_promote(struct loop_private *p)
{
    if (!p->next.first)
        return false;
    *p->now.last = p->next.first;
    p->now.last = p->next.last;
    queue_init(&p->next);
    return true;
}

void loop_run(struct loop *l)
{
    struct loop_private *p = l->private;
    bool more = false;
    p->stop = false;
    loop_update_time(l);
    tasks_run(l);
    while (!p->stop) {
        bool busy = tasks_promote(p) || more;
        if (!busy)
            timer_arm(l);
        l->in_turn = false;
        event_base_loop(l->base,
                        EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY | (busy ? EVLOOP_NONBLOCK : 0));
        loop_enter(l);
        more = timer_fire_due(l);
        tasks_run(l);
        __atomic_store_n(&l->turns, l->turns + 1, __ATOMIC_RELAXED);
    }
}

void loop_stop(struct loop *l)
{
    l->private->stop = true;
}
