/* Making all that a gateway process runs on, and taking it apart again in the opposite order, also
 * when only part of it was made. See gateway.h. */
#include "control/gateway.h"

#include "base/xmem.h"

#include <fcntl.h>
#include <stdlib.h>

enum { LOG_RING_BYTES = 1 << 20 };

static const struct node *root_of(const struct gateway *g)
{
    return conf_root(g->start->conf);
}

static void fail(const struct gateway *g, const char *key, const char *why)
{
    struct buf text = {0};
    buf_printf(&text, "tollgate: %s: %s", key, why);
    start_failed(g->start, str_make(text.p, text.n));
    buf_free(&text);
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
        .on_drained = gateway_on_worker_drained,
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
    struct build b = {.endpoints = &g->endpoints,
                      .libs = g->libs,
                      .worker_count = g->worker_count,
                      .hurry = true};
    g->snapshot = build_snapshot(&b, g->start->conf, 1, &error);
    if (g->snapshot)
        gateway_own_snapshot(g, g->snapshot);
    else
        start_failed(g->start, str_make(error.p, error.n));
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
        fail(g, "admin.tls", error);
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
        fail(g, "telemetry.access_log.path cannot be opened", path);
    return g->access_log ? 0 : -1;
}

static int make_workers(struct gateway *g)
{
    unsigned n = g->worker_count;
    g->workers = xcalloc(n, sizeof *g->workers);
    g->metrics = xcalloc(n, sizeof *g->metrics);
    g->libs = xcalloc(n, sizeof *g->libs);
    for (unsigned i = 0; i < n; i++) {
        if (make_worker(g, i) != 0)
            return -1;
    }
    const struct node *list = node_get(root_of(g), "listeners");
    for (size_t i = 0; i < node_count(list, ""); i++)
        if (give_sockets(g, node_str(node_at(list, i), "address")) != 0)
            return -1;
    return 0;
}

int gateway_make(struct gateway *g)
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
    return 0;
}

int gateway_start(struct gateway *g)
{
    if (persist_start(g->persist) != 0)
        return -1;
    for (unsigned i = 0; i < g->worker_count; i++)
        worker_begin_with(g->workers[i], g->snapshot);
    for (unsigned i = 0; i < g->worker_count; i++)
        if (worker_start(g->workers[i]) != 0)
            return -1;
    if (loader_start(&g->loader) != 0 || admin_open(g, "admin.address", false) != 0)
        return -1;
    return admin_open(g, "admin.probe_address", true);
}

static void workers_free(struct gateway *g)
{
    for (unsigned i = 0; g->workers && i < g->worker_count; i++) {
        if (g->workers[i])
            worker_free(&g->workers[i]);
        tls_lib_free(g->libs[i]);
    }
    free(g->workers);
    free(g->libs);
}

static void metrics_free_all(struct gateway *g)
{
    for (unsigned i = 0; g->metrics && i < g->worker_count; i++)
        if (g->metrics[i])
            metrics_free(&g->metrics[i]);
    free(g->metrics);
}

/* A snapshot that no worker was given yet is nobody's but ours. */
static void snapshot_abandon(struct gateway *g)
{
    bool begun = g->workers && g->workers[0] && g->workers[0]->core.snapshot;
    if (g->snapshot && !begun)
        build_abandon(&g->endpoints, &g->snapshot);
}

void gateway_free(struct gateway *g)
{
    for (unsigned i = 0; g->workers && i < g->worker_count; i++)
        if (g->workers[i])
            worker_stop(g->workers[i]);
    loader_stop(&g->loader);
    if (g->inbox)
        inbox_run(
            g->inbox); /* a reload that came too late is dropped while all it needs is there */
    if (g->admin)
        admin_free(&g->admin);
    snapshot_abandon(g);
    workers_free(g); /* the last pins of snapshots go: messages to our inbox */
    if (g->inbox)
        inbox_free(g->inbox);
    tickets_stop(&g->tickets);
    if (g->persist) {
        persist_stop(g->persist);
        persist_free(&g->persist);
    }
    metrics_free_all(g);
    tls_server_free(g->admin_tls);
    tls_lib_free(g->admin_lib);
    endpoints_fini(&g->endpoints);
    if (g->loop)
        loop_free(g->loop);
    free(g);
}
