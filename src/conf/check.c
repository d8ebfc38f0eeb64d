/* See check.h. A walk down the tables and the parsed tree side by side. */
#include "conf/check.h"

#include "base/check.h"
#include "base/xmem.h"
#include "conf/errors.h"
#include "conf/hint.h"
#include "conf/scalar.h"
#include "conf/subst.h"
#include "conf/types.h"

#include <stdlib.h>

static const struct node *check_value(struct check *c, const struct key *key,
                                      const struct node *raw);
static const struct node *check_map(struct check *c, const struct key *key, const struct node *raw);

/* ---- where we are ---- */

static size_t enter_key(struct check *c, const char *name)
{
    size_t mark = c->path.n;
    buf_printf(&c->path, "%s%s", mark ? "." : "", name);
    return mark;
}

static size_t enter_index(struct check *c, size_t index)
{
    size_t mark = c->path.n;
    buf_printf(&c->path, "[%zu]", index);
    return mark;
}

static void leave(struct check *c, size_t mark)
{
    c->path.n = mark;
}

static const struct node *poison(struct check *c, const struct node *raw)
{
    struct node *n = arena_zalloc(c->arena, sizeof *n);
    n->file = raw->file;
    n->line = raw->line;
    n->column = raw->column;
    return n;
}

static const struct node *wrong(struct check *c, const struct node *raw, const char *text)
{
    conf_errors_add(c->errs, node_pos(raw), buf_text(&c->path), "%s", text);
    return poison(c, raw);
}

/* ---- features that are still to come ---- */

static bool is_word_of(const char *text, const char *words)
{
    struct str rest = str_of(words), word;
    while (str_split(&rest, ' ', &word)) {
        if (str_eq(word, str_of(text)))
            return true;
    }
    return false;
}

/* Does the value ask for nothing beyond what is built in? */
static bool is_ready(const struct key *key, const struct node *n)
{
    if (n->kind == NODE_MAP)
        return n->count == 0 && (n->flags & NODE_KEYS);
    if (n->kind != NODE_LIST)
        return n->kind == NODE_NULL || (key->ready && is_word_of(n->text, key->ready));
    for (uint32_t i = 0; i < n->count; i++) {
        if (!is_ready(key, n->list[i]))
            return false;
    }
    return true;
}

/* The first member of the path below the current gate: "ip" of routes[3].ip.allow. */
static const char *gate_feature(struct check *c)
{
    const char *feature = buf_text(&c->path) + c->gate_path;
    feature += *feature == '.';
    return arena_dup(c->arena, feature, strcspn(feature, ".["));
}

static void note_missing(struct check *c, const struct key *key, const struct node *at)
{
    if (key->later == KEY_DECIDES && c->gate_path && !c->missing)
        c->missing = gate_feature(c);
    if (c->inactive_count == c->inactive_capacity) {
        c->inactive_capacity = c->inactive_capacity ? c->inactive_capacity * 2 : 16;
        c->inactive = xrealloc(c->inactive, c->inactive_capacity * sizeof *c->inactive);
    }
    c->inactive[c->inactive_count++] = (struct conf_inactive){
        .path = arena_dup(c->arena, buf_text(&c->path), c->path.n),
        .feature = key->name,
        .decides = key->later == KEY_DECIDES,
        .pos = node_pos(at),
    };
}

/* ---- scalars ---- */

static const char *kind_noun(const struct node *raw)
{
    switch (raw->kind) {
    case NODE_LIST: return "a list";
    case NODE_MAP: return "a map";
    case NODE_NULL: return "nothing";
    default: return "a single value";
    }
}

static const struct node *wrong_kind(struct check *c, const struct node *raw, const char *wanted)
{
    return wrong(c, raw, arena_printf(c->arena, "is %s; write %s", kind_noun(raw), wanted));
}

/* How a value is called in a message: itself, unless it may be a secret. */
static const char *shown(struct check *c, const struct node *n)
{
    enum { SHOWN_MAX = 60 };
    if (n->flags & (NODE_SECRET | NODE_SUBSTITUTED))
        return "the value";
    return arena_printf(c->arena, "`%.*s%s`", n->count > SHOWN_MAX ? SHOWN_MAX : (int)n->count,
                        n->text, n->count > SHOWN_MAX ? "..." : "");
}

/* Substitutes references in `n`; false when that is an error. */
static bool substitute(struct check *c, enum subst_mode mode, struct node *n)
{
    if (n->flags & NODE_SECRET)
        mode = SUBST_SECRET;
    struct str text = {n->text, n->count};
    bool changed;
    if (!memchr(n->text, '$', n->count))
        return true;
    const char *fault =
        subst_expand(c->sources, n->file ? n->file : "", mode, text, &text, &changed);
    if (fault) {
        wrong(c, n, fault);
        return false;
    }
    n->text = text.p;
    n->count = (uint32_t)text.n;
    bool quoted = n->flags & NODE_QUOTED;
    if (changed) /* a quoted reference may stand for a number */
        n->flags = (uint8_t)(n->flags & ~NODE_QUOTED) | NODE_SUBSTITUTED;
    scalar_resolve(n);
    if (quoted && n->kind == NODE_NULL)
        n->kind = NODE_STRING;
    return true;
}

static const struct node *check_scalar(struct check *c, const struct key *key,
                                       const struct node *raw)
{
    if (raw->kind == NODE_LIST || raw->kind == NODE_MAP)
        return wrong_kind(c, raw, type_noun(key->type));
    struct node *n = arena_alloc(c->arena, sizeof *n);
    *n = *raw;
    if (key->flags & KEY_SECRET)
        n->flags |= NODE_SECRET;
    if (!substitute(c, type_is_template(key->type) ? SUBST_TEMPLATE : SUBST_PLAIN, n))
        return poison(c, raw);
    if (n->kind == NODE_NULL)
        return NULL;
    if (type_is_text(key->type)) {
        if (n->kind == NODE_BOOL && !(n->flags & NODE_SUBSTITUTED))
            return wrong(c, raw,
                         arena_printf(c->arena,
                                      "%s is a bool; write %s, in quotes if it is meant so",
                                      shown(c, n), type_noun(key->type)));
        if (key->type != KEY_DURATION)
            n->kind = NODE_STRING;
    }
    struct typed typed = {key, c->sources, n};
    const char *fault = type_parse(&typed);
    if (!fault)
        return n;
    bool quotes = (n->flags & NODE_QUOTED) && !type_is_text(key->type);
    struct node as_written = *n;
    as_written.text = raw->text;
    as_written.count = raw->count;
    return wrong(c, raw,
                 arena_printf(c->arena, "%s %s%s", shown(c, &as_written), fault,
                              quotes ? ", without quotes" : ""));
}

/* ---- lists ---- */

static const struct node *check_one(struct check *c, const struct key *key, const struct node *raw)
{
    if (key->type == KEY_ANY)
        return raw;
    return key->type == KEY_MAP ? check_map(c, key, raw) : check_scalar(c, key, raw);
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
        size_t mark = enter_index(c, i);
        if (key->type == KEY_MAP)
            enter_key(c, key->children[0].name);
        wrong(c, id,
              arena_printf(c->arena,
                           "%s is given twice, first in %s:%u; every one here must differ",
                           shown(c, id), before->file ? before->file : "", before->line));
        leave(c, mark);
    }
    map_free(&seen);
}

/* An entry of a list with gates: what it lacks is noted in it. */
static void begin_gate(struct check *c)
{
    c->gate_path = c->path.n;
    c->missing = NULL;
}

static void set_missing(struct node *missing, const char *feature)
{
    if (!feature)
        return;
    missing->kind = NODE_STRING;
    missing->text = feature;
    missing->count = (uint32_t)strlen(feature);
}

static void end_gate(struct check *c, const struct node *entry)
{
    c->gate_path = 0;
    if (!entry || entry->kind != NODE_MAP)
        return;
    if (c->gate_count == c->gate_capacity) {
        c->gate_capacity = c->gate_capacity ? c->gate_capacity * 2 : 16;
        c->gates = xrealloc(c->gates, c->gate_capacity * sizeof *c->gates);
    }
    struct node *missing = (struct node *)(uintptr_t)entry->items[entry->count - 1].value;
    set_missing(missing, c->missing);
    c->gates[c->gate_count++] = (struct gate){entry, missing};
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
        size_t mark = single ? c->path.n : enter_index(c, i);
        if (key->flags & KEY_GATE)
            begin_gate(c);
        const struct node *entry = check_one(c, key, from[i]);
        if (key->flags & KEY_GATE)
            end_gate(c, entry);
        if (!entry && !single)
            entry = wrong(c, from[i], "this entry has no value; write one, or remove it");
        leave(c, mark);
        if (entry)
            list[n->count++] = entry;
    }
    if (single && n->count == 0)
        return NULL;
    if ((key->flags & KEY_NONEMPTY) && n->count == 0)
        return wrong(c, raw, "is empty; write at least one entry");
    if (key->flags & KEY_UNIQUE)
        check_unique(c, key, n);
    return n;
}

/* ---- maps ---- */

static void push_item(struct check *c, struct node_item item)
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
    size_t mark = enter_key(c, item->key);
    struct node_pos pos = {map->file, item->line, item->column};
    if (hint.best)
        conf_errors_add(c->errs, pos, buf_text(&c->path), "unknown key; did you mean `%s`?",
                        hint.best);
    else
        conf_errors_add(c->errs, pos, buf_text(&c->path), "unknown key; known here: %s",
                        buf_text(&known));
    leave(c, mark);
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
    size_t mark = enter_key(c, item->key);
    if (!free_keys || check_free_key(c, key, map, item)) {
        const struct node *value = check_value(c, key, item->value);
        if (value)
            push_item(c, (struct node_item){item->key, item->line, item->column, value});
    }
    leave(c, mark);
}

static const struct node *default_node(struct check *c, const struct key *key, const char *text);

static void fill_default(struct check *c, const struct key *key, const struct node *raw,
                         bool depends)
{
    const char *text = depends ? key->def_with : key->def;
    if (text) {
        push_item(c, (struct node_item){key->name, 0, 0, default_node(c, key, text)});
    } else if (key->flags & KEY_REQUIRED) {
        size_t mark = enter_key(c, key->name);
        conf_errors_add(c->errs, node_pos(raw), buf_text(&c->path), "is required and missing: %s",
                        key->doc);
        leave(c, mark);
    }
    if ((key->flags & KEY_IMPLIED) && key->later) {
        size_t mark = enter_key(c, key->name);
        note_missing(c, key, raw);
        leave(c, mark);
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
static void fill_defaults(struct check *c, const struct key *keys, const struct node *raw,
                          size_t first)
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

static const struct node *check_map(struct check *c, const struct key *key, const struct node *raw)
{
    if (raw->kind == NODE_NULL)
        return NULL;
    if (raw->kind != NODE_MAP && raw->kind != NODE_LIST && key->alone && key->alone[0] == '=')
        return check_short_form(c, key, raw);
    if (raw->kind != NODE_MAP)
        return wrong_kind(c, raw, "a map of keys");
    size_t first = c->item_count;
    for (uint32_t i = 0; i < raw->count; i++)
        check_item(c, key->children, raw, &raw->items[i]);
    fill_defaults(c, key->children, raw, first);
    if (key->flags & KEY_GATE)
        push_item(c,
                  (struct node_item){"missing", 0, 0, arena_zalloc(c->arena, sizeof(struct node))});
    return take_items(c, raw, first, strcmp(key->children[0].name, "*") == 0 ? NODE_KEYS : 0);
}

/* ---- values ---- */

/* `none` where a map or list may stand: the node, or NULL when it is something else. */
static const struct node *check_alone(struct check *c, const struct key *key,
                                      const struct node *raw)
{
    if (!key->alone || key->alone[0] == '=' || raw->kind == NODE_MAP || raw->kind == NODE_LIST ||
        raw->kind == NODE_NULL)
        return NULL;
    struct node *n = arena_alloc(c->arena, sizeof *n);
    *n = *raw;
    if (!substitute(c, SUBST_PLAIN, n))
        return poison(c, raw);
    n->kind = NODE_STRING;
    if (strcmp(n->text, key->alone) == 0)
        return n;
    return wrong(c, raw,
                 arena_printf(c->arena, "%s is not right here; write `%s`, or %s", shown(c, n),
                              key->alone, key->flags & KEY_LIST ? "a list" : "a map of keys"));
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
        return wrong_kind(c, raw, "a list");
    return check_list(c, key, raw);
}

/* NULL when the value is as if absent. */
static const struct node *check_value(struct check *c, const struct key *key,
                                      const struct node *raw)
{
    const struct node *n = check_shape(c, key, raw);
    if (n && key->later && !is_ready(key, n))
        note_missing(c, key, raw);
    return n;
}

/* ---- defaults ---- */

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
