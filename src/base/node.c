/*
 * Reading a checked tree: walks of dotted paths and accessors that insist on the right kind.
 * Maps of a configuration are small (a dozen keys), so a linear search beats an index.
 */
#include "base/node.h"

#include <string.h>

#include "base/check.h"

/* Entry of `n` named by the `len` bytes at `step`: a key of a map, a decimal index of a list. */
static const struct node *step_into(const struct node *n, const char *step, size_t len)
{
    if (n->kind == NODE_MAP) {
        for (uint32_t i = 0; i < n->count; i++) {
            const char *key = n->items[i].key;
            if (strncmp(key, step, len) == 0 && key[len] == '\0')
                return n->items[i].value;
        }
        return NULL;
    }
    if (n->kind != NODE_LIST || len == 0)
        return NULL;
    size_t index = 0;
    for (size_t i = 0; i < len; i++) {
        if (step[i] < '0' || step[i] > '9' || index >= n->count)
            return NULL;
        index = index * 10 + (size_t)(step[i] - '0');
    }
    return index < n->count ? n->list[index] : NULL;
}

const struct node *node_get(const struct node *n, const char *path)
{
    while (n && *path) {
        size_t len = strcspn(path, ".");
        n = step_into(n, path, len);
        path += len + (path[len] == '.');
    }
    return n && n->kind != NODE_NULL ? n : NULL;
}

const struct node *node_member(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    return step_into(map, key, strlen(key));
}

bool node_given(const struct node *n, const char *path)
{
    const struct node *v = node_get(n, path);
    return v && !(v->flags & NODE_DEFAULT);
}

static const struct node *get_kind(const struct node *n, const char *path, enum node_kind kind)
{
    const struct node *v = node_get(n, path);
    ensure(!v || v->kind == kind);
    return v;
}

static uint64_t get_num(const struct node *n, const char *path, enum node_kind kind)
{
    const struct node *v = get_kind(n, path, kind);
    return v ? (uint64_t)v->num : 0;
}

bool node_bool(const struct node *n, const char *path)
{
    const struct node *v = get_kind(n, path, NODE_BOOL);
    return v && v->truth;
}

int64_t node_int(const struct node *n, const char *path)
{
    return (int64_t)get_num(n, path, NODE_INT);
}

uint64_t node_ns(const struct node *n, const char *path)
{
    return get_num(n, path, NODE_DURATION);
}

uint64_t node_ms(const struct node *n, const char *path)
{
    uint64_t ns = node_ns(n, path);
    return ns / 1000000 + (ns % 1000000 != 0);
}

uint64_t node_size(const struct node *n, const char *path)
{
    return get_num(n, path, NODE_SIZE);
}

uint32_t node_ppm(const struct node *n, const char *path)
{
    return (uint32_t)get_num(n, path, NODE_PERCENT);
}

int node_enum(const struct node *n, const char *path)
{
    const struct node *v = get_kind(n, path, NODE_ENUM);
    return v ? (int)v->num : -1;
}

bool node_is(const struct node *n, const char *path, const char *word)
{
    const char *text = node_str(n, path);
    return text && strcmp(text, word) == 0;
}

struct node_rate node_rate(const struct node *n, const char *path)
{
    const struct node *v = get_kind(n, path, NODE_RATE);
    return v ? v->rate : (struct node_rate){0};
}

struct node_quota node_quota(const struct node *n, const char *path)
{
    const struct node *v = get_kind(n, path, NODE_QUOTA);
    return v ? v->quota : (struct node_quota){0};
}

int64_t node_time(const struct node *n, const char *path)
{
    const struct node *v = get_kind(n, path, NODE_TIME);
    return v ? v->num : INT64_MAX;
}

const char *node_str(const struct node *n, const char *path)
{
    const struct node *v = node_get(n, path);
    return v && v->kind != NODE_LIST && v->kind != NODE_MAP ? v->text : NULL;
}

size_t node_count(const struct node *n, const char *path)
{
    const struct node *v = node_get(n, path);
    return v && (v->kind == NODE_LIST || v->kind == NODE_MAP) ? v->count : 0;
}

const struct node *node_at(const struct node *n, size_t i)
{
    ensure(n->kind == NODE_LIST || n->kind == NODE_MAP);
    ensure(i < n->count);
    return n->kind == NODE_LIST ? n->list[i] : n->items[i].value;
}

const char *node_key(const struct node *map, size_t i)
{
    ensure(map->kind == NODE_MAP && i < map->count);
    return map->items[i].key;
}

struct node_pos node_pos(const struct node *n)
{
    return (struct node_pos){n->file, n->line, n->column};
}
