/* `tollgate -t`: is this configuration right, and what of it is not built in? */
#include "conf/conf.h"

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

int conf_check_main(const char *path)
{
    struct conf *conf;
    struct conf_errors errs = {0};
    int rc = conf_load(path, &conf, &errs);
    if (rc == 0) {
        print_inactive(conf);
        printf("%s: ok\n", path);
    } else {
        conf_errors_print(&errs, "", stderr);
    }
    conf_unref(&conf);
    conf_errors_fini(&errs);
    return rc == 0 ? 0 : 1;
}
