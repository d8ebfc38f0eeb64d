/* Routes of a snapshot: what they match, what they do, which filters they pass. */
#include "conf/build.h"

#include "base/map.h"
#include "base/xmem.h"

#include <stdlib.h>

struct rules {
    struct build *b;
    struct route_rule *rules;
    struct map services, listeners; /* by name */
};

static const struct str *strs_of(struct build *b, const struct node *list, size_t *count)
{
    size_t n = node_count(list, "");
    struct str *out = n ? arena_alloc(&b->snapshot->arena, n * sizeof *out) : NULL;
    for (size_t i = 0; i < n; i++)
        out[i] = str_of(node_str(node_at(list, i), ""));
    *count = n;
    return out;
}

static const struct route_value *values_of(struct build *b, const struct node *map, size_t *count)
{
    size_t n = node_count(map, "");
    struct route_value *out = n ? arena_zalloc(&b->snapshot->arena, n * sizeof *out) : NULL;
    for (size_t i = 0; i < n; i++) {
        const struct node *v = node_at(map, i);
        const char *exact = node_str(v, "exact"), *regex = node_str(v, "regex");
        out[i].name = str_of(node_key(map, i));
        out[i].value = str_of(exact ? exact : regex);
        out[i].kind = exact ? ROUTE_VALUE_EXACT : regex ? ROUTE_VALUE_REGEX : ROUTE_VALUE_PRESENT;
    }
    *count = n;
    return out;
}

static void set_path(struct build *b, const struct node *match, struct route_rule *r)
{
    static const char *const keys[] = {
        [ROUTE_PATH_EXACT] = "path",
        [ROUTE_PATH_PREFIX] = "path_prefix",
        [ROUTE_PATH_REGEX] = "path_regex",
    };
    r->path_kind = ROUTE_PATH_PREFIX;
    for (size_t k = 0; k < array_size(keys); k++)
        if (node_count(match, keys[k])) {
            r->path_kind = (uint8_t)k;
            r->paths = strs_of(b, node_get(match, keys[k]), &r->n_paths);
        }
}

static void set_methods(struct build *b, const struct node *match, struct route_rule *r)
{
    size_t n;
    const struct str *names = strs_of(b, node_get(match, "methods"), &n);
    struct str *other = n ? arena_alloc(&b->snapshot->arena, n * sizeof *other) : NULL;
    r->other_methods = other;
    for (size_t i = 0; i < n; i++) {
        enum http_method m = method_lookup(names[i]);
        if (m == METHOD_OTHER)
            other[r->n_other_methods++] = names[i];
        else
            r->methods |= 1u << m;
    }
}

static void set_match(struct rules *rs, const struct node *match, struct route_rule *r)
{
    struct build *b = rs->b;
    size_t n;
    const struct str *listeners = strs_of(b, node_get(match, "listeners"), &n);
    for (size_t i = 0; i < n; i++) {
        const struct snapshot_listener *l = map_get(&rs->listeners, listeners[i]);
        r->listeners |= l ? UINT64_C(1) << l->index : 0;
    }
    r->hosts = strs_of(b, node_get(match, "hosts"), &r->n_hosts);
    r->headers = values_of(b, node_get(match, "headers"), &r->n_headers);
    r->query = values_of(b, node_get(match, "query"), &r->n_query);
    set_path(b, match, r);
    set_methods(b, match, r);
}

static int set_rewrite(struct build *b, const struct node *n, struct route *out)
{
    const struct node *w = node_get(n, "rewrite");
    struct rewrite_rule rule = {
        .strip_prefix = str_of(node_str(w, "strip_prefix")),
        .add_prefix = str_of(node_str(w, "add_prefix")),
        .regex = str_of(node_str(w, "regex")),
        .replacement = str_of(node_str(w, "replacement")),
        .host = str_of(node_str(w, "host")),
    };
    const char *key;
    char text[256];
    if (rewrite_init(&out->rewrite, &rule, &b->snapshot->arena, &key, text, sizeof text) == 0)
        return 0;
    build_error(b, node_get(w, key), text, "routes[%zu].rewrite.%s", b->snapshot->route_count - 1,
                key);
    return -1;
}

static int set_respond(struct build *b, const struct node *n, struct route *out)
{
    struct arena *arena = &b->snapshot->arena;
    const struct node *respond = node_get(n, "respond"), *fields = node_get(respond, "headers");
    const char *body = node_str(respond, "body");
    if (!respond)
        return 0;
    out->respond_status = (uint16_t)node_int(respond, "status");
    if (body && !(out->respond_body = template_compile(arena, body, b->error)))
        return -1;
    size_t count = node_count(fields, "");
    out->respond_fields = count ? arena_zalloc(arena, count * sizeof *out->respond_fields) : NULL;
    for (size_t i = 0; i < count; i++) {
        struct respond_field *f = &out->respond_fields[out->respond_field_count++];
        f->name = str_of(node_key(fields, i));
        f->value = template_compile(arena, node_str(node_at(fields, i), ""), b->error);
        if (!f->value)
            return -1;
    }
    return 0;
}

/* Instances of all filters that want this route (NULL: requests without one), in phase order. */
static int set_filters(struct build *b, const struct node *n, struct route *out)
{
    struct tg_build tb = {&b->snapshot->arena, n, b->root, b->error};
    struct route_filter list[REQ_FILTERS_MAX];
    unsigned count = 0;
    for (unsigned phase = 0; phase < TG_PHASES; phase++) {
        for (const struct tg_filter *const *f = tg_filters; *f; f++) {
            void *inst = NULL;
            if ((*f)->phase != phase)
                continue;
            if ((*f)->create(&tb, &inst) != 0)
                return -1;
            if (!inst)
                continue;
            ensure(count < REQ_FILTERS_MAX);
            list[count++] = (struct route_filter){*f, inst};
        }
    }
    out->filters = arena_alloc(&b->snapshot->arena, (count + 1) * sizeof *list);
    memcpy(out->filters, list, count * sizeof *list);
    out->filter_count = (uint8_t)count;
    return 0;
}

static uint64_t ms_or(const struct node *n, const char *path, uint64_t otherwise)
{
    return node_get(n, path) ? node_ms(n, path) : otherwise;
}

static void set_timeouts(const struct node *n, struct route *out)
{
    const struct service_timeouts none = {0};
    const struct service_timeouts *t = out->service ? &out->service->timeouts : &none;
    out->timeouts.connect_ms = ms_or(n, "timeouts.connect", t->connect_ms);
    out->timeouts.response_ms = ms_or(n, "timeouts.response", t->response_ms);
    out->timeouts.idle_ms = ms_or(n, "timeouts.idle", t->idle_ms);
    out->timeouts.total_ms = ms_or(n, "timeouts.total", t->total_ms);
}

static int add_route(struct rules *rs, const struct node *n)
{
    struct build *b = rs->b;
    struct snapshot *s = b->snapshot;
    struct route *out = &s->routes[s->route_count];
    struct route_rule *rule = &rs->rules[s->route_count++];
    const char *service = node_str(n, "service");
    out->name = str_of(node_str(n, "name"));
    out->service = service ? map_get(&rs->services, str_of(service)) : NULL;
    out->missing = node_str(n, "missing");
    out->body_bytes = node_get(n, "body_bytes") ? node_size(n, "body_bytes")
                                                : node_size(b->root, "client_limits.body_bytes");
    set_timeouts(n, out);
    rule->name = out->name;
    rule->priority = (int32_t)node_int(n, "priority");
    rule->route = out;
    set_match(rs, node_get(n, "match"), rule);
    int failed = set_rewrite(b, n, out);
    failed |= set_respond(b, n, out);
    failed |= set_filters(b, n, out);
    return failed;
}

static void on_match_error(void *ctx, const struct router_error *e)
{
    const struct rules *rs = ctx;
    const struct node *routes = node_get(rs->b->root, "routes");
    const struct node *match = node_get(node_at(routes, e->rule), "match");
    const struct node *key = node_get(match, e->key);
    build_error(rs->b, e->index < node_count(key, "") ? node_at(key, e->index) : key, e->text,
                "routes[%zu].match.%s[%zu]", e->rule, e->key, e->index);
}

static int compile(struct rules *rs, const struct node *list)
{
    struct build *b = rs->b;
    int rc = 0;
    for (size_t i = 0; i < node_count(list, ""); i++)
        rc |= add_route(rs, node_at(list, i));
    b->snapshot->router = router_build(rs->rules, b->snapshot->route_count, on_match_error, rs);
    return b->snapshot->router ? rc : -1;
}

int build_routes(struct build *b)
{
    struct snapshot *s = b->snapshot;
    const struct node *list = node_get(b->root, "routes");
    size_t n = node_count(list, "");
    struct rules rs = {.b = b};
    rs.rules = arena_zalloc(&s->arena, (n + 1) * sizeof *rs.rules);
    s->routes = arena_zalloc(&s->arena, (n + 1) * sizeof *s->routes);
    s->no_route.name = STR("");
    s->no_route.body_bytes = UINT64_MAX;
    for (size_t i = 0; i < s->service_count; i++)
        map_put(&rs.services, s->services[i].name, &s->services[i]);
    for (size_t i = 0; i < s->listener_count; i++)
        map_put(&rs.listeners, s->listeners[i].name, &s->listeners[i]);
    int result = set_filters(b, NULL, &s->no_route) != 0 ? -1 : compile(&rs, list);
    map_free(&rs.services);
    map_free(&rs.listeners);
    return result;
}

static void route_free(struct route *r)
{
    rewrite_fini(&r->rewrite);
    for (unsigned i = 0; i < r->filter_count; i++)
        if (r->filters[i].filter->destroy)
            r->filters[i].filter->destroy(r->filters[i].inst);
}

void build_routes_free(struct snapshot *s)
{
    router_free(&s->router);
    for (size_t i = 0; i < s->route_count; i++)
        route_free(&s->routes[i]);
    route_free(&s->no_route);
}
