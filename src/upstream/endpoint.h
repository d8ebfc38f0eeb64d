/* Where requests may go: one address spoken to in one way. Its identity (address, protocol, TLS
 * name and options) outlives reloads; what each worker knows of it stands in that worker's pool,
 * at its slot. */
#ifndef TG_UPSTREAM_ENDPOINT_H
#define TG_UPSTREAM_ENDPOINT_H

#include "base/map.h"
#include "net/addr.h"

struct endpoint {
    struct addr addr;
    struct str name;         /* as configured: "10.0.10.11:8080" */
    struct str identity;     /* key in the registry */
    const char *server_name; /* SNI and the name verified; NULL: the address */
    bool tls;
    uint32_t slot; /* index into every worker's pool while it lives */
    uint32_t refs; /* snapshots that name it; the loader's */
};

/* All endpoints that any living snapshot names. The loader thread's alone. */
struct endpoints {
    struct map by_identity;
    struct endpoint **slots;
    uint32_t count; /* slots in use or free below it */
};

/* The endpoint of that identity with one more reference; made if there is none. `tls_digest` tells
 * TLS options apart, 0: plain. */
struct endpoint *endpoint_ref(struct endpoints *all, const struct addr *addr, struct str name,
                              const char *server_name, uint64_t tls_digest);
/* Frees it and its slot with the last reference; then no worker may know it any more. */
void endpoint_unref(struct endpoints *all, struct endpoint **e);
void endpoints_fini(struct endpoints *all);

#endif
