/* See missing.h. */
#include "conf/missing.h"

#include "base/xmem.h"

static bool fits(struct str text, struct str pattern)
{
    if (pattern.n && pattern.p[0] == '!')
        return !str_starts(text, str_make(pattern.p + 1, pattern.n - 1));
    if (pattern.n && pattern.p[pattern.n - 1] == ':')
        return str_starts(text, pattern);
    return str_eq(text, pattern);
}

static bool fits_one_of(const char *text, const char *patterns)
{
    struct str rest = str_of(patterns), pattern;
    while (str_split(&rest, ' ', &pattern)) {
        if (fits(str_of(text), pattern))
            return true;
    }
    return false;
}

/* Does the value ask for nothing beyond what is built in? */
bool missing_is_ready(const struct key *key, const struct node *n)
{
    if (n->kind == NODE_MAP)
        return n->count == 0 && (n->flags & NODE_KEYS);
    if (n->kind != NODE_LIST)
        return n->kind == NODE_NULL || (key->ready && fits_one_of(n->text, key->ready));
    for (uint32_t i = 0; i < n->count; i++) {
        if (!missing_is_ready(key, n->list[i]))
            return false;
    }
    return true;
}

/* The first member of the path below the current gate: "ip" of routes[3].ip.allow. */
static const char *gate_feature(struct check *c)
{
    const char *feature = buf_text(&c->path) + c->gate_path;
    feature += *feature == '.';
    return arena_dup(c->arena, feature, strcspn(feature, ".["));
}

void missing_note(struct check *c, const struct key *key, const struct node *at)
{
    if (key->later == KEY_DECIDES && c->gate_path && !c->missing)
        c->missing = gate_feature(c);
    if (c->inactive_count == c->inactive_capacity) {
        c->inactive_capacity = c->inactive_capacity ? c->inactive_capacity * 2 : 16;
        c->inactive = xrealloc(c->inactive, c->inactive_capacity * sizeof *c->inactive);
    }
    c->inactive[c->inactive_count++] = (struct conf_inactive){
        .path = arena_dup(c->arena, buf_text(&c->path), c->path.n),
        .feature = key->name,
        .decides = key->later == KEY_DECIDES,
        .pos = node_pos(at),
    };
}

/* An entry of a list with gates: what it lacks is noted in it. */
void missing_begin(struct check *c)
{
    c->gate_path = c->path.n;
    c->missing = NULL;
}

static void set_missing(struct node *missing, const char *feature)
{
    if (!feature)
        return;
    missing->kind = NODE_STRING;
    missing->text = feature;
    missing->count = (uint32_t)strlen(feature);
}

void missing_end(struct check *c, const struct node *entry)
{
    c->gate_path = 0;
    if (!entry || entry->kind != NODE_MAP)
        return;
    if (c->gate_count == c->gate_capacity) {
        c->gate_capacity = c->gate_capacity ? c->gate_capacity * 2 : 16;
        c->gates = xrealloc(c->gates, c->gate_capacity * sizeof *c->gates);
    }
    struct node *missing = (struct node *)(uintptr_t)entry->items[entry->count - 1].value;
    set_missing(missing, c->missing);
    c->gates[c->gate_count++] = (struct gate){entry, missing};
}

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
    set_missing(gate->missing, feature);
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
