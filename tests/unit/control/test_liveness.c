/* Threads that stand still. */
#include "control/liveness.h"

#include <criterion/criterion.h>

static struct liveness l;

Test(liveness, a_thread_that_turns_is_alive)
{
    liveness_init(&l, 2, 1000);
    for (uint64_t now = 1000; now < 20000; now += 1000)
        liveness_see(&l, 0, now, now);
    cr_assert_not(liveness_stalled(&l, 0, 20000));
    cr_assert(liveness_stalled(&l, 1, 20000));
}

Test(liveness, it_is_stalled_only_after_five_seconds_and_alive_with_the_next_turn)
{
    liveness_init(&l, 1, 0);
    liveness_see(&l, 0, 7, 1000);
    liveness_see(&l, 0, 7, 6000);
    cr_assert_not(liveness_stalled(&l, 0, 6000));
    cr_assert(liveness_stalled(&l, 0, 6001));
    liveness_see(&l, 0, 8, 7000);
    cr_assert_not(liveness_stalled(&l, 0, 7000));
}
