/* See life.h. Order of decisions: framing (the codec's), target, host, route, size, filters. */
#include "core/life.h"

#include "base/clock.h"
#include "base/xmem.h"
#include "core/chain.h"
#include "core/conn.h"
#include "core/forward.h"
#include "core/proxy.h"
#include "core/reply.h"
#include "http/uri.h"

#include <stdlib.h>

enum { SPARE_MAX = 4096 };

static void count_live(struct core *c, int delta)
{
    uint32_t n = atomic_load_explicit(&c->live_count, memory_order_relaxed);
    atomic_store_explicit(&c->live_count, n + (uint32_t)delta, memory_order_relaxed);
}

static struct req *req_take(struct core *c)
{
    struct list *node = list_pop_front(&c->spare);
    if (!node)
        return xcalloc(1, sizeof(struct req));
    if (--c->spare_count < c->spare_low)
        c->spare_low = c->spare_count;
    struct req *r = list_entry(node, struct req, link);
    struct arena arena = r->x.arena;
    memset(r, 0, sizeof *r);
    r->x.arena = arena;
    return r;
}

static struct exchange *on_new(void *user)
{
    struct conn *conn = user;
    struct core *c = conn->core;
    struct req *r = req_take(c);
    r->core = c;
    r->worker = &c->module;
    r->conn = conn;
    r->snapshot = c->snapshot;
    core_pin(c, r->snapshot);
    r->route = &r->snapshot->no_route;
    r->client_ip = str_make(conn->ip, conn->ip_len);
    r->client_port = conn->port;
    r->names.listener = conn->listener->name;
    r->names.tls_version = stream_tls_version(&conn->stream);
    r->names.tls_cipher = stream_tls_cipher(&conn->stream);
    conn_set_active(conn, true);
    r->start_ns = c->h1.loop->now_ns;
    list_push_back(&c->live, &r->link);
    count_live(c, 1);
    return &r->x;
}

void life_release(struct req *r)
{
    struct core *c = r->core;
    if (c->spare_count >= SPARE_MAX) {
        arena_free(&r->x.arena);
        free(r);
        return;
    }
    arena_reset(&r->x.arena);
    c->spare_count++;
    list_push_front(&c->spare, &r->link);
}

static void free_spare(struct core *c, unsigned count)
{
    while (count-- > 0) {
        struct req *r = list_entry(list_pop_front(&c->spare), struct req, link);
        arena_free(&r->x.arena);
        free(r);
        c->spare_count--;
    }
}

void life_trim(struct core *c)
{
    free_spare(c, (c->spare_low + 1) / 2);
    c->spare_low = c->spare_count;
}

void life_free_spare(struct core *c)
{
    free_spare(c, c->spare_count);
}

/* An answer before any route was found. */
static void refuse(struct req *r, const char *code, const char *detail)
{
    chain_run_common(r);
    reply_error(r, code, detail);
}

static bool read_target(struct req *r)
{
    struct exchange *x = &r->x;
    struct uri uri;
    if (uri_split(x->target, (enum http_method)x->method, &uri) != URI_OK ||
        uri_normalise(uri.path, r->conn->listener->uri_flags, &x->arena, &r->path) != URI_OK)
        return false;
    r->query = uri.query;
    if (uri.authority.p)
        x->authority = uri.authority;
    return true;
}

/* Lower-case, no port, no final dot: as routes compare it. */
static void read_host(struct req *r)
{
    struct str host = uri_host(r->x.authority);
    char *lower = arena_alloc(&r->x.arena, host.n + 1);
    for (size_t i = 0; i < host.n; i++)
        lower[i] = ascii_lower(host.p[i]);
    r->host = str_make(lower, host.n);
}

/* RFC 9110 §15.5.20: the TLS name of this connection is another, and it is another listener that
 * has the certificate of the host asked for. */
static bool is_misdirected(const struct req *r)
{
    const struct conn *conn = r->conn;
    struct str sni = stream_sni(&conn->stream);
    if (!sni.n || str_eq_ci(sni, r->host))
        return false;
    const struct snapshot_worker *w = core_of_snapshot(r->core, conn->snapshot);
    if (tls_server_has_host(w->servers[conn->listener->index], r->host))
        return false;
    for (size_t i = 0; i < conn->snapshot->listener_count; i++)
        if (w->servers[i] && tls_server_has_host(w->servers[i], r->host))
            return true;
    return false;
}

bool life_body_too_large(const struct req *r)
{
    return r->x.bytes_in > r->route->body_bytes;
}

static void start_route(struct req *r)
{
    const char *missing = r->route->missing ? r->route->missing : r->conn->listener->missing;
    if (missing) {
        refuse(r, "not_implemented", arena_printf(&r->x.arena, "%s is not built in", missing));
    } else if (r->x.length > 0 && (uint64_t)r->x.length > r->route->body_bytes) {
        refuse(r, "body_too_large", "the body is larger than this route takes");
    } else {
        forward_prepare(r);
        chain_start(r);
    }
}

static void find_route(struct req *r)
{
    struct exchange *x = &r->x;
    struct route_match match;
    struct route_query q = {
        .listener = r->conn->listener->index,
        .host = r->host,
        .path = r->path,
        .query = r->query,
        .method = (enum http_method)x->method,
        .method_text = x->method_text,
        .headers = &x->headers,
        .arena = &x->arena,
    };
    switch (router_match(r->snapshot->router, r->core->scratch, &q, &match)) {
    case ROUTE_FOUND:
        r->route = match.rule->route;
        r->names.route = r->route->name;
        if (r->route->service)
            r->names.service = r->route->service->name;
        r->match = match;
        start_route(r);
        return;
    case ROUTE_NONE: refuse(r, "no_route", "no route matches this host and path"); return;
    case ROUTE_METHOD:
        headers_add(&x->answer, STR("Allow"), match.allow);
        refuse(r, "method_not_allowed", "no route of this path takes this method");
        return;
    case ROUTE_FAILED: refuse(r, "internal_error", NULL); return;
    }
}

static void on_request(struct exchange *x)
{
    struct req *r = req_of(x);
    if (x->method == METHOD_CONNECT || x->method == METHOD_TRACE)
        refuse(r, "not_implemented", "this method is not supported");
    else if (!read_target(r))
        refuse(r, "bad_request", "the request target is not valid");
    else if (headers_strip_hop_by_hop(&x->headers) != 0)
        refuse(r, "bad_request", "Connection names a field that it may not");
    else {
        read_host(r);
        if (is_misdirected(r))
            refuse(r, "misdirected_request", "this host is served elsewhere");
        else
            find_route(r);
    }
}

static void on_bad_request(struct exchange *x, unsigned status, const char *what)
{
    struct req *r = req_of(x);
    proxy_cancel(r);
    if (x->head_sent)
        x->codec->abort(x);
    else
        refuse(r, reply_code_of_status(status), what);
}

static void on_body(struct exchange *x)
{
    proxy_request_body(req_of(x));
}

static void on_drained(struct exchange *x)
{
    proxy_client_drained(req_of(x));
}

static void count_request(const struct req *r)
{
    uint64_t upstream_end_ns = r->upstream_end_ns ? r->upstream_end_ns : r->end_ns;
    metrics_request(r->worker->metrics, &(struct metrics_request){
                                            .listener = r->names.listener,
                                            .route = r->names.route,
                                            .service = r->names.service,
                                            .variant = r->names.variant,
                                            .method = r->x.method,
                                            .code = req_code(r),
                                            .upstream = r->upstream_start_ns != 0,
                                            .duration_ns = r->end_ns - r->start_ns,
                                            .upstream_ns = upstream_end_ns - r->upstream_start_ns,
                                        });
}

static void on_end(struct exchange *x, enum exchange_end how)
{
    struct req *r = req_of(x);
    struct core *c = r->core;
    proxy_cancel(r);
    r->aborted = how == EXCHANGE_CLIENT_GONE || (how == EXCHANGE_TIMEOUT && !r->error_code.n);
    if (x->codec) { /* a head came that was at least recognised as one */
        r->end_ns = clock_mono_ns();
        chain_finish(r);
        count_request(r);
    }
    conn_set_active(r->conn, false);
    conn_refresh(r->conn);
    list_remove(&r->link);
    count_live(c, -1);
    core_unpin(c, r->snapshot);
    if (r->run.queued)
        r->dead = true;
    else
        life_release(r);
}

const struct handler_ops life_handler = {
    .exchange_new = on_new,
    .on_request = on_request,
    .on_body = on_body,
    .on_drained = on_drained,
    .on_end = on_end,
    .on_bad_request = on_bad_request,
};
