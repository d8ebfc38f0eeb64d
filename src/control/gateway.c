/* The control thread while it runs: does what the supervisor says, shows it that the process lives,
 * drains. See gateway.h. */
#include "control/gateway.h"

#include "base/log.h"
#include "base/xmem.h"

enum { BEAT_MS = 1000 };

static const struct node *root_of(const struct gateway *g)
{
    return conf_root(g->start->conf);
}

static void on_beat(struct timer *t)
{
    struct gateway *g = container_of(t, struct gateway, beat);
    timer_set(g->loop, t, BEAT_MS);
    if (!admin_any_stalled(g->admin))
        channel_beat(g->start->channel);
}

static void finish(struct gateway *g)
{
    g->state = GATEWAY_STOPPING;
    loop_stop(g->loop);
}

void gateway_on_worker_drained(struct message *m)
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

/* What the gateway does by itself once it runs. */
static int begin(struct gateway *g)
{
    g->beat.fire = on_beat;
    g->patience.fire = on_patience;
    timer_set(g->loop, &g->beat, BEAT_MS);
    return watch_open(&g->channel, g->loop, channel_fd(g->start->channel), on_channel);
}

static void end(struct gateway *g)
{
    timer_clear(g->loop, &g->beat);
    timer_clear(g->loop, &g->patience);
    watch_close(&g->channel);
}

static void log_inactive(const struct conf *conf)
{
    for (size_t i = 0; i < conf_inactive_count(conf); i++) {
        const struct conf_inactive *n = conf_inactive_at(conf, i);
        log_warn("%s: %s is not built in: %s", n->path, n->feature,
                 n->decides ? "what needs it answers 501" : "it has no effect");
    }
}

int gateway_run(struct gateway_start *start)
{
    struct gateway *g = xcalloc(1, sizeof *g);
    g->start = start;
    g->worker_count = (unsigned)start->workers;
    int status = 1;
    if (gateway_make(g) == 0 && gateway_start(g) == 0 && begin(g) == 0) {
        log_inactive(start->conf);
        log_info("serving with %u workers", g->worker_count);
        channel_ready(start->channel);
        loop_run(g->loop);
        g->state = GATEWAY_STOPPING;
        end(g);
        status = 0;
    }
    gateway_free(g);
    return status;
}
