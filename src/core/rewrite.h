/* What a route does to the path before it goes to the service: strip and add prefixes, or replace
 * by a regular expression. The query is not touched; the result is again in normal form. */
#ifndef TG_CORE_REWRITE_H
#define TG_CORE_REWRITE_H

#include "core/route_regex.h"

/* `rewrite:` of a route; texts empty when absent. Prefixes and a regex exclude each other. */
struct rewrite_rule {
    struct str strip_prefix, add_prefix; /* whole segments; a slash at the end does not matter */
    struct str regex, replacement;       /* not anchored, every match is replaced; $1 */
    struct str host;                     /* a name, or "endpoint" */
};

enum rewrite_host {
    REWRITE_HOST_CLIENT,   /* Host goes on as the client sent it */
    REWRITE_HOST_ENDPOINT, /* the endpoint's own name or address */
    REWRITE_HOST_NAME,     /* `host` */
};

/* Compiled, immutable, shared by threads. */
struct rewrite {
    struct str strip, add; /* begin with '/', or empty */
    struct route_regex *regex;
    struct str replacement;
    struct str host;
    enum rewrite_host host_kind;
};

/* Texts are copied to the arena, which outlives the rewrite. -1: `*key` of `rewrite` is wrong, why
 * is in `text`. */
int rewrite_init(struct rewrite *w, const struct rewrite_rule *rule, struct arena *arena,
                 const char **key, char *text, size_t cap) must_use;
void rewrite_fini(struct rewrite *w);

enum rewrite_result {
    REWRITE_OK,
    REWRITE_BAD,    /* 400: the new path would climb above the root or hold a broken escape */
    REWRITE_FAILED, /* 500: the regex gave up at its limits */
};

/* The path for the service: `path` itself if nothing changes, a slice of it where that is enough,
 * else made in the arena. Always begins with '/' unless `path` is "*". */
enum rewrite_result rewrite_path(const struct rewrite *w, struct route_scratch *s, struct str path,
                                 struct arena *arena, struct str *out) must_use;

#endif
