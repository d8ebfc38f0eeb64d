/* See check_scalar.h. */
#include "conf/check_scalar.h"

#include "conf/scalar.h"
#include "conf/types.h"
#include "conf/walk.h"

/* Substitutes references in `n`; false when that is an error. */
bool scalar_substitute(struct check *c, enum subst_mode mode, struct node *n)
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
        walk_wrong(c, n, fault);
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

const struct node *scalar_check(struct check *c, const struct key *key, const struct node *raw)
{
    if (raw->kind == NODE_LIST || raw->kind == NODE_MAP)
        return walk_wrong_kind(c, raw, type_noun(key->type));
    struct node *n = arena_alloc(c->arena, sizeof *n);
    *n = *raw;
    if (key->flags & KEY_SECRET)
        n->flags |= NODE_SECRET;
    if (!scalar_substitute(c, type_is_template(key->type) ? SUBST_TEMPLATE : SUBST_PLAIN, n))
        return walk_poison(c, raw);
    if (n->kind == NODE_NULL)
        return NULL;
    if (type_is_text(key->type)) {
        if (n->kind == NODE_BOOL && !(n->flags & NODE_SUBSTITUTED))
            return walk_wrong(c, raw,
                              arena_printf(c->arena,
                                           "%s is a bool; write %s, in quotes if it is meant so",
                                           walk_shown(c, n), type_noun(key->type)));
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
    return walk_wrong(c, raw,
                      arena_printf(c->arena, "%s %s%s", walk_shown(c, &as_written), fault,
                                   quotes ? ", without quotes" : ""));
}
