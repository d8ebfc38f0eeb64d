/* `tollgate -t`: is this configuration right, and what of it is not built in? It is compiled as for
 * a worker, so that certificates, keys and patterns are looked at too. */
#include "conf/build.h"

static void print_inactive(const struct conf *conf)
{
    for (size_t i = 0; i < conf_inactive_count(conf); i++) {
        const struct conf_inactive *f = conf_inactive_at(conf, i);
        fprintf(stderr, "%s:%u:%u: %s: warning: not built in yet; %s\n",
                f->pos.file ? f->pos.file : "", f->pos.line, f->pos.column, f->path,
                f->decides ? "what depends on it is refused (501), never let through"
                           : "the gateway goes on without it");
    }
}

/* 0 if a gateway could run on it; else the reasons are printed. */
static int try_build(struct conf *conf)
{
    struct endpoints endpoints = {0};
    struct ossl_lib_ctx_st *lib = NULL;
    struct buf error = {0};
    struct build b = {.endpoints = &endpoints, .libs = &lib, .worker_count = 1};
    struct snapshot *s = build_snapshot(&b, conf, 1, &error);
    if (s)
        build_abandon(&endpoints, &s);
    else
        fprintf(stderr, "%s\n", buf_text(&error));
    int rc = error.n ? -1 : 0;
    buf_free(&error);
    endpoints_fini(&endpoints);
    tls_lib_free(lib);
    return rc;
}

int conf_check_main(const char *path)
{
    struct conf *conf;
    struct conf_errors errs = {0};
    int rc = conf_load(path, &conf, &errs);
    if (rc != 0)
        conf_errors_print(&errs, "", stderr);
    else if ((rc = try_build(conf)) == 0) {
        print_inactive(conf);
        printf("%s: ok\n", path);
    }
    conf_unref(&conf);
    conf_errors_fini(&errs);
    return rc == 0 ? 0 : 1;
}
