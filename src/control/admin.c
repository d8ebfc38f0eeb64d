/* The admin API's server, see admin.h: connections on control's loop, each with the HTTP/1.1 codec
 * that clients' connections have. A request is checked when its head is there, and handled when
 * its body is complete; answers are small and leave at once. */
#include "control/admin.h"

#include "base/xmem.h"
#include "control/admin_private.h"
#include "core/reply.h"

#include <stdlib.h>

enum { WATCH_MS = 1000 };

static const struct h1_server_limits limits = {
    .head = {.head_bytes = 32 * 1024, .fields = 100},
    .header_timeout_ms = 10000,
    .body_timeout_ms = 30000,
    .idle_timeout_ms = 75000,
};

static struct admin_req *req_of_exchange(struct exchange *x)
{
    return (struct admin_req *)(void *)x;
}

void admin_reply_text(struct admin_req *q, unsigned status, const char *type, struct str body)
{
    struct exchange *x = &q->x;

    x->status = (uint16_t)status;
    x->answer_length = (int64_t)body.n;
    headers_set_id(&x->answer, FIELD_CONTENT_TYPE, str_of(type));
    headers_set_id(&x->answer, FIELD_CACHE_CONTROL, STR("no-store"));
    x->codec->send_head(x, body, true);
}

void admin_reply_json(struct admin_req *q, unsigned status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    struct buf line = {0};

    json_decref(body);
    buf_add_str(&line, str_of(text ? text : "null"));
    buf_add_char(&line, '\n');
    admin_reply_text(q, status, "application/json", str_make(line.p, line.n));
    buf_free(&line);
    free(text);
}

void admin_reply_problem(struct admin_req *q, unsigned status, const char *code, const char *detail)
{
    admin_reply_text(q, status, "application/problem+json",
                     reply_problem(&q->x.arena, status, code, detail, STR_NULL));
}

static struct exchange *on_new(void *user)
{
    struct admin_req *q = xcalloc(1, sizeof *q);

    q->conn = user;
    return &q->x;
}

/* Takes what came of the body; handles the request when it is all. */
static void take_body(struct admin_req *q)
{
    struct str in = exchange_take(&q->x);
    bool last = q->x.in_last;

    if (q->x.head_sent)
        return;
    if (q->body.n + in.n > ADMIN_BODY_MAX) {
        q->x.close = true;
        admin_reply_problem(q, 413, "body_too_large", "a body has at most 10 MiB");
        return;
    }
    buf_add_str(&q->body, in);
    if (last)
        q->route->handler(q);
    else
        q->x.codec->want_body(&q->x);
}

static void on_request(struct exchange *x)
{
    struct admin_req *q = req_of_exchange(x);
    const char *mark = memchr(x->target.p, '?', x->target.n);

    q->path = mark ? str_make(x->target.p, (size_t)(mark - x->target.p)) : x->target;
    if (!admin_guard_origin(q) || !(q->route = admin_route_find(q)) || !admin_guard_request(q))
        return;
    if (!q->route->handler)
        admin_reply_problem(q, 501, "not_implemented", "this part of the API is not built in yet");
    else
        take_body(q);
}

static void on_body(struct exchange *x)
{
    take_body(req_of_exchange(x));
}

static void on_drained(struct exchange *x)
{
    (void)x; /* an answer is handed over whole */
}

static void on_end(struct exchange *x, enum exchange_end how)
{
    struct admin_req *q = req_of_exchange(x);

    (void)how;
    buf_free(&q->body);
    arena_free(&x->arena);
    free(q);
}

static void on_bad_request(struct exchange *x, unsigned status, const char *what)
{
    if (x->head_sent)
        x->codec->abort(x);
    else
        admin_reply_problem(req_of_exchange(x), status, reply_code_of_status(status), what);
}

static const struct handler_ops handler = {
    .exchange_new = on_new,
    .on_request = on_request,
    .on_body = on_body,
    .on_drained = on_drained,
    .on_end = on_end,
    .on_bad_request = on_bad_request,
};

static void release_admin(struct admin *a)
{
    admin_guard_fini(a);
    h1_env_fini(&a->env);
    free(a);
}

static void on_release(struct task *t)
{
    struct admin_conn *c = container_of(t, struct admin_conn, release);
    struct admin *a = c->port->admin;

    free(c);
    if (--a->conn_count == 0 && a->closing)
        release_admin(a);
}

static void on_closed(struct h1_server *h)
{
    struct admin_conn *c = container_of(h, struct admin_conn, h1);

    list_remove(&c->link);
    c->port->conn_count--;
    loop_task(c->port->admin->loop, &c->release);
}

static void on_event(struct stream *s, unsigned what)
{
    h1_server_event(&container_of(s, struct admin_conn, stream)->h1, what);
}

/* Who holds connections open keeps nobody else out: the oldest makes room. */
static void close_oldest(struct admin_port *port)
{
    list_for_each(node, &port->admin->conns) {
        struct admin_conn *c = list_entry(node, struct admin_conn, link);
        if (c->port == port) {
            h1_server_close(&c->h1);
            return;
        }
    }
}

static void on_accept(struct listener *l, int fd, const struct addr *peer)
{
    struct admin_port *port = container_of(l, struct admin_port, listener);
    struct admin *a = port->admin;

    (void)peer;
    if (port->conn_count >= ADMIN_CONNECTIONS_MAX)
        close_oldest(port);
    struct admin_conn *c = xcalloc(1, sizeof *c);
    c->port = port;
    c->release.run = on_release;
    c->h1.stream = &c->stream;
    c->h1.env = &a->env;
    c->h1.limits = &a->limits;
    c->h1.handler = &handler;
    c->h1.on_closed = on_closed;
    c->h1.user = c;
    list_push_back(&a->conns, &c->link);
    a->conn_count++;
    port->conn_count++;
    h1_server_open(&c->h1);
    stream_accept(&c->stream, a->loop, fd, port->tls, on_event);
}

static void on_watch(struct timer *t)
{
    struct admin *a = container_of(t, struct admin, watch);
    struct admin_worker w;

    for (unsigned i = 0; i < a->sources->workers; i++) {
        a->sources->worker(a->sources->user, i, &w);
        liveness_see(&a->liveness, i, w.turns, a->loop->now_ms);
    }
    timer_set(a->loop, &a->watch, WATCH_MS);
}

bool admin_any_stalled(const struct admin *a)
{
    return liveness_any_stalled(&a->liveness, a->loop->now_ms);
}

struct admin *admin_new(struct loop *l, const struct admin_sources *sources,
                        const struct node *root)
{
    struct admin *a = xcalloc(1, sizeof *a);

    a->loop = l;
    a->env.loop = l;
    a->limits = limits;
    a->sources = sources;
    list_init(&a->conns);
    liveness_init(&a->liveness, sources->workers, l->now_ms);
    a->watch.fire = on_watch;
    timer_set(l, &a->watch, WATCH_MS);
    admin_configure(a, root);
    return a;
}

void admin_configure(struct admin *a, const struct node *root)
{
    admin_guard_configure(a, node_get(root, "admin"));
}

int admin_listen(struct admin *a, int fd, bool probe, struct tls_server *tls)
{
    struct admin_port *port = &a->ports[a->port_count];
    struct addr bound = {.len = sizeof bound.un};

    ensure(a->port_count < ADMIN_LISTENERS_MAX);
    if (getsockname(fd, &bound.sa, &bound.len) != 0)
        return -1;
    *port = (struct admin_port){.admin = a, .tls = tls, .probe = probe};
    port->loopback = bound.sa.sa_family != AF_UNIX && addr_is_loopback(&bound);
    if (listener_open(&port->listener, a->loop, fd, on_accept) != 0)
        return -1;
    a->port_count++;
    return 0;
}

void admin_free(struct admin **admin)
{
    struct admin *a = *admin;

    if (!a)
        return;
    *admin = NULL;
    for (unsigned i = 0; i < a->port_count; i++)
        listener_stop(&a->ports[i].listener);
    timer_clear(a->loop, &a->watch);
    a->closing = true;
    list_for_each(node, &a->conns)
        h1_server_close(&list_entry(node, struct admin_conn, link)->h1);
    if (a->conn_count == 0)
        release_admin(a);
}
