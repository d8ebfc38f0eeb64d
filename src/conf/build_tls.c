/* Each worker's own TLS objects. What they are made from is gathered once; the first worker's are
 * made at once, so that every fault is told; at a start the other workers' are made by a thread
 * each, because a worker's take 2 ms and clients are waiting. */
#include "conf/build.h"

#include "base/xmem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct plan {
    struct build *b;
    struct tls_server_options *servers; /* by listener; no certificates: plain */
    struct tls_client_options *clients; /* by service */
};

/* Makes what a worker other than the first needs. */
struct helper {
    const struct plan *plan;
    unsigned worker;
    pthread_t thread;
    bool threaded;
    bool failed;
    char error[TLS_ERROR];
};

static const char *const only_http1[] = {"http/1.1", NULL};

static const char *const *alpn_of(struct build *b, const struct node *l)
{
    size_t n = node_count(l, "protocols"), k = 0;
    const char **alpn = arena_zalloc(&b->snapshot->arena, (n + 1) * sizeof *alpn);
    for (size_t i = 0; i < n; i++)
        if (node_is(node_at(node_get(l, "protocols"), i), "", "http/1.1"))
            alpn[k++] = "http/1.1";
    return alpn;
}

static const char *groups_of(struct build *b, const struct node *tls)
{
    struct buf out = {0};
    const struct node *groups = node_get(tls, "groups");
    for (size_t i = 0; i < node_count(groups, ""); i++)
        buf_printf(&out, "%s%s", i ? ":" : "", node_str(node_at(groups, i), ""));
    const char *text = arena_dup(&b->snapshot->arena, out.p, out.n);
    buf_free(&out);
    return text;
}

static void plan_server(struct plan *p, const struct node *l, struct tls_server_options *out)
{
    const struct node *tls = node_get(l, "tls"), *certs = node_get(tls, "certificates");
    size_t n = node_count(certs, "");
    struct tls_certificate *list = arena_zalloc(&p->b->snapshot->arena, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i].certificate = node_str(node_at(certs, i), "certificate");
        list[i].private_key = node_str(node_at(certs, i), "private_key");
    }
    *out = (struct tls_server_options){
        .certificates = list,
        .certificate_count = (unsigned)n,
        .allow_tls12 = node_is(tls, "min_version", "1.2"),
        .groups = groups_of(p->b, tls),
        .alpn = alpn_of(p->b, l),
    };
}

static void plan_client(const struct node *service, struct tls_client_options *out)
{
    const struct node *tls = node_get(service, "tls");
    *out = (struct tls_client_options){
        .ca = node_str(tls, "ca"),
        .certificate = node_str(tls, "certificate"),
        .private_key = node_str(tls, "private_key"),
        .verify = node_bool(tls, "verify"),
        .alpn = only_http1,
    };
}

/* A worker's library context, made with its first TLS object. */
static bool make_lib(const struct build *b, unsigned worker, char error[TLS_ERROR])
{
    if (!b->libs[worker])
        b->libs[worker] = tls_lib_new();
    if (!b->libs[worker])
        snprintf(error, TLS_ERROR, "OpenSSL has no library context");
    return b->libs[worker] != NULL;
}

static bool make_server(const struct plan *p, unsigned worker, size_t listener,
                        char error[TLS_ERROR])
{
    const struct build *b = p->b;
    if (!b->snapshot->listeners[listener].tls)
        return true;
    if (!make_lib(b, worker, error))
        return false;
    struct tls_server *made = tls_server_new(b->libs[worker], &p->servers[listener], error);
    b->snapshot->workers[worker].servers[listener] = made;
    return made != NULL;
}

static bool make_client(const struct plan *p, unsigned worker, size_t service,
                        char error[TLS_ERROR])
{
    const struct build *b = p->b;
    if (!b->snapshot->services[service].tls)
        return true;
    if (!make_lib(b, worker, error))
        return false;
    struct tls_client *made = tls_client_new(b->libs[worker], &p->clients[service], error);
    b->snapshot->workers[worker].clients[service] = made;
    return made != NULL;
}

static int make_first(const struct plan *p)
{
    struct build *b = p->b;
    char error[TLS_ERROR];
    int failed = 0;
    for (size_t i = 0; i < b->snapshot->listener_count; i++) {
        if (make_server(p, 0, i, error))
            continue;
        const struct node *l = node_at(node_get(b->root, "listeners"), i);
        build_error(b, node_get(l, "tls.certificates"), error, "listeners[%zu].tls.certificates",
                    i);
        failed = -1;
    }
    for (size_t i = 0; i < b->snapshot->service_count; i++) {
        if (make_client(p, 0, i, error))
            continue;
        const struct node *s = node_at(node_get(b->root, "services"), i);
        build_error(b, node_get(s, "tls"), error, "services[%zu].tls", i);
        failed = -1;
    }
    return failed;
}

static void *help(void *arg)
{
    struct helper *h = arg;
    const struct build *b = h->plan->b;
    bool made = true;
    for (size_t i = 0; made && i < b->snapshot->listener_count; i++)
        made = make_server(h->plan, h->worker, i, h->error);
    for (size_t i = 0; made && i < b->snapshot->service_count; i++)
        made = make_client(h->plan, h->worker, i, h->error);
    h->failed = !made;
    return NULL;
}

/* The same files a moment later: that they do not do any more is told without their place. */
static int make_others(const struct plan *p)
{
    struct build *b = p->b;
    struct helper *helpers = xcalloc(b->worker_count, sizeof *helpers);
    int failed = 0;
    for (unsigned i = 1; i < b->worker_count; i++) {
        struct helper *h = &helpers[i];
        *h = (struct helper){.plan = p, .worker = i};
        h->threaded = b->hurry && pthread_create(&h->thread, NULL, help, h) == 0;
        if (!h->threaded)
            help(h);
    }
    for (unsigned i = 1; i < b->worker_count; i++) {
        struct helper *h = &helpers[i];
        if (h->threaded)
            pthread_join(h->thread, NULL);
        if (h->failed && !failed)
            build_error(b, NULL, h->error, "TLS of worker %u", i);
        failed |= h->failed;
    }
    free(helpers);
    return failed ? -1 : 0;
}

/* Of two certificates of one subject the first to end is told. */
static void add_certificate(struct build *b, struct snapshot_listener *out,
                            const struct tls_certificate_info *info)
{
    struct str subject = str_of(info->subject);
    for (size_t i = 0; i < out->certificate_count; i++) {
        struct snapshot_certificate *c = &out->certificates[i];
        if (!str_eq(c->subject, subject))
            continue;
        c->expiry = info->expiry < c->expiry ? info->expiry : c->expiry;
        return;
    }
    out->certificates[out->certificate_count++] =
        (struct snapshot_certificate){arena_str(&b->snapshot->arena, subject), info->expiry};
}

static void list_certificates(struct build *b)
{
    struct snapshot *s = b->snapshot;
    for (size_t i = 0; i < s->listener_count; i++) {
        struct snapshot_listener *l = &s->listeners[i];
        unsigned n;
        if (!l->tls)
            continue;
        const struct tls_certificate_info *list =
            tls_server_certificates(s->workers[0].servers[i], &n);
        l->certificates = arena_zalloc(&s->arena, n * sizeof *l->certificates);
        for (unsigned k = 0; k < n; k++)
            add_certificate(b, l, &list[k]);
    }
}

int build_tls(struct build *b)
{
    struct snapshot *s = b->snapshot;
    const struct node *listeners = node_get(b->root, "listeners"),
                      *services = node_get(b->root, "services");
    struct plan p = {.b = b};
    p.servers = arena_zalloc(&s->arena, (s->listener_count + 1) * sizeof *p.servers);
    p.clients = arena_zalloc(&s->arena, (s->service_count + 1) * sizeof *p.clients);
    for (size_t i = 0; i < s->listener_count; i++)
        plan_server(&p, node_at(listeners, i), &p.servers[i]);
    for (size_t i = 0; i < s->service_count; i++)
        plan_client(node_at(services, i), &p.clients[i]);
    if (make_first(&p) != 0 || make_others(&p) != 0)
        return -1;
    list_certificates(b);
    return 0;
}
