/* The wall clock as text. */
#include "base/timetext.h"

#include <criterion/criterion.h>

#define MS 1000000ull
#define S  1000000000ull

Test(timetext, is_rfc_3339_with_milliseconds)
{
    struct timetext t = {0};

    cr_assert_str_eq(timetext_get(&t, 0), "1970-01-01T00:00:00.000Z");
    cr_assert_str_eq(timetext_get(&t, 1769903999 * S + 123 * MS + 999), "2026-01-31T23:59:59.123Z");
}

Test(timetext, follows_the_clock_forwards_and_backwards)
{
    struct timetext t = {0};

    cr_assert_str_eq(timetext_get(&t, 951782400 * S), "2000-02-29T00:00:00.000Z");
    cr_assert_str_eq(timetext_get(&t, 951782400 * S + 7 * MS), "2000-02-29T00:00:00.007Z");
    cr_assert_str_eq(timetext_get(&t, 951782401 * S), "2000-02-29T00:00:01.000Z");
    cr_assert_str_eq(timetext_get(&t, 951782399 * S + 50 * MS), "2000-02-28T23:59:59.050Z");
}
