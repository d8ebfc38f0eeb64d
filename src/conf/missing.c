/* See missing.h. */
#include "conf/missing.h"

static const char *global_feature(const struct check *c)
{
    for (size_t i = 0; i < c->inactive_count; i++) {
        if (c->inactive[i].decides && strncmp(c->inactive[i].path, "client_limits.", 14) == 0)
            return c->inactive[i].feature;
    }
    return NULL;
}

static void lack(struct gate *gate, const char *feature)
{
    if (!feature || gate->missing->kind != NODE_NULL)
        return;
    gate->missing->kind = NODE_STRING;
    gate->missing->text = feature;
    gate->missing->count = (uint32_t)strlen(feature);
}

static void index_services(const struct node *services, struct map *lacking)
{
    for (size_t i = 0; i < node_count(services, ""); i++) {
        const struct node *name = node_get(node_at(services, i), "name");
        if (name && node_str(node_at(services, i), "missing"))
            map_put(lacking, str_make(name->text, name->count),
                    (void *)(uintptr_t)node_at(services, i));
    }
}

void missing_spread(struct check *c, const struct node *root)
{
    struct map lacking = {0};
    const char *global = global_feature(c);
    index_services(node_get(root, "services"), &lacking);
    for (size_t i = 0; i < c->gate_count; i++) {
        const char *service = node_str(c->gates[i].entry, "service");
        if (!node_member(c->gates[i].entry, "match"))
            continue; /* no route */
        if (service)
            lack(&c->gates[i], node_str(map_get(&lacking, str_of(service)), "missing"));
        if (!node_is(c->gates[i].entry, "limits", "none"))
            lack(&c->gates[i], global);
    }
    map_free(&lacking);
}
