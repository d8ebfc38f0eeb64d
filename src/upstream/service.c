/* See service.h. */
#include "upstream/service.h"

#include "upstream/pool.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PARTS = 10000 };

/* xxh64(service name + "\0" + key, seed 0) mod 10000. */
static uint32_t sticky_point(const struct service *s, struct str key)
{
    XXH64_state_t h;
    XXH64_reset(&h, 0);
    XXH64_update(&h, s->name.p, s->name.n);
    XXH64_update(&h, "", 1);
    XXH64_update(&h, key.p, key.n);
    return (uint32_t)(XXH64_digest(&h) % PARTS);
}

const struct variant *service_pick(const struct service *s, struct str key, struct rand *rand)
{
    if (s->weight_sum == 0)
        return NULL;
    if (s->variant_count == 1)
        return &s->variants[0];
    uint64_t point = key.p ? sticky_point(s, key) : rand_below(rand, PARTS);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->variant_count; i++) {
        sum += s->variants[i].weight;
        if (point * s->weight_sum < sum * PARTS)
            return &s->variants[i];
    }
    return NULL;
}

static uint32_t weighted_index(const struct variant *v, struct rand *rand)
{
    if (v->weight_sum == v->endpoint_count)
        return rand_below(rand, v->endpoint_count);
    uint32_t point = rand_below(rand, v->weight_sum), i = 0;
    while (point >= v->endpoints[i].weight)
        point -= v->endpoints[i++].weight;
    return i;
}

struct endpoint *variant_pick(const struct variant *v, const struct pool *pool, struct rand *rand)
{
    if (v->endpoint_count <= 1)
        return v->endpoint_count ? v->endpoints[0].endpoint : NULL;
    const struct variant_endpoint *a = &v->endpoints[weighted_index(v, rand)];
    const struct variant_endpoint *b = &v->endpoints[weighted_index(v, rand)];
    uint64_t load_a = (uint64_t)(pool_in_flight(pool, a->endpoint) + 1) * b->weight;
    uint64_t load_b = (uint64_t)(pool_in_flight(pool, b->endpoint) + 1) * a->weight;
    return load_b < load_a ? b->endpoint : a->endpoint;
}
