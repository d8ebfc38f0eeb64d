/* The control thread: makes everything, starts the workers, does what the supervisor says, and takes
 * everything apart again in the opposite order. See gateway.h. */
#include "control/gateway.h"

#include "base/log.h"
#include "base/xmem.h"

#include <fcntl.h>
#include <stdlib.h>

enum { BEAT_MS = 1000, STALL_MS = 5000, LOG_RING_BYTES = 1 << 20 };

static const struct node *root_of(const struct gateway *g)
{
    return conf_root(g->start->conf);
}

/* True while every worker has turned within the last seconds. */
static bool workers_alive(struct gateway *g)
{
    bool alive = true;
    for (unsigned i = 0; i < g->worker_count; i++) {
        struct admin_worker w;
        g->sources.worker(g, i, &w);
        if (w.turns != g->turns_seen[i]) {
            g->turns_seen[i] = w.turns;
            g->turned_ms[i] = g->loop->now_ms;
        }
        alive &= g->loop->now_ms - g->turned_ms[i] < STALL_MS;
    }
    return alive;
}

static void on_beat(struct timer *t)
{
    struct gateway *g = container_of(t, struct gateway, beat);
    timer_set(g->loop, t, BEAT_MS);
    if (workers_alive(g))
        channel_beat(g->start->channel);
}

static void finish(struct gateway *g)
{
    g->state = GATEWAY_STOPPING;
    loop_stop(g->loop);
}

static void on_worker_drained(struct message *m)
{
    struct worker *w = container_of(m, struct worker, drained);
    struct gateway *g = container_of(w->core.shared, struct gateway, shared);
    if (++g->drained == g->worker_count)
        finish(g);
}

static void drain_now(struct gateway *g)
{
    g->state = GATEWAY_DRAINING;
    channel_stopping(g->start->channel);
    timer_set(g->loop, &g->patience, node_ms(root_of(g), "drain_timeout"));
    for (unsigned i = 0; i < g->worker_count; i++)
        worker_drain(g->workers[i]);
}

static void on_patience(struct timer *t)
{
    struct gateway *g = container_of(t, struct gateway, patience);
    if (g->state == GATEWAY_DELAYING)
        drain_now(g);
    else
        finish(g);
}

/* /ready says no; after drain_delay listeners close and what runs may end. */
static void drain(struct gateway *g, bool delay)
{
    uint64_t delay_ms = delay ? node_ms(root_of(g), "drain_delay") : 0;
    if (g->state != GATEWAY_SERVING)
        return;
    log_info("draining");
    g->state = GATEWAY_DELAYING;
    if (delay_ms)
        timer_set(g->loop, &g->patience, delay_ms);
    else
        drain_now(g);
}

static void on_channel(struct watch *w)
{
    struct gateway *g = container_of(w, struct gateway, channel);
    struct channel_report report;
    do {
        channel_receive(g->start->channel, &report);
        switch (report.event) {
        case CHANNEL_RELOAD: gateway_reload(g); break;
        case CHANNEL_REOPEN:
            if (log_reopen() != 0)
                log_warn("the error log cannot be opened again");
            persist_reopen(g->persist);
            break;
        case CHANNEL_DRAIN: drain(g, true); break;
        case CHANNEL_CLOSED: /* the supervisor is gone and its listening sockets with it */
            watch_close(&g->channel);
            drain(g, false);
            return;
        case CHANNEL_STOP: finish(g); return;
        default: break;
        }
    } while (report.event != CHANNEL_NONE);
}

static uint64_t rotate_ms(const struct gateway *g)
{
    const struct node *list = node_get(root_of(g), "listeners");
    uint64_t least = 12 * 3600 * 1000ull;
    for (size_t i = 0; i < node_count(list, ""); i++) {
        uint64_t ms = node_ms(node_at(list, i), "tls.session_tickets.rotate");
        if (ms && ms < least)
            least = ms;
    }
    return least;
}

static struct metrics *metrics_make(const struct gateway *g)
{
    uint64_t le_ns[METRICS_BUCKETS_MAX];
    const struct node *list = node_get(root_of(g), "telemetry.metrics.buckets");
    size_t n = node_count(list, "");
    for (size_t i = 0; i < n && i < METRICS_BUCKETS_MAX; i++)
        le_ns[i] = node_ns(node_at(list, i), "");
    return metrics_new(le_ns, (unsigned)(n < METRICS_BUCKETS_MAX ? n : METRICS_BUCKETS_MAX));
}

static int make_worker(struct gateway *g, unsigned i)
{
    g->metrics[i] = metrics_make(g);
    struct worker_options o = {
        .index = i,
        .metrics = g->metrics[i],
        .log = persist_ring(g->access_log, LOG_RING_BYTES),
        .shared = &g->shared,
        .control = g->inbox,
        .on_drained = on_worker_drained,
    };
    g->workers[i] = o.log ? worker_new(&o) : NULL;
    return g->workers[i] ? 0 : -1;
}

/* Socket i of a group goes to worker i mod workers; each worker gets a copy of a single one. */
static int give_sockets(struct gateway *g, const char *address)
{
    struct channel_sockets *s = start_sockets(g->start, address);
    size_t n = s->count > g->worker_count ? s->count : g->worker_count;
    int failed = 0;
    for (size_t i = 0; i < n && !failed; i++) {
        int fd = i < s->count ? s->fds[i] : fcntl(s->fds[0], F_DUPFD_CLOEXEC, 0);
        failed = fd < 0 || worker_listen(g->workers[i % g->worker_count], fd, address) != 0;
    }
    free(s->fds);
    s->fds = NULL;
    s->count = 0;
    return failed ? -1 : 0;
}

static int make_snapshot(struct gateway *g)
{
    struct buf error = {0};
    struct build b = {.endpoints = &g->endpoints, .libs = g->libs, .worker_count = g->worker_count};
    g->snapshot = build_snapshot(&b, g->start->conf, 1, &error);
    if (g->snapshot)
        gateway_own_snapshot(g, g->snapshot);
    else
        log_error("%s", buf_text(&error));
    buf_free(&error);
    g->generation = 1;
    g->last_reload_ok = true;
    g->last_reload_wall_ns = g->loop->wall_ns;
    return g->snapshot ? 0 : -1;
}

static int make_admin_tls(struct gateway *g)
{
    const struct node *tls = node_get(root_of(g), "admin.tls");
    static const char *const alpn[] = {"http/1.1", NULL};
    char error[TLS_ERROR];
    if (!node_str(tls, "certificate"))
        return 0;
    struct tls_certificate cert = {node_str(tls, "certificate"), node_str(tls, "private_key")};
    const char *ca = node_str(tls, "client_ca");
    struct tls_server_options o = {
        .certificates = &cert,
        .certificate_count = 1,
        .alpn = alpn,
        .client_ca = ca,
        .client_auth = ca ? 2 : 0,
    };
    g->admin_lib = tls_lib_new();
    g->admin_tls = tls_server_new(g->admin_lib, &o, error);
    if (!g->admin_tls)
        log_error("admin.tls: %s", error);
    return g->admin_tls ? 0 : -1;
}

static int admin_open(struct gateway *g, const char *key, bool probe)
{
    const struct channel_sockets *s = start_sockets(g->start, node_str(root_of(g), key));
    if (!s)
        return 0;
    for (size_t i = 0; i < s->count; i++)
        if (admin_listen(g->admin, s->fds[i], probe, probe ? NULL : g->admin_tls) != 0)
            return -1;
    return 0;
}

static int make_logs(struct gateway *g)
{
    const char *path = node_str(root_of(g), "telemetry.access_log.path");
    g->persist = persist_new();
    g->access_log = g->persist ? persist_open(g->persist, "access", path) : NULL;
    if (!g->access_log)
        log_error("telemetry.access_log.path: %s cannot be opened", path);
    return g->access_log ? 0 : -1;
}

static int make_workers(struct gateway *g)
{
    unsigned n = g->worker_count;
    g->workers = xcalloc(n, sizeof *g->workers);
    g->metrics = xcalloc(n, sizeof *g->metrics);
    g->libs = xcalloc(n, sizeof *g->libs);
    g->turns_seen = xcalloc(n, sizeof *g->turns_seen);
    g->turned_ms = xcalloc(n, sizeof *g->turned_ms);
    for (unsigned i = 0; i < n; i++) {
        g->libs[i] = tls_lib_new();
        if (!g->libs[i] || make_worker(g, i) != 0)
            return -1;
    }
    const struct node *list = node_get(root_of(g), "listeners");
    for (size_t i = 0; i < node_count(list, ""); i++)
        if (give_sockets(g, node_str(node_at(list, i), "address")) != 0)
            return -1;
    return 0;
}

static int make_all(struct gateway *g)
{
    g->loop = loop_new();
    g->inbox = g->loop ? inbox_new(g->loop) : NULL;
    if (!g->inbox || make_logs(g) != 0 || make_workers(g) != 0 || make_snapshot(g) != 0 ||
        make_admin_tls(g) != 0)
        return -1;
    gateway_fill_sources(g);
    g->tickets = (struct tickets){.loop = g->loop,
                                  .control = g->inbox,
                                  .workers = g->workers,
                                  .worker_count = g->worker_count};
    tickets_start(&g->tickets, rotate_ms(g));
    g->admin = admin_new(g->loop, &g->sources, root_of(g));
    return watch_open(&g->channel, g->loop, channel_fd(g->start->channel), on_channel);
}

static int start_all(struct gateway *g)
{
    if (persist_start(g->persist) != 0)
        return -1;
    for (unsigned i = 0; i < g->worker_count; i++) {
        worker_begin_with(g->workers[i], g->snapshot);
        g->turned_ms[i] = g->loop->now_ms;
    }
    for (unsigned i = 0; i < g->worker_count; i++)
        if (worker_start(g->workers[i]) != 0)
            return -1;
    if (loader_start(&g->loader) != 0 || admin_open(g, "admin.address", false) != 0 ||
        admin_open(g, "admin.probe_address", true) != 0)
        return -1;
    g->beat.fire = on_beat;
    g->patience.fire = on_patience;
    timer_set(g->loop, &g->beat, BEAT_MS);
    channel_ready(g->start->channel);
    return 0;
}

/* Workers first, then the loader (which may still build), then what they left in control's inbox. */
static void stop_threads(struct gateway *g)
{
    for (unsigned i = 0; i < g->worker_count; i++)
        if (g->workers[i])
            worker_stop(g->workers[i]);
    g->state = GATEWAY_STOPPING;
    loader_stop(&g->loader);
    persist_stop(g->persist);
}

static void free_all(struct gateway *g)
{
    if (g->admin)
        admin_free(&g->admin);
    timer_clear(g->loop, &g->beat);
    timer_clear(g->loop, &g->patience);
    tickets_stop(&g->tickets);
    inbox_free(g->inbox);
    for (unsigned i = 0; i < g->worker_count; i++) {
        worker_free(&g->workers[i]);
        metrics_free(&g->metrics[i]);
        tls_lib_free(g->libs[i]);
    }
    tls_server_free(g->admin_tls);
    tls_lib_free(g->admin_lib);
    endpoints_fini(&g->endpoints);
    persist_free(&g->persist);
    watch_close(&g->channel);
    loop_free(g->loop);
    free(g->workers);
    free(g->metrics);
    free(g->libs);
    free(g->turns_seen);
    free(g->turned_ms);
}

int gateway_run(struct gateway_start *start)
{
    struct gateway *g = xcalloc(1, sizeof *g);
    g->start = start;
    g->worker_count = (unsigned)start->workers;
    if (make_all(g) != 0 || start_all(g) != 0)
        return 1; /* said why; the process ends with all it has */
    log_info("serving with %u workers", g->worker_count);
    loop_run(g->loop);
    stop_threads(g);
    free_all(g);
    free(g);
    return 0;
}
