/* The delays between starts of the gateway process, see backoff.h. */
#include "supervisor/backoff.h"

#include "base/check.h"

uint64_t backoff_next_ms(struct backoff *backoff, uint64_t ready_ms)
{
    static const uint64_t delays_ms[] = {0, 100, 500, 1000, 5000};
    unsigned last = array_size(delays_ms) - 1;

    if (ready_ms >= BACKOFF_WELL_MS)
        backoff->failures = 0;
    unsigned step = backoff->failures < last ? backoff->failures : last;
    backoff->failures = step + 1;
    return delays_ms[step];
}
