/* The delays between starts of a gateway process. */
#include "supervisor/backoff.h"

#include <criterion/criterion.h>

Test(backoff, starts_come_later_and_later_up_to_five_seconds)
{
    static const uint64_t expected_ms[] = {0, 100, 500, 1000, 5000, 5000, 5000};
    struct backoff backoff = {0};

    for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++)
        cr_assert_eq(backoff_next_ms(&backoff, 0), expected_ms[i]);
}

Test(backoff, a_process_that_was_well_is_started_again_at_once)
{
    struct backoff backoff = {0};

    for (int i = 0; i < 10; i++)
        (void)backoff_next_ms(&backoff, 0);
    cr_assert_eq(backoff_next_ms(&backoff, BACKOFF_WELL_MS - 1), 5000);
    cr_assert_eq(backoff_next_ms(&backoff, BACKOFF_WELL_MS), 0);
    cr_assert_eq(backoff_next_ms(&backoff, 1), 100);
}
