/* See include.h. */
#include "conf/include.h"

#include "base/xmem.h"
#include "conf/errors.h"
#include "conf/parse.h"
#include "conf/subst.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES_MAX = 1000 };

static const char *const JOINED[] = {"listeners", "services", "routes", "plans", "tenants"};

void include_fini(struct include *in)
{
    free(in->names);
    free(in->roots);
}

static void add_name(struct include *in, const char *name)
{
    if (in->name_count == in->name_capacity) {
        in->name_capacity = in->name_capacity ? in->name_capacity * 2 : 8;
        in->names = xrealloc(in->names, in->name_capacity * sizeof *in->names);
    }
    in->names[in->name_count++] = name;
}

static void add_root(struct include *in, const struct node *root)
{
    if (in->root_count == in->root_capacity) {
        in->root_capacity = in->root_capacity ? in->root_capacity * 2 : 8;
        in->roots = xrealloc(in->roots, in->root_capacity * sizeof *in->roots);
    }
    in->roots[in->root_count++] = root;
}

/* Has this very file, by whatever name, been read? */
static bool was_read(const struct include *in, const struct stat *st)
{
    for (size_t i = 0; i < in->sources->count; i++) {
        const struct conf_file *file = in->sources->files[i];
        if (file->kind == CONF_FILE_CONFIG && file->dev == st->st_dev && file->ino == st->st_ino)
            return true;
    }
    return false;
}

static void include_error(struct include *in, const struct node *at, const char *path,
                          const char *text)
{
    conf_errors_add(in->errs, node_pos(at), path, "%s", text);
}

/* `pattern` as a path that starts where the messages' file names start: beside the file that holds
 * it. */
static const char *beside(struct include *in, const char *holder, const char *pattern)
{
    const char *slash = strrchr(holder, '/');
    if (pattern[0] == '/' || !slash)
        return pattern;
    return arena_printf(in->arena, "%.*s/%s", (int)(slash - holder), holder, pattern);
}

static void include_found(struct include *in, const struct node *at, const char *path,
                          const char *found)
{
    struct stat st;
    const char *name = arena_dup(in->arena, found, strlen(found));
    if (stat(name, &st) < 0)
        include_error(in, at, path,
                      arena_printf(in->arena, "%s cannot be read: %s; name a file that is there",
                                   name, strerrordesc_np(errno)));
    else if (was_read(in, &st))
        include_error(in, at, path,
                      arena_printf(in->arena, "%s is included twice; once is enough", name));
    else if (in->name_count >= FILES_MAX)
        include_error(in, at, path, "too many files; at most 1000");
    else
        include_file(in, name);
}

static void include_glob(struct include *in, const struct node *at, const char *path,
                         const char *pattern)
{
    glob_t found = {0};
    int rc = glob(pattern, GLOB_NOMAGIC | GLOB_ERR, NULL, &found);
    if (rc == GLOB_ABORTED || rc == GLOB_NOSPACE)
        include_error(in, at, path, "a folder of this pattern cannot be read; make it readable");
    for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
        include_found(in, at, path, found.gl_pathv[i]);
    globfree(&found);
}

static void include_entry(struct include *in, const struct node *entry, const char *path)
{
    struct str text;
    bool changed;
    if (entry->kind == NODE_LIST || entry->kind == NODE_MAP || entry->kind == NODE_NULL ||
        entry->count == 0) {
        include_error(in, entry, path,
                      "is not the name of a file; write a pattern such as routes/*.yaml");
        return;
    }
    const char *fault = subst_expand(in->sources, entry->file, SUBST_PLAIN,
                                     str_make(entry->text, entry->count), &text, &changed);
    if (fault)
        include_error(in, entry, path, fault);
    else
        include_glob(in, entry, path, beside(in, entry->file, text.p));
}

static void follow(struct include *in, const struct node *root)
{
    const struct node *list = node_get(root, "include");
    if (!list)
        return;
    if (!in->allowed)
        include_error(in, list, "include", "cannot be used here; write everything into one text");
    else if (list->kind != NODE_LIST)
        include_entry(in, list, "include");
    else
        for (uint32_t i = 0; i < list->count; i++)
            include_entry(in, list->list[i], arena_printf(in->arena, "include[%u]", i));
}

static bool is_json(const char *name)
{
    size_t n = strlen(name);
    return n >= 5 && strcmp(name + n - 5, ".json") == 0;
}

void include_text(struct include *in, const char *name, struct str text)
{
    add_name(in, name);
    const struct node *root = parse_text(in->arena, name, text, is_json(name), in->errs);
    if (!root)
        return;
    if (root->kind != NODE_MAP && root->kind != NODE_NULL) {
        include_error(in, root, "(file)",
                      "is not a map of keys; write `listeners:` and so on at the left border");
        return;
    }
    add_root(in, root);
    if (root->kind == NODE_MAP)
        follow(in, root);
}

void include_file(struct include *in, const char *name)
{
    struct str text;
    const char *fault =
        sources_read(in->sources, sources_absolute(in->sources, "", name), CONF_FILE_CONFIG, &text);
    if (fault) {
        add_name(in, name);
        conf_errors_add(in->errs, (struct node_pos){name, 1, 1}, "(file)", "%s", fault);
        return;
    }
    include_text(in, name, text);
}

/* ---- merging ---- */

static bool is_joined(const char *key)
{
    for (size_t i = 0; i < sizeof JOINED / sizeof *JOINED; i++) {
        if (strcmp(JOINED[i], key) == 0)
            return true;
    }
    return false;
}

static const struct node *join_lists(struct include *in, const struct node *a, const struct node *b)
{
    if (a->kind != NODE_LIST || b->kind != NODE_LIST)
        return a->kind == NODE_LIST ? b : a; /* what is no list is found wrong later */
    struct node *n = arena_alloc(in->arena, sizeof *n);
    const struct node **list = arena_alloc(in->arena, ((size_t)a->count + b->count) * sizeof *list);
    *n = *a;
    memcpy(list, a->list, a->count * sizeof *list);
    memcpy(list + a->count, b->list, b->count * sizeof *list);
    n->list = list;
    n->count = a->count + b->count;
    return n;
}

static void merge_item(struct include *in, struct node_item *items, uint32_t *count,
                       const struct node *root, const struct node_item *item)
{
    struct node_item *there = NULL;
    for (uint32_t i = 0; i < *count && !there; i++) {
        if (strcmp(items[i].key, item->key) == 0)
            there = &items[i];
    }
    if (strcmp(item->key, "include") == 0 || item->value->kind == NODE_NULL)
        return;
    if (!there)
        items[(*count)++] = *item;
    else if (is_joined(item->key))
        there->value = join_lists(in, there->value, item->value);
    else if (there->value->file != root->file)
        conf_errors_add(in->errs, (struct node_pos){root->file, item->line, item->column},
                        item->key,
                        "is also given in %s:%u; only lists of listeners, services, routes, plans "
                        "and tenants may "
                        "be spread over files",
                        there->value->file, there->line);
}

const struct node *include_merge(struct include *in)
{
    uint32_t count = 0;
    size_t room = 0;
    for (size_t i = 0; i < in->root_count; i++)
        room += in->roots[i]->kind == NODE_MAP ? in->roots[i]->count : 0;
    struct node *n = arena_zalloc(in->arena, sizeof *n);
    struct node_item *items = arena_alloc(in->arena, room * sizeof *items);
    if (in->root_count)
        *n = *in->roots[0];
    for (size_t i = 0; i < in->root_count; i++) {
        const struct node *root = in->roots[i];
        for (uint32_t k = 0; root->kind == NODE_MAP && k < root->count; k++)
            merge_item(in, items, &count, root, &root->items[k]);
    }
    n->kind = NODE_MAP;
    n->count = count;
    n->items = items;
    return n;
}
