/* Rules of services. */
#include "conf/cross.h"

static void check_weights(struct cross *c, const struct node *variants, const char *path)
{
    int64_t sum = 0;
    for (size_t i = 0; i < node_count(variants, ""); i++) {
        const struct node *variant = node_at(variants, i);
        const struct node *weight = node_member(variant, "weight");
        if (!weight || weight->kind != NODE_INT)
            return; /* wrong, and said so */
        sum += weight->num;
    }
    if (variants && variants->kind == NODE_LIST && sum == 0)
        cross_error(c, variants, NULL, cross_path(c, "%s.variants", path),
                    "no variant has a weight above 0, so nobody would answer; give one a weight");
}

static void check_variant_names(struct cross *c, const struct node *service, const char *path)
{
    struct map names = {0};
    const struct node *variants = node_get(service, "variants");
    for (size_t i = 0; i < node_count(variants, ""); i++) {
        const struct node *name = node_get(node_at(variants, i), "name");
        if (name)
            map_put(&names, str_make(name->text, name->count), c);
    }
    cross_reference(c, node_get(service, "mirror.variant"), &names, "variant",
                    cross_path(c, "%s.mirror.variant", path));
    cross_reference(c, node_get(service, "rollout.to"), &names, "variant",
                    cross_path(c, "%s.rollout.to", path));
    map_free(&names);
}

static void check_steps(struct cross *c, const struct node *steps, const char *path)
{
    for (size_t i = 1; i < node_count(steps, ""); i++) {
        if (node_int(node_at(steps, i), "") <= node_int(node_at(steps, i - 1), ""))
            cross_error(c, node_at(steps, i), steps,
                        cross_path(c, "%s.rollout.steps[%zu]", path, i),
                        "is not above the one before it; steps ascend");
    }
}

/* `low` must not be above `high`, both durations of one section. */
static void check_order(struct cross *c, const struct node *section, const char *low,
                        const char *high, const char *path)
{
    if (node_get(section, low) && node_get(section, high) &&
        node_ns(section, low) > node_ns(section, high))
        cross_error(c, node_get(section, low), node_get(section, high),
                    cross_path(c, "%s.%s", path, low), "is above `%s`; it must be at most that",
                    high);
}

static void check_protocol(struct cross *c, const struct node *service, const char *path)
{
    const struct node *protocol = node_get(service, "protocol");
    bool tls = cross_has(service, "tls");
    if (node_is(protocol, "", "h2") && !tls)
        cross_error(c, protocol, service, cross_path(c, "%s.protocol", path),
                    "h2 is HTTP/2 over TLS; write h2c, or give the service `tls`");
    if (node_is(protocol, "", "h2c") && tls)
        cross_error(c, protocol, service, cross_path(c, "%s.protocol", path),
                    "h2c is HTTP/2 without TLS; write h2, or remove `tls`");
}

static void check_service(struct cross *c, const struct node *service, const char *path)
{
    check_weights(c, node_get(service, "variants"), path);
    check_variant_names(c, service, path);
    check_steps(c, node_get(service, "rollout.steps"), path);
    check_protocol(c, service, path);
    cross_key_pair(c, node_get(service, "tls"), cross_path(c, "%s.tls", path));
    check_order(c, node_get(service, "retry"), "backoff", "max_backoff",
                cross_path(c, "%s.retry", path));
    check_order(c, node_get(service, "circuit_breaker"), "open_for", "max_open_for",
                cross_path(c, "%s.circuit_breaker", path));
}

void cross_services(struct cross *c)
{
    const struct node *services = node_get(c->root, "services");
    for (size_t i = 0; i < node_count(services, ""); i++) {
        if (node_at(services, i)->kind == NODE_MAP)
            check_service(c, node_at(services, i), cross_path(c, "services[%zu]", i));
    }
}
