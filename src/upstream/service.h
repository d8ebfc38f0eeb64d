/* A service as configured: variants with weights, their endpoints, deadlines. Immutable, part of a
 * snapshot; choosing is pure. */
#ifndef TG_UPSTREAM_SERVICE_H
#define TG_UPSTREAM_SERVICE_H

#include "base/rand.h"
#include "upstream/endpoint.h"

struct pool;

struct variant_endpoint {
    struct endpoint *endpoint;
    uint32_t weight; /* >= 1 */
};

struct variant {
    struct str name;
    uint32_t weight; /* parts; 0: none */
    struct variant_endpoint *endpoints;
    uint32_t endpoint_count;
    uint32_t weight_sum; /* of the endpoints */
};

enum sticky {
    STICKY_NONE, /* random each request */
    STICKY_TENANT,
    STICKY_SUBJECT,
    STICKY_HEADER,
    STICKY_COOKIE,
};

struct service_timeouts {
    uint64_t connect_ms, response_ms, idle_ms, total_ms; /* 0: none */
};

struct service {
    struct str name;
    struct variant *variants;
    uint32_t variant_count;
    uint32_t weight_sum;
    uint8_t sticky;        /* enum sticky */
    struct str sticky_key; /* name of the header or cookie */
    bool fallback;
    bool tls;
    uint32_t index; /* in the snapshot */
    struct service_timeouts timeouts;
    uint32_t idle_per_worker;
    uint64_t idle_timeout_ms;
    uint64_t max_requests; /* per connection, 0: no bound */
};

/* The variant of a request: `key` hashed against the cumulated weights as the contract says; a key
 * with p == NULL: random. NULL if all weights are 0. */
const struct variant *service_pick(const struct service *s, struct str key, struct rand *rand);

/* An endpoint of the variant: the less busy of two random ones, by requests in flight in this
 * worker and weight. NULL if it has none. */
struct endpoint *variant_pick(const struct variant *v, const struct pool *pool, struct rand *rand);

#endif
