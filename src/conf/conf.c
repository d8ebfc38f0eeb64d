/* See conf.h: reading, checking and keeping a configuration. */
#include "conf/conf.h"

#include "base/check.h"
#include "base/xmem.h"
#include "conf/check.h"
#include "conf/cross.h"
#include "conf/errors.h"
#include "conf/include.h"
#include "conf/keys.h"
#include "conf/missing.h"

#include <stdatomic.h>
#include <stdlib.h>

struct conf {
    atomic_int refs;
    struct arena arena;
    const struct node *root;
    struct conf_file **files;
    size_t file_count;
    struct conf_inactive *inactive;
    size_t inactive_count;
};

/* One load, from the first byte to the checked tree. */
struct load {
    struct conf *conf;
    struct sources sources;
    struct include include;
    struct conf_errors *errs;
};

static void load_begin(struct load *l, struct conf_errors *errs)
{
    *l = (struct load){.conf = xcalloc(1, sizeof *l->conf), .errs = errs};
    atomic_init(&l->conf->refs, 1);
    sources_init(&l->sources, &l->conf->arena);
    l->include = (struct include){
        .arena = &l->conf->arena, .sources = &l->sources, .errs = errs, .allowed = true};
}

static void check_tree(struct load *l)
{
    struct check c = {.arena = &l->conf->arena, .sources = &l->sources, .errs = l->errs};
    struct arena scratch = {0};
    const struct node *root = check_root(&c, KEYS_ROOT, include_merge(&l->include));
    cross_check(&scratch, root, l->errs);
    missing_spread(&c, root);
    arena_free(&scratch);
    l->conf->root = root;
    l->conf->inactive = c.inactive;
    l->conf->inactive_count = c.inactive_count;
    c.inactive = NULL;
    check_fini(&c);
}

/* Checks what was read; a file that is not well-formed is all there is to say. */
static int load_end(struct load *l, size_t errors_before, struct conf **out)
{
    bool readable = l->include.root_count == l->include.name_count && l->include.root_count > 0;
    if (readable)
        check_tree(l);
    conf_errors_sort(l->errs, l->include.names, l->include.name_count);
    include_fini(&l->include);
    sources_fini(&l->sources);
    l->conf->files = l->sources.files;
    l->conf->file_count = l->sources.count;
    bool good = readable && l->errs->count == errors_before;
    if (!good)
        conf_unref(&l->conf);
    *out = l->conf;
    return good ? 0 : -1;
}

int conf_load(const char *path, struct conf **out, struct conf_errors *errs)
{
    struct load l;
    size_t before = errs->count;
    load_begin(&l, errs);
    include_file(&l.include, arena_dup(&l.conf->arena, path, strlen(path)));
    return load_end(&l, before, out);
}

int conf_load_text(const char *name, const char *text, size_t len, const struct conf *allow_files,
                   struct conf **out, struct conf_errors *errs)
{
    struct load l;
    size_t before = errs->count;
    load_begin(&l, errs);
    l.sources.allow = allow_files;
    l.include.allowed = !allow_files;
    include_text(&l.include, arena_dup(&l.conf->arena, name, strlen(name)), str_make(text, len));
    return load_end(&l, before, out);
}

struct conf *conf_ref(struct conf *conf)
{
    atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
    return conf;
}

void conf_unref(struct conf **conf)
{
    struct conf *c = *conf;
    *conf = NULL;
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&c->arena);
    free(c->files);
    free(c->inactive);
    free(c);
}

const struct node *conf_root(const struct conf *conf)
{
    return conf->root;
}

size_t conf_file_count(const struct conf *conf)
{
    return conf->file_count;
}

const struct conf_file *conf_file_at(const struct conf *conf, size_t i)
{
    ensure(i < conf->file_count);
    return conf->files[i];
}

size_t conf_inactive_count(const struct conf *conf)
{
    return conf->inactive_count;
}

const struct conf_inactive *conf_inactive_at(const struct conf *conf, size_t i)
{
    ensure(i < conf->inactive_count);
    return &conf->inactive[i];
}
