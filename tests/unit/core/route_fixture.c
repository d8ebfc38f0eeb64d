/* See route_fixture.h. */
#include "route_fixture.h"

#include <criterion/criterion.h>

static const struct str *texts(struct arena *a, const char *const *list, size_t *n)
{
    struct str *out = arena_alloc(a, LIST_MAX * sizeof *out);
    for (*n = 0; *n < LIST_MAX && list[*n]; ++*n)
        out[*n] = str_of(list[*n]);
    return out;
}

static size_t values(const struct route_value *list)
{
    size_t n = 0;
    while (n < LIST_MAX && list[n].name.n)
        n++;
    return n;
}

static void rule_from(struct arena *a, struct route_rule *r, const struct route_spec *s)
{
    const char *const *paths = s->exact[0] ? s->exact : s->regex[0] ? s->regex : s->prefix;
    *r = (struct route_rule){
        .name = str_of(s->name),
        .listeners = s->listeners,
        .path_kind = s->exact[0]   ? ROUTE_PATH_EXACT
                     : s->regex[0] ? ROUTE_PATH_REGEX
                                   : ROUTE_PATH_PREFIX,
        .methods = s->methods,
        .headers = s->headers,
        .n_headers = values(s->headers),
        .query = s->query,
        .n_query = values(s->query),
        .priority = s->priority,
    };
    r->hosts = texts(a, s->hosts, &r->n_hosts);
    r->paths = texts(a, paths, &r->n_paths);
    r->other_methods = texts(a, s->other_methods, &r->n_other_methods);
}

static void on_error(void *ctx, const struct router_error *e)
{
    buf_printf(ctx, "%zu %s[%zu] %s\n", e->rule, e->key, e->index, e->text);
}

void route_fixture_build(struct route_fixture *f, const struct route_spec *specs, size_t n)
{
    *f = (struct route_fixture){0};
    struct route_rule *rules = arena_alloc(&f->arena, (n + 1) * sizeof *rules);
    for (size_t i = 0; i < n; i++)
        rule_from(&f->arena, &rules[i], &specs[i]);
    f->router = router_build(rules, n, on_error, &f->errors);
    f->scratch = route_scratch_new();
}

void route_fixture_end(struct route_fixture *f)
{
    router_free(&f->router);
    route_scratch_free(&f->scratch);
    arena_free(&f->arena);
    buf_free(&f->errors);
}

struct route_query route_fixture_request(struct route_fixture *f, const char *text)
{
    struct route_query q = {.arena = &f->arena};
    struct str rest = str_of(text), line, method;
    if (str_starts(rest, STR("@"))) {
        q.listener = (unsigned)(rest.p[1] - '0');
        rest = str_make(rest.p + 3, rest.n - 3);
    }
    cr_assert(str_split(&rest, '\n', &line) && str_split(&line, ' ', &method));
    q.method = method_lookup(method);
    q.method_text = method;
    const char *slash = memchr(line.p, '/', line.n);
    slash = slash ? slash : line.p + line.n;
    q.host = str_make(line.p, (size_t)(slash - line.p));
    line = str_make(slash, line.n - q.host.n);
    const char *mark = memchr(line.p, '?', line.n);
    q.path = mark ? str_make(line.p, (size_t)(mark - line.p)) : line;
    q.query = mark ? str_make(mark + 1, line.n - q.path.n - 1) : STR_NULL;
    struct headers *h = arena_alloc(&f->arena, sizeof *h);
    headers_init(h, &f->arena, 8);
    while (str_split(&rest, '\n', &line)) {
        struct str name;
        cr_assert(str_split(&line, ':', &name));
        headers_add(h, name, str_trim_ows(line));
    }
    q.headers = h;
    return q;
}

const char *route_fixture_answer(struct route_fixture *f, const char *text)
{
    struct route_match m;
    struct route_query q = route_fixture_request(f, text);
    switch (router_match(f->router, f->scratch, &q, &m)) {
    case ROUTE_FOUND: return arena_printf(&f->arena, "%.*s", STR_ARG(m.rule->name));
    case ROUTE_NONE: return "404";
    case ROUTE_METHOD: return arena_printf(&f->arena, "405 %.*s", STR_ARG(m.allow));
    case ROUTE_FAILED: return arena_printf(&f->arena, "500 %.*s", STR_ARG(m.rule->name));
    }
    return "?";
}

void route_fixture_check(const struct route_spec *specs, size_t n,
                         const struct route_expectation *e, size_t count)
{
    struct route_fixture f;
    route_fixture_build(&f, specs, n);
    cr_assert(f.router != NULL, "%s", buf_text(&f.errors));
    for (size_t i = 0; i < count; i++) {
        const char *got = route_fixture_answer(&f, e[i].request);
        cr_expect_str_eq(got, e[i].answer, "%s: %s instead of %s", e[i].request, got, e[i].answer);
    }
    route_fixture_end(&f);
}
