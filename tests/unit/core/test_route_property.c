/* The compiled matcher against one that asks every rule and keeps the best, on random rules and
 * random requests from small alphabets, so that most requests match several rules. */
#include "base/rand.h"
#include "core/route.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { ROUTERS = 1000, REQUESTS = 200, RULES_MAX = 40 };

static const char *const host_words[] = {"x",   "a.x",   "b.x",     "c.a.x",
                                         "*.x", "*.a.x", "*.c.a.x", "*"};
static const char *const asked_hosts[] = {"x",     "a.x", "B.X.",    "c.a.x", "d.c.a.x", "y",
                                          "q.b.x", "",    "c.a.x.y", "ax",    "A.x"};
static const char *const segments[] = {"", "a", "b", "ab", "abc"};
static const char *const patterns[] = {
    "/a",       "/a/b",     ".*b$",          "/(a|b)/",      "/ab?/",      "/a/b|/b",
    "/a+b",     "/a/(?=b)", "^/ab",          "/(?i)A/b?",    "/[ab]b/.",   "",
    ".",        "/a/.*",    "/a(/b(/ab)?)?", "(?:/a|/b)/ab", "/a/b/a",     "/a\\/b",
    "/ab{0,1}", "/ab*/b",   "/a/$",          "/$",           "/ab[]|]?/a", "/a/[^/]+/b",
};
static const enum http_method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT};

#define PICK(r, list) ((list)[rand_below(r, array_size(list))])

static bool chance(struct rand *r, uint32_t percent)
{
    return rand_below(r, 100) < percent;
}

static struct str random_path(struct rand *r, struct arena *a, uint32_t depth)
{
    struct buf b = {0};
    for (uint32_t n = 1 + rand_below(r, depth); n; n--)
        buf_printf(&b, "/%s", PICK(r, segments));
    struct str path = str_of(arena_dup(a, b.p, b.n));
    buf_free(&b);
    return path;
}

static void random_paths(struct rand *r, struct arena *a, struct route_rule *rule)
{
    struct str *paths = arena_alloc(a, 2 * sizeof *paths);
    rule->path_kind = (uint8_t)rand_below(r, 3);
    rule->n_paths = rand_below(r, 3);
    if (rule->n_paths == 0)
        rule->path_kind = ROUTE_PATH_PREFIX;
    for (size_t i = 0; i < rule->n_paths; i++)
        paths[i] =
            rule->path_kind == ROUTE_PATH_REGEX ? str_of(PICK(r, patterns)) : random_path(r, a, 3);
    rule->paths = paths;
}

static const struct route_value *random_value(struct rand *r, size_t *n)
{
    static const struct route_value choices[] = {
        {STR("k"), STR("1"), ROUTE_VALUE_EXACT},
        {STR("k"), STR("^[12]"), ROUTE_VALUE_REGEX},
        {STR("k"), STR_NULL, ROUTE_VALUE_PRESENT},
    };
    *n = chance(r, 20);
    return &PICK(r, choices);
}

static struct route_rule random_rule(struct rand *r, struct arena *a)
{
    static const uint64_t listeners[] = {0, 0, 0, 1, 2, 3};
    struct route_rule rule = {.name = STR("r"), .listeners = PICK(r, listeners)};
    struct str *hosts = arena_alloc(a, 2 * sizeof *hosts);
    rule.hosts = hosts;
    rule.n_hosts = rand_below(r, 3);
    for (size_t i = 0; i < rule.n_hosts; i++)
        hosts[i] = str_of(PICK(r, host_words));
    random_paths(r, a, &rule);
    if (chance(r, 40))
        rule.methods = 1u << PICK(r, methods) | 1u << PICK(r, methods);
    rule.headers = random_value(r, &rule.n_headers);
    rule.query = random_value(r, &rule.n_query);
    if (chance(r, 30))
        rule.priority = (int32_t)rand_below(r, 4) - 1;
    return rule;
}

/* What is compared, the first difference deciding; a greater number wins. */
struct rank {
    long by[5];
};

static bool rank_less(const struct rank *a, const struct rank *b)
{
    for (size_t i = 0; i < array_size(a->by); i++)
        if (a->by[i] != b->by[i])
            return a->by[i] < b->by[i];
    return false;
}

/* -1: does not hold. */
static long host_rank(struct str written, struct str asked)
{
    asked.n -= asked.n && asked.p[asked.n - 1] == '.';
    if (str_eq(written, STR("*")))
        return 0;
    if (written.p[0] != '*')
        return str_eq_ci(written, asked) ? 1000 : -1;
    struct str tail = str_make(written.p + 1, written.n - 1);
    bool below = asked.n > tail.n && str_eq_ci(tail, str_make(asked.p + asked.n - tail.n, tail.n));
    return below ? (long)tail.n : -1;
}

static long path_rank(const struct route_rule *rule, size_t i, size_t order, struct str path,
                      struct route_regex *const *compiled, struct route_scratch *s)
{
    struct str p = rule->paths[i];
    switch ((enum route_path_kind)rule->path_kind) {
    case ROUTE_PATH_EXACT: return str_eq(p, path) ? 100000 : -1;
    case ROUTE_PATH_REGEX:
        return route_regex_match(compiled[i], s, path) ? 50000 - (long)order : -1;
    case ROUTE_PATH_PREFIX: break;
    }
    bool border = p.p[p.n - 1] == '/' || path.n == p.n || (path.n > p.n && path.p[p.n] == '/');
    return str_starts(path, p) && border ? (long)p.n : -1;
}

static bool value_holds(const struct route_value *v, size_t n, struct str value)
{
    if (n == 0)
        return true;
    switch ((enum route_value_kind)v->kind) {
    case ROUTE_VALUE_EXACT: return value.p && str_eq(value, STR("1"));
    case ROUTE_VALUE_REGEX: return value.n && (value.p[0] == '1' || value.p[0] == '2');
    case ROUTE_VALUE_PRESENT: break;
    }
    return value.p != NULL;
}

/* The naive matcher: rules, and their regexes compiled without any shortcut. */
struct naive {
    const struct route_rule *rules;
    size_t n;
    struct route_regex *compiled[RULES_MAX][2];
    struct route_scratch *scratch;
};

static void naive_init(struct naive *m, const struct route_rule *rules, size_t n)
{
    char why[100];
    *m = (struct naive){rules, n, .scratch = route_scratch_new()};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; rules[i].path_kind == ROUTE_PATH_REGEX && j < rules[i].n_paths; j++) {
            m->compiled[i][j] =
                route_regex_new(rules[i].paths[j], ROUTE_REGEX_ANCHORED, why, sizeof why);
            cr_assert(m->compiled[i][j] != NULL);
        }
}

static void naive_fini(struct naive *m)
{
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; j < 2; j++)
            route_regex_free(&m->compiled[i][j]);
    route_scratch_free(&m->scratch);
}

static bool takes(uint32_t mask, enum http_method m)
{
    return mask == 0 || mask >> m & 1 || (m == METHOD_HEAD && mask >> METHOD_GET & 1);
}

static enum route_result naive_match(const struct naive *m, const struct route_query *q,
                                     struct str header, struct str param,
                                     const struct route_rule **out, uint32_t *allowed)
{
    struct rank best = {{-100}};
    bool taken = false, any = false;
    *out = NULL;
    *allowed = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct route_rule *rule = &m->rules[i];
        long host = rule->n_hosts ? -1 : 0, path = rule->n_paths ? -1 : 1;
        for (size_t h = 0; h < rule->n_hosts; h++) {
            long this = host_rank(rule->hosts[h], q->host);
            host = this > host ? this : host;
        }
        for (size_t p = 0; p < rule->n_paths; p++) {
            long this = path_rank(rule, p, i, q->path, m->compiled[i], m->scratch);
            path = this > path ? this : path;
        }
        bool here = rule->listeners == 0 || rule->listeners >> q->listener & 1;
        if (!here || host < 0 || path < 0)
            continue;
        any = true;
        taken |= takes(rule->methods, q->method);
        *allowed |= rule->methods;
        struct rank rank = {{rule->priority, host, path,
                             (long)(rule->n_headers + rule->n_query) + (rule->methods != 0) +
                                 (rule->listeners != 0),
                             -(long)i}};
        if (!takes(rule->methods, q->method) ||
            !value_holds(rule->headers, rule->n_headers, header) ||
            !value_holds(rule->query, rule->n_query, param) || rank_less(&rank, &best))
            continue;
        best = rank;
        *out = rule;
    }
    return *out ? ROUTE_FOUND : any && !taken ? ROUTE_METHOD : ROUTE_NONE;
}

static uint32_t mask_of(struct str allow)
{
    uint32_t mask = 0;
    struct str part;
    while (str_split(&allow, ',', &part))
        mask |= 1u << method_lookup(str_trim_ows(part));
    return mask;
}

static struct str random_value_text(struct rand *r)
{
    static const struct str choices[] = {STR_NULL, STR("1"), STR("2"), STR("3"), STR("")};
    return PICK(r, choices);
}

struct tally {
    const struct route_rule *chosen;
    size_t rules;
};

static void on_explained(void *ctx, const struct route_rule *rule, enum route_reason reason,
                         struct str which)
{
    struct tally *t = ctx;
    t->rules++;
    if (reason == ROUTE_CHOSEN)
        t->chosen = rule;
    cr_assert(eq(int, which.n != 0, reason == ROUTE_OTHER_HEADER || reason == ROUTE_OTHER_QUERY));
}

static void on_error(void *ctx, const struct router_error *error)
{
    (void)ctx;
    cr_assert(false, "rule %zu: %s", error->rule, error->text);
}

/* One random request; the answers of both, and what explaining says. */
static enum route_result compare(struct rand *r, const struct router *router,
                                 struct route_scratch *scratch, const struct naive *naive)
{
    struct arena a = {0};
    struct headers h;
    struct str header = random_value_text(r), param = random_value_text(r);
    struct route_query q = {
        .listener = rand_below(r, 2),
        .host = str_of(PICK(r, asked_hosts)),
        .path = random_path(r, &a, 5),
        .method = PICK(r, methods),
        .headers = &h,
        .arena = &a,
    };
    headers_init(&h, &a, 2);
    if (header.p)
        headers_add(&h, STR("K"), header);
    if (param.p)
        q.query = str_of(arena_printf(&a, "x=5&k=%.*s", STR_ARG(param)));
    const struct route_rule *expected;
    uint32_t allowed;
    struct route_match m;
    struct tally tally = {0};
    enum route_result want = naive_match(naive, &q, header, param, &expected, &allowed);
    enum route_result got = router_match(router, scratch, &q, &m);
    cr_assert(eq(int, got, want), "%.*s%.*s", STR_ARG(q.host), STR_ARG(q.path));
    cr_assert(m.rule == expected, "%.*s%.*s: rule %td, not %td", STR_ARG(q.host), STR_ARG(q.path),
              m.rule - naive->rules, expected - naive->rules);
    if (want == ROUTE_METHOD)
        cr_assert(eq(u32, mask_of(m.allow),
                     allowed | (takes(allowed, METHOD_HEAD) ? 1u << METHOD_HEAD : 0)));
    cr_assert(eq(int, router_explain(router, scratch, &q, &m, on_explained, &tally), want));
    cr_assert(tally.chosen == expected && tally.rules == naive->n);
    arena_free(&a);
    return got;
}

Test(route, agrees_with_asking_every_rule)
{
    struct rand r = {{1, 2, 3, 4}};
    struct route_scratch *scratch = route_scratch_new();
    size_t results[ROUTE_FAILED + 1] = {0};
    for (size_t i = 0; i < ROUTERS; i++) {
        struct arena a = {0};
        struct route_rule rules[RULES_MAX];
        struct naive naive;
        size_t n = rand_below(&r, RULES_MAX + 1);
        for (size_t j = 0; j < n; j++)
            rules[j] = random_rule(&r, &a);
        struct router *router = router_build(rules, n, on_error, NULL);
        cr_assert(router != NULL);
        naive_init(&naive, rules, n);
        for (size_t j = 0; j < REQUESTS; j++)
            results[compare(&r, router, scratch, &naive)]++;
        naive_fini(&naive);
        router_free(&router);
        arena_free(&a);
    }
    route_scratch_free(&scratch);
    cr_assert(gt(sz, results[ROUTE_FOUND], 50000));
    cr_assert(gt(sz, results[ROUTE_NONE], 5000));
    cr_assert(gt(sz, results[ROUTE_METHOD], 2000));
}

/* Segments of up to 60 letters: in the node, and beside it. */
static struct str long_path(struct rand *r, struct arena *a, size_t number)
{
    char text[100];
    size_t n = 0;
    text[n++] = '/';
    for (uint32_t left = rand_below(r, 60); left; left--)
        text[n++] = (char)('a' + rand_below(r, 26));
    return str_of(arena_printf(a, "%.*s/%zu", (int)n, text, number));
}

Test(route, of_many_routes_each_is_found_and_none_instead_of_it)
{
    enum { MANY = 20000 };
    struct rand r = {{9, 8, 7, 6}};
    struct arena a = {0};
    struct route_rule *rules = arena_zalloc(&a, MANY * sizeof *rules);
    struct str *paths = arena_alloc(&a, MANY * sizeof *paths);
    struct route_scratch *scratch = route_scratch_new();
    struct route_match m;
    for (size_t i = 0; i < MANY; i++) {
        paths[i] = long_path(&r, &a, i);
        rules[i] =
            (struct route_rule){.path_kind = ROUTE_PATH_EXACT, .paths = &paths[i], .n_paths = 1};
    }
    struct router *router = router_build(rules, MANY, on_error, NULL);
    for (size_t i = 0; i < MANY; i++) {
        struct route_query q = {.path = paths[i], .method = METHOD_GET, .arena = &a};
        cr_assert(router_match(router, scratch, &q, &m) == ROUTE_FOUND && m.rule == &rules[i]);
        char *other = arena_dup(&a, q.path.p, q.path.n);
        other[1 + rand_below(&r, (uint32_t)q.path.n - 1)] = '!';
        q.path.p = other;
        cr_assert(router_match(router, scratch, &q, &m) == ROUTE_NONE);
    }
    router_free(&router);
    route_scratch_free(&scratch);
    arena_free(&a);
}

Test(route, the_literal_of_a_regex_begins_every_match)
{
    static const char alphabet[] = "aaabb//|()[]^\\.?*+{2}:-Q=!#x";
    static const char subjects[] = "ab/ab/|.?:x";
    struct rand r = {{5, 6, 7, 8}};
    struct route_scratch *scratch = route_scratch_new();
    size_t compiled = 0, literals = 0;
    for (size_t i = 0; i < 50000; i++) {
        struct arena a = {0};
        char pattern[12], subject[8], why[200];
        struct str p = str_make(pattern, 1 + rand_below(&r, sizeof pattern));
        for (size_t j = 0; j < p.n; j++)
            pattern[j] = alphabet[rand_below(&r, sizeof alphabet - 1)];
        struct route_regex *regex = route_regex_new(p, ROUTE_REGEX_ANCHORED, why, sizeof why);
        struct str literal = route_regex_literal(p, &a);
        compiled += regex != NULL;
        literals += regex && literal.n;
        for (size_t j = 0; regex && j < 40; j++) {
            struct str s = str_make(subject, rand_below(&r, sizeof subject));
            for (size_t k = 0; k < s.n; k++)
                subject[k] = rand_below(&r, 2) && k < literal.n
                                 ? literal.p[k]
                                 : subjects[rand_below(&r, sizeof subjects - 1)];
            if (route_regex_match(regex, scratch, s) > 0)
                cr_assert(str_starts(s, literal), "%.*s matches %.*s, not %.*s", STR_ARG(p),
                          STR_ARG(s), STR_ARG(literal));
        }
        route_regex_free(&regex);
        arena_free(&a);
    }
    route_scratch_free(&scratch);
    cr_assert(gt(sz, compiled, 5000));
    cr_assert(gt(sz, literals, 2000));
}
