/* The server side of HTTP/1.1 on one connection: keep-alive, pipelining, both body framings, limits
 * and timeouts. Used by the core for clients and by the control thread for the admin API. RFC
 * 9112. */
#ifndef TG_HTTP_H1_SERVER_H
#define TG_HTTP_H1_SERVER_H

#include "http/exchange.h"
#include "http/h1_body.h"
#include "net/loop.h"
#include "net/stream.h"

/* Limits of a listener, read at each request; all times in ms. */
struct h1_server_limits {
    struct h1_limits head;
    uint32_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
};

struct h1_server {
    struct stream *stream; /* the owner's; it hands events on with h1_server_event */
    struct h1_env *env;
    const struct h1_server_limits *limits; /* may be exchanged between requests */
    const struct handler_ops *handler;
    void (*on_closed)(struct h1_server *); /* last call: the owner frees, at the turn's end */
    void *user;                            /* given to exchange_new */
    struct exchange *x;                    /* the current one, or NULL when idle */
    struct h1_head *head;                  /* of x, in its arena */
    struct h1_body in;                     /* the request's body on the wire */
    struct buf parked;                     /* bytes received and not yet used, from parked_at on */
    struct buf body;                       /* decoded body bytes that the handler did not take */
    struct timer timer;
    struct task kick;  /* goes on at the turn's end */
    uint64_t progress; /* what the timer saw last time */
    uint64_t start_ns; /* loop time of the current request's first byte, or of lingering */
    uint64_t turn;     /* of the loop when the current request began */
    uint32_t parked_at;
    uint32_t burst;    /* requests before it in the same turn */
    uint32_t requests; /* served on this connection */
    uint8_t state;
    bool busy; /* inside the read loop: no recursion */
    bool want_body, body_last, continue_sent;
    bool chunked_answer;
    bool draining; /* close after the current exchange */
    bool broken;   /* a write failed: ends at the turn's end */
    bool aborting; /* the handler gave up */
};

/* `c` is filled with stream, env, limits, handler, on_closed and user, the rest zeroed. The stream
 * is open or shaking hands. */
void h1_server_open(struct h1_server *c);
/* What the stream told. */
void h1_server_event(struct h1_server *c, unsigned what);
/* Answers say `Connection: close` from now on. A connection without an exchange has a second more:
 * a request that is on its way, the first one of a new connection above all, is still answered. */
void h1_server_drain(struct h1_server *c);
/* At once; a running exchange ends as EXCHANGE_ABORTED. */
void h1_server_close(struct h1_server *c);

#endif
