/* What the admin API tells of the gateway: numbers read from the workers without disturbing them.
 */
#include "control/gateway.h"

#include "base/clock.h"

static void source_worker(void *user, unsigned i, struct admin_worker *out)
{
    struct gateway *g = user;
    const struct worker *w = g->workers[i];
    out->turns = __atomic_load_n(&w->loop->turns, __ATOMIC_RELAXED);
    out->live_requests = atomic_load_explicit(&w->core.live_count, memory_order_relaxed);
    out->connections = atomic_load_explicit(&w->core.conn_count, memory_order_relaxed);
}

static void source_status(void *user, struct admin_status *out)
{
    struct gateway *g = user;
    struct admin_worker w;
    *out = (struct admin_status){
        .config_generation = g->generation,
        .config_source = "file",
        .config_file = g->start->conf_path,
        .restarts = g->start->restarts,
        .draining = g->state != GATEWAY_SERVING,
        .last_reload_ok = g->last_reload_ok,
        .last_reload_wall_ns = g->last_reload_wall_ns,
    };
    for (unsigned i = 0; i < g->worker_count; i++) {
        source_worker(user, i, &w);
        out->live_requests += w.live_requests;
        out->connections += w.connections;
    }
}

static const struct conf *source_conf(void *user)
{
    return ((struct gateway *)user)->start->conf;
}

static bool source_started(void *user)
{
    (void)user; /* the admin listens only once every worker runs */
    return true;
}

static bool has_endpoint(const struct service *s)
{
    for (uint32_t v = 0; v < s->variant_count; v++)
        if (s->variants[v].endpoint_count)
            return true;
    return false;
}

/* Does `admin.ready_requires` name this service, by itself or with all others? */
static bool is_required(const struct node *requires, struct str service)
{
    for (size_t i = 0; i < node_count(requires, ""); i++) {
        struct str need = str_of(node_str(node_at(requires, i), "")), prefix = STR("service:");
        if (str_eq(need, STR("services")))
            return true;
        if (str_starts(need, prefix) &&
            str_eq(str_make(need.p + prefix.n, need.n - prefix.n), service))
            return true;
    }
    return false;
}

static bool source_ready(void *user, json_t *degraded)
{
    struct gateway *g = user;
    const struct snapshot *s = g->snapshot;
    const struct node *requires = node_get(conf_root(s->conf), "admin.ready_requires");
    bool ready = g->state == GATEWAY_SERVING;
    for (size_t i = 0; i < s->service_count; i++) {
        const struct service *service = &s->services[i];
        if (has_endpoint(service))
            continue;
        json_array_append_new(degraded, json_sprintf("service:%.*s", STR_ARG(service->name)));
        ready &= !is_required(requires, service->name);
    }
    return ready;
}

static void source_expiry(struct gateway *g, struct metrics_text *t)
{
    const struct snapshot *s = g->snapshot;
    for (size_t i = 0; i < s->listener_count; i++)
        for (size_t k = 0; k < s->listeners[i].certificate_count; k++) {
            const struct snapshot_certificate *c = &s->listeners[i].certificates[k];
            struct str values[2] = {s->listeners[i].name, c->subject};
            metrics_text_value(t, METRICS_CERTIFICATE_EXPIRY, values, (double)c->expiry);
        }
}

static void source_weights(struct gateway *g, struct metrics_text *t)
{
    const struct snapshot *s = g->snapshot;
    for (size_t i = 0; i < s->service_count; i++)
        for (uint32_t v = 0; v < s->services[i].variant_count; v++) {
            const struct variant *variant = &s->services[i].variants[v];
            struct str values[2] = {s->services[i].name, variant->name};
            metrics_text_value(t, METRICS_ROLLOUT_WEIGHT, values, (double)variant->weight);
        }
}

static uint64_t accept_pauses(const struct worker *w)
{
    uint64_t n = 0;
    for (size_t i = 0; i < w->listener_count; i++)
        n += __atomic_load_n(&w->listeners[i].listener.paused, __ATOMIC_RELAXED);
    return n;
}

static void source_metrics(void *user, struct metrics_text *t)
{
    struct gateway *g = user;
    struct admin_status st;
    source_status(user, &st);
    for (unsigned i = 0; i < g->worker_count; i++) {
        metrics_text_worker(t, g->metrics[i]);
        metrics_text_value(t, METRICS_ACCEPT_PAUSES, NULL, (double)accept_pauses(g->workers[i]));
    }
    metrics_text_value(t, METRICS_HTTP_REQUESTS_IN_FLIGHT, NULL, (double)st.live_requests);
    metrics_text_value(t, METRICS_CONFIG_GENERATION, NULL, (double)g->generation);
    metrics_text_value(t, METRICS_CONFIG_LAST_RELOAD_SUCCESS, NULL, g->last_reload_ok);
    metrics_text_value(t, METRICS_CONFIG_LAST_RELOAD_TIMESTAMP, NULL,
                       (double)g->last_reload_wall_ns / 1e9);
    metrics_text_value(t, METRICS_WORKER_RESTARTS, NULL, g->start->restarts);
    struct str full[2] = {STR("access"), STR("ring_full")},
               lost[2] = {STR("access"), STR("unwritable")};
    metrics_text_value(t, METRICS_LOG_LINES_DROPPED, full, (double)persist_dropped(g->access_log));
    metrics_text_value(t, METRICS_LOG_LINES_DROPPED, lost, (double)persist_lost(g->access_log));
    source_expiry(g, t);
    source_weights(g, t);
}

void gateway_fill_sources(struct gateway *g)
{
    g->sources = (struct admin_sources){
        .user = g,
        .started_mono_ns = g->start->started_mono_ns,
        .workers = g->worker_count,
        .worker = source_worker,
        .status = source_status,
        .conf = source_conf,
        .started = source_started,
        .ready = source_ready,
        .metrics = source_metrics,
    };
}
