/* See check_default.h. */
#include "conf/check_default.h"

#include "base/check.h"
#include "conf/errors.h"
#include "conf/missing.h"
#include "conf/scalar.h"
#include "conf/types.h"
#include "conf/walk.h"

static const struct node *default_scalar(struct check *c, const struct key *key, struct str text)
{
    struct node *n = arena_zalloc(c->arena, sizeof *n);
    n->text = arena_dup(c->arena, text.p, text.n);
    n->count = (uint32_t)text.n;
    n->flags = type_is_text(key->type) ? NODE_QUOTED : 0;
    scalar_resolve(n);
    n->flags = NODE_DEFAULT;
    struct typed typed = {key, c->sources, n};
    ensure(!type_parse(&typed));
    return n;
}

static const struct node *default_list(struct check *c, const struct key *key, struct str text)
{
    struct node *n = arena_zalloc(c->arena, sizeof *n);
    const struct node **list = arena_alloc(c->arena, (text.n / 2 + 1) * sizeof *list);
    struct str part;
    n->kind = NODE_LIST;
    n->flags = NODE_DEFAULT;
    n->list = list;
    if (str_eq(text, STR("[]")))
        return n;
    while (str_split(&text, ',', &part))
        list[n->count++] = default_scalar(c, key, str_trim_ows(part));
    return n;
}

static const struct node *make_default(struct check *c, const struct key *key, struct str text)
{
    if (key->flags & (KEY_LIST | KEY_ONE_OR_LIST))
        return default_list(c, key, text);
    if (key->type != KEY_MAP)
        return default_scalar(c, key, text);
    struct node empty = {.kind = NODE_MAP, .flags = NODE_DEFAULT};
    return check_map(c, key, &empty);
}

/* Defaults are made once and shared by all maps that need them. */
static const struct node *default_node(struct check *c, const struct key *key, const char *text)
{
    struct { /* the same key may have two defaults */
        const struct key *key;
        const char *text;
    } id = {key, text};
    const struct node *n = map_get(&c->defaults, str_make((const char *)&id, sizeof id));
    if (!n) {
        n = make_default(c, key, str_of(text));
        map_put(&c->defaults, str_make(arena_dup(c->arena, &id, sizeof id), sizeof id),
                (void *)(uintptr_t)n);
    }
    return n;
}

static void fill_default(struct check *c, const struct key *key, const struct node *raw,
                         bool depends)
{
    const char *text = depends ? key->def_with : key->def;
    if (text) {
        check_push(c, (struct node_item){key->name, 0, 0, default_node(c, key, text)});
    } else if (key->flags & KEY_REQUIRED) {
        size_t mark = walk_key(c, key->name);
        conf_errors_add(c->errs, node_pos(raw), buf_text(&c->path), "is required and missing: %s",
                        key->doc);
        walk_leave(c, mark);
    }
    if ((key->flags & KEY_IMPLIED) && key->later) {
        size_t mark = walk_key(c, key->name);
        missing_note(c, key, raw);
        walk_leave(c, mark);
    }
}

static bool has_item(const struct check *c, size_t first, const char *name)
{
    for (size_t i = first; i < c->item_count; i++) {
        if (strcmp(c->items[i].key, name) == 0)
            return true;
    }
    return false;
}

/* Keys left out: their defaults, or an error when there is none and must be one. */
void default_fill(struct check *c, const struct key *keys, const struct node *raw, size_t first)
{
    size_t given = c->item_count;
    for (const struct key *k = keys; k->name; k++) {
        if (!(k->def || k->def_with || (k->flags & (KEY_REQUIRED | KEY_IMPLIED))))
            continue;
        size_t all = c->item_count;
        c->item_count = given; /* only what the user gave counts */
        bool present = has_item(c, first, k->name);
        bool depends = !present && k->depends && has_item(c, first, k->depends);
        c->item_count = all;
        if (!present)
            fill_default(c, k, raw, depends);
    }
}
