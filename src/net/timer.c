/* Timers of loop.h: a binary min-heap whose keys may be earlier than the deadline. Moving a
 * deadline to later only stores it; when the old time comes, the timer is sifted down to the new
 * one. */
#include "net/loop_private.h"

#include "base/check.h"
#include "base/xmem.h"

#include <event2/event.h>

enum {
    FIRE_MAX = 256, /* in one turn, so that I/O is not starved */
    HEAP_MIN = 64,
};

static void put(struct loop_private *p, uint32_t i, struct timer_place place)
{
    p->heap[i] = place;
    place.timer->slot = i + 1;
}

static void sift_up(struct loop_private *p, uint32_t i, struct timer_place place)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 2;
        if (p->heap[parent].ms <= place.ms)
            break;
        put(p, i, p->heap[parent]);
        i = parent;
    }
    put(p, i, place);
}

static void sift_down(struct loop_private *p, uint32_t i, struct timer_place place)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= p->timers)
            break;
        if (child + 1 < p->timers && p->heap[child + 1].ms < p->heap[child].ms)
            child++;
        if (place.ms <= p->heap[child].ms)
            break;
        put(p, i, p->heap[child]);
        i = child;
    }
    put(p, i, place);
}

static void insert(struct loop_private *p, struct timer *t)
{
    if (p->timers == p->room) {
        p->room = p->room ? p->room * 2 : HEAP_MIN;
        p->heap = xrealloc(p->heap, p->room * sizeof *p->heap);
    }
    t->heap_ms = t->due_ms;
    sift_up(p, p->timers++, (struct timer_place){t->heap_ms, t});
}

static void take_out(struct loop_private *p, struct timer *t)
{
    uint32_t i = t->slot - 1;
    struct timer_place last = p->heap[--p->timers];
    t->slot = 0;
    if (i == p->timers)
        return;
    if (i > 0 && last.ms < p->heap[(i - 1) / 2].ms)
        sift_up(p, i, last);
    else
        sift_down(p, i, last);
}

void timer_set(struct loop *l, struct timer *t, uint64_t after_ms)
{
    t->due_ms = l->now_ms + after_ms;
    if (t->slot == 0) {
        insert(l->private, t);
    } else if (t->due_ms < t->heap_ms) {
        t->heap_ms = t->due_ms;
        sift_up(l->private, t->slot - 1, (struct timer_place){t->heap_ms, t});
    }
}

void timer_clear(struct loop *l, struct timer *t)
{
    t->due_ms = 0;
    if (t->slot)
        take_out(l->private, t);
}

bool timer_fire_due(struct loop *l)
{
    struct loop_private *p = l->private;
    for (int fired = 0; p->timers && p->heap[0].ms <= l->now_ms;) {
        struct timer *t = p->heap[0].timer;
        if (t->due_ms > t->heap_ms) {
            t->heap_ms = t->due_ms;
            sift_down(p, 0, (struct timer_place){t->heap_ms, t});
            continue;
        }
        if (fired++ == FIRE_MAX)
            return true;
        timer_clear(l, t);
        t->fire(t);
    }
    return false;
}

void timer_arm(struct loop *l)
{
    struct loop_private *p = l->private;
    if (!p->timers || (p->armed_ms && p->armed_ms <= p->heap[0].ms))
        return;
    p->armed_ms = p->heap[0].ms;
    uint64_t wait_ms = p->armed_ms > l->now_ms ? p->armed_ms - l->now_ms : 0;
    struct timeval tv = {(time_t)(wait_ms / 1000), (suseconds_t)(wait_ms % 1000 * 1000)};
    ensure(evtimer_add(&p->alarm, &tv) == 0);
}
