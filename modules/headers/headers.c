/* request_headers, response_headers and hsts: fields taken away, set and added, in this order, on
 * the way to the service and to the client. Values may hold ${words}, filled per request; one that
 * fills to nothing, or to what may not stand in a field, leaves the field out (and `set` still
 * removes the one that came, so that nobody can pass it in). */
#include "modules/headers/headers.h"

#include "base/node.h"
#include "core/template.h"

struct change {
    struct change *next;
    struct str name;
    const struct template *value; /* NULL: remove */
    bool add;
};

struct headers_conf {
    struct change *request, *response; /* in the order they are made */
    struct str hsts;                   /* value; empty: none */
};

static int append(struct tg_build *b, struct change ***tail, struct change c, const char *text)
{
    if (text && !(c.value = template_compile(b->arena, text, b->error)))
        return -1;
    c.name = arena_str(b->arena, c.name);
    **tail = arena_alloc(b->arena, sizeof c);
    ***tail = c;
    *tail = &(**tail)->next;
    return 0;
}

static int compile_values(struct tg_build *b, struct change ***tail, const struct node *map,
                          bool add)
{
    for (size_t i = 0; i < node_count(map, ""); i++) {
        struct change c = {.name = str_of(node_key(map, i)), .add = add};
        if (append(b, tail, c, node_str(node_at(map, i), "")) < 0)
            return -1;
    }
    return 0;
}

static int compile(struct tg_build *b, const struct node *conf, struct change **out)
{
    struct change **tail = out;
    const struct node *names = node_get(conf, "remove");

    *out = NULL;
    for (size_t i = 0; i < node_count(names, ""); i++)
        if (append(b, &tail, (struct change){.name = str_of(node_str(node_at(names, i), ""))},
                   NULL) < 0)
            return -1;
    if (compile_values(b, &tail, node_get(conf, "set"), false) < 0)
        return -1;
    return compile_values(b, &tail, node_get(conf, "add"), true);
}

static struct str hsts_value(struct arena *arena, const struct node *conf)
{
    if (!conf)
        return STR_NULL;
    return str_of(arena_printf(arena, "max-age=%lld%s", (long long)node_int(conf, "max_age"),
                               node_bool(conf, "include_subdomains") ? "; includeSubDomains" : ""));
}

static int create(struct tg_build *b, void **inst)
{
    struct headers_conf *conf = arena_zalloc(b->arena, sizeof *conf);

    if (!b->route)
        return 0;
    if (compile(b, node_get(b->route, "request_headers"), &conf->request) < 0 ||
        compile(b, node_get(b->route, "response_headers"), &conf->response) < 0)
        return -1;
    conf->hsts = hsts_value(b->arena, node_get(b->route, "hsts"));
    if (conf->request || conf->response || conf->hsts.n)
        *inst = conf;
    return 0;
}

static void apply(struct req *r, struct headers *h, const struct change *c)
{
    for (; c; c = c->next) {
        struct str value = c->value ? template_fill(c->value, r) : STR_NULL;
        bool usable = c->value && (template_is_constant(c->value) ||
                                   (value.n > 0 && http_is_field_value(value)));
        if (!c->add)
            headers_remove(h, c->name);
        if (usable)
            headers_add(h, c->name, value);
    }
}

static enum tg_verdict on_request(struct req *r, void *inst)
{
    const struct headers_conf *conf = inst;

    apply(r, &r->x.headers, conf->request);
    return TG_NEXT;
}

static void on_response(struct req *r, void *inst)
{
    const struct headers_conf *conf = inst;

    if (conf->hsts.n && r->names.tls_version.n)
        headers_set_id(&r->x.answer, FIELD_STRICT_TRANSPORT_SECURITY, conf->hsts);
    apply(r, &r->x.answer, conf->response);
}

const struct tg_filter headers_filter = {
    .name = "headers",
    .phase = TG_PHASE_TRANSFORM,
    .create = create,
    .on_request = on_request,
    .on_response = on_response,
};
