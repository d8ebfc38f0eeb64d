/* See map.h. Linear probing, at most 3/4 full, deletion by shifting back: no tombstones. */
#include "base/map.h"

#include "base/check.h"
#include "base/xmem.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t map_hash(struct str key)
{
    return XXH3_64bits(key.p, key.n);
}

static struct map_entry *map_slot(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    while (m->entries[i].value) {
        if (m->entries[i].hash == hash && str_eq(m->entries[i].key, key))
            break;
        i = (i + 1) & (m->cap - 1);
    }
    return &m->entries[i];
}

void *map_get(const struct map *m, struct str key)
{
    return m->cap ? map_slot(m, key, map_hash(key))->value : NULL;
}

static void map_grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->entries = xcalloc(m->cap, sizeof *m->entries);
    map_for_each(e, &old)
        *map_slot(m, e->key, e->hash) = *e;
    free(old.entries);
}

void *map_put(struct map *m, struct str key, void *value)
{
    ensure(value != NULL);
    if ((m->count + 1) * 4 > m->cap * 3)
        map_grow(m);
    uint64_t hash = map_hash(key);
    struct map_entry *e = map_slot(m, key, hash);
    void *was = e->value;
    m->count += was == NULL;
    *e = (struct map_entry){key, value, hash};
    return was;
}

void *map_remove(struct map *m, struct str key)
{
    if (!m->cap)
        return NULL;
    struct map_entry *e = map_slot(m, key, map_hash(key));
    void *was = e->value;
    if (!was)
        return NULL;
    size_t mask = m->cap - 1, hole = (size_t)(e - m->entries);
    for (size_t i = (hole + 1) & mask; m->entries[i].value; i = (i + 1) & mask) {
        size_t home = m->entries[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->entries[hole] = m->entries[i];
            hole = i;
        }
    }
    m->entries[hole].value = NULL;
    m->count--;
    return was;
}

void map_free(struct map *m)
{
    free(m->entries);
    *m = (struct map){0};
}
