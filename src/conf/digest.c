/* A stable hash of a checked subtree: equal for equal values, wherever and however they were
 * written. */
#include "conf/conf.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct canon {
    uint64_t kind;
    uint64_t a, b;
};

static uint64_t digest_scalar(const struct node *n)
{
    struct canon canon = {.kind = n->kind};
    switch (n->kind) {
    case NODE_NULL: return 0;
    case NODE_BOOL: canon.a = n->truth; break;
    case NODE_RATE:
        canon.a = n->rate.n;
        canon.b = n->rate.period_ns;
        break;
    case NODE_QUOTA:
        canon.a = n->quota.n;
        canon.b = (uint64_t)n->quota.period;
        break;
    case NODE_STRING:
    case NODE_ENUM: /* the text: `header:NAME` is more than its index */
        canon.a = XXH3_64bits(n->text, n->count);
        break;
    default: canon.a = (uint64_t)n->num; break;
    }
    return XXH3_64bits(&canon, sizeof canon);
}

/* The order of keys in a map does not matter, unless the user made them up. */
static uint64_t digest_map(const struct node *n)
{
    uint64_t sum = NODE_MAP;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct node_item *item = &n->items[i];
        struct canon canon = {XXH3_64bits(item->key, strlen(item->key)), conf_digest(item->value),
                              n->flags & NODE_KEYS ? i : 0};
        if (item->value->kind != NODE_NULL)
            sum += XXH3_64bits(&canon, sizeof canon);
    }
    return sum;
}

static uint64_t digest_list(const struct node *n)
{
    uint64_t hash = NODE_LIST;
    for (uint32_t i = 0; i < n->count; i++) {
        struct canon canon = {NODE_LIST, hash, conf_digest(n->list[i])};
        hash = XXH3_64bits(&canon, sizeof canon);
    }
    return hash;
}

uint64_t conf_digest(const struct node *n)
{
    if (!n)
        return 0;
    if (n->kind == NODE_MAP)
        return digest_map(n);
    return n->kind == NODE_LIST ? digest_list(n) : digest_scalar(n);
}
