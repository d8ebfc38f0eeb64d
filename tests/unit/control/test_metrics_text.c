/* Counters as Prometheus text, read back by a strict parser. */
#include "control/metrics_text.h"

#include "base/map.h"
#include "base/xmem.h"
#include "http/h1_parse.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t bounds[] = {1000000, 2500000000};

/* What the parser has seen: families with TYPE, and samples in the order of the text. */
struct parsed {
    struct map families; /* name to type */
    struct map samples;  /* name and labels to struct value */
    char *text;
};

struct value {
    double number;
};

static bool is_name_char(char c, bool first)
{
    return ascii_is_alpha(c) || c == '_' || c == ':' || (!first && ascii_is_digit(c));
}

static const char *skip_name(const char *at)
{
    cr_assert(is_name_char(*at, true), "a name begins at \"%.20s\"", at);
    while (is_name_char(*at, false))
        at++;
    return at;
}

/* `{a="b",…}`; every escape and every comma is looked at. */
static const char *skip_labels(const char *at)
{
    cr_assert_eq(*at++, '{');
    for (;;) {
        at = skip_name(at);
        cr_assert(at[0] == '=' && at[1] == '"');
        for (at += 2; *at != '"'; at++) {
            cr_assert(*at && *at != '\n');
            if (*at == '\\') {
                at++;
                cr_assert(*at == '\\' || *at == '"' || *at == 'n');
            }
        }
        at++;
        if (*at == '}')
            return at + 1;
        cr_assert_eq(*at++, ',');
    }
}

static void parse_meta(struct parsed *p, char *line)
{
    char *name = line + strlen("# HELP "), *rest = strchr(name, ' ');

    cr_assert(strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0, "%s", line);
    cr_assert_not_null(rest, "%s", line);
    *rest++ = '\0';
    cr_assert_gt(strlen(rest), 0);
    if (line[2] == 'H')
        return;
    cr_assert(strcmp(rest, "counter") == 0 || strcmp(rest, "gauge") == 0 ||
                  strcmp(rest, "histogram") == 0,
              "%s", rest);
    cr_assert_null(map_put(&p->families, str_of(name), rest), "%s has two TYPE lines", name);
}

/* Whether a sample of that name belongs to a family with a TYPE line. */
static bool has_family(struct parsed *p, struct str name)
{
    static const char *const suffixes[] = {"", "_total", "_bucket", "_sum", "_count"};

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t n = strlen(suffixes[i]);
        if (name.n > n && memcmp(name.p + name.n - n, suffixes[i], n) == 0 &&
            map_get(&p->families, str_make(name.p, name.n - n)))
            return true;
    }
    return false;
}

static void parse_sample(struct parsed *p, char *line)
{
    const char *name_end = skip_name(line);
    const char *at = *name_end == '{' ? skip_labels(name_end) : name_end;
    struct value *v = xcalloc(1, sizeof *v);
    char *end;

    cr_assert(has_family(p, str_make(line, (size_t)(name_end - line))), "%s has no TYPE", line);
    cr_assert_eq(*at, ' ', "%s", line);
    v->number = strtod(at + 1, &end);
    cr_assert(end > at + 1 && *end == '\0', "%s", line);
    cr_assert_null(map_put(&p->samples, str_make(line, (size_t)(at - line)), v), "%s twice", line);
}

static struct parsed parse(const struct metrics_text *t, bool openmetrics)
{
    struct parsed p = {0};
    struct buf out = {0};

    metrics_text_write(t, &out, openmetrics);
    p.text = xstrdup(buf_text(&out));
    cr_assert_eq(out.p[out.n - 1], '\n');
    buf_free(&out);
    for (char *line = strtok(p.text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strcmp(line, "# EOF") == 0)
            cr_assert(openmetrics && !strtok(NULL, "\n"), "EOF is the last line");
        else if (*line == '#')
            parse_meta(&p, line);
        else
            parse_sample(&p, line);
    }
    return p;
}

static double value(struct parsed *p, const char *series)
{
    const struct value *v = map_get(&p->samples, str_of(series));

    cr_assert_not_null(v, "no %s", series);
    return v->number;
}

static void parsed_free(struct parsed *p)
{
    map_for_each(e, &p->samples)
        free(e->value);
    map_free(&p->samples);
    map_free(&p->families);
    free(p->text);
}

static void count_requests(struct metrics *m, unsigned n, uint64_t duration_ns)
{
    for (unsigned i = 0; i < n; i++)
        metrics_request(m, &(struct metrics_request){.listener = STR("public"),
                                                     .route = STR("a\"\n\\b"),
                                                     .service = STR("email"),
                                                     .variant = STR("stable"),
                                                     .method = METHOD_GET,
                                                     .code = 200,
                                                     .duration_ns = duration_ns});
}

Test(metrics_text, every_family_has_a_type_from_the_start)
{
    struct metrics_text *t = metrics_text_new();
    struct parsed p = parse(t, false);

    for (unsigned f = 0; f < METRICS_FAMILIES; f++) {
        char name[128];
        snprintf(name, sizeof name, "tollgate_%s", metrics_info[f].name);
        cr_assert_not_null(map_get(&p.families, str_of(name)), "%s", name);
    }
    cr_assert_eq(value(&p, "tollgate_worker_restarts_total"), 0);
    cr_assert_gt(value(&p, "process_resident_memory_bytes"), 0);
    cr_assert_gt(value(&p, "process_open_fds"), 2);
    cr_assert_gt(value(&p, "process_start_time_seconds"), 1.6e9);
    parsed_free(&p);
    metrics_text_free(&t);
}

Test(metrics_text, series_of_several_workers_are_summed)
{
    struct metrics *a = metrics_new(bounds, 2), *b = metrics_new(bounds, 2);
    struct metrics_text *t = metrics_text_new();

    count_requests(a, 3, 500000);
    count_requests(b, 2, 3000000000);
    metrics_text_worker(t, a);
    metrics_text_worker(t, b);
    struct parsed p = parse(t, false);
    cr_assert_eq(value(&p,
                       "tollgate_http_requests_total{listener=\"public\",route=\"a\\\"\\n\\\\b\","
                       "service=\"email\",variant=\"stable\",method=\"GET\",code=\"200\"}"),
                 5);
    const char *base = "tollgate_http_request_duration_seconds";
    const char *labels = "service=\"email\",variant=\"stable\"";
    static const struct {
        const char *le;
        double count;
    } buckets[] = {{"0.001", 3}, {"2.5", 3}, {"+Inf", 5}};
    char name[256];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s_bucket{%s,le=\"%s\"}", base, labels, buckets[i].le);
        cr_assert_eq(value(&p, name), buckets[i].count);
    }
    snprintf(name, sizeof name, "%s_sum{%s}", base, labels);
    cr_assert_float_eq(value(&p, name), 6.0015, 1e-9);
    snprintf(name, sizeof name, "%s_count{%s}", base, labels);
    cr_assert_eq(value(&p, name), 5);
    parsed_free(&p);
    metrics_text_free(&t);
    metrics_free(&a);
    metrics_free(&b);
}

Test(metrics_text, values_known_otherwise_are_added)
{
    struct metrics_text *t = metrics_text_new();

    metrics_text_value(t, METRICS_CONFIG_GENERATION, NULL, 7);
    metrics_text_value(t, METRICS_UPSTREAM_ENDPOINT_HEALTHY,
                       (const struct str[]){STR("sms"), STR("stable"), STR("127.0.0.1:1")}, 1);
    metrics_text_value(t, METRICS_LIMIT_SATURATION, (const struct str[]){STR("daily")}, 0.25);
    struct parsed p = parse(t, false);
    cr_assert_eq(value(&p, "tollgate_config_generation"), 7);
    cr_assert_eq(value(&p, "tollgate_upstream_endpoint_healthy{service=\"sms\",variant=\"stable\","
                           "endpoint=\"127.0.0.1:1\"}"),
                 1);
    cr_assert_eq(value(&p, "tollgate_limit_saturation{limit=\"daily\"}"), 0.25);
    parsed_free(&p);
    metrics_text_free(&t);
}

Test(metrics_text, a_gauge_may_be_negative)
{
    struct metrics *m = metrics_new(bounds, 2);
    struct metrics_text *t = metrics_text_new();

    metrics_add(metrics_plain(m, METRICS_HTTP_REQUESTS_IN_FLIGHT), -1);
    metrics_text_worker(t, m);
    struct parsed p = parse(t, false);
    cr_assert_eq(value(&p, "tollgate_http_requests_in_flight"), -1);
    parsed_free(&p);
    metrics_text_free(&t);
    metrics_free(&m);
}

Test(metrics_text, openmetrics_names_counters_without_total_and_ends_in_eof)
{
    struct metrics *m = metrics_new(bounds, 2);
    struct metrics_text *t = metrics_text_new();

    count_requests(m, 1, 1);
    metrics_text_worker(t, m);
    struct parsed p = parse(t, true);
    cr_assert_str_eq(map_get(&p.families, STR("tollgate_http_requests")), "counter");
    cr_assert_null(map_get(&p.families, STR("tollgate_http_requests_total")));
    cr_assert_str_eq(map_get(&p.families, STR("process_cpu_seconds")), "counter");
    parsed_free(&p);
    metrics_text_free(&t);
    metrics_free(&m);
}
