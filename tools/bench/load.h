// The load generator's parts: a closed-loop client and the origin it is answered by, in one
// process on one epoll, so that together they cost less than the proxy between them.
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "hist.h"
#include "sock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOAD_OPENING_MAX = 64,   // connections made at the same time while opening
    LOAD_PER_ADDRESS = 1000, // connections from one loopback address
};

// A request that takes so long is an error, even on a machine that is busy with other things.
#define LOAD_STALL_NS 5000000000ull

enum load_error {
    LOAD_STATUS, // not 200
    LOAD_LENGTH, // an answer longer or shorter than the origin's
    LOAD_CLOSED, // the proxy closed or reset in the middle
    LOAD_CONNECT,
    LOAD_ORIGIN, // the origin received something else than was sent
    LOAD_ERRORS,
};

struct load_options {
    uint16_t port; // the proxy's
    uint32_t connections;
    size_t answer_bytes, upload_bytes;
    const char *path;
    bool tls, fresh; // fresh: each request on a new connection
};

// What happened since the last mark.
struct load_window {
    uint64_t begin_ns, cpu_ns;
    uint64_t requests, origin_requests, origin_connections;
    uint64_t errors[LOAD_ERRORS];
    struct hist latency;
};

enum load_kind { LOAD_LISTENER, LOAD_COMMANDS, LOAD_CLIENT, LOAD_ORIGIN_CONN };

struct load {
    struct load_options options;
    int epoll;
    struct sock_io *io;
    struct load_window window;
    struct load_client_set *clients;
    struct load_origin *origin;
    char buf[SOCK_READ_MAX];
};

// Registers an fd for edge-triggered events; `handle` begins with its enum load_kind.
void load_watch(struct load *l, int fd, void *handle);

uint64_t load_now_ns(void);

// Prints one line of JSON on stdout at once.
__attribute__((format(printf, 1, 2))) void load_say(const char *format, ...);

// load_origin.c
struct load_origin *load_origin_new(struct load *l, uint16_t *port);
void load_origin_accept(struct load *l);
void load_origin_event(struct load *l, void *conn, uint32_t events);

// load_client.c
struct load_client_set *load_client_set_new(const struct load_options *options);
void load_client_event(struct load *l, void *client, uint32_t events);

// Opens every connection and sends one request on each; says {"event":"up"} when all were answered.
void load_client_open(struct load *l);

// Lets the connections send on and on, or hold after the answer under way ({"event":"held"}).
void load_client_run(struct load *l);
void load_client_hold(struct load *l);

// Opens again what failed; to be called about ten times a second.
void load_client_retry(struct load *l);

// Requests under way for longer than LOAD_STALL_NS.
uint64_t load_client_stalled(const struct load *l, uint64_t now_ns);

#endif
