/* How long to wait before a gateway process that died is started again: pure, time is passed in. */
#ifndef TG_SUPERVISOR_BACKOFF_H
#define TG_SUPERVISOR_BACKOFF_H

#include <stdint.h>

/* A gateway process that was ready for this long was well: the next death starts from 0 again. */
#define BACKOFF_WELL_MS 1000

/* Zero-initialised: nothing has failed yet. */
struct backoff {
    unsigned failures;
};

/* The delay before the next start, after a death of a process that had been ready for ready_ms
 * (0: it never was): 0, 100, 500, 1000, then always 5000 ms. */
uint64_t backoff_next_ms(struct backoff *backoff, uint64_t ready_ms);

#endif
