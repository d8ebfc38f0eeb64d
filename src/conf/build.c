/* See build.h. */
#include "conf/build.h"

#include "base/xmem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void build_error(struct build *b, const struct node *at, const char *text, const char *fmt, ...)
{
    char path[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    struct node_pos pos = at ? node_pos(at) : (struct node_pos){0};
    if (b->error->n)
        buf_add_char(b->error, '\n');
    if (pos.file)
        buf_printf(b->error, "%s:%u:%u: ", pos.file, pos.line, pos.column);
    buf_printf(b->error, "%s: %s", path, text);
}

static void build_workers(struct build *b)
{
    struct snapshot *s = b->snapshot;
    s->worker_count = b->worker_count;
    s->workers = xcalloc(b->worker_count, sizeof *s->workers);
    for (unsigned i = 0; i < b->worker_count; i++) {
        struct snapshot_worker *w = &s->workers[i];
        w->snapshot = s;
        w->servers = arena_zalloc(&s->arena, LISTENERS_MAX * sizeof *w->servers);
        w->clients =
            arena_zalloc(&s->arena, (node_count(b->root, "services") + 1) * sizeof *w->clients);
    }
}

static void build_named(struct build *b)
{
    struct snapshot *s = b->snapshot;
    s->endpoint_slots = b->endpoints->count;
    s->endpoint_named = arena_zalloc(&s->arena, s->endpoint_slots + 1);
    for (size_t i = 0; i < s->service_count; i++)
        for (uint32_t v = 0; v < s->services[i].variant_count; v++)
            for (uint32_t e = 0; e < s->services[i].variants[v].endpoint_count; e++)
                s->endpoint_named[s->services[i].variants[v].endpoints[e].endpoint->slot] = true;
}

struct snapshot *build_snapshot(struct build *b, struct conf *conf, uint64_t generation,
                                struct buf *error)
{
    struct snapshot *s = xcalloc(1, sizeof *s);
    b->snapshot = s;
    b->error = error;
    b->root = conf_root(conf);
    s->conf = conf_ref(conf);
    s->generation = generation;
    s->max_connections = (uint32_t)node_int(b->root, "client_limits.max_connections");
    build_workers(b);
    int failed = build_listeners(b); /* all of them, so that every fault is told */
    build_services(b);
    failed |= build_tls(b);
    failed |= build_routes(b);
    if (failed) {
        build_abandon(b->endpoints, &s);
        return NULL;
    }
    build_named(b);
    return s;
}

void build_free(struct endpoints *endpoints, struct snapshot **sp)
{
    struct snapshot *s = *sp;
    *sp = NULL;
    build_routes_free(s);
    for (size_t i = 0; i < s->service_count; i++)
        for (uint32_t v = 0; v < s->services[i].variant_count; v++)
            for (uint32_t e = 0; e < s->services[i].variants[v].endpoint_count; e++)
                endpoint_unref(endpoints, &s->services[i].variants[v].endpoints[e].endpoint);
    free(s->workers);
    conf_unref(&s->conf);
    arena_free(&s->arena);
    free(s);
}

void build_abandon(struct endpoints *endpoints, struct snapshot **s)
{
    for (unsigned i = 0; i < (*s)->worker_count; i++)
        snapshot_free_worker_tls(*s, &(*s)->workers[i]);
    build_free(endpoints, s);
}
