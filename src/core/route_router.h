/* Inside of the request matcher: what route.c builds and asks, and route_explain.c explains. */
#ifndef TG_CORE_ROUTE_ROUTER_H
#define TG_CORE_ROUTE_ROUTER_H

#include "core/route_entry.h"
#include "core/route_tree.h"

struct router {
    struct arena arena;
    struct route_entry *entries; /* in file order */
    size_t n_entries;
    struct route_tree tree; /* roots: enum route_host_kind; hosts are below the last two */
    bool has_host[ROUTE_HOST_EXACT + 1]; /* rules with hosts of that kind are there */
};

#endif
