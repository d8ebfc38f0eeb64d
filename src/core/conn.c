/* See conn.h. */
#include "core/conn.h"

#include "base/xmem.h"
#include "core/life.h"

#include <stdlib.h>
#include <unistd.h>

static void count_handshake(struct conn *c, bool ok)
{
    struct str values[3] = {STR(""), STR("false"), ok ? STR("ok") : STR("failed")};
    if (ok) {
        values[0] = stream_tls_version(&c->stream);
        values[1] = stream_tls_resumed(&c->stream) ? STR("true") : STR("false");
    }
    metrics_add(metrics_cell(c->core->module.metrics, METRICS_TLS_HANDSHAKES, values), 1);
}

static void on_event(struct stream *s, unsigned what)
{
    struct conn *c = container_of(s, struct conn, stream);
    if (!c->opened && (what & (STREAM_OPENED | STREAM_FAILED))) {
        count_handshake(c, what & STREAM_OPENED);
        c->opened = true;
        conn_refresh(c);
    }
    h1_server_event(&c->h1, what);
}

static void on_release(struct task *t)
{
    struct conn *c = container_of(t, struct conn, release);
    core_unpin(c->core, c->snapshot);
    core_conn_gone(c->core);
    free(c);
}

static void count_conns(struct core *core, uint32_t delta)
{
    uint32_t n = atomic_load_explicit(&core->conn_count, memory_order_relaxed);
    atomic_store_explicit(&core->conn_count, n + delta, memory_order_relaxed);
    atomic_fetch_add_explicit(&core->shared->connections, delta, memory_order_relaxed);
}

static void on_closed(struct h1_server *h)
{
    struct conn *c = container_of(h, struct conn, h1);
    if (!c->opened)
        count_handshake(c, false);
    if (!list_empty(&c->link)) {
        list_remove(&c->link);
        count_conns(c->core, (uint32_t)-1);
        metrics_add(c->idle, -1);
    }
    loop_task(c->core->h1.loop, &c->release);
}

static void find_cells(struct conn *c)
{
    struct metrics *m = c->core->module.metrics;
    struct str values[2] = {c->listener->name, STR("idle")};
    c->idle = metrics_cell(m, METRICS_CONNECTIONS, values);
    values[1] = STR("active");
    c->active = metrics_cell(m, METRICS_CONNECTIONS, values);
}

void conn_set_active(struct conn *c, bool active)
{
    metrics_add(c->active, active ? 1 : -1);
    metrics_add(c->idle, active ? -1 : 1);
}

void conn_refresh(struct conn *c)
{
    struct snapshot *s = c->core->snapshot;
    if (c->snapshot == s)
        return;
    const struct snapshot_listener *l = snapshot_listener(s, c->listener->address);
    if (!l || l->tls != c->listener->tls) { /* what it came in by is no more */
        h1_server_drain(&c->h1);
        return;
    }
    core_pin(c->core, s);
    core_unpin(c->core, c->snapshot);
    c->snapshot = s;
    c->listener = l;
    c->h1.limits = &l->limits;
    metrics_add(c->idle, -1); /* the listener may have another name now */
    find_cells(c);
    metrics_add(c->idle, 1);
}

void conn_accept(struct core *core, const struct snapshot_listener *l, int fd,
                 const struct addr *peer)
{
    struct snapshot *s = core->snapshot;
    if (atomic_load_explicit(&core->shared->connections, memory_order_relaxed) >=
        s->max_connections) {
        close(fd);
        return;
    }
    struct conn *c = xcalloc(1, sizeof *c);
    char ip[ADDR_TEXT];
    c->core = core;
    c->snapshot = s;
    core_pin(core, s);
    c->listener = l;
    c->port = addr_port(peer);
    size_t ip_len = addr_format_ip(peer, ip);
    ensure(ip_len <= CONN_IP_MAX);
    c->ip_len = (uint8_t)ip_len;
    memcpy(c->ip, ip, c->ip_len);
    c->release.run = on_release;
    c->h1.stream = &c->stream;
    c->h1.env = &core->h1;
    c->h1.limits = &l->limits;
    c->h1.handler = &life_handler;
    c->h1.on_closed = on_closed;
    c->h1.user = c;
    list_push_back(&core->conns, &c->link);
    count_conns(core, 1);
    find_cells(c);
    metrics_add(c->idle, 1);
    c->opened = !l->tls;
    h1_server_open(&c->h1);
    stream_accept(&c->stream, core->h1.loop, fd, core_of_snapshot(core, s)->servers[l->index],
                  on_event);
}
