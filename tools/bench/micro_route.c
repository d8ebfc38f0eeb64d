/* What one look-up in the request matcher costs, by number and kind of routes: nanoseconds of the
 * best of several rounds, for requests spread over all routes and for one route asked again and
 * again. Each request is written to a hot buffer first, as the parser would leave it there; what
 * the writing alone costs is measured and taken off. */
#include "base/clock.h"
#include "base/rand.h"
#include "core/route.h"

#include <stdio.h>
#include <stdlib.h>

enum { REQUESTS = 1 << 14, ROUNDS = 15, TEXT_MAX = 64 };

struct shape {
    const char *name;
    const char *host, *path, *asked_host, *asked_path; /* '#####' is the route's number */
    enum route_path_kind kind;
    size_t regexes; /* further routes, not asked for */
};

static const struct shape shapes[] = {
    {"exact path", NULL, "/v1/service-#####/list", "api.example.com", "/v1/service-#####/list",
     ROUTE_PATH_EXACT, 0},
    {"prefix", NULL, "/v1/service-#####", "api.example.com", "/v1/service-#####/items/4711",
     ROUTE_PATH_PREFIX, 0},
    {"exact host + prefix", "h#####.example.com", "/v1", "h#####.example.com", "/v1/items/4711",
     ROUTE_PATH_PREFIX, 0},
    {"wildcard host + prefix", "*.h#####.example.com", "/v1", "www.h#####.example.com",
     "/v1/items/4711", ROUTE_PATH_PREFIX, 0},
    {"prefix beside 100 regexes elsewhere", NULL, "/v1/service-#####", "api.example.com",
     "/v1/service-#####/items/4711", ROUTE_PATH_PREFIX, 100},
    {"regex", NULL, "/v1/service-#####/items/\\d+", "api.example.com",
     "/v1/service-#####/items/4711", ROUTE_PATH_REGEX, 0},
};

/* A text with a number to be filled in. */
struct template
{
    char text[TEXT_MAX];
    size_t n, at; /* at: of the number; 0: there is none */
};

static void template_fill(struct template *t, size_t number)
{
    for (size_t i = t->at + 5; t->at && i-- > t->at; number /= 10)
        t->text[i] = (char)('0' + number % 10);
}

static struct template template_make(const char *text)
{
    struct template t = {.n = strlen(text)};
    const char *mark = strchr(text, '#');
    memcpy(t.text, text, t.n);
    t.at = mark ? (size_t)(mark - text) : 0;
    return t;
}

static struct str text_of(struct arena *a, const char *text, size_t number)
{
    struct template t = template_make(text);
    template_fill(&t, number);
    return arena_str(a, str_make(t.text, t.n));
}

static void on_error(void *ctx, const struct router_error *error)
{
    (void)ctx;
    fprintf(stderr, "rule %zu: %s\n", error->rule, error->text);
}

static struct router *build(const struct shape *s, size_t n, struct arena *a)
{
    struct route_rule *rules = arena_zalloc(a, (n + s->regexes) * sizeof *rules);
    struct str *texts = arena_alloc(a, (n + s->regexes) * 2 * sizeof *texts);
    for (size_t i = 0; i < n + s->regexes; i++) {
        struct str *host = &texts[2 * i], *path = host + 1;
        bool extra = i >= n;
        *path = text_of(a, extra ? "/v2/regex-#####/[a-z]+" : s->path, i);
        rules[i] = (struct route_rule){
            .path_kind = extra ? ROUTE_PATH_REGEX : (uint8_t)s->kind, .paths = path, .n_paths = 1};
        if (!s->host || extra)
            continue;
        *host = text_of(a, s->host, i);
        rules[i].hosts = host;
        rules[i].n_hosts = 1;
    }
    struct router *r = router_build(rules, n + s->regexes, on_error, NULL);
    ensure(r != NULL);
    return r;
}

/* Nanoseconds per request of one pass over routes below `n`, all of them or one; without a router
 * only the writing. */
static double pass(const struct shape *s, const struct router *r, struct route_scratch *scratch,
                   size_t n, bool spread)
{
    struct template host = template_make(s->asked_host), path = template_make(s->asked_path);
    struct rand random = {{1, 2, 3, 4}};
    struct arena arena = {0};
    struct route_match m;
    uint64_t begin = clock_mono_ns();
    for (size_t i = 0; i < REQUESTS; i++) {
        size_t number = rand_below(&random, (uint32_t)n);
        template_fill(&host, spread ? number : n / 2);
        template_fill(&path, spread ? number : n / 2);
        struct route_query q = {.host = {host.text, host.n},
                                .path = {path.text, path.n},
                                .method = METHOD_GET,
                                .arena = &arena};
        __asm__ volatile("" : : "r"(&q) : "memory");
        if (r && router_match(r, scratch, &q, &m) != ROUTE_FOUND)
            exit(1);
    }
    double ns = (double)(clock_mono_ns() - begin) / REQUESTS;
    arena_free(&arena);
    return ns;
}

static double best(const struct shape *s, const struct router *r, struct route_scratch *scratch,
                   size_t n, bool spread)
{
    double with = 1e9, without = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double ns = pass(s, r, scratch, n, spread);
        with = ns < with ? ns : with;
        ns = pass(s, NULL, scratch, n, spread);
        without = ns < without ? ns : without;
    }
    return with - without;
}

static void measure(const struct shape *s, size_t n)
{
    struct arena arena = {0};
    struct route_scratch *scratch = route_scratch_new();
    uint64_t begin = clock_mono_ns();
    struct router *r = build(s, n, &arena);
    double build_ms = (double)(clock_mono_ns() - begin) / 1e6;
    printf("%-36s %6zu routes  spread %6.1f ns  same %6.1f ns  build %7.2f ms\n", s->name, n,
           best(s, r, scratch, n, true), best(s, r, scratch, n, false), build_ms);
    router_free(&r);
    route_scratch_free(&scratch);
    arena_free(&arena);
}

int main(void)
{
    static const size_t counts[] = {10, 100, 1000, 10000};
    for (size_t i = 0; i < array_size(shapes); i++)
        for (size_t j = 0; j < array_size(counts); j++)
            measure(&shapes[i], counts[j]);
    return 0;
}
