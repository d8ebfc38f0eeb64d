/* The admin API and the probe address: a small HTTP server on control's loop with a table of
 * {method, path, token, role, handler}. What it tells comes through `struct admin_sources`, so
 * that it knows nothing of workers, snapshots and the rest. */
#ifndef TG_CONTROL_ADMIN_H
#define TG_CONTROL_ADMIN_H

#include "conf/conf.h"
#include "control/metrics_text.h"
#include "net/addr.h"
#include "net/loop.h"

#include <jansson.h>

struct admin;
struct tls_server;

enum {
    ADMIN_CONNECTIONS_MAX = 64, /* per address */
    ADMIN_BODY_MAX = 10 * 1024 * 1024,
};

struct admin_worker {
    uint64_t turns; /* of its loop: rises at least once a second */
    uint64_t live_requests, connections;
};

/* Numbers of the moment for /v1/status. */
struct admin_status {
    uint64_t config_generation;
    const char *config_source; /* "file" or "api" */
    const char *config_file;
    uint64_t live_requests, connections; /* of all workers */
    uint64_t restarts;                   /* of the gateway process */
    bool draining;
    bool last_reload_ok;
    uint64_t last_reload_wall_ns;
};

/* Filled by the gateway; every function is called in control's thread and may not block. */
struct admin_sources {
    void *user;
    uint64_t started_mono_ns;
    unsigned workers;
    /* Of worker `i`, read with relaxed loads. */
    void (*worker)(void *user, unsigned i, struct admin_worker *out);
    void (*status)(void *user, struct admin_status *out);
    /* The running configuration; inactive features are read from it. */
    const struct conf *(*conf)(void *user);
    /* Whether every worker accepts (all of /startup and part of /ready). */
    bool (*started)(void *user);
    /* False: not ready (draining, or something in ready_requires is missing). Names of what is
     * degraded, "store" or "service:sms", are appended to the array. */
    bool (*ready)(void *user, json_t *degraded);
    /* metrics_text_worker for each worker, metrics_text_value for the rest. */
    void (*metrics)(void *user, struct metrics_text *t);
};

/* `root` is the checked configuration (its `admin`), read during the call; `sources` lives longer.
 */
struct admin *admin_new(struct loop *l, const struct admin_sources *sources,
                        const struct node *root);
/* After a reload: tokens and limits of `root` hold from the next request on. */
void admin_configure(struct admin *a, const struct node *root);
/* Accepts on a listening socket (not owned). `probe`: /health /ready /startup /metrics only. `tls`
 * may be NULL and outlives the admin. At most ADMIN_LISTENERS_MAX. */
enum { ADMIN_LISTENERS_MAX = 8 };
int admin_listen(struct admin *a, int fd, bool probe, struct tls_server *tls)
    __attribute__((warn_unused_result));
/* Does any worker stand still? As /health/live tells. */
bool admin_any_stalled(const struct admin *a);
/* Stops accepting, closes every connection. Nulls *a; memory goes at the turn's end. */
void admin_free(struct admin **a);

#endif
