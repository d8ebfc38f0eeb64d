/* From a checked configuration to a snapshot that workers can run on. Done by one thread at a time
 * (the first start, then the loader): it reads files and makes TLS objects, in each worker's own
 * library context. */
#ifndef TG_CONF_BUILD_H
#define TG_CONF_BUILD_H

#include "conf/conf.h"
#include "core/snapshot.h"

struct ossl_lib_ctx_st;

struct build {
    struct endpoints *endpoints;   /* the registry */
    struct ossl_lib_ctx_st **libs; /* by worker; made here where NULL, the caller frees them */
    unsigned worker_count;
    bool hurry; /* nobody is served meanwhile: a thread for each worker's TLS objects */
    /* While it runs: */
    struct snapshot *snapshot;
    const struct node *root;
    struct buf *error; /* one line a fault */
};

/* Takes a reference on `conf`. NULL: `error` says what does not fit, a line each. */
struct snapshot *build_snapshot(struct build *b, struct conf *conf, uint64_t generation,
                                struct buf *error);
/* No worker uses it any more; their TLS objects are gone already. Nulls *s. */
void build_free(struct endpoints *endpoints, struct snapshot **s);
/* One that no worker was given: its TLS objects go too. */
void build_abandon(struct endpoints *endpoints, struct snapshot **s);

/* Parts of build_snapshot; -1: `b->error` grew. */
int build_listeners(struct build *b) __attribute__((warn_unused_result));
void build_services(struct build *b);
int build_tls(struct build *b) __attribute__((warn_unused_result));
int build_routes(struct build *b) __attribute__((warn_unused_result));
void build_routes_free(struct snapshot *s);
/* Adds "FILE:LINE:COLUMN: PATH: text" to the error; the path is made by `fmt`. */
void build_error(struct build *b, const struct node *at, const char *text, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
