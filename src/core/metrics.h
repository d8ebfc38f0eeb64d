/* What a worker counts. Each worker has one `struct metrics` that only its thread writes (relaxed
 * loads and stores, no locked instruction); the control thread reads all of them at any time
 * without disturbing anybody: series are never moved or freed while the worker lives, and a new
 * one is published by a release store at the head of a list. control/metrics_text writes them as
 * text. */
#ifndef TG_CORE_METRICS_H
#define TG_CORE_METRICS_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>

/* Every family that /metrics shows: X(ID, "name after the prefix", TYPE, "help", labels...). */
#define METRICS_TABLE(X)                                                                           \
    X(HTTP_REQUESTS, "http_requests_total", COUNTER, "Requests answered.", "listener", "route",    \
      "service", "variant", "method", "code")                                                      \
    X(HTTP_REQUEST_DURATION, "http_request_duration_seconds", HISTOGRAM,                           \
      "From a request's first byte to the end of its answer.", "service", "variant")               \
    X(UPSTREAM_DURATION, "upstream_duration_seconds", HISTOGRAM,                                   \
      "From the choice of an endpoint to the end of its answer.", "service", "variant")            \
    X(HTTP_REQUESTS_IN_FLIGHT, "http_requests_in_flight", GAUGE, "Requests being worked on.")      \
    X(CONNECTIONS, "connections", GAUGE, "Clients' connections.", "listener", "state")             \
    X(TLS_HANDSHAKES, "tls_handshakes_total", COUNTER, "TLS handshakes with clients.", "version",  \
      "resumed", "result")                                                                         \
    X(CERTIFICATE_EXPIRY, "certificate_expiry_timestamp_seconds", GAUGE,                           \
      "When a listener's certificate expires.", "listener", "subject")                             \
    X(AUTH, "auth_total", COUNTER, "Decisions of authentication.", "method", "result")             \
    X(RATELIMIT_DECISIONS, "ratelimit_decisions_total", COUNTER, "Decisions of limits.", "limit",  \
      "result", "source")                                                                          \
    X(LIMIT_SATURATION, "limit_saturation", GAUGE, "Highest share of a limit in use.", "limit")    \
    X(STORE_REQUEST_DURATION, "store_request_duration_seconds", HISTOGRAM,                         \
      "Time of the store's decisions.")                                                            \
    X(STORE_UP, "store_up", GAUGE, "1 if the store answers.")                                      \
    X(STORE_EVICTS, "store_evicts", GAUGE, "1 if the store may throw away keys that count.")       \
    X(TENANT_REQUESTS, "tenant_requests_total", COUNTER, "Requests of tenants.", "tenant",         \
      "code_class")                                                                                \
    X(TENANT_USAGE, "tenant_usage_total", COUNTER, "What tenants used.", "tenant", "unit")         \
    X(UPSTREAM_ENDPOINT_HEALTHY, "upstream_endpoint_healthy", GAUGE, "1 if the endpoint is used.", \
      "service", "variant", "endpoint")                                                            \
    X(CIRCUIT_STATE, "circuit_state", GAUGE, "0 closed, 1 half-open, 2 open.", "service",          \
      "variant", "endpoint")                                                                       \
    X(CIRCUIT_OPENED, "circuit_opened_total", COUNTER, "How often circuits opened.", "service",    \
      "variant", "endpoint")                                                                       \
    X(UPSTREAM_RETRIES, "upstream_retries_total", COUNTER, "Attempts after the first.", "service", \
      "variant")                                                                                   \
    X(QUEUE_DEPTH, "queue_depth", GAUGE, "Requests waiting for a slot.", "service")                \
    X(QUEUE_WAIT, "queue_wait_seconds", HISTOGRAM, "Time spent waiting for a slot.", "service")    \
    X(ROLLOUT_WEIGHT, "rollout_weight", GAUGE, "Weight in force.", "service", "variant")           \
    X(CONFIG_GENERATION, "config_generation", GAUGE, "Successful loads of the configuration.")     \
    X(CONFIG_LAST_RELOAD_SUCCESS, "config_last_reload_success", GAUGE,                             \
      "1 if the last load succeeded.")                                                             \
    X(CONFIG_LAST_RELOAD_TIMESTAMP, "config_last_reload_timestamp_seconds", GAUGE,                 \
      "When the last load ended.")                                                                 \
    X(WORKER_RESTARTS, "worker_restarts_total", COUNTER,                                           \
      "How often the gateway process was started again.")                                          \
    X(ACCEPT_PAUSES, "accept_pauses_total", COUNTER,                                               \
      "How often accepting paused for want of descriptors.")                                       \
    X(LOG_LINES_DROPPED, "log_lines_dropped_total", COUNTER,                                       \
      "Log lines lost: no room in the ring, or the file could not be written.", "log", "reason")   \
    X(BUILD_INFO, "build_info", GAUGE, "Always 1.", "version")

enum metrics_family {
#define METRICS_ENUM(id, ...) METRICS_##id,
    METRICS_TABLE(METRICS_ENUM)
#undef METRICS_ENUM
        METRICS_FAMILIES
};

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

enum {
    METRICS_LABELS_MAX = 6,
    METRICS_BUCKETS_MAX = 40,
    METRICS_SERIES_MAX = 20000, /* of one family in one worker; more become "other" */
};

struct metrics_info {
    const char *name; /* without the prefix */
    const char *help;
    enum metrics_type type;
    const char *labels[METRICS_LABELS_MAX + 1]; /* NULL-ended */
};

extern const struct metrics_info metrics_info[METRICS_FAMILIES];

/* One counter or gauge; written by its worker only. */
struct metrics_cell {
    _Atomic uint64_t value;
};

struct metrics_histogram {
    unsigned count;        /* of bounds */
    const uint64_t *le_ns; /* upper bounds, ascending */
    _Atomic uint64_t sum_ns;
    _Atomic uint64_t bucket[METRICS_BUCKETS_MAX + 1]; /* not cumulated; the last is +Inf */
};

/* A labelled time series; published in its family's list and never changed afterwards but for its
 * numbers. */
struct metrics_series {
    struct metrics_series *next; /* older one */
    char *labels;                /* `a="x",b="y"`, escaped as the text format wants it; "" */
    struct metrics_cell cell;    /* counter or gauge */
    struct metrics_histogram *histogram;
};

/* A series' labels as text for these values; the caller frees. */
char *metrics_labels(enum metrics_family f, const struct str *values)
    __attribute__((returns_nonnull, warn_unused_result));

struct metrics;

/* `le_ns` (at most METRICS_BUCKETS_MAX, ascending) is copied. */
struct metrics *metrics_new(const uint64_t *le_ns, unsigned count);
/* No thread may read or write it any more. Nulls *m. */
void metrics_free(struct metrics **m);

/* Worker: the series with these label values (as many as the family has labels), made if it is new;
 * valid until metrics_free. ~30 ns for one that exists: keep the pointer where it matters. */
struct metrics_cell *metrics_cell(struct metrics *m, enum metrics_family f,
                                  const struct str *values) __attribute__((returns_nonnull));
struct metrics_histogram *metrics_histogram(struct metrics *m, enum metrics_family f,
                                            const struct str *values)
    __attribute__((returns_nonnull));

/* Worker: adds to a counter, or with a negative delta takes from a gauge. */
static inline void metrics_add(struct metrics_cell *c, int64_t delta)
{
    uint64_t old = atomic_load_explicit(&c->value, memory_order_relaxed);
    atomic_store_explicit(&c->value, old + (uint64_t)delta, memory_order_relaxed);
}

/* Worker. */
void metrics_observe(struct metrics_histogram *h, uint64_t ns);

/* The series of a family without labels. */
struct metrics_cell *metrics_plain(struct metrics *m, enum metrics_family f)
    __attribute__((returns_nonnull));

/* A finished request. Names may be STR_NULL; they are copied on first use. */
struct metrics_request {
    struct str listener, route, service, variant;
    uint8_t method; /* enum http_method */
    uint16_t code;  /* 499: the client left first */
    bool upstream;  /* an endpoint was asked: upstream_ns counts */
    uint64_t duration_ns;
    uint64_t upstream_ns;
};

/* Worker: counts it in http_requests_total and both histograms. */
void metrics_request(struct metrics *m, const struct metrics_request *q);

/* Any thread: the newest series of the family; follow `next`. Numbers are read with relaxed loads.
 */
const struct metrics_series *metrics_series(const struct metrics *m, enum metrics_family f);

#endif
