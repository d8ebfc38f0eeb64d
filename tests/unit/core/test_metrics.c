/* Counting in one worker. */
#include "core/metrics.h"

#include "http/h1_parse.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const uint64_t bounds[] = {1000, 2000, 5000};
static struct metrics *m;

static void make(void)
{
    m = metrics_new(bounds, 3);
}

static void end(void)
{
    metrics_free(&m);
}

TestSuite(metrics, .init = make, .fini = end);

/* The series with these labels, or NULL. */
static const struct metrics_series *find(enum metrics_family f, const char *labels)
{
    const struct metrics_series *s = metrics_series(m, f);

    while (s && strcmp(s->labels, labels) != 0)
        s = s->next;
    return s;
}

static uint64_t count(enum metrics_family f)
{
    uint64_t n = 0;

    for (const struct metrics_series *s = metrics_series(m, f); s; s = s->next)
        n++;
    return n;
}

static struct metrics_request request(void)
{
    return (struct metrics_request){
        .listener = STR("public"),
        .route = STR("send"),
        .service = STR("email"),
        .variant = STR("stable"),
        .method = METHOD_POST,
        .code = 202,
        .upstream = true,
        .duration_ns = 1500,
        .upstream_ns = 900,
    };
}

#define SEND_LABELS                                                                                \
    "listener=\"public\",route=\"send\",service=\"email\",variant=\"stable\",method=\"POST\","     \
    "code=\"202\""

Test(metrics, a_request_counts_in_the_counter_and_both_histograms)
{
    struct metrics_request q = request();

    metrics_request(m, &q);
    metrics_request(m, &q);
    cr_assert_eq(find(METRICS_HTTP_REQUESTS, SEND_LABELS)->cell.value, 2);
    const struct metrics_series *s =
        find(METRICS_HTTP_REQUEST_DURATION, "service=\"email\",variant=\"stable\"");
    cr_assert_eq(s->histogram->bucket[1], 2);
    cr_assert_eq(s->histogram->sum_ns, 3000);
    s = find(METRICS_UPSTREAM_DURATION, "service=\"email\",variant=\"stable\"");
    cr_assert_eq(s->histogram->bucket[0], 2);
}

Test(metrics, without_a_service_asked_the_upstream_histogram_stays)
{
    struct metrics_request q = {.listener = STR("public"), .method = METHOD_GET, .code = 404};

    metrics_request(m, &q);
    cr_assert_not_null(find(METRICS_HTTP_REQUESTS, "listener=\"public\",route=\"\",service=\"\","
                                                   "variant=\"\",method=\"GET\",code=\"404\""));
    cr_assert_eq(count(METRICS_UPSTREAM_DURATION), 0);
}

Test(metrics, other_names_at_the_same_place_are_told_apart)
{
    char name[] = "one";
    struct metrics_request q = request();

    q.route = str_of(name);
    metrics_request(m, &q);
    memcpy(name, "two", 3);
    metrics_request(m, &q);
    cr_assert_eq(count(METRICS_HTTP_REQUESTS), 2);
}

Test(metrics, values_lie_in_the_first_bucket_that_holds_them)
{
    struct metrics_histogram *h =
        metrics_histogram(m, METRICS_QUEUE_WAIT, (const struct str[]){STR("email")});

    metrics_observe(h, 0);
    metrics_observe(h, 1000);
    metrics_observe(h, 1001);
    metrics_observe(h, 5001);
    cr_assert_eq(h->bucket[0], 2);
    cr_assert_eq(h->bucket[1], 1);
    cr_assert_eq(h->bucket[2], 0);
    cr_assert_eq(h->bucket[3], 1);
}

Test(metrics, label_values_are_escaped)
{
    metrics_cell(m, METRICS_LIMIT_SATURATION, (const struct str[]){STR("a\"b\\c\nd")});
    cr_assert_str_eq(metrics_series(m, METRICS_LIMIT_SATURATION)->labels,
                     "limit=\"a\\\"b\\\\c\\nd\"");
}

Test(metrics, a_gauge_goes_up_and_down)
{
    struct metrics_cell *c = metrics_plain(m, METRICS_HTTP_REQUESTS_IN_FLIGHT);

    metrics_add(c, 2);
    metrics_add(c, -3);
    cr_assert_eq((int64_t)c->value, -1);
    cr_assert_eq(metrics_plain(m, METRICS_HTTP_REQUESTS_IN_FLIGHT), c);
}

Test(metrics, too_many_series_become_other)
{
    struct metrics_request q = request();
    char name[16];

    for (int i = 0; i < METRICS_SERIES_MAX + 100; i++) {
        snprintf(name, sizeof name, "route-%d", i);
        q.route = str_of(name);
        metrics_request(m, &q);
    }
    cr_assert_eq(count(METRICS_HTTP_REQUESTS), METRICS_SERIES_MAX + 1);
    const struct metrics_series *s =
        find(METRICS_HTTP_REQUESTS, "listener=\"other\",route=\"other\",service=\"other\","
                                    "variant=\"other\",method=\"POST\",code=\"202\"");
    cr_assert_eq(s->cell.value, 100);
}
