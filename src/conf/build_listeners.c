/* Listeners of a snapshot: limits, and each worker's TLS servers. */
#include "conf/build.h"

#include "http/uri.h"

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

static void list_certificates(struct build *b, struct snapshot_listener *out)
{
    unsigned n;
    const struct tls_certificate_info *list =
        tls_server_certificates(b->snapshot->workers[0].servers[out->index], &n);
    out->certificates = arena_zalloc(&b->snapshot->arena, n * sizeof *out->certificates);
    for (unsigned i = 0; i < n; i++)
        add_certificate(b, out, &list[i]);
}

static int listener_tls(struct build *b, const struct node *l, struct snapshot_listener *out)
{
    const struct node *tls = node_get(l, "tls"), *certs = node_get(tls, "certificates");
    size_t n = node_count(certs, "");
    struct tls_certificate *list = arena_zalloc(&b->snapshot->arena, (n + 1) * sizeof *list);
    char error[TLS_ERROR];
    for (size_t i = 0; i < n; i++) {
        list[i].certificate = node_str(node_at(certs, i), "certificate");
        list[i].private_key = node_str(node_at(certs, i), "private_key");
    }
    struct tls_server_options o = {
        .certificates = list,
        .certificate_count = (unsigned)n,
        .allow_tls12 = node_is(tls, "min_version", "1.2"),
        .groups = groups_of(b, tls),
        .alpn = alpn_of(b, l),
    };
    for (unsigned w = 0; w < b->worker_count; w++) {
        struct tls_server *server = tls_server_new(b->libs[w], &o, error);
        if (!server) {
            build_error(b, certs, error, "listeners[%u].tls.certificates", out->index);
            return -1;
        }
        b->snapshot->workers[w].servers[out->index] = server;
    }
    list_certificates(b, out);
    return 0;
}

static void listener_limits(const struct node *root, struct h1_server_limits *out)
{
    const struct node *n = node_get(root, "client_limits");
    out->head.head_bytes = (uint32_t)node_size(n, "header_bytes"); /* below LOOP_RX by its schema */
    out->head.fields = (uint16_t)node_int(n, "header_count");
    out->header_timeout_ms = (uint32_t)node_ms(n, "header_timeout");
    out->body_timeout_ms = (uint32_t)node_ms(n, "body_timeout");
    out->idle_timeout_ms = (uint32_t)node_ms(n, "idle_timeout");
}

static struct str port_of(struct build *b, const char *address)
{
    struct addr a;
    if (addr_parse(str_of(address), &a) != 0 || addr_port(&a) == 0)
        return STR("");
    return str_of(arena_printf(&b->snapshot->arena, "%u", addr_port(&a)));
}

int build_listeners(struct build *b)
{
    struct snapshot *s = b->snapshot;
    const struct node *list = node_get(b->root, "listeners");
    size_t n = node_count(list, "");
    int failed = 0;
    if (n > LISTENERS_MAX) {
        build_error(b, list, "more than 64", "listeners");
        return -1;
    }
    s->listeners = arena_zalloc(&s->arena, n * sizeof *s->listeners);
    s->listener_count = n;
    for (size_t i = 0; i < n; i++) {
        const struct node *l = node_at(list, i);
        struct snapshot_listener *out = &s->listeners[i];
        out->index = (unsigned)i;
        out->name = str_of(node_str(l, "name"));
        out->address = node_str(l, "address");
        out->tls = node_get(l, "tls") != NULL;
        out->missing = node_str(l, "missing");
        out->port = port_of(b, out->address);
        out->uri_flags = (node_is(l, "paths.escaped_slash", "keep") ? URI_KEEP_ESCAPED_SLASH : 0u) |
                         (node_bool(l, "paths.merge_slashes") ? URI_MERGE_SLASHES : 0u);
        listener_limits(b->root, &out->limits);
        if (out->tls)
            failed |= listener_tls(b, l, out);
    }
    return failed;
}
