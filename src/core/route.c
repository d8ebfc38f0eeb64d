/* See route.h. Hosts are asked from exact to any, below each host paths from exact to the shortest
 * prefix; with equal priorities the first candidate that holds is the answer. Priorities cut
 * through that order: the search goes on only where a candidate of a higher one can still be. */
#include "core/route_router.h"

#include "base/xmem.h"

#include <stdlib.h>

/* Where all paths begin that a regex can match, up to the last border. */
static struct str regex_place(struct str literal)
{
    if (literal.n == 0 || literal.p[0] != '/')
        return STR_NULL;
    const char *slash = memrchr(literal.p, '/', literal.n);
    return str_make(literal.p, (size_t)(slash - literal.p));
}

static void add_path(struct route_builder *b, uint32_t host, const struct route_entry *e,
                     const struct route_cand *c)
{
    struct str text = e->paths[c->path].text;
    enum route_list list = ROUTE_LIST_EXACT;
    switch ((enum route_path_kind)e->rule->path_kind) {
    case ROUTE_PATH_EXACT: break;
    case ROUTE_PATH_PREFIX:
        list = text.p[text.n - 1] == '/' ? ROUTE_LIST_BELOW : ROUTE_LIST_PREFIX;
        text.n -= list == ROUTE_LIST_BELOW;
        break;
    case ROUTE_PATH_REGEX:
        list = ROUTE_LIST_REGEX;
        text = regex_place(text);
        break;
    }
    route_builder_add(b, route_builder_put_path(b, host, text), list, c, e->matchers);
}

static void add_entry(struct router *r, struct route_builder *b, const struct route_entry *e)
{
    struct route_cand c = {
        .priority = e->rule->priority,
        .entry = (uint32_t)(e - r->entries),
        .methods = e->methods,
        .plain = !e->n_headers && !e->n_query && !e->rule->listeners &&
                 (e->any_method || !e->rule->n_other_methods),
    };
    for (size_t h = 0; h < e->n_hosts; h++) {
        const struct route_host *host = &e->hosts[h];
        uint32_t node = host->kind;
        if (host->kind != ROUTE_HOST_ANY)
            node = route_builder_put(b, node, host->name);
        r->has_host[host->kind] = true;
        if (r->max_priority < c.priority)
            r->max_priority = c.priority;
        for (c.path = 0; c.path < e->n_paths; c.path++)
            add_path(b, node, e, &c);
    }
}

struct router *router_build(const struct route_rule *rules, size_t n, router_error_cb *on_error,
                            void *ctx)
{
    struct router *r = xcalloc(1, sizeof *r);
    struct route_builder *b = route_builder_new(ROUTE_HOST_EXACT + 1);
    bool ok = true;
    r->rules = rules;
    r->max_priority = INT32_MIN;
    r->entries = arena_zalloc(&r->arena, (n + 1) * sizeof *r->entries);
    for (; r->n_entries < n; r->n_entries++) {
        struct route_report report = {on_error, ctx, r->n_entries};
        struct route_entry *e = &r->entries[r->n_entries];
        ok &= route_entry_init(e, &rules[r->n_entries], &r->arena, &report);
        if (ok)
            add_entry(r, b, e);
    }
    if (ok)
        route_builder_finish(b, &r->tree);
    else
        router_free(&r);
    route_builder_free(&b);
    return r;
}

void router_free(struct router **r)
{
    if (!*r)
        return;
    for (size_t i = 0; i < (*r)->n_entries; i++)
        route_entry_fini(&(*r)->entries[i]);
    route_tree_fini(&(*r)->tree);
    arena_free(&(*r)->arena);
    free(*r);
    *r = NULL;
}

/* One request's way through the candidates. */
struct search {
    const struct router *r;
    struct route_scratch *scratch;
    const struct route_query *q;
    const struct route_cand *best;
    struct route_match *out;
    bool gave_up;       /* best: a regex of it ran into its limits */
    bool method_missed; /* a candidate was passed over for its method */
    /* Second pass, only to tell 404 from 405: the methods of all candidates of the path. */
    bool methods_only;
    uint32_t methods;
    bool method_taken;
    struct buf other_methods;
};

static const struct route_path *cand_path(const struct search *s, const struct route_cand *c)
{
    return &s->r->entries[c->entry].paths[c->path];
}

/* What the candidate's copies do not decide: 1, 0, -1. */
static int rest_holds(struct search *s, const struct route_cand *c)
{
    const struct route_entry *e = &s->r->entries[c->entry];
    struct str which;
    if (!route_entry_takes_method(e, s->q)) {
        s->method_missed = true;
        return 0;
    }
    int rc = route_entry_headers_hold(e, s->scratch, s->q, &which);
    return rc > 0 ? route_entry_query_holds(e, s->scratch, s->q, &which) : rc;
}

static void note_methods(struct search *s, const struct route_cand *c)
{
    const struct route_entry *e = &s->r->entries[c->entry];
    s->methods |= e->methods;
    s->method_taken |= route_entry_takes_method(e, s->q);
    for (size_t i = 0; i < e->rule->n_other_methods; i++) {
        struct str known = str_make(s->other_methods.p, s->other_methods.n), part;
        bool have = false;
        while (str_split(&known, ',', &part))
            have |= str_eq(str_trim_ows(part), e->rule->other_methods[i]);
        if (have)
            continue;
        buf_add_str(&s->other_methods, STR(", "));
        buf_add_str(&s->other_methods, e->rule->other_methods[i]);
    }
}

/* 1, 0, or -1: a regex gave up, so whether it holds is not known. */
static inline int cand_holds(struct search *s, const struct route_cand *c, bool regex)
{
    if (!c->plain && !(s->r->entries[c->entry].listeners >> s->q->listener & 1))
        return 0;
    if (!(c->methods >> s->q->method & 1) && !s->methods_only) {
        s->method_missed = true;
        return 0;
    }
    if (regex) {
        int rc = route_path_matches(cand_path(s, c), s->scratch, s->q->path);
        if (rc <= 0)
            return rc;
    }
    if (s->methods_only) {
        note_methods(s, c);
        return 0;
    }
    return c->plain ? 1 : rest_holds(s, c);
}

/* Does it come before what was found so far? Asked in the order of the contract, so by priority
 * only. */
static inline bool may_win(const struct search *s, int32_t priority)
{
    return !s->best || priority > s->best->priority;
}

/* Nothing that is still to come can come before what was found. */
static inline bool is_settled(const struct search *s)
{
    return s->best && s->best->priority >= s->r->max_priority;
}

static inline bool try_cand(struct search *s, const struct route_cand *c, bool regex)
{
    int rc = cand_holds(s, c, regex);
    if (rc == 0)
        return false;
    s->best = c;
    s->gave_up = rc < 0;
    return true;
}

static inline void try_list(struct search *s, const struct route_node *n, enum route_list list)
{
    const struct route_cand *c, *end = route_tree_list(&s->r->tree, n, list, &c);
    for (; c < end; c++)
        if (!may_win(s, c->priority) || try_cand(s, c, false))
            return;
}

static void try_regexes(struct search *s, uint32_t node)
{
    const struct route_cand *c = NULL;
    while ((c = route_tree_next_regex(&s->r->tree, node, c)))
        if (!may_win(s, c->priority) || try_cand(s, c, true))
            return;
}

static void try_host(struct search *s, struct route_place host)
{
    const struct route_tree *t = &s->r->tree;
    if (s->best && !may_win(s, route_tree_priority(t, host.node)))
        return;
    struct str rest;
    uint32_t at = route_tree_walk(t, host, s->q->path, &rest);
    const struct route_node *n = &t->nodes[at];
    if (rest.n == 0)
        try_list(s, n, ROUTE_LIST_EXACT);
    if (n->regex != ROUTE_NODE_NONE && !is_settled(s))
        try_regexes(s, at);
    if (rest.n && rest.p[0] == '/' && !is_settled(s))
        try_list(s, n, ROUTE_LIST_BELOW);
    if (!is_settled(s))
        try_list(s, n, ROUTE_LIST_PREFIX);
    for (at = n->up; at != ROUTE_NODE_NONE && !is_settled(s); at = t->nodes[at].up) {
        try_list(s, &t->nodes[at], ROUTE_LIST_BELOW);
        try_list(s, &t->nodes[at], ROUTE_LIST_PREFIX);
    }
}

/* From the longest suffix to the shortest. */
static void try_wildcards(struct search *s, struct str host)
{
    const struct route_tree *t = &s->r->tree;
    struct route_place root = route_tree_root(t, ROUTE_HOST_WILDCARD), place;
    for (size_t i = 1; i < host.n && !is_settled(s); i++)
        if (host.p[i] == '.' && route_tree_child(t, root, str_make(host.p + i, host.n - i), &place))
            try_host(s, place);
}

static void try_named_hosts(struct search *s)
{
    const struct router *r = s->r;
    char room[ROUTE_HOST_MAX];
    struct str host = route_host_canonical(s->q->host, room);
    struct route_place place;
    struct route_place root = route_tree_root(&r->tree, ROUTE_HOST_EXACT);
    if (r->has_host[ROUTE_HOST_EXACT] && route_tree_child(&r->tree, root, host, &place))
        try_host(s, place);
    if (r->has_host[ROUTE_HOST_WILDCARD])
        try_wildcards(s, host);
}

static void try_all(struct search *s)
{
    const struct router *r = s->r;
    if (r->has_host[ROUTE_HOST_EXACT] || r->has_host[ROUTE_HOST_WILDCARD])
        try_named_hosts(s);
    if (!is_settled(s))
        try_host(s, route_tree_root(&r->tree, ROUTE_HOST_ANY));
}

static struct str allow_text(const struct search *s)
{
    struct buf b = {0};
    for (int m = METHOD_OTHER + 1; m < METHODS; m++) {
        if (!(s->methods >> m & 1))
            continue;
        buf_add_str(&b, b.n ? STR(", ") : STR(""));
        buf_add_str(&b, method_name((enum http_method)m));
    }
    buf_add(&b, s->other_methods.p, s->other_methods.n);
    struct str text = str_make(b.p, b.n);
    if (str_starts(text, STR(", ")))
        text = str_make(b.p + 2, b.n - 2);
    text = arena_str(s->q->arena, text);
    buf_free(&b);
    return text;
}

/* Nothing was found although a candidate with another method was there: 405 if the path has routes
 * and none of them, whatever its fields and parameters, takes the method. */
static enum route_result method_missed(struct search *s)
{
    s->methods_only = true;
    try_all(s);
    enum route_result result = ROUTE_NONE;
    if (s->best) {
        result = ROUTE_FAILED;
        s->out->rule = &s->r->rules[s->best->entry];
    } else if (s->methods && !s->method_taken) {
        result = ROUTE_METHOD;
        s->out->allow = allow_text(s);
    }
    buf_free(&s->other_methods);
    return result;
}

/* Matches once more: other regexes may have run since. Only patterns with named groups pay for it.
 */
static void keep_groups(struct search *s)
{
    const struct route_regex *regex = cand_path(s, s->best)->regex;
    if (!route_regex_has_names(regex) || route_regex_match(regex, s->scratch, s->q->path) <= 0)
        return;
    unsigned groups;
    const size_t *offsets = route_regex_offsets(regex, s->scratch, &groups);
    size_t *kept = arena_alloc(s->q->arena, groups * 2 * sizeof *kept);
    memcpy(kept, offsets, groups * 2 * sizeof *kept);
    s->out->regex = regex;
    s->out->offsets = kept;
}

enum route_result router_match(const struct router *r, struct route_scratch *scratch,
                               const struct route_query *q, struct route_match *out)
{
    struct search s = {.r = r, .scratch = scratch, .q = q, .out = out};
    *out = (struct route_match){.path = q->path};
    try_all(&s);
    if (!s.best)
        return s.method_missed ? method_missed(&s) : ROUTE_NONE;
    out->rule = &r->rules[s.best->entry];
    if (s.gave_up)
        return ROUTE_FAILED;
    if (s.best->list == ROUTE_LIST_REGEX)
        keep_groups(&s);
    return ROUTE_FOUND;
}

struct str route_match_group(const struct route_match *m, struct str name)
{
    unsigned group = m->regex ? route_regex_group(m->regex, name) : 0;
    if (!group || m->offsets[2 * group] == SIZE_MAX)
        return STR_NULL;
    size_t from = m->offsets[2 * group];
    return str_make(m->path.p + from, m->offsets[2 * group + 1] - from);
}
