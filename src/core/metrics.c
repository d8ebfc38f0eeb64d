/* What a worker counts, see metrics.h. A series is found through a map of the worker's own, keyed
 * by the label values one after the other; finished requests take a shorter way through a
 * direct-mapped cache that remembers which series a combination of names, method and code belongs
 * to. */
#include "core/metrics.h"

#include "base/check.h"
#include "base/map.h"
#include "base/xmem.h"
#include "http/h1_parse.h"

#include <stdlib.h>

const struct metrics_info metrics_info[METRICS_FAMILIES] = {
#define METRICS_ROW(id, name, type, help, ...)                                                     \
    [METRICS_##id] = {name, help, METRICS_##type, {__VA_ARGS__}},
    METRICS_TABLE(METRICS_ROW)
#undef METRICS_ROW
};

enum { CACHE_SIZE = 512 };

struct family {
    _Atomic(struct metrics_series *) newest;
    struct map by_key;
};

/* Where a kind of request is counted. Its names point into the key of the counter's series. */
struct request_slot {
    struct str listener, route, service, variant;
    struct metrics_cell *total; /* NULL: free */
    struct metrics_histogram *duration;
    struct metrics_histogram *upstream; /* NULL: not asked yet */
    uint16_t code;
    uint8_t method;
};

struct metrics {
    struct family families[METRICS_FAMILIES];
    struct buf key; /* scratch */
    unsigned bounds;
    uint64_t le_ns[METRICS_BUCKETS_MAX];
    struct request_slot cache[CACHE_SIZE];
};

/* A published series and what only its worker looks at. */
struct series {
    struct metrics_series public;
    struct str key;
};

static unsigned label_count(enum metrics_family f)
{
    unsigned n = 0;

    while (metrics_info[f].labels[n])
        n++;
    return n;
}

static bool needs_escape(char c)
{
    return c == '\\' || c == '"' || c == '\n';
}

static void add_label_value(struct buf *b, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (needs_escape(c))
            buf_add_char(b, '\\');
        buf_add_char(b, c == '\n' ? 'n' : c);
    }
}

char *metrics_labels(enum metrics_family f, const struct str *values)
{
    struct buf b = {0};

    for (unsigned i = 0; metrics_info[f].labels[i]; i++) {
        buf_printf(&b, "%s%s=\"", i ? "," : "", metrics_info[f].labels[i]);
        add_label_value(&b, values[i]);
        buf_add_char(&b, '"');
    }
    char *text = xstrdup(buf_text(&b));
    buf_free(&b);
    return text;
}

static struct metrics_histogram *histogram_new(struct metrics *m)
{
    struct metrics_histogram *h = xcalloc(1, sizeof *h);

    h->count = m->bounds;
    h->le_ns = m->le_ns;
    return h;
}

static struct series *series_new(struct metrics *m, enum metrics_family f, const struct str *values)
{
    struct family *family = &m->families[f];
    struct series *s = xcalloc(1, sizeof *s);

    s->key = str_make(xstrndup(m->key.p ? m->key.p : "", m->key.n), m->key.n);
    s->public.labels = metrics_labels(f, values);
    if (metrics_info[f].type == METRICS_HISTOGRAM)
        s->public.histogram = histogram_new(m);
    map_put(&family->by_key, s->key, s);
    s->public.next = atomic_load_explicit(&family->newest, memory_order_relaxed);
    atomic_store_explicit(&family->newest, &s->public, memory_order_release);
    return s;
}

static struct series *series_find(struct metrics *m, enum metrics_family f,
                                  const struct str *values)
{
    m->key.n = 0;
    for (unsigned i = 0; metrics_info[f].labels[i]; i++) {
        buf_add_str(&m->key, values[i]);
        buf_add_char(&m->key, '\0');
    }
    return map_get(&m->families[f].by_key, str_make(m->key.p, m->key.n));
}

/* Labels whose values come from fixed sets keep them when a family is full. */
static bool label_is_bounded(const char *label)
{
    return strcmp(label, "method") == 0 || strcmp(label, "code") == 0;
}

static struct series *series_get(struct metrics *m, enum metrics_family f, const struct str *values)
{
    struct str folded[METRICS_LABELS_MAX];
    struct series *s = series_find(m, f, values);

    if (s)
        return s;
    if (m->families[f].by_key.count < METRICS_SERIES_MAX)
        return series_new(m, f, values);
    for (unsigned i = 0; i < label_count(f); i++)
        folded[i] = label_is_bounded(metrics_info[f].labels[i]) ? values[i] : STR("other");
    s = series_find(m, f, folded);
    return s ? s : series_new(m, f, folded);
}

struct metrics *metrics_new(const uint64_t *le_ns, unsigned count)
{
    struct metrics *m = xcalloc(1, sizeof *m);

    ensure(count <= METRICS_BUCKETS_MAX);
    m->bounds = count;
    memcpy(m->le_ns, le_ns, count * sizeof *le_ns);
    return m;
}

void metrics_free(struct metrics **m)
{
    if (!*m)
        return;
    for (unsigned f = 0; f < METRICS_FAMILIES; f++) {
        map_for_each(e, &(*m)->families[f].by_key) {
            struct series *s = e->value;
            free(s->public.labels);
            free(s->public.histogram);
            free((void *)(uintptr_t)s->key.p);
            free(s);
        }
        map_free(&(*m)->families[f].by_key);
    }
    buf_free(&(*m)->key);
    free(*m);
    *m = NULL;
}

struct metrics_cell *metrics_cell(struct metrics *m, enum metrics_family f,
                                  const struct str *values)
{
    ensure(metrics_info[f].type != METRICS_HISTOGRAM);
    return &series_get(m, f, values)->public.cell;
}

struct metrics_histogram *metrics_histogram(struct metrics *m, enum metrics_family f,
                                            const struct str *values)
{
    ensure(metrics_info[f].type == METRICS_HISTOGRAM);
    return series_get(m, f, values)->public.histogram;
}

struct metrics_cell *metrics_plain(struct metrics *m, enum metrics_family f)
{
    ensure(metrics_info[f].labels[0] == NULL);
    return metrics_cell(m, f, NULL);
}

static void add_relaxed(_Atomic uint64_t *to, uint64_t n)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void metrics_observe(struct metrics_histogram *h, uint64_t ns)
{
    unsigned i = 0;

    while (i < h->count && ns > h->le_ns[i])
        i++;
    add_relaxed(&h->bucket[i], 1);
    add_relaxed(&h->sum_ns, ns);
}

static struct request_slot *slot_of(struct metrics *m, const struct metrics_request *q)
{
    uint64_t h = (uintptr_t)q->route.p * 31 + (uintptr_t)q->variant.p;

    h = (h ^ (uintptr_t)q->listener.p ^ ((uint64_t)q->method << 40) ^ ((uint64_t)q->code << 48)) *
        0x9e3779b97f4a7c15u;
    return &m->cache[h >> 55];
}
_Static_assert(CACHE_SIZE == 1 << (64 - 55), "slot_of takes as many bits as there are slots");

/* Names are compared, not only their places: a reload may put other names where old ones were. */
static bool slot_holds(const struct request_slot *s, const struct metrics_request *q)
{
    return s->total && s->code == q->code && s->method == q->method && str_eq(s->route, q->route) &&
           str_eq(s->variant, q->variant) && str_eq(s->service, q->service) &&
           str_eq(s->listener, q->listener);
}

/* Cuts the next of the values that make up a key. */
static struct str key_part(struct str *rest)
{
    struct str part = str_make(rest->p, strlen(rest->p));

    rest->p += part.n + 1;
    rest->n -= part.n + 1;
    return part;
}

static void slot_fill(struct metrics *m, struct request_slot *s, const struct metrics_request *q)
{
    char code[3] = {(char)('0' + q->code / 100 % 10), (char)('0' + q->code / 10 % 10),
                    (char)('0' + q->code % 10)};
    const struct str values[] = {q->listener,
                                 q->route,
                                 q->service,
                                 q->variant,
                                 method_name((enum http_method)q->method),
                                 str_make(code, sizeof code)};
    struct series *total = series_get(m, METRICS_HTTP_REQUESTS, values);
    struct str key = total->key;

    s->listener = key_part(&key);
    s->route = key_part(&key);
    s->service = key_part(&key);
    s->variant = key_part(&key);
    s->method = q->method;
    s->code = q->code;
    s->total = &total->public.cell;
    s->duration = metrics_histogram(m, METRICS_HTTP_REQUEST_DURATION, values + 2);
    s->upstream = NULL;
}

void metrics_request(struct metrics *m, const struct metrics_request *q)
{
    struct request_slot *s = slot_of(m, q);

    if (unlikely(!slot_holds(s, q)))
        slot_fill(m, s, q);
    metrics_add(s->total, 1);
    metrics_observe(s->duration, q->duration_ns);
    if (!q->upstream)
        return;
    if (unlikely(!s->upstream))
        s->upstream = metrics_histogram(m, METRICS_UPSTREAM_DURATION,
                                        (const struct str[]){q->service, q->variant});
    metrics_observe(s->upstream, q->upstream_ns);
}

const struct metrics_series *metrics_series(const struct metrics *m, enum metrics_family f)
{
    return atomic_load_explicit(&m->families[f].newest, memory_order_acquire);
}
