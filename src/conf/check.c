/* See check.h. A walk down the tables and the parsed tree side by side. */
#include "conf/check.h"

#include "base/xmem.h"
#include "conf/check_default.h"
#include "conf/check_scalar.h"
#include "conf/errors.h"
#include "conf/hint.h"
#include "conf/missing.h"
#include "conf/types.h"
#include "conf/walk.h"

#include <stdlib.h>

static const struct node *check_value(struct check *c, const struct key *key,
                                      const struct node *raw);

static const struct node *check_one(struct check *c, const struct key *key, const struct node *raw)
{
    if (key->type == KEY_ANY)
        return raw;
    return key->type == KEY_MAP ? check_map(c, key, raw) : scalar_check(c, key, raw);
}

/* What tells entries of a list apart: their text, or that of their first key. */
static const struct node *entry_identity(const struct key *key, const struct node *entry)
{
    const struct node *id = key->type == KEY_MAP ? node_get(entry, key->children[0].name) : entry;
    return id && id->text ? id : NULL;
}

static void check_unique(struct check *c, const struct key *key, const struct node *list)
{
    struct map seen = {0};
    for (uint32_t i = 0; i < list->count; i++) {
        const struct node *id = entry_identity(key, list->list[i]);
        if (!id)
            continue;
        const struct node *before = map_get(&seen, str_make(id->text, id->count));
        if (!before) {
            map_put(&seen, str_make(id->text, id->count), (void *)(uintptr_t)id);
            continue;
        }
        size_t mark = walk_index(c, i);
        if (key->type == KEY_MAP)
            walk_key(c, key->children[0].name);
        walk_wrong(c, id,
                   arena_printf(c->arena,
                                "%s is given twice, first in %s:%u; every one here must differ",
                                walk_shown(c, id), before->file ? before->file : "", before->line));
        walk_leave(c, mark);
    }
    map_free(&seen);
}

static const struct node *check_list(struct check *c, const struct key *key, const struct node *raw)
{
    const struct node *alone[1] = {raw};
    bool single = raw->kind != NODE_LIST;
    uint32_t count = single ? 1 : raw->count;
    const struct node *const *from = single ? alone : raw->list;
    struct node *n = arena_alloc(c->arena, sizeof *n);
    const struct node **list = arena_alloc(c->arena, count * sizeof *list);
    *n = *raw;
    n->kind = NODE_LIST;
    n->list = list;
    n->count = 0;
    n->text = NULL;
    for (uint32_t i = 0; i < count; i++) {
        size_t mark = single ? c->path.n : walk_index(c, i);
        if (key->flags & KEY_GATE)
            missing_begin(c);
        const struct node *entry = check_one(c, key, from[i]);
        if (key->flags & KEY_GATE)
            missing_end(c, entry);
        if (!entry && !single)
            entry = walk_wrong(c, from[i], "this entry has no value; write one, or remove it");
        walk_leave(c, mark);
        if (entry)
            list[n->count++] = entry;
    }
    if (single && n->count == 0)
        return NULL;
    if ((key->flags & KEY_NONEMPTY) && n->count == 0)
        return walk_wrong(c, raw, "is empty; write at least one entry");
    if (key->flags & KEY_UNIQUE)
        check_unique(c, key, n);
    return n;
}

void check_push(struct check *c, struct node_item item)
{
    if (c->item_count == c->item_capacity) {
        c->item_capacity = c->item_capacity ? c->item_capacity * 2 : 64;
        c->items = xrealloc(c->items, c->item_capacity * sizeof *c->items);
    }
    c->items[c->item_count++] = item;
}

static const struct key *find_key(const struct key *keys, const char *name)
{
    for (; keys->name; keys++) {
        if (strcmp(keys->name, name) == 0)
            return keys;
    }
    return NULL;
}

static void unknown_key(struct check *c, const struct key *keys, const struct node *map,
                        const struct node_item *item)
{
    struct hint hint;
    struct buf known = {0};
    hint_init(&hint, item->key);
    for (const struct key *k = keys; k->name; k++) {
        hint_offer(&hint, k->name);
        buf_printf(&known, "%s%s", known.n ? ", " : "", k->name);
    }
    size_t mark = walk_key(c, item->key);
    struct node_pos pos = {map->file, item->line, item->column};
    if (hint.best)
        conf_errors_add(c->errs, pos, buf_text(&c->path), "unknown key; did you mean `%s`?",
                        hint.best);
    else
        conf_errors_add(c->errs, pos, buf_text(&c->path), "unknown key; known here: %s",
                        buf_text(&known));
    walk_leave(c, mark);
    buf_free(&known);
}

/* A key of the user's choice must look like what it is. */
static bool check_free_key(struct check *c, const struct key *key, const struct node *map,
                           const struct node_item *item)
{
    if (key->keys == KEY_MAP)
        return true;
    struct node name = {
        .kind = NODE_STRING, .text = item->key, .count = (uint32_t)strlen(item->key)};
    struct key as = {.name = item->key, .type = key->keys};
    struct typed typed = {&as, c->sources, &name};
    const char *fault = type_parse(&typed);
    if (fault)
        conf_errors_add(c->errs, (struct node_pos){map->file, item->line, item->column},
                        buf_text(&c->path), "`%.60s` %s", item->key, fault);
    return !fault;
}

static void check_item(struct check *c, const struct key *keys, const struct node *map,
                       const struct node_item *item)
{
    bool free_keys = strcmp(keys[0].name, "*") == 0;
    const struct key *key = free_keys ? keys : find_key(keys, item->key);
    if (!key) {
        unknown_key(c, keys, map, item);
        return;
    }
    size_t mark = walk_key(c, item->key);
    if (!free_keys || check_free_key(c, key, map, item)) {
        const struct node *value = check_value(c, key, item->value);
        if (value)
            check_push(c, (struct node_item){item->key, item->line, item->column, value});
    }
    walk_leave(c, mark);
}

/* The entries collected since `first`, as a map. */
static const struct node *take_items(struct check *c, const struct node *raw, size_t first,
                                     uint8_t flags)
{
    struct node *n = arena_zalloc(c->arena, sizeof *n);
    n->kind = NODE_MAP;
    n->flags = raw->flags | flags;
    n->file = raw->file;
    n->line = raw->line;
    n->column = raw->column;
    n->count = (uint32_t)(c->item_count - first);
    struct node_item *items = arena_alloc(c->arena, n->count * sizeof *items);
    if (n->count)
        memcpy(items, &c->items[first], n->count * sizeof *items);
    n->items = items;
    c->item_count = first;
    return n;
}

/* A map written as one value: {address: "10.0.0.1:80"} as "10.0.0.1:80". */
static const struct node *check_short_form(struct check *c, const struct key *key,
                                           const struct node *raw)
{
    struct node_item item = {key->alone + 1, raw->line, raw->column, raw};
    struct node as_map = *raw;
    as_map.kind = NODE_MAP;
    as_map.count = 1;
    as_map.items = &item;
    as_map.flags = 0;
    return check_map(c, key, &as_map);
}

const struct node *check_map(struct check *c, const struct key *key, const struct node *raw)
{
    if (raw->kind == NODE_NULL)
        return NULL;
    if (raw->kind != NODE_MAP && raw->kind != NODE_LIST && key->alone && key->alone[0] == '=')
        return check_short_form(c, key, raw);
    if (raw->kind != NODE_MAP)
        return walk_wrong_kind(c, raw, "a map of keys");
    size_t first = c->item_count;
    for (uint32_t i = 0; i < raw->count; i++)
        check_item(c, key->children, raw, &raw->items[i]);
    default_fill(c, key->children, raw, first);
    if (key->flags & KEY_GATE)
        check_push(
            c, (struct node_item){"missing", 0, 0, arena_zalloc(c->arena, sizeof(struct node))});
    return take_items(c, raw, first, strcmp(key->children[0].name, "*") == 0 ? NODE_KEYS : 0);
}

/* `none` where a map or list may stand: the node, or NULL when it is something else. */
static const struct node *check_alone(struct check *c, const struct key *key,
                                      const struct node *raw)
{
    if (!key->alone || key->alone[0] == '=' || raw->kind == NODE_MAP || raw->kind == NODE_LIST ||
        raw->kind == NODE_NULL)
        return NULL;
    struct node *n = arena_alloc(c->arena, sizeof *n);
    *n = *raw;
    if (!scalar_substitute(c, SUBST_PLAIN, n))
        return walk_poison(c, raw);
    n->kind = NODE_STRING;
    if (strcmp(n->text, key->alone) == 0)
        return n;
    return walk_wrong(c, raw,
                      arena_printf(c->arena, "%s is not right here; write `%s`, or %s",
                                   walk_shown(c, n), key->alone,
                                   key->flags & KEY_LIST ? "a list" : "a map of keys"));
}

static const struct node *check_shape(struct check *c, const struct key *key,
                                      const struct node *raw)
{
    const struct node *alone = check_alone(c, key, raw);
    if (alone)
        return alone;
    if (!(key->flags & (KEY_LIST | KEY_ONE_OR_LIST)))
        return check_one(c, key, raw);
    if (raw->kind == NODE_NULL)
        return NULL;
    if (raw->kind != NODE_LIST && !(key->flags & KEY_ONE_OR_LIST))
        return walk_wrong_kind(c, raw, "a list");
    return check_list(c, key, raw);
}

/* NULL when the value is as if absent. */
static const struct node *check_value(struct check *c, const struct key *key,
                                      const struct node *raw)
{
    const struct node *n = check_shape(c, key, raw);
    if (n && key->later && !missing_is_ready(key, n))
        missing_note(c, key, raw);
    return n;
}

const struct node *check_root(struct check *c, const struct key *keys, const struct node *raw)
{
    struct key root = {.name = "", .type = KEY_MAP, .children = keys};
    struct node empty = *raw;
    if (raw->kind == NODE_NULL) {
        empty.kind = NODE_MAP;
        empty.count = 0;
        raw = &empty;
    }
    const struct node *map = check_map(c, &root, raw);
    if (map->kind == NODE_MAP)
        return map;
    return take_items(c, map, c->item_count, 0);
}

void check_fini(struct check *c)
{
    buf_free(&c->path);
    map_free(&c->defaults);
    free(c->items);
    free(c->inactive);
    free(c->gates);
}
