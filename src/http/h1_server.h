/* The server side of HTTP/1.1 on one connection: keep-alive, pipelining, both body framings, limits
 * and timeouts. Used by the core for clients and by the control thread for the admin API. RFC
 * 9112. */
#ifndef TG_HTTP_H1_SERVER_H
#define TG_HTTP_H1_SERVER_H

#include "http/chunked.h"
#include "http/exchange.h"
#include "net/loop.h"
#include "net/stream.h"

/* What all connections of one thread share. */
struct h1_env {
    struct loop *loop;
    struct buf out;          /* heads are serialised here */
    uint64_t date_second;    /* the second that `date` shows */
    char date[32];           /* IMF-fixdate */
};

/* Limits of a listener, read at each request; all times in ms. */
struct h1_server_limits {
    struct h1_limits head;
    uint32_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
};

struct h1_server {
    struct stream stream;
    struct h1_env *env;
    const struct h1_server_limits *limits; /* may be exchanged between requests */
    const struct handler_ops *handler;
    void (*on_closed)(struct h1_server *); /* last call: the owner frees, at the turn's end */
    void *user;
    struct exchange *x;      /* the current one, or NULL when idle */
    struct h1_head head;
    struct chunked chunked;
    struct buf parked;       /* bytes received and not yet used */
    struct buf body;         /* decoded body bytes that the handler did not take */
    struct timer timer;
    struct task kick;        /* goes on with parked bytes and finished exchanges */
    uint64_t body_left;      /* Content-Length bytes still to come */
    uint8_t state;
    bool busy;               /* inside the read loop: no recursion */
    bool want_body, continue_sent;
    bool draining;           /* close after the current exchange */
    uint32_t requests;       /* served on this connection */
};

/* Takes an accepted descriptor over. */
void h1_server_open(struct h1_server *c, struct h1_env *env, int fd, struct tls_server *tls);
/* Sends `Connection: close` from now on; an idle connection closes at once. */
void h1_server_drain(struct h1_server *c);
/* At once; a running exchange ends as EXCHANGE_ABORTED. */
void h1_server_close(struct h1_server *c);

#endif
