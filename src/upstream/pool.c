/* See pool.h. */
#include "upstream/pool.h"

#include "base/check.h"
#include "base/xmem.h"

#include <stdlib.h>

static struct pool_slot *slot_of(const struct pool *p, const struct endpoint *e)
{
    ensure(e->slot < p->slot_count);
    return p->slots[e->slot];
}

uint32_t pool_in_flight(const struct pool *p, const struct endpoint *e)
{
    return slot_of(p, e)->in_flight;
}

static void on_release(struct task *t)
{
    free(container_of(t, struct upstream_conn, release));
}

void pool_drop(struct upstream_conn *c)
{
    struct pool_slot *s = slot_of(c->pool, c->endpoint);
    if (c->dead)
        return;
    c->dead = true;
    if (c->idle_since_ms)
        s->idle_count--;
    else
        s->in_flight--;
    list_remove(&c->link);
    timer_clear(c->pool->env->loop, &c->timer);
    h1_client_close(&c->h1);
    loop_task(c->pool->env->loop, &c->release);
}

static void on_timer(struct timer *t)
{
    struct upstream_conn *c = container_of(t, struct upstream_conn, timer);
    if (c->idle_since_ms)
        pool_drop(c);
    else
        c->on_timer(c);
}

static void on_idle_end(struct h1_client *h)
{
    pool_drop(container_of(h, struct upstream_conn, h1));
}

static const struct h1_client_ops idle_ops = {.on_idle_end = on_idle_end};

static void slot_close_idle(struct pool_slot *s)
{
    list_for_each(node, &s->idle)
        pool_drop(list_entry(node, struct upstream_conn, link));
}

void pool_adopt(struct pool *p, const bool *named, uint32_t count)
{
    if (count > p->slot_count) {
        p->slots = xrealloc(p->slots, count * sizeof *p->slots);
        while (p->slot_count < count) {
            struct pool_slot *s = xcalloc(1, sizeof *s);
            list_init(&s->idle);
            list_init(&s->busy);
            p->slots[p->slot_count++] = s;
        }
    }
    p->named = named;
    p->named_count = count;
    for (uint32_t i = 0; i < p->slot_count; i++)
        if (i >= count || !named[i])
            slot_close_idle(p->slots[i]);
}

static void conn_make_busy(struct upstream_conn *c, struct pool_slot *s)
{
    c->idle_since_ms = 0;
    list_remove(&c->link);
    list_push_back(&s->busy, &c->link);
    s->in_flight++;
}

struct upstream_conn *pool_get(struct pool *p, struct endpoint *e, uint64_t max_idle_ms)
{
    struct pool_slot *s = slot_of(p, e);
    list_for_each(node, &s->idle) {
        struct upstream_conn *c = list_entry(node, struct upstream_conn, link);
        if (!h1_client_usable(&c->h1)) {
            pool_drop(c);
            continue;
        }
        if (p->env->loop->now_ms - c->idle_since_ms > max_idle_ms)
            return NULL; /* the others are older */
        s->idle_count--;
        c->pooled = true;
        conn_make_busy(c, s);
        return c;
    }
    return NULL;
}

struct upstream_conn *pool_dial(struct pool *p, struct endpoint *e, struct tls_client *tls,
                                const struct h1_client_ops *ops, void *user)
{
    struct upstream_conn *c = xcalloc(1, sizeof *c);
    c->pool = p;
    c->endpoint = e;
    c->release.run = on_release;
    c->timer.fire = on_timer;
    c->h1.env = p->env;
    c->h1.ops = ops;
    c->h1.user = user;
    list_init(&c->link);
    conn_make_busy(c, slot_of(p, e));
    h1_client_dial(&c->h1, &e->addr, tls, e->server_name);
    return c;
}

static uint64_t idle_limit(const struct upstream_conn *c, uint64_t idle_timeout_ms)
{
    uint64_t said = c->h1.keep_alive_s * 1000ull;
    if (!said)
        return idle_timeout_ms;
    said = said > 1000 ? said - 1000 : 0;
    return said < idle_timeout_ms ? said : idle_timeout_ms;
}

void pool_put(struct upstream_conn *c, uint32_t idle_max, uint64_t idle_timeout_ms,
              uint64_t max_requests)
{
    struct pool *p = c->pool;
    struct pool_slot *s = slot_of(p, c->endpoint);
    uint64_t limit = idle_limit(c, idle_timeout_ms);
    c->requests++;
    bool named = c->endpoint->slot < p->named_count && p->named[c->endpoint->slot];
    if (!named || !h1_client_reusable(&c->h1) || s->idle_count >= idle_max || limit == 0 ||
        (max_requests && c->requests >= max_requests)) {
        pool_drop(c);
        return;
    }
    h1_client_rest(&c->h1);
    c->h1.ops = &idle_ops;
    c->h1.user = NULL;
    c->idle_since_ms = p->env->loop->now_ms;
    s->in_flight--;
    s->idle_count++;
    list_remove(&c->link);
    list_push_front(&s->idle, &c->link);
    timer_set(p->env->loop, &c->timer, limit);
}

void pool_fini(struct pool *p)
{
    for (uint32_t i = 0; i < p->slot_count; i++) {
        slot_close_idle(p->slots[i]);
        ensure(list_empty(&p->slots[i]->busy));
        free(p->slots[i]);
    }
    free(p->slots);
    p->slots = NULL;
    p->slot_count = 0;
}
