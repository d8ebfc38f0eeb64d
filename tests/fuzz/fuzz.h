/* What the fuzz targets share. */
#ifndef TG_TESTS_FUZZ_H
#define TG_TESTS_FUZZ_H

#include "base/rand.h"

#include <stddef.h>

/* Called by libFuzzer once per input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Random numbers that an input chooses, so that it means the same every time. */
static inline struct rand fuzz_rand(uint8_t seed)
{
    struct rand r = {{seed, 0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu}};
    for (int i = 0; i < 8; i++)
        rand_u64(&r);
    return r;
}

#endif
