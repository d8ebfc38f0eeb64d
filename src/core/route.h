/* The compiled request matcher: from listener, host, path, method, fields and query to a route.
 *
 * Built once per snapshot from plain rules, immutable, shared by all threads without locks. It
 * knows neither connections nor requests, so that `explain` and `replay` ask the very same code.
 *
 * Which route wins: among the rules all of whose matchers hold, the one with the highest priority,
 * then exact host before wildcard (longest first) before any, then exact path, then regex in file
 * order, then the longest prefix, then more matchers before fewer (each field and each query
 * parameter counts as one, so do `methods` and `listeners` when given), then file order.
 *
 * Paths: a prefix holds on segment borders: /v1/email takes /v1/email and /v1/email/x, not
 * /v1/emails. With a slash at its end it takes only what lies below: /v1/email/ takes /v1/email/
 * and /v1/email/x, not /v1/email. "/" takes every path. Paths of rules are brought into the form
 * that requests have (http/uri.h). A regex is anchored at the start of the path, not at its end.
 * Fields and query: a matcher holds if any field (parameter) of that name has such a value;
 * regexes of values are not anchored. */
#ifndef TG_CORE_ROUTE_H
#define TG_CORE_ROUTE_H

#include "core/route_regex.h"
#include "http/h1_parse.h"

enum route_path_kind {
    ROUTE_PATH_EXACT,
    ROUTE_PATH_PREFIX,
    ROUTE_PATH_REGEX,
};

enum route_value_kind {
    ROUTE_VALUE_EXACT,
    ROUTE_VALUE_REGEX,
    ROUTE_VALUE_PRESENT,
};

/* A matcher of one field or query parameter. */
struct route_value {
    struct str name; /* of a field: in any case */
    struct str value;
    uint8_t kind; /* enum route_value_kind */
};

/* One route as the configuration has it. Everything it points to outlives the router. */
struct route_rule {
    struct str name;
    uint64_t listeners;      /* bit i: listener i; 0: all */
    const struct str *hosts; /* "a.b", "*.b"; none: any. Case, port and final dot do not matter */
    size_t n_hosts;
    uint8_t path_kind;       /* enum route_path_kind */
    const struct str *paths; /* any of them; none: the prefix "/" */
    size_t n_paths;
    uint32_t methods;                /* bit m: enum http_method m; GET admits HEAD */
    const struct str *other_methods; /* names beyond the enum; both empty: any method */
    size_t n_other_methods;
    const struct route_value *headers;
    size_t n_headers;
    const struct route_value *query;
    size_t n_query;
    int32_t priority;
    void *route; /* the caller's */
};

struct router;

/* One mistake in the rules. */
struct router_error {
    size_t rule; /* index of the rule */
    const char
        *key;     /* of `match`: "hosts", "path", "path_prefix", "path_regex", "headers", "query" */
    size_t index; /* in that key's list */
    const char *text; /* what is wrong; valid during the call */
};

typedef void router_error_cb(void *ctx, const struct router_error *error);

/* The rules in file order; NULL if there are mistakes: on_error was called with each of them. */
struct router *router_build(const struct route_rule *rules, size_t n, router_error_cb *on_error,
                            void *ctx) must_use;
/* Frees *r and sets it to NULL. */
void router_free(struct router **r);

/* What is asked. All slices belong to the caller. */
struct route_query {
    unsigned listener; /* index, below 64 */
    /* Of the authority, without port; any case, with or without final dot; may be empty. */
    struct str host;
    struct str path;  /* normalised */
    struct str query; /* raw, without '?'; may be empty or null */
    enum http_method method;
    struct str method_text;        /* read for METHOD_OTHER only */
    const struct headers *headers; /* NULL: no fields */
    struct arena *arena;           /* of the request: captures, decoded parameters, Allow */
};

enum route_result {
    ROUTE_FOUND,
    ROUTE_NONE,   /* 404 */
    ROUTE_METHOD, /* 405: routes of that listener, host and path are there, none takes the method */
    ROUTE_FAILED, /* 500: a regex gave up at its limits; `rule` says whose */
};

/* The answer. Lives as long as the query's path and arena and the router. */
struct route_match {
    const struct route_rule *rule;
    struct str
        allow; /* ROUTE_METHOD only: value for the Allow field, all methods of the path's routes */
    /* For route_match_group: of a rule found by a path regex with named groups. */
    const struct route_regex *regex;
    const size_t *offsets;
    struct str path;
};

/* Finds the route. Allocates nothing unless the winner is a regex with named groups, a parameter
 * has to be decoded, or the answer is ROUTE_METHOD; then from the query's arena. For a CORS
 * preflight that gets ROUTE_METHOD, ask again with the method that Access-Control-Request-Method
 * names. */
enum route_result router_match(const struct router *r, struct route_scratch *s,
                               const struct route_query *q, struct route_match *out) must_use;

/* Text of a named group of the path regex that matched; STR_NULL if there is none or it took no
 * part. */
struct str route_match_group(const struct route_match *m, struct str name);

/* Why a rule was not chosen, or that it was. */
enum route_reason {
    ROUTE_CHOSEN,
    /* Does not hold: the first matcher that fails, in this order. */
    ROUTE_OTHER_LISTENER,
    ROUTE_OTHER_HOST,
    ROUTE_OTHER_PATH,
    ROUTE_OTHER_METHOD,
    ROUTE_OTHER_HEADER,
    ROUTE_OTHER_QUERY,
    ROUTE_GAVE_UP, /* a regex ran into its limits */
    /* Holds, but the chosen one comes first: by what. */
    ROUTE_LOWER_PRIORITY,
    ROUTE_LESS_EXACT_HOST,
    ROUTE_LESS_EXACT_PATH,
    ROUTE_FEWER_MATCHERS,
    ROUTE_LATER_IN_FILE,
};

/* Text for people: "another host". */
const char *route_reason_text(enum route_reason reason);

/* Called once for each rule in file order; `which` is the field or parameter that failed, or
 * empty. */
typedef void route_explain_cb(void *ctx, const struct route_rule *rule, enum route_reason reason,
                              struct str which);

/* Like router_match, and reports on every rule. Costs as much as there are rules. */
enum route_result router_explain(const struct router *r, struct route_scratch *s,
                                 const struct route_query *q, struct route_match *out,
                                 route_explain_cb *report, void *ctx) must_use;

#endif
