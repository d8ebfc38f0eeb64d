/* See core.h. */
#include "core/core.h"

#include "base/xmem.h"
#include "core/conn.h"
#include "core/life.h"
#include "net/inbox.h"

void core_init(struct core *c)
{
    list_init(&c->conns);
    list_init(&c->live);
    list_init(&c->spare);
    c->pool.env = &c->h1;
}

void core_fini(struct core *c)
{
    ensure(list_empty(&c->live) && list_empty(&c->conns));
    pool_fini(&c->pool);
    life_free_spare(c);
    h1_env_fini(&c->h1);
    route_scratch_free(&c->scratch);
}

/* Nothing of this worker uses `s` any more: its TLS objects end here, the rest with the last
 * worker. */
static void snapshot_done(struct core *c, struct snapshot *s)
{
    struct snapshot_worker *w = core_of_snapshot(c, s);
    snapshot_free_worker_tls(s, w);
    inbox_post(c->control, &w->gone);
}

void core_pin(struct core *c, struct snapshot *s)
{
    core_of_snapshot(c, s)->pins++;
}

void core_unpin(struct core *c, struct snapshot *s)
{
    struct snapshot_worker *w = core_of_snapshot(c, s);
    ensure(w->pins > 0);
    if (--w->pins == 0 && !w->current)
        snapshot_done(c, s);
}

/* Connections between requests move on to the new snapshot, so that the old one can end. One that
 * is still shaking hands needs the TLS objects of the old. */
static void conns_move(struct core *c, struct snapshot *old)
{
    list_for_each(node, &c->conns) {
        struct conn *conn = list_entry(node, struct conn, link);
        if (conn->snapshot == old && conn->opened && !conn->h1.x)
            conn_refresh(conn);
    }
}

void core_adopt(struct core *c, struct snapshot *s)
{
    struct snapshot *old = c->snapshot;
    core_of_snapshot(c, s)->current = true;
    core_pin(c, s);
    c->snapshot = s;
    pool_adopt(&c->pool, s->endpoint_named, s->endpoint_slots);
    if (!old)
        return;
    core_of_snapshot(c, old)->current = false;
    conns_move(c, old);
    core_unpin(c, old);
}

void core_retire(struct core *c)
{
    core_of_snapshot(c, c->snapshot)->current = false;
    core_unpin(c, c->snapshot);
    c->snapshot = NULL;
}

static void core_check_drained(struct core *c)
{
    if (c->draining && list_empty(&c->conns) && c->on_drained)
        c->on_drained(c);
}

void core_conn_gone(struct core *c)
{
    core_check_drained(c);
}

void core_drain(struct core *c)
{
    c->draining = true;
    list_for_each(node, &c->conns)
        h1_server_drain(&list_entry(node, struct conn, link)->h1);
    core_check_drained(c);
}

void core_abort_all(struct core *c)
{
    list_for_each(node, &c->conns)
        h1_server_close(&list_entry(node, struct conn, link)->h1);
}
