/* What the tests of the request matcher share: rules and requests in few words. */
#ifndef TESTS_ROUTE_FIXTURE_H
#define TESTS_ROUTE_FIXTURE_H

#include "core/route.h"

enum { LIST_MAX = 4 };

/* A rule in few words; lists end in NULL. */
struct route_spec {
    const char *name;
    const char *hosts[LIST_MAX];
    const char *exact[LIST_MAX], *prefix[LIST_MAX], *regex[LIST_MAX];
    uint32_t methods;
    const char *other_methods[LIST_MAX];
    struct route_value headers[LIST_MAX], query[LIST_MAX];
    uint64_t listeners;
    int32_t priority;
};

#define GET  (1u << METHOD_GET)
#define POST (1u << METHOD_POST)
#define IS(n, v)                                                                                   \
    {                                                                                              \
        STR(n), STR(v), ROUTE_VALUE_EXACT                                                          \
    }
#define MATCHES(n, v)                                                                              \
    {                                                                                              \
        STR(n), STR(v), ROUTE_VALUE_REGEX                                                          \
    }
#define PRESENT(n)                                                                                 \
    {                                                                                              \
        STR(n), STR_NULL, ROUTE_VALUE_PRESENT                                                      \
    }

struct route_fixture {
    struct arena arena;
    struct router *router;
    struct route_scratch *scratch;
    struct buf errors; /* a line for each: rule key[index] text */
};

struct route_expectation {
    const char *request, *answer;
};

/* Builds a router; what is wrong is in f->errors, f->router is NULL then. */
void route_fixture_build(struct route_fixture *f, const struct route_spec *specs, size_t n);
void route_fixture_end(struct route_fixture *f);
/* "GET host/path?query" and, on further lines, fields; "@1 " before it: another listener. */
struct route_query route_fixture_request(struct route_fixture *f, const char *text);
/* The route's name, "404", "405 ALLOW" or "500 NAME". */
const char *route_fixture_answer(struct route_fixture *f, const char *text);
/* Asks for each and compares the answers. */
void route_fixture_check(const struct route_spec *specs, size_t n,
                         const struct route_expectation *e, size_t count);

#define CHECK(specs, expectations)                                                                 \
    route_fixture_check(specs, array_size(specs), expectations, array_size(expectations))

#endif
