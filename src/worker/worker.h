/* One worker thread: a loop, its part of the listening sockets, and a core. Everything of a request
 * happens in it; control talks to it by messages. */
#ifndef TG_WORKER_WORKER_H
#define TG_WORKER_WORKER_H

#include "core/core.h"
#include "net/inbox.h"
#include "net/listener.h"

#include <pthread.h>

struct worker;

struct worker_listener {
    struct listener listener;
    struct worker *worker;
    char *address; /* as configured */
};

struct worker {
    struct core core;
    struct loop *loop;
    struct inbox *inbox;
    pthread_t thread;
    struct worker_listener *listeners;
    size_t listener_count;
    struct timer heartbeat;     /* turns rise also when nothing happens */
    struct message drain, stop; /* from control */
    struct message drained;     /* to control, once */
    bool drained_sent;
    bool running;
};

/* What a worker is made from; all of it outlives the worker. */
struct worker_options {
    unsigned index;
    struct metrics *metrics;
    struct ring *log;
    struct core_shared *shared;
    struct inbox *control;
    void (*on_drained)(struct message *); /* run in control */
};

/* NULL only without descriptors. */
struct worker *worker_new(const struct worker_options *o);
/* Before worker_start: accepts on `fd`, which the worker closes when it stops accepting, for the
 * listener at `address`. */
int worker_listen(struct worker *w, int fd, const char *address)
    __attribute__((warn_unused_result));
/* Before worker_start: the snapshot that it begins with. */
void worker_begin_with(struct worker *w, struct snapshot *s);
int worker_start(struct worker *w) __attribute__((warn_unused_result));
/* From control: */
void worker_adopt(struct worker *w, struct snapshot *s);
void worker_drain(struct worker *w);
/* Cuts off what still runs, ends the thread, waits for it. */
void worker_stop(struct worker *w);
void worker_free(struct worker **w);

#endif
