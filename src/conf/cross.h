/* Checks that need more than one key: names that must exist, keys that go together or exclude each
 * other. */
#ifndef TG_CONF_CROSS_H
#define TG_CONF_CROSS_H

#include "base/arena.h"
#include "base/map.h"
#include "conf/conf.h"

struct cross {
    const struct node *root; /* as checked; wrong values are null in their maps */
    struct arena *arena;
    struct conf_errors *errs;
    struct map listeners, services, plans; /* name -> entry */
};

/* Adds an error for every rule that the whole tree breaks. */
void cross_check(struct arena *arena, const struct node *root, struct conf_errors *errs);

/* The parts. */
void cross_listeners(struct cross *c);
void cross_admin(struct cross *c);
void cross_store(struct cross *c);
void cross_auth(struct cross *c);
void cross_tenants(struct cross *c);
void cross_services(struct cross *c);
void cross_routes(struct cross *c);

/* Rules of each limit in the list at `limits` (may be NULL or `none`); `path` is that of the list.
 */
void cross_limits(struct cross *c, const struct node *limits, const char *path);
/* `certificate` and `private_key` of a section go together. */
void cross_key_pair(struct cross *c, const struct node *tls, const char *path);

/* An error at `at`, or at `holder` when `at` has no place of its own (absent or filled in). */
void cross_error(struct cross *c, const struct node *at, const struct node *holder,
                 const char *path, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* An error unless `names` has an entry of the name in `ref` (NULL is fine). */
void cross_reference(struct cross *c, const struct node *ref, const struct map *names,
                     const char *what, const char *path);
/* Was the key written, right or wrong? */
bool cross_has(const struct node *map, const char *key);
/* arena_printf for paths. */
#define cross_path(c, ...) arena_printf((c)->arena, __VA_ARGS__)

#endif
