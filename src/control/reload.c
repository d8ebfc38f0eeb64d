/* Reloading: the loader reads, checks and builds; control hands the result to the workers. A file
 * with any error changes nothing. Snapshots that no worker uses end in the loader, too. */
#include "control/gateway.h"

#include "base/log.h"
#include "base/xmem.h"

#include <stdio.h>
#include <stdlib.h>

struct job {
    struct message message;
    struct gateway *gateway;
    uint64_t generation;
    struct conf *conf;
    struct snapshot *snapshot; /* NULL: refused */
    struct buf error;
};

static void on_loader_stop(struct message *m)
{
    loop_stop(container_of(m, struct loader, stop)->loop);
}

static void *loader_main(void *arg)
{
    loop_run(((struct loader *)arg)->loop);
    return NULL;
}

int loader_start(struct loader *l)
{
    l->loop = loop_new();
    l->inbox = l->loop ? inbox_new(l->loop) : NULL;
    l->stop.run = on_loader_stop;
    l->running = l->inbox && pthread_create(&l->thread, NULL, loader_main, l) == 0;
    return l->running ? 0 : -1;
}

void loader_stop(struct loader *l)
{
    if (l->running) {
        inbox_post(l->inbox, &l->stop);
        pthread_join(l->thread, NULL);
    }
    l->running = false;
    if (l->inbox)
        inbox_free(l->inbox);
    if (l->loop)
        loop_free(l->loop);
    l->inbox = NULL;
    l->loop = NULL;
}

/* Addresses of listeners and of the admin, as one text to compare. */
static void addresses_text(const struct node *root, struct buf *out)
{
    const struct node *list = node_get(root, "listeners");
    for (size_t i = 0; i < node_count(list, ""); i++)
        buf_printf(out, "%s\n", node_str(node_at(list, i), "address"));
    const char *admin = node_str(root, "admin.address"),
               *probe = node_str(root, "admin.probe_address");
    buf_printf(out, "%s\n%s\n", admin ? admin : "", probe ? probe : "");
}

static bool same_text(const struct node *a, const struct node *b, const char *path)
{
    const struct node *x = node_get(a, path), *y = node_get(b, path);
    return conf_digest(x) == conf_digest(y);
}

/* What this process cannot change while it runs. */
static void check_restart(const struct node *old, const struct node *new, struct buf *error)
{
    struct buf a = {0}, b = {0};
    addresses_text(old, &a);
    addresses_text(new, &b);
    if (!str_eq(str_make(a.p, a.n), str_make(b.p, b.n)))
        buf_printf(error, "the addresses of listeners and admin: needs restart");
    else if (!same_text(old, new, "workers"))
        buf_printf(error, "workers: needs restart");
    else if (!same_text(old, new, "user"))
        buf_printf(error, "user: needs restart");
    else if ((node_get(old, "store.redis") != NULL) != (node_get(new, "store.redis") != NULL))
        buf_printf(error, "the kind of store: needs restart");
    buf_free(&a);
    buf_free(&b);
}

static void job_errors(struct job *j, const struct conf_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct conf_error *e = &errors->items[i];
        buf_printf(&j->error, "%s%s:%u:%u: %s: %s", i ? "\n" : "", e->file, e->line, e->column,
                   e->path, e->message);
    }
}

static void on_job_done(struct message *m);

/* In the loader. */
static void on_job(struct message *m)
{
    struct job *j = container_of(m, struct job, message);
    struct gateway *g = j->gateway;
    struct conf_errors errors = {0};
    if (conf_load(g->start->conf_path, &j->conf, &errors) != 0)
        job_errors(j, &errors);
    else
        check_restart(conf_root(g->start->conf), conf_root(j->conf), &j->error);
    conf_errors_fini(&errors);
    if (!j->error.n) {
        struct build b = {
            .endpoints = &g->endpoints,
            .libs = g->libs,
            .worker_count = g->worker_count,
        };
        j->snapshot = build_snapshot(&b, j->conf, j->generation, &j->error);
    }
    m->run = on_job_done;
    inbox_post(g->inbox, m);
}

static void log_refusal(struct job *j)
{
    struct str rest = str_make(j->error.p, j->error.n), line;
    log_error("the configuration was not reloaded, everything stays as it was");
    while (str_split(&rest, '\n', &line))
        log_error("%.*s", STR_ARG(line));
}

static void take_snapshot(struct gateway *g, struct job *j)
{
    struct snapshot *s = j->snapshot;
    g->generation = s->generation;
    gateway_own_snapshot(g, s);
    g->snapshot = s;
    for (unsigned i = 0; i < g->worker_count; i++)
        worker_adopt(g->workers[i], s);
    conf_unref(&g->start->conf);
    g->start->conf = conf_ref(s->conf);
    admin_configure(g->admin, conf_root(s->conf));
    persist_redirect(g->access_log, node_str(conf_root(s->conf), "telemetry.access_log.path"));
    log_info("configuration reloaded: generation %llu", (unsigned long long)s->generation);
}

/* What touches endpoints is the loader's to do, and ours when it has ended. */
static void loader_do(struct gateway *g, struct message *m)
{
    if (g->loader.running)
        inbox_post(g->loader.inbox, m);
    else
        m->run(m);
}

static void job_free(struct job *j)
{
    if (j->conf)
        conf_unref(&j->conf);
    buf_free(&j->error);
    free(j);
}

static void on_job_late(struct message *m)
{
    struct job *j = container_of(m, struct job, message);
    if (j->snapshot)
        build_abandon(&j->gateway->endpoints, &j->snapshot);
    job_free(j);
}

static void on_job_done(struct message *m)
{
    struct job *j = container_of(m, struct job, message);
    struct gateway *g = j->gateway;
    g->reload_running = false;
    if (g->state == GATEWAY_STOPPING) { /* no worker would take it any more */
        m->run = on_job_late;
        loader_do(g, m);
        return;
    }
    g->last_reload_ok = j->snapshot != NULL;
    g->last_reload_wall_ns = g->loop->wall_ns;
    if (j->snapshot)
        take_snapshot(g, j);
    else
        log_refusal(j);
    channel_reloaded(g->start->channel, g->last_reload_ok);
    job_free(j);
    if (g->reload_again)
        gateway_reload(g);
}

void gateway_reload(struct gateway *g)
{
    g->reload_again = g->reload_running;
    if (g->reload_running || g->state >= GATEWAY_DRAINING)
        return;
    struct job *j = xcalloc(1, sizeof *j);
    j->gateway = g;
    j->generation = g->generation + 1;
    j->message.run = on_job;
    g->reload_running = true;
    inbox_post(g->loader.inbox, &j->message);
}

static void on_snapshot_end(struct message *m)
{
    struct snapshot *s = container_of(m, struct snapshot, end);
    struct gateway *g = s->owner;
    build_free(&g->endpoints, &s);
}

/* A worker let go of it; the last one's news ends it. */
static void on_snapshot_gone(struct message *m)
{
    struct snapshot *s = container_of(m, struct snapshot_worker, gone)->snapshot;
    struct gateway *g = s->owner;
    if (++s->workers_done < s->worker_count)
        return;
    s->end.run = on_snapshot_end;
    loader_do(g, &s->end);
}

void gateway_own_snapshot(struct gateway *g, struct snapshot *s)
{
    s->owner = g;
    for (unsigned i = 0; i < s->worker_count; i++)
        s->workers[i].gone.run = on_snapshot_gone;
}
