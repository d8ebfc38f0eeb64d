// Log-linear histogram of times in ns: 64 steps per power of two, so a quantile is exact to 1.6 %.
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

enum { HIST_STEP_BITS = 6, HIST_BUCKETS = (64 - HIST_STEP_BITS + 1) << HIST_STEP_BITS };

struct hist {
    uint64_t count, max_ns;
    uint64_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t ns);

// The time that a share (0 to 1) of the samples does not exceed, in ns; 0 without samples.
uint64_t hist_quantile(const struct hist *h, double share);

#endif
