// Implementation of the latency histogram; see hist.h.
#include "hist.h"

enum { STEPS = 1 << HIST_STEP_BITS };

// Bucket of a value: below 64 the value itself, then 64 equal steps for each power of two.
static unsigned bucket_of(uint64_t ns)
{
    if (ns < STEPS)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - HIST_STEP_BITS;
    return ((shift + 1) << HIST_STEP_BITS) + (unsigned)(ns >> shift) - STEPS;
}

static uint64_t bucket_upper(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;
    unsigned shift = (bucket >> HIST_STEP_BITS) - 1;
    return ((uint64_t)(STEPS + (bucket & (STEPS - 1)) + 1) << shift) - 1;
}

void hist_add(struct hist *h, uint64_t ns)
{
    h->bucket[bucket_of(ns)]++;
    h->count++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

uint64_t hist_quantile(const struct hist *h, double share)
{
    uint64_t rank = (uint64_t)(share * (double)h->count), seen = 0;

    for (unsigned i = 0; h->count && i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen > rank || seen == h->count)
            return bucket_upper(i) < h->max_ns ? bucket_upper(i) : h->max_ns;
    }
    return 0;
}
