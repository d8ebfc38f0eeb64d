/* Counters as text, see metrics_text.h: first everything is gathered into one table per family, so
 * that the workers' series of the same labels become one, then it is written in the order of the
 * families, each sorted by labels. */
#include "control/metrics_text.h"

#include "base/check.h"
#include "base/map.h"
#include "base/xmem.h"
#include "control/metrics_process.h"

#include <stdlib.h>

#define PREFIX "tollgate_"

/* Summed over the workers. */
struct sample {
    char *labels;
    double value;
    const struct metrics_histogram *shape; /* bounds; NULL: not a histogram */
    double sum_seconds;
    uint64_t bucket[METRICS_BUCKETS_MAX + 1];
};

struct metrics_text {
    struct map families[METRICS_FAMILIES]; /* labels to struct sample */
};

struct metrics_text *metrics_text_new(void)
{
    return xcalloc(1, sizeof(struct metrics_text));
}

void metrics_text_free(struct metrics_text **t)
{
    if (!*t)
        return;
    for (unsigned f = 0; f < METRICS_FAMILIES; f++) {
        map_for_each(e, &(*t)->families[f]) {
            struct sample *s = e->value;
            free(s->labels);
            free(s);
        }
        map_free(&(*t)->families[f]);
    }
    free(*t);
    *t = NULL;
}

static struct sample *sample_of(struct metrics_text *t, enum metrics_family f, const char *labels)
{
    struct sample *s = map_get(&t->families[f], str_of(labels));

    if (s)
        return s;
    s = xcalloc(1, sizeof *s);
    s->labels = xstrdup(labels);
    map_put(&t->families[f], str_of(s->labels), s);
    return s;
}

static void add_histogram(struct sample *s, const struct metrics_histogram *h)
{
    s->shape = h;
    s->sum_seconds += (double)atomic_load_explicit(&h->sum_ns, memory_order_relaxed) / 1e9;
    for (unsigned i = 0; i <= h->count; i++)
        s->bucket[i] += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
}

void metrics_text_worker(struct metrics_text *t, const struct metrics *m)
{
    for (unsigned f = 0; f < METRICS_FAMILIES; f++) {
        const struct metrics_series *series = metrics_series(m, (enum metrics_family)f);
        for (; series; series = series->next) {
            struct sample *s = sample_of(t, (enum metrics_family)f, series->labels);
            if (series->histogram)
                add_histogram(s, series->histogram);
            else
                s->value += (double)(int64_t)atomic_load_explicit(&series->cell.value,
                                                                  memory_order_relaxed);
        }
    }
}

void metrics_text_value(struct metrics_text *t, enum metrics_family f, const struct str *values,
                        double value)
{
    char *labels = metrics_labels(f, values);

    ensure(metrics_info[f].type != METRICS_HISTOGRAM);
    sample_of(t, f, labels)->value += value;
    free(labels);
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *const *x = a, *const *y = b;

    return strcmp((*x)->labels, (*y)->labels);
}

/* The family's samples in order; the caller frees the array. */
static struct sample **sorted(const struct map *family)
{
    struct sample **all = xcalloc(family->count + 1, sizeof *all);
    size_t n = 0;

    map_for_each(e, family)
        all[n++] = e->value;
    qsort(all, n, sizeof *all, compare_samples);
    return all;
}

static void add_number(struct buf *out, double value)
{
    bool whole = value > -1e15 && value < 1e15 && value == (double)(int64_t)value;

    buf_printf(out, whole ? " %.0f\n" : " %.15g\n", value);
}

static void write_plain(struct buf *out, const char *name, const struct sample *s)
{
    buf_printf(out, PREFIX "%s", name);
    if (*s->labels)
        buf_printf(out, "{%s}", s->labels);
    add_number(out, s->value);
}

static void write_histogram(struct buf *out, const char *name, const struct sample *s)
{
    const char *comma = *s->labels ? "," : "", *open = *s->labels ? "{" : "",
               *close = *s->labels ? "}" : "";
    uint64_t count = 0;

    for (unsigned i = 0; i <= s->shape->count; i++) {
        count += s->bucket[i];
        buf_printf(out, PREFIX "%s_bucket{%s%sle=\"", name, s->labels, comma);
        if (i < s->shape->count)
            buf_printf(out, "%.9g", (double)s->shape->le_ns[i] / 1e9);
        else
            buf_add_str(out, STR("+Inf"));
        buf_printf(out, "\"} %llu\n", (unsigned long long)count);
    }
    buf_printf(out, PREFIX "%s_sum%s%s%s", name, open, s->labels, close);
    add_number(out, s->sum_seconds);
    buf_printf(out, PREFIX "%s_count%s%s%s %llu\n", name, open, s->labels, close,
               (unsigned long long)count);
}

/* OpenMetrics names a counter's family without the _total of its samples. */
static int family_name_length(const struct metrics_info *info, bool openmetrics)
{
    size_t n = strlen(info->name);

    return (int)(openmetrics && info->type == METRICS_COUNTER ? n - strlen("_total") : n);
}

static void write_family(const struct metrics_text *t, enum metrics_family f, struct buf *out,
                         bool openmetrics)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const struct metrics_info *info = &metrics_info[f];
    int n = family_name_length(info, openmetrics);
    struct sample **samples = sorted(&t->families[f]);

    buf_printf(out, "# HELP " PREFIX "%.*s %s\n# TYPE " PREFIX "%.*s %s\n", n, info->name,
               info->help, n, info->name, types[info->type]);
    for (struct sample **s = samples; *s; s++) {
        if (info->type == METRICS_HISTOGRAM)
            write_histogram(out, info->name, *s);
        else
            write_plain(out, info->name, *s);
    }
    if (!*samples && !info->labels[0] && info->type != METRICS_HISTOGRAM)
        write_plain(out, info->name, &(const struct sample){.labels = (char[]){""}});
    free(samples);
}

void metrics_text_write(const struct metrics_text *t, struct buf *out, bool openmetrics)
{
    for (unsigned f = 0; f < METRICS_FAMILIES; f++)
        write_family(t, (enum metrics_family)f, out, openmetrics);
    metrics_process_write(out, openmetrics);
    if (openmetrics)
        buf_add_str(out, STR("# EOF\n"));
}
