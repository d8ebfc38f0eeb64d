/* Inside of the request matcher: what route.c builds and asks, and route_explain.c explains. */
#ifndef TG_CORE_ROUTE_ROUTER_H
#define TG_CORE_ROUTE_ROUTER_H

#include "core/route_entry.h"
#include "core/route_tree.h"

struct router {
    struct arena arena;
    const struct route_rule *rules; /* the caller's, in file order */
    struct route_entry *entries;    /* the same, compiled */
    size_t n_entries;
    /* Roots: enum route_host_kind; hosts are below the last two. */
    struct route_tree tree;
    bool has_host[ROUTE_HOST_EXACT + 1]; /* rules with hosts of that kind are there */
    int32_t max_priority;                /* among all rules */
};

#endif
