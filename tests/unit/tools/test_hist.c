// The benchmark's latency histogram.
#include <criterion/criterion.h>

#include "tools/bench/hist.h"

Test(hist, is_empty_at_first)
{
    struct hist h = {0};

    cr_assert_eq(hist_quantile(&h, 0.99), 0);
}

Test(hist, small_values_are_exact)
{
    struct hist h = {0};

    for (uint64_t ns = 0; ns < 64; ns++)
        hist_add(&h, ns);
    cr_assert_eq(hist_quantile(&h, 0.5), 32);
    cr_assert_eq(hist_quantile(&h, 1), 63);
}

Test(hist, a_quantile_is_never_below_the_value_nor_more_than_a_sixtyfourth_above)
{
    for (uint64_t ns = 1; ns < 1ull << 62; ns = ns * 5 / 3 + 1) {
        struct hist h = {0};
        hist_add(&h, ns);
        hist_add(&h, UINT64_MAX);
        uint64_t got = hist_quantile(&h, 0.4);
        cr_assert(got >= ns && got - ns <= ns / 64, "%lu -> %lu", ns, got);
    }
}

Test(hist, the_largest_value_has_a_bucket)
{
    struct hist h = {0};

    hist_add(&h, UINT64_MAX);
    cr_assert_eq(hist_quantile(&h, 0.5), UINT64_MAX);
}

Test(hist, a_quantile_counts_the_samples_below_it)
{
    struct hist h = {0};

    for (int i = 0; i < 99; i++)
        hist_add(&h, 10);
    hist_add(&h, 50);
    cr_assert_eq(hist_quantile(&h, 0.98), 10);
    cr_assert_eq(hist_quantile(&h, 0.99), 50);
}
