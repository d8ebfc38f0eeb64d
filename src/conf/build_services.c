/* Services of a snapshot: variants, endpoints from the registry, deadlines. */
#include "conf/build.h"

#include "base/log.h"

/* The verified name: `tls.server_name`, else (a bare address) what its routes rewrite Host to. */
static const char *server_name_of(struct build *b, const struct node *service)
{
    const char *name = node_str(service, "tls.server_name");
    const struct node *routes = node_get(b->root, "routes");
    for (size_t i = 0; !name && i < node_count(routes, ""); i++) {
        const struct node *r = node_at(routes, i);
        const char *host = node_str(r, "rewrite.host");
        if (host && strcmp(host, "endpoint") != 0 &&
            node_is(r, "service", node_str(service, "name")))
            name = host;
    }
    return name;
}

static void add_endpoint(struct build *b, const struct node *service, const struct node *n,
                         struct variant *v, uint64_t tls_digest)
{
    struct addr addr;
    const char *address = node_str(n, "address");
    uint32_t weight = (uint32_t)node_int(n, "weight");
    if (weight == 0)
        return;
    if (addr_parse(str_of(address), &addr) != 0) {
        log_warn("service %s: endpoint %s is not an address; it is not used",
                 node_str(service, "name"), address);
        return;
    }
    const char *name = tls_digest ? server_name_of(b, service) : NULL;
    v->endpoints[v->endpoint_count++] = (struct variant_endpoint){
        .endpoint = endpoint_ref(b->endpoints, &addr, str_of(address), name, tls_digest),
        .weight = weight,
    };
    v->weight_sum += weight;
}

static void add_variants(struct build *b, const struct node *n, struct service *s)
{
    const struct node *list = node_get(n, "variants");
    uint64_t tls_digest = s->tls ? conf_digest(node_get(n, "tls")) | 1 : 0;
    size_t count = node_count(list, "");
    s->variants = arena_zalloc(&b->snapshot->arena, count * sizeof *s->variants);
    for (size_t i = 0; i < count; i++) {
        const struct node *vn = node_at(list, i), *endpoints = node_get(vn, "endpoints");
        struct variant *v = &s->variants[s->variant_count++];
        v->name = str_of(node_str(vn, "name"));
        v->weight = (uint32_t)node_int(vn, "weight");
        s->weight_sum += v->weight;
        v->endpoints =
            arena_zalloc(&b->snapshot->arena, node_count(endpoints, "") * sizeof *v->endpoints);
        for (size_t e = 0; e < node_count(endpoints, ""); e++)
            add_endpoint(b, n, node_at(endpoints, e), v, tls_digest);
    }
}

static void set_sticky(const struct node *n, struct service *s)
{
    const char *text = node_str(n, "sticky");
    static const struct {
        const char *prefix;
        enum sticky kind;
    } kinds[] = {
        {"none", STICKY_NONE},      {"tenant", STICKY_TENANT},  {"subject", STICKY_SUBJECT},
        {"header:", STICKY_HEADER}, {"cookie:", STICKY_COOKIE},
    };
    for (size_t i = 0; i < array_size(kinds); i++) {
        struct str prefix = str_of(kinds[i].prefix), all = str_of(text);
        if (!str_starts(all, prefix))
            continue;
        s->sticky = (uint8_t)kinds[i].kind;
        s->sticky_key = str_make(all.p + prefix.n, all.n - prefix.n);
    }
}

void build_services(struct build *b)
{
    struct snapshot *s = b->snapshot;
    const struct node *list = node_get(b->root, "services");
    size_t n = node_count(list, "");
    s->services = arena_zalloc(&s->arena, (n + 1) * sizeof *s->services);
    for (size_t i = 0; i < n; i++) {
        const struct node *sn = node_at(list, i);
        struct service *out = &s->services[i];
        out->index = (uint32_t)i;
        out->name = str_of(node_str(sn, "name"));
        out->tls = node_get(sn, "tls") != NULL;
        out->fallback = node_bool(sn, "fallback");
        out->timeouts.connect_ms = node_ms(sn, "timeouts.connect");
        out->timeouts.response_ms = node_ms(sn, "timeouts.response");
        out->timeouts.idle_ms = node_ms(sn, "timeouts.idle");
        out->timeouts.total_ms = node_ms(sn, "timeouts.total");
        out->idle_per_worker = (uint32_t)node_int(sn, "connections.idle_per_worker");
        out->idle_timeout_ms = node_ms(sn, "connections.idle_timeout");
        out->max_requests = (uint64_t)node_int(sn, "connections.max_requests");
        set_sticky(sn, out);
        add_variants(b, sn, out);
        s->service_count = i + 1;
    }
}
