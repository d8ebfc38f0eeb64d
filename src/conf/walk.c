/* See walk.h. */
#include "conf/walk.h"

#include "conf/errors.h"

size_t walk_key(struct check *c, const char *name)
{
    size_t mark = c->path.n;
    buf_printf(&c->path, "%s%s", mark ? "." : "", name);
    return mark;
}

size_t walk_index(struct check *c, size_t index)
{
    size_t mark = c->path.n;
    buf_printf(&c->path, "[%zu]", index);
    return mark;
}

void walk_leave(struct check *c, size_t mark)
{
    c->path.n = mark;
}

const struct node *walk_poison(struct check *c, const struct node *raw)
{
    struct node *n = arena_zalloc(c->arena, sizeof *n);
    n->file = raw->file;
    n->line = raw->line;
    n->column = raw->column;
    return n;
}

const struct node *walk_wrong(struct check *c, const struct node *raw, const char *text)
{
    conf_errors_add(c->errs, node_pos(raw), buf_text(&c->path), "%s", text);
    return walk_poison(c, raw);
}

static const char *kind_noun(const struct node *raw)
{
    switch (raw->kind) {
    case NODE_LIST: return "a list";
    case NODE_MAP: return "a map";
    case NODE_NULL: return "nothing";
    default: return "a single value";
    }
}

const struct node *walk_wrong_kind(struct check *c, const struct node *raw, const char *wanted)
{
    return walk_wrong(c, raw, arena_printf(c->arena, "is %s; write %s", kind_noun(raw), wanted));
}

/* How a value is called in a message: itself, unless it may be a secret. */
const char *walk_shown(struct check *c, const struct node *n)
{
    enum { SHOWN_MAX = 60 };
    if (n->flags & (NODE_SECRET | NODE_SUBSTITUTED))
        return "the value";
    return arena_printf(c->arena, "`%.*s%s`", n->count > SHOWN_MAX ? SHOWN_MAX : (int)n->count,
                        n->text, n->count > SHOWN_MAX ? "..." : "");
}
