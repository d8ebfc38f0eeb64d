/* Random numbers for load spreading and request identifiers (xoshiro256**), one state per thread's
 * loop. Not for keys: those come from getrandom(2) or OpenSSL. */
#ifndef TG_BASE_RAND_H
#define TG_BASE_RAND_H

#include <stdint.h>

struct rand {
    uint64_t s[4];
};

/* From getrandom(2). */
void rand_seed(struct rand *r);

static inline uint64_t rand_u64(struct rand *r)
{
    uint64_t *s = r->s, x = s[1] * 5, out = ((x << 7) | (x >> 57)) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return out;
}

/* Even in [0, bound); bound > 0. */
static inline uint32_t rand_below(struct rand *r, uint32_t bound)
{
    return (uint32_t)(((rand_u64(r) >> 32) * bound) >> 32);
}

#endif
