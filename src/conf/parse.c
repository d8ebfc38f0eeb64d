/*
 * See parse.h. libyaml's events drive a stack of open lists and maps; their entries wait on one
 * common stack until the end event tells how many there are. The expanded size of every alias is
 * counted before it is used, so a bomb of nested aliases is refused without being built.
 */
#include "conf/parse.h"

#include "base/check.h"
#include "base/map.h"
#include "base/xmem.h"
#include "conf/errors.h"
#include "conf/json.h"
#include "conf/scalar.h"

#include <stdlib.h>
#include <yaml.h>

/* An anchor; `node` is NULL as long as its value is not complete. */
struct anchor {
    const struct node *node;
    size_t nodes; /* in the expanded subtree */
    unsigned height;
};

/* An open list or map. */
struct frame {
    struct node *node;
    size_t first; /* of its entries in `pending` */
    size_t nodes_before;
    unsigned height;
    struct anchor *anchor;
    const char *key; /* of a map: read, its value is still to come */
    uint32_t key_line, key_column;
};

struct parse {
    struct arena *arena;
    const char *file;
    struct conf_errors *errs;
    yaml_parser_t yaml;
    struct frame frames[PARSE_DEPTH_MAX];
    unsigned depth;
    struct node_item *pending;
    size_t pending_count, pending_capacity;
    struct map anchors;
    size_t nodes, alias_nodes;
    const struct node *root;
    bool has_root, too_much;
};

static struct node_pos pos_of(const struct parse *p, const yaml_mark_t *mark)
{
    return (struct node_pos){p->file, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

/* The path of what is being read: routes[3].match */
static const char *path_here(const struct parse *p)
{
    struct buf path = {0};
    for (unsigned i = 0; i < p->depth; i++) {
        const struct frame *f = &p->frames[i];
        size_t entries = i + 1 < p->depth ? 0 : p->pending_count - f->first;
        if (f->node->kind == NODE_LIST)
            buf_printf(&path, "[%zu]",
                       i + 1 < p->depth ? p->frames[i + 1].first - f->first : entries);
        else if (f->key)
            buf_printf(&path, "%s%s", path.n ? "." : "", f->key);
    }
    const char *text = path.n ? arena_dup(p->arena, path.p, path.n) : "(file)";
    buf_free(&path);
    return text;
}

static void fault(struct parse *p, const yaml_mark_t *mark, const char *what)
{
    conf_errors_add(p->errs, pos_of(p, mark), path_here(p), "%s", what);
}

static struct node *new_node(struct parse *p, const yaml_event_t *event, enum node_kind kind)
{
    struct node *n = arena_zalloc(p->arena, sizeof *n);
    n->kind = (uint8_t)kind;
    n->file = p->file;
    n->line = (uint32_t)event->start_mark.line + 1;
    n->column = (uint32_t)event->start_mark.column + 1;
    p->nodes++;
    return n;
}

static bool is_duplicate(const struct parse *p, const struct frame *f, const char *key)
{
    for (size_t i = f->first; i < p->pending_count; i++) {
        if (strcmp(p->pending[i].key, key) == 0)
            return true;
    }
    return false;
}

/* Large maps are looked through once, at their end, with an index. */
enum { SMALL_MAP = 32 };

static void take_key(struct parse *p, struct frame *f, const yaml_event_t *event,
                     const struct node *key)
{
    f->key_line = (uint32_t)event->start_mark.line + 1;
    f->key_column = (uint32_t)event->start_mark.column + 1;
    if (!key || key->kind == NODE_LIST || key->kind == NODE_MAP || !key->text || !*key->text) {
        fault(p, &event->start_mark, "a key must be a word");
        f->key = "";
        return;
    }
    f->key = key->text;
    if (!(key->flags & NODE_QUOTED) && strcmp(key->text, "<<") == 0)
        fault(p, &event->start_mark,
              "merge keys are not supported; write the keys out, or use an alias for "
              "a whole value");
    else if (p->pending_count - f->first <= SMALL_MAP && is_duplicate(p, f, f->key))
        fault(p, &event->start_mark, "this key is given twice; remove one of them");
}

static void push_entry(struct parse *p, struct frame *f, const struct node *value)
{
    if (p->pending_count == p->pending_capacity) {
        p->pending_capacity = p->pending_capacity ? p->pending_capacity * 2 : 256;
        p->pending = xrealloc(p->pending, p->pending_capacity * sizeof *p->pending);
    }
    p->pending[p->pending_count++] = (struct node_item){f->key, f->key_line, f->key_column, value};
    f->key = NULL;
}

/* A finished value (or, in a map whose turn it is, a key) reaches whoever waits for it. */
static void take_value(struct parse *p, const yaml_event_t *event, const struct node *value,
                       unsigned height)
{
    if (p->depth == 0) {
        p->root = value;
        p->has_root = true;
        return;
    }
    struct frame *f = &p->frames[p->depth - 1];
    if (f->height < height + 1)
        f->height = height + 1;
    if (f->node->kind == NODE_MAP && !f->key)
        take_key(p, f, event, value);
    else
        push_entry(p, f, value);
}

static struct anchor *new_anchor(struct parse *p, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    struct anchor *a = arena_zalloc(p->arena, sizeof *a);
    struct str key = arena_str(p->arena, str_of((const char *)name));
    map_remove(&p->anchors, key);
    map_put(&p->anchors, key, a);
    return a;
}

static void check_tag(struct parse *p, const yaml_event_t *event, const yaml_char_t *tag,
                      bool *is_string)
{
    *is_string = tag && strcmp((const char *)tag, "tag:yaml.org,2002:str") == 0;
    if (tag && !*is_string && strcmp((const char *)tag, "!") != 0)
        fault(p, &event->start_mark, "tags other than !!str are not supported; remove it");
}

static void on_scalar(struct parse *p, const yaml_event_t *event)
{
    bool is_string;
    struct anchor *anchor = new_anchor(p, event->data.scalar.anchor);
    struct node *n = new_node(p, event, NODE_STRING);
    const char *bytes = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    check_tag(p, event, event->data.scalar.tag, &is_string);
    if (memchr(bytes, 0, len)) {
        fault(p, &event->start_mark, "a value cannot hold a NUL character");
        len = strlen(bytes);
    }
    n->text = arena_dup(p->arena, bytes, len);
    n->count = (uint32_t)len;
    if (is_string || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        n->flags |= NODE_QUOTED;
    scalar_resolve(n);
    if (anchor)
        *anchor = (struct anchor){n, 1, 0};
    take_value(p, event, n, 0);
}

static void on_alias(struct parse *p, const yaml_event_t *event)
{
    const struct anchor *a = map_get(&p->anchors, str_of((const char *)event->data.alias.anchor));
    if (!a || !a->node) {
        fault(p, &event->start_mark,
              a ? "this alias stands inside what it names; it may only follow it"
                : "there is no anchor of this name before this alias");
        struct node *nothing = new_node(p, event, NODE_NULL);
        nothing->text = "";
        take_value(p, event, nothing, 0);
        return;
    }
    p->nodes += a->nodes;
    p->alias_nodes += a->nodes;
    if (p->alias_nodes > PARSE_ALIAS_NODES_MAX || p->depth + a->height >= PARSE_DEPTH_MAX) {
        fault(p, &event->start_mark,
              "aliases expand to too much: at most 100000 values, 64 levels deep");
        p->too_much = true;
        return;
    }
    take_value(p, event, a->node, a->height);
}

static void on_open(struct parse *p, const yaml_event_t *event, enum node_kind kind)
{
    bool is_string;
    const yaml_char_t *name =
        kind == NODE_MAP ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    check_tag(p, event,
              kind == NODE_MAP ? event->data.mapping_start.tag : event->data.sequence_start.tag,
              &is_string);
    if (p->depth == PARSE_DEPTH_MAX) {
        fault(p, &event->start_mark, "nested too deeply: at most 64 levels");
        p->too_much = true;
        return;
    }
    size_t nodes_before = p->nodes;
    p->frames[p->depth++] = (struct frame){
        .node = new_node(p, event, kind),
        .first = p->pending_count,
        .nodes_before = nodes_before,
        .anchor = new_anchor(p, name),
    };
}

static void find_duplicates(struct parse *p, struct frame *f)
{
    struct map seen = {0};
    for (size_t i = f->first; i < p->pending_count; i++) {
        const struct node_item *item = &p->pending[i];
        f->key = item->key;
        if (map_put(&seen, str_of(item->key), p) && i - f->first > SMALL_MAP)
            conf_errors_add(p->errs, (struct node_pos){p->file, item->line, item->column},
                            path_here(p), "this key is given twice; remove one of them");
    }
    f->key = NULL;
    map_free(&seen);
}

static void fill_list(struct parse *p, const struct frame *f)
{
    const struct node **list = arena_alloc(p->arena, f->node->count * sizeof *list);
    for (uint32_t i = 0; i < f->node->count; i++)
        list[i] = p->pending[f->first + i].value;
    f->node->list = list;
}

static void on_close(struct parse *p, const yaml_event_t *event)
{
    struct frame *f = &p->frames[p->depth - 1];
    struct node *n = f->node;
    n->count = (uint32_t)(p->pending_count - f->first);
    if (n->kind == NODE_LIST) {
        fill_list(p, f);
    } else {
        if (n->count > SMALL_MAP)
            find_duplicates(p, f);
        struct node_item *items = arena_alloc(p->arena, n->count * sizeof *items);
        if (n->count)
            memcpy(items, &p->pending[f->first], n->count * sizeof *items);
        n->items = items;
    }
    if (f->anchor)
        *f->anchor = (struct anchor){n, p->nodes - f->nodes_before, f->height};
    p->pending_count = f->first;
    unsigned height = f->height;
    p->depth--;
    take_value(p, event, n, height);
}

static void on_event(struct parse *p, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: on_scalar(p, event); break;
    case YAML_ALIAS_EVENT: on_alias(p, event); break;
    case YAML_SEQUENCE_START_EVENT: on_open(p, event, NODE_LIST); break;
    case YAML_MAPPING_START_EVENT: on_open(p, event, NODE_MAP); break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: on_close(p, event); break;
    case YAML_DOCUMENT_START_EVENT:
        if (p->has_root) {
            fault(p, &event->start_mark,
                  "only one document is read; remove this and what follows it");
            p->too_much = true;
        }
        break;
    default: break;
    }
}

/* Reader errors know only a byte offset. */
static struct node_pos pos_of_offset(const struct parse *p, struct str text, size_t offset)
{
    struct node_pos pos = {p->file, 1, 1};
    for (size_t i = 0; i < offset && i < text.n; i++) {
        if (text.p[i] == '\n') {
            pos.line++;
            pos.column = 1;
        } else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
            pos.column++;
        }
    }
    return pos;
}

static void syntax_error(struct parse *p, struct str text)
{
    const yaml_parser_t *y = &p->yaml;
    if (y->error == YAML_READER_ERROR) {
        conf_errors_add(p->errs, pos_of_offset(p, text, y->problem_offset), "(file)",
                        "not valid YAML: %s; the file must be UTF-8 text", y->problem);
        return;
    }
    struct node_pos pos = pos_of(p, &y->problem_mark);
    const char *problem = y->problem ? y->problem : "cannot be read";
    if (y->context)
        conf_errors_add(p->errs, pos, path_here(p), "not valid YAML: %s, %s that began in line %zu",
                        problem, y->context, y->context_mark.line + 1);
    else
        conf_errors_add(p->errs, pos, path_here(p), "not valid YAML: %s", problem);
}

/* Feeds all events through; false when the text is not well-formed or asks for too much. */
static bool run(struct parse *p, struct str text)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&p->yaml, &event)) {
            syntax_error(p, text);
            return false;
        }
        bool end = event.type == YAML_STREAM_END_EVENT;
        on_event(p, &event);
        yaml_event_delete(&event);
        if (end || p->too_much)
            return !p->too_much;
    }
}

/* What an empty text holds. */
static const struct node *nothing(struct arena *arena, const char *file)
{
    struct node *n = arena_zalloc(arena, sizeof *n);
    n->file = file;
    n->line = n->column = 1;
    n->text = "";
    return n;
}

const struct node *parse_text(struct arena *arena, const char *file, struct str text, bool json,
                              struct conf_errors *errs)
{
    struct buf copy = {0};
    if (json && !json_check(file, text, errs, &copy))
        return NULL;
    if (copy.n)
        text = str_make(copy.p, copy.n);
    struct parse *p = xcalloc(1, sizeof *p);
    p->arena = arena;
    p->file = file;
    p->errs = errs;
    ensure(yaml_parser_initialize(&p->yaml));
    yaml_parser_set_encoding(&p->yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p->yaml, (const unsigned char *)text.p, text.n);
    const struct node *root = NULL;
    if (run(p, text))
        root = p->root ? p->root : nothing(arena, file);
    yaml_parser_delete(&p->yaml);
    map_free(&p->anchors);
    free(p->pending);
    free(p);
    buf_free(&copy);
    return root;
}
