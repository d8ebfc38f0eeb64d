/* See cross.h: what all parts share. */
#include "conf/cross.h"

#include "conf/errors.h"
#include "conf/hint.h"

#include <stdarg.h>

void cross_error(struct cross *c, const struct node *at, const struct node *holder,
                 const char *path, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_alloc(c->arena, (size_t)(n < 0 ? 0 : n) + 1);
    vsnprintf(text, (size_t)(n < 0 ? 0 : n) + 1, format, ap);
    va_end(ap);
    const struct node *where = at && at->line ? at : holder;
    struct node_pos pos = where ? node_pos(where) : (struct node_pos){0};
    if (!pos.file)
        pos = (struct node_pos){c->root->file, c->root->line, c->root->column};
    conf_errors_add(c->errs, pos, path, "%s", text);
}

bool cross_has(const struct node *map, const char *key)
{
    const struct node *n = node_member(map, key);
    return n && !(n->flags & NODE_DEFAULT);
}

void cross_reference(struct cross *c, const struct node *ref, const struct map *names,
                     const char *what, const char *path)
{
    if (!ref || map_get(names, str_make(ref->text, ref->count)))
        return;
    struct hint hint;
    hint_init(&hint, ref->text);
    map_for_each(e, names)
        hint_offer(&hint, arena_dup(c->arena, e->key.p, e->key.n));
    if (hint.best)
        cross_error(c, ref, NULL, path, "there is no %s `%s`; did you mean `%s`?", what, ref->text,
                    hint.best);
    else
        cross_error(c, ref, NULL, path, "there is no %s `%s`; %s", what, ref->text,
                    names->count ? "name one that exists" : "none is configured");
}

void cross_key_pair(struct cross *c, const struct node *tls, const char *path)
{
    bool certificate = cross_has(tls, "certificate"), key = cross_has(tls, "private_key");
    if (certificate && !key)
        cross_error(c, node_get(tls, "certificate"), tls, cross_path(c, "%s.private_key", path),
                    "is missing; a certificate needs its private key");
    if (key && !certificate)
        cross_error(c, node_get(tls, "private_key"), tls, cross_path(c, "%s.certificate", path),
                    "is missing; a private key needs its certificate");
}

static void index_names(const struct node *root, const char *list, struct map *names)
{
    const struct node *entries = node_get(root, list);
    for (size_t i = 0; i < node_count(entries, ""); i++) {
        const struct node *entry = node_at(entries, i), *name = node_get(entry, "name");
        if (name)
            map_put(names, str_make(name->text, name->count), (void *)(uintptr_t)entry);
    }
}

void cross_check(struct arena *arena, const struct node *root, struct conf_errors *errs)
{
    struct cross c = {.root = root, .arena = arena, .errs = errs};
    index_names(root, "listeners", &c.listeners);
    index_names(root, "services", &c.services);
    index_names(root, "plans", &c.plans);
    cross_listeners(&c);
    cross_admin(&c);
    cross_store(&c);
    cross_auth(&c);
    cross_tenants(&c);
    cross_services(&c);
    cross_routes(&c);
    map_free(&c.listeners);
    map_free(&c.services);
    map_free(&c.plans);
}
