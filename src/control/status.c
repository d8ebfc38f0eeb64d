/* What the gateway says of itself: probes, metrics and /v1/status. */
#include "base/clock.h"
#include "config.h"
#include "control/admin_private.h"

void status_health(struct admin_req *q)
{
    const struct admin *a = admin_of(q);
    json_t *stalled = json_array();

    for (unsigned i = 0; i < a->liveness.count; i++)
        if (liveness_stalled(&a->liveness, i, a->loop->now_ms))
            json_array_append_new(stalled, json_sprintf("worker:%u", i));
    bool alive = json_array_size(stalled) == 0;
    admin_reply_json(
        q, alive ? 200 : 503,
        json_pack("{s:s, s:o}", "status", alive ? "ok" : "stalled", "stalled", stalled));
}

void status_ready(struct admin_req *q)
{
    const struct admin_sources *s = admin_of(q)->sources;
    json_t *degraded = json_array();
    bool ready = s->ready(s->user, degraded) && s->started(s->user);

    admin_reply_json(q, ready ? 200 : 503,
                     json_pack("{s:b, s:o}", "ready", ready, "degraded", degraded));
}

void status_startup(struct admin_req *q)
{
    const struct admin_sources *s = admin_of(q)->sources;
    bool started = s->started(s->user);

    admin_reply_json(q, started ? 200 : 503, json_pack("{s:b}", "started", started));
}

static bool wants_openmetrics(const struct admin_req *q)
{
    const struct str type = STR("application/openmetrics-text");
    struct str accept = headers_value(&q->x.headers, FIELD_ACCEPT);

    return accept.n && memmem(accept.p, accept.n, type.p, type.n);
}

void status_metrics(struct admin_req *q)
{
    const struct admin_sources *s = admin_of(q)->sources;
    struct metrics_text *t = metrics_text_new();
    bool openmetrics = wants_openmetrics(q);
    struct buf out = {0};

    metrics_text_value(t, METRICS_BUILD_INFO, (const struct str[]){STR(PACKAGE_VERSION)}, 1);
    s->metrics(s->user, t);
    metrics_text_write(t, &out, openmetrics);
    metrics_text_free(&t);
    admin_reply_text(q, 200,
                     openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4; charset=utf-8",
                     str_make(out.p, out.n));
    buf_free(&out);
}

static json_t *workers(const struct admin_sources *s)
{
    json_t *all = json_array();
    struct admin_worker w;

    for (unsigned i = 0; i < s->workers; i++) {
        s->worker(s->user, i, &w);
        json_array_append_new(all, json_pack("{s:I, s:I, s:I}", "turns", (json_int_t)w.turns,
                                             "live_requests", (json_int_t)w.live_requests,
                                             "connections", (json_int_t)w.connections));
    }
    return all;
}

/* Features that the configuration asks for and that are not built in, each once. */
static json_t *inactive(const struct conf *conf)
{
    json_t *names = json_array();

    for (size_t i = 0; i < conf_inactive_count(conf); i++) {
        const char *feature = conf_inactive_at(conf, i)->feature;
        bool known = false;
        for (size_t k = 0; k < json_array_size(names); k++)
            known |= strcmp(json_string_value(json_array_get(names, k)), feature) == 0;
        if (!known)
            json_array_append_new(names, json_string(feature));
    }
    return names;
}

static json_t *config(const struct admin_status *st)
{
    return json_pack("{s:s, s:s?, s:b, s:f}", "source", st->config_source, "file", st->config_file,
                     "last_reload_ok", st->last_reload_ok, "last_reload",
                     (double)st->last_reload_wall_ns / 1e9);
}

void status_show(struct admin_req *q)
{
    const struct admin_sources *s = admin_of(q)->sources;
    struct admin_status st = {.config_source = "file"};
    double uptime = (double)(clock_mono_ns() - s->started_mono_ns) / 1e9;

    s->status(s->user, &st);
    json_t *body = json_pack("{s:s, s:I, s:I, s:I, s:b, s:f, s:I}", "version", PACKAGE_VERSION,
                             "config_generation", (json_int_t)st.config_generation, "live_requests",
                             (json_int_t)st.live_requests, "connections",
                             (json_int_t)st.connections, "draining", st.draining, "uptime_seconds",
                             uptime, "restarts", (json_int_t)st.restarts);
    json_object_set_new(body, "config", config(&st));
    json_object_set_new(body, "workers", workers(s));
    json_object_set_new(body, "inactive", inactive(s->conf(s->user)));
    admin_reply_json(q, 200, body);
}
