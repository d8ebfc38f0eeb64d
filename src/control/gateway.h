/* The gateway process as its control thread sees it: workers, loader, logs, the running snapshot,
 * and what the supervisor asks for. Everything here is control's alone but for what the comments
 * say. */
#ifndef TG_CONTROL_GATEWAY_H
#define TG_CONTROL_GATEWAY_H

#include "conf/build.h"
#include "control/admin.h"
#include "control/persist.h"
#include "control/start.h"
#include "control/tickets.h"
#include "net/watch.h"
#include "worker/worker.h"

/* The thread that reads files and builds snapshots, one job at a time. */
struct loader {
    struct loop *loop;
    struct inbox *inbox;
    pthread_t thread;
    bool running;
    struct message stop;
};

enum gateway_state { GATEWAY_SERVING, GATEWAY_DELAYING, GATEWAY_DRAINING, GATEWAY_STOPPING };

struct gateway {
    struct gateway_start *start;
    struct loop *loop;
    struct inbox *inbox;
    struct watch channel;
    struct timer beat, patience; /* patience: end of drain_delay, then of drain_timeout */
    struct worker **workers;
    unsigned worker_count;
    struct metrics **metrics; /* by worker */
    struct core_shared shared;
    struct endpoints endpoints; /* the loader's once it runs */
    struct ossl_lib_ctx_st **libs;
    struct ossl_lib_ctx_st *admin_lib;
    struct tls_server *admin_tls;
    struct snapshot *snapshot; /* of new requests */
    struct loader loader;
    struct tickets tickets;
    struct persist *persist;
    struct persist_file *access_log;
    struct admin *admin;
    struct admin_sources sources;
    uint64_t generation;
    uint64_t last_reload_wall_ns;
    bool last_reload_ok;
    bool reload_running, reload_again;
    unsigned drained; /* workers */
    uint8_t state;    /* enum gateway_state */
};

/* control/assemble.c */
/* Everything but threads; -1: said why. */
int gateway_make(struct gateway *g) __attribute__((warn_unused_result));
/* The threads, and the admin API listening. */
int gateway_start(struct gateway *g) __attribute__((warn_unused_result));
/* Stops what runs and frees what was made, all or part of it. */
void gateway_free(struct gateway *g);

/* control/gateway.c: a worker has no connection left (message.run of worker.drained). */
void gateway_on_worker_drained(struct message *m);

/* control/reload.c */
/* -1: no thread could be made. */
int loader_start(struct loader *l) __attribute__((warn_unused_result));
void loader_stop(struct loader *l);
/* Reads the file again; the supervisor is told how it went. */
void gateway_reload(struct gateway *g);
/* Gives `s`, new and not known to workers yet, what control needs to hear of its end. */
void gateway_own_snapshot(struct gateway *g, struct snapshot *s);

/* control/sources.c */
void gateway_fill_sources(struct gateway *g);

#endif
