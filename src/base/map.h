/* A hash map from byte strings to pointers (xxh3, open addressing). Keys are not copied: their
 * owner keeps them alive as long as the entry. */
#ifndef TG_BASE_MAP_H
#define TG_BASE_MAP_H

#include "base/str.h"

struct map_entry {
    struct str key;
    void *value;
    uint64_t hash;
};

/* Zero-initialised is an empty map. */
struct map {
    struct map_entry *entries;
    size_t count, cap; /* cap: a power of two, or 0 */
};

/* NULL if there is none. */
void *map_get(const struct map *m, struct str key);
/* Replaces; returns the value that was there, or NULL. `value` may not be NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Returns what was taken out, or NULL. */
void *map_remove(struct map *m, struct str key);
void map_free(struct map *m);

#define map_for_each(e, m)                                                                         \
    for (struct map_entry *e = (m)->entries; e && e < (m)->entries + (m)->cap; e++)                \
        if (e->value)

#endif
