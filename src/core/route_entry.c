/* See route_entry.h. */
#include "core/route_entry.h"

#include "http/uri.h"

#include <stdarg.h>
#include <stdio.h>

enum { ANY_METHOD = (1 << METHODS) - 1 };

/* Reports a mistake; false. */
__attribute__((format(printf, 4, 5))) static bool fail(const struct route_report *to,
                                                       const char *key, size_t index,
                                                       const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    to->on_error(to->ctx, &(struct router_error){to->rule, key, index, text});
    return false;
}

/* Eight bytes at once: the top bit of each byte that is from 'A' to 'Z' becomes its 0x20. */
static uint64_t lower8(uint64_t w)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = w & ones * 0x7f;
    uint64_t from_a = low + ones * (0x80 - 'A'), after_z = low + ones * (0x7f - 'Z');
    return w | ((from_a ^ after_z) & ~w & ones * 0x80) >> 2;
}

static void lower(char *to, const char *from, size_t n)
{
    size_t i = 0;
    for (uint64_t w; i + sizeof w <= n; i += sizeof w) {
        memcpy(&w, from + i, sizeof w);
        w = lower8(w);
        memcpy(to + i, &w, sizeof w);
    }
    for (; i < n; i++)
        to[i] = ascii_lower(from[i]);
}

struct str route_host_canonical(struct str host, char room[ROUTE_HOST_MAX])
{
    host.n -= host.n && host.p[host.n - 1] == '.';
    if (host.n > ROUTE_HOST_MAX)
        return STR_NULL;
    lower(room, host.p, host.n);
    return str_make(room, host.n);
}

static bool host_init(struct route_host *h, struct str written, size_t index, struct arena *arena,
                      const struct route_report *to)
{
    if (str_eq(written, STR("*"))) {
        *h = (struct route_host){STR_NULL, ROUTE_HOST_ANY};
        return true;
    }
    bool wildcard = str_starts(written, STR("*."));
    struct str name = written;
    if (wildcard)
        name = str_make(written.p + 2, written.n - 2);
    if (!uri_is_authority(name) || name.n > ROUTE_HOST_MAX)
        return fail(to, "hosts", index,
                    "'%.*s' is not a host; 'api.example.com', '*.example.com' would be",
                    STR_ARG(written));
    name = uri_host(name);
    char *text = arena_alloc(arena, name.n + 1);
    text[0] = '.';
    lower(text + 1, name.p, name.n);
    h->name = wildcard ? str_make(text, name.n + 1) : str_make(text + 1, name.n);
    h->kind = wildcard ? ROUTE_HOST_WILDCARD : ROUTE_HOST_EXACT;
    return true;
}

static bool hosts_init(struct route_entry *e, struct arena *arena, const struct route_report *to)
{
    const struct route_rule *rule = e->rule;
    e->n_hosts = rule->n_hosts ? rule->n_hosts : 1;
    e->hosts = arena_zalloc(arena, e->n_hosts * sizeof *e->hosts);
    bool ok = true;
    for (size_t i = 0; i < rule->n_hosts; i++)
        ok &= host_init(&e->hosts[i], rule->hosts[i], i, arena, to);
    return ok;
}

/* What a request has only escaped, the configuration may hold as it is. */
static struct str escape(struct str text, struct arena *arena)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, text.n * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c > ' ' && c < 0x7f) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return str_make(out, n);
}

static bool path_init(struct route_path *p, struct str written, bool prefix, size_t index,
                      struct arena *arena, const struct route_report *to)
{
    const char *key = prefix ? "path_prefix" : "path";
    if (written.n == 0 || written.p[0] != '/')
        return fail(to, key, index, "'%.*s' does not begin with '/'", STR_ARG(written));
    if (memchr(written.p, '?', written.n) || memchr(written.p, '#', written.n))
        return fail(to, key, index, "'%.*s': a path holds no '?' and no '#'; see match.query",
                    STR_ARG(written));
    if (uri_normalise(escape(written, arena), URI_KEEP_ESCAPED_SLASH, arena, &p->text) != URI_OK)
        return fail(to, key, index,
                    "'%.*s' is refused in requests: a bad escape or a climb above '/'",
                    STR_ARG(written));
    return true;
}

static bool regex_init(struct route_path *p, struct str pattern, size_t index, struct arena *arena,
                       const struct route_report *to)
{
    char why[160];
    p->regex = route_regex_new(pattern, ROUTE_REGEX_ANCHORED, why, sizeof why);
    if (!p->regex)
        return fail(to, "path_regex", index, "%s", why);
    p->text = route_regex_literal(pattern, arena);
    return true;
}

static bool paths_init(struct route_entry *e, struct arena *arena, const struct route_report *to)
{
    const struct route_rule *rule = e->rule;
    e->n_paths = rule->n_paths ? rule->n_paths : 1;
    e->paths = arena_zalloc(arena, e->n_paths * sizeof *e->paths);
    if (rule->n_paths == 0)
        e->paths[0].text = STR("/");
    bool ok = true, prefix = rule->path_kind == ROUTE_PATH_PREFIX;
    for (size_t i = 0; i < rule->n_paths; i++) {
        struct route_path *p = &e->paths[i];
        ok &= rule->path_kind == ROUTE_PATH_REGEX
                  ? regex_init(p, rule->paths[i], i, arena, to)
                  : path_init(p, rule->paths[i], prefix, i, arena, to);
    }
    return ok;
}

static bool matcher_init(struct route_matcher *m, const struct route_value *v, const char *key,
                         size_t index, const struct route_report *to)
{
    char why[160];
    m->name = v->name;
    m->value = v->value;
    m->kind = v->kind;
    m->field = (uint8_t)field_lookup(v->name.p, v->name.n);
    if (v->kind != ROUTE_VALUE_REGEX)
        return true;
    m->regex = route_regex_new(v->value, 0, why, sizeof why);
    return m->regex || fail(to, key, index, "%s", why);
}

static bool matchers_init(struct route_entry *e, struct arena *arena, const struct route_report *to)
{
    const struct route_rule *rule = e->rule;
    e->n_headers = rule->n_headers;
    e->n_query = rule->n_query;
    e->headers = arena_zalloc(arena, (rule->n_headers + rule->n_query + 1) * sizeof *e->headers);
    e->query = e->headers + rule->n_headers;
    bool ok = true;
    for (size_t i = 0; i < rule->n_headers; i++)
        ok &= matcher_init(&e->headers[i], &rule->headers[i], "headers", i, to);
    for (size_t i = 0; i < rule->n_query; i++)
        ok &= matcher_init(&e->query[i], &rule->query[i], "query", i, to);
    return ok;
}

static void methods_init(struct route_entry *e)
{
    const struct route_rule *rule = e->rule;
    uint32_t mask = rule->methods & ANY_METHOD & ~(1u << METHOD_OTHER);
    if (mask & (1u << METHOD_GET))
        mask |= 1u << METHOD_HEAD;
    if (rule->n_other_methods)
        mask |= 1u << METHOD_OTHER;
    e->any_method = mask == 0;
    e->methods = (uint16_t)(mask ? mask : ANY_METHOD);
}

bool route_entry_init(struct route_entry *e, const struct route_rule *rule, struct arena *arena,
                      const struct route_report *to)
{
    *e = (struct route_entry){.rule = rule};
    e->listeners = rule->listeners ? rule->listeners : UINT64_MAX;
    methods_init(e);
    e->matchers =
        (uint16_t)(rule->n_headers + rule->n_query + !e->any_method + (rule->listeners != 0));
    bool hosts = hosts_init(e, arena, to), paths = paths_init(e, arena, to);
    return matchers_init(e, arena, to) && hosts && paths;
}

void route_entry_fini(struct route_entry *e)
{
    for (size_t i = 0; i < e->n_paths; i++)
        route_regex_free(&e->paths[i].regex);
    for (size_t i = 0; i < e->n_headers; i++)
        route_regex_free(&e->headers[i].regex);
    for (size_t i = 0; i < e->n_query; i++)
        route_regex_free(&e->query[i].regex);
}

bool route_entry_takes_method(const struct route_entry *e, const struct route_query *q)
{
    if (!(e->methods & (1u << q->method)))
        return false;
    if (q->method != METHOD_OTHER || e->any_method)
        return true;
    for (size_t i = 0; i < e->rule->n_other_methods; i++)
        if (str_eq(e->rule->other_methods[i], q->method_text))
            return true;
    return false;
}

static int value_holds(const struct route_matcher *m, struct route_scratch *s, struct str value)
{
    switch ((enum route_value_kind)m->kind) {
    case ROUTE_VALUE_PRESENT: return 1;
    case ROUTE_VALUE_REGEX: return route_regex_match(m->regex, s, value);
    case ROUTE_VALUE_EXACT: break;
    }
    return str_eq(m->value, value);
}

static int header_holds(const struct route_matcher *m, struct route_scratch *s,
                        const struct headers *h)
{
    if (!h)
        return 0;
    const struct field *f = m->field == FIELD_OTHER ? headers_find(h, m->name)
                                                    : headers_get(h, (enum field_id)m->field);
    for (; f; f = headers_next(h, f)) {
        int rc = value_holds(m, s, field_value(f));
        if (rc)
            return rc;
    }
    return 0;
}

static struct str decoded(struct str s, struct arena *arena)
{
    return s.n && memchr(s.p, '%', s.n) ? uri_decode(s, arena) : s;
}

static int param_holds(const struct route_matcher *m, struct route_scratch *s,
                       const struct route_query *q)
{
    struct str rest = q->query, name, value;
    while (uri_query_next(&rest, &name, &value)) {
        if (!str_eq(decoded(name, q->arena), m->name))
            continue;
        int rc = value_holds(m, s, decoded(value, q->arena));
        if (rc)
            return rc;
    }
    return 0;
}

int route_entry_headers_hold(const struct route_entry *e, struct route_scratch *s,
                             const struct route_query *q, struct str *which)
{
    for (size_t i = 0; i < e->n_headers; i++) {
        int rc = header_holds(&e->headers[i], s, q->headers);
        *which = e->headers[i].name;
        if (rc <= 0)
            return rc;
    }
    return 1;
}

int route_entry_query_holds(const struct route_entry *e, struct route_scratch *s,
                            const struct route_query *q, struct str *which)
{
    for (size_t i = 0; i < e->n_query; i++) {
        int rc = param_holds(&e->query[i], s, q);
        *which = e->query[i].name;
        if (rc <= 0)
            return rc;
    }
    return 1;
}
