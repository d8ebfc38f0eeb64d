/* One rule of the request matcher, compiled: hosts, paths and fields in the form in which requests
 * are compared with them. Used by building (route.c), matching and explaining. */
#ifndef TG_CORE_ROUTE_ENTRY_H
#define TG_CORE_ROUTE_ENTRY_H

#include "core/route.h"

/* Longer hosts match only rules without hosts. */
#define ROUTE_HOST_MAX 255

enum route_host_kind {
    ROUTE_HOST_ANY,
    ROUTE_HOST_WILDCARD,
    ROUTE_HOST_EXACT,
};

struct route_host {
    struct str name; /* lower case, no port, no final dot; of a wildcard with its dot: ".x" */
    uint8_t kind;    /* enum route_host_kind */
};

struct route_path {
    struct str text;           /* normalised; of a regex: what every match begins with */
    struct route_regex *regex; /* NULL but for a regex */
};

/* A matcher of a field or parameter. */
struct route_matcher {
    struct str name, value;
    struct route_regex *regex; /* NULL but for a regex */
    uint8_t kind;              /* enum route_value_kind */
    uint8_t field;             /* enum field_id */
};

struct route_entry {
    const struct route_rule *rule;
    struct route_host *hosts; /* at least one */
    struct route_path *paths; /* at least one, all of rule->path_kind */
    struct route_matcher *headers, *query;
    size_t n_hosts, n_paths, n_headers, n_query;
    uint64_t listeners; /* never 0 */
    uint16_t methods;   /* bit METHOD_OTHER: other_methods, or any */
    uint16_t matchers;  /* how many, for the order of routes */
    bool any_method;
};

/* Where mistakes of a rule go. */
struct route_report {
    router_error_cb *on_error;
    void *ctx;
    size_t rule;
};

/* Compiles `rule`; what it needs lies in the arena. False: mistakes were reported. route_entry_fini
 * is due in both cases. */
bool route_entry_init(struct route_entry *e, const struct route_rule *rule, struct arena *arena,
                      const struct route_report *report) must_use;
/* Frees what is not in the arena. */
void route_entry_fini(struct route_entry *e);

/* The host of a request in the form of route_host.name, made in `room`; empty if it is too long. */
struct str route_host_canonical(struct str host, char room[ROUTE_HOST_MAX]);

/* Whether the entry's methods admit the query's; GET admits HEAD. */
bool route_entry_takes_method(const struct route_entry *e, const struct route_query *q);

/* Do all headers, all query parameters hold? 1, 0, or -1: a regex gave up; then and for 0 `*which`
 * is the matcher's name. */
int route_entry_headers_hold(const struct route_entry *e, struct route_scratch *s,
                             const struct route_query *q, struct str *which) must_use;
int route_entry_query_holds(const struct route_entry *e, struct route_scratch *s,
                            const struct route_query *q, struct str *which) must_use;

/* Does a regex path match? 1, 0, -1. */
static inline int route_path_matches(const struct route_path *p, struct route_scratch *s,
                                     struct str path)
{
    return str_starts(path, p->text) ? route_regex_match(p->regex, s, path) : 0;
}

#endif
