/* One generation of the configuration, compiled: what every request of it is decided by. Built by
 * the loader thread, immutable afterwards but for the part that each worker has for itself (its
 * TLS objects and its pins). A request pins the snapshot it began with; a worker lets go of an old
 * one when its last pin is gone, and when all workers have, it is freed. */
#ifndef TG_CORE_SNAPSHOT_H
#define TG_CORE_SNAPSHOT_H

#include "core/filter.h"
#include "core/rewrite.h"
#include "core/route.h"
#include "core/template.h"
#include "http/h1_server.h"
#include "net/inbox.h"
#include "net/tls.h"
#include "upstream/service.h"

#include <stdatomic.h>

struct conf;

enum { LISTENERS_MAX = 64 };

struct route_filter {
    const struct tg_filter *filter;
    void *inst;
};

/* `name: value` of `respond.headers`. */
struct respond_field {
    struct str name;
    struct template *value;
};

struct route {
    struct str name;
    struct service *service; /* NULL: `respond` */
    struct rewrite rewrite;
    struct route_filter *filters;
    uint8_t filter_count;
    const char *missing; /* a feature that decides and is not built in: 501; or NULL */
    uint64_t body_bytes;
    struct service_timeouts timeouts;
    /* respond: */
    uint16_t respond_status;
    struct template *respond_body; /* NULL: none */
    struct respond_field *respond_fields;
    size_t respond_field_count;
};

/* For its metric. */
struct snapshot_certificate {
    struct str subject;
    int64_t expiry; /* seconds since 1970 */
};

struct snapshot_listener {
    struct str name;
    const char *address; /* as configured: its identity */
    unsigned index;      /* bit in route_rule.listeners */
    bool tls;
    const char *missing; /* as in struct route */
    struct h1_server_limits limits;
    unsigned uri_flags;
    struct str port;                           /* text, for X-Forwarded-Port */
    struct snapshot_certificate *certificates; /* one for each subject */
    size_t certificate_count;
};

/* What one worker needs of a snapshot: its own OpenSSL objects, and its pins. */
struct snapshot_worker {
    struct tls_server **servers; /* by listener; NULL: plain */
    struct tls_client **clients; /* by service; NULL: plain */
    uint64_t pins;               /* requests and connections; the worker's */
    bool current;                /* the worker's */
    struct core *core;           /* whose it is */
    struct message adopt, gone;  /* how it comes to the worker, and back */
    struct snapshot *snapshot;
};

struct snapshot {
    struct arena arena;
    struct conf *conf;
    uint64_t generation;
    struct router *router;
    struct route *routes;
    size_t route_count;
    struct route no_route; /* of requests that match none: the filters that see every request */
    struct service *services;
    size_t service_count;
    struct snapshot_listener *listeners;
    size_t listener_count;
    uint32_t max_connections;
    bool *endpoint_named; /* by slot */
    uint32_t endpoint_slots;
    struct snapshot_worker *workers;
    unsigned worker_count;
    unsigned workers_done; /* control's: workers that let go of it */
    struct message end;    /* control's: to the loader, to be freed */
    void *owner;           /* control's */
};

/* The listener of that address, or NULL when this generation has none. */
const struct snapshot_listener *snapshot_listener(const struct snapshot *s, const char *address);

/* The TLS objects of one worker: by itself when it lets go, or before it ever had them. */
void snapshot_free_worker_tls(struct snapshot *s, struct snapshot_worker *w);

#endif
