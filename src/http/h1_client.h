/* The client side of HTTP/1.1 on one connection to a service: one request at a time, its answer
 * read strictly, both body framings, back-pressure by pausing. RFC 9112. */
#ifndef TG_HTTP_H1_CLIENT_H
#define TG_HTTP_H1_CLIENT_H

#include "http/exchange.h"
#include "http/h1_body.h"
#include "net/stream.h"

enum h1_client_fault {
    H1_CLIENT_CONNECT, /* no connection came about; stream.error says why */
    H1_CLIENT_RESET,   /* it broke or ended before the answer was complete */
    H1_CLIENT_INVALID, /* the answer is no valid HTTP/1.1 */
};

struct h1_client;

/* Each may close the connection; none is called from inside a function of this header. */
struct h1_client_ops {
    void (*on_open)(struct h1_client *c);
    /* c->head is parsed, its bytes live in the arena given. `last`: the answer is complete. */
    void (*on_head)(struct h1_client *c, struct str body, bool last);
    void (*on_body)(struct h1_client *c, struct str body, bool last);
    /* 102, 103: c->head is valid until the callback returns. */
    void (*on_interim)(struct h1_client *c);
    void (*on_drained)(struct h1_client *c);
    void (*on_fault)(struct h1_client *c, enum h1_client_fault fault);
    /* An idle connection ended, or sent bytes that nobody asked for: close it. */
    void (*on_idle_end)(struct h1_client *c);
};

struct h1_client {
    struct stream stream;
    struct h1_env *env;
    const struct h1_client_ops *ops;
    void *user;
    struct h1_head head;
    struct headers trailers;
    struct h1_body in; /* the answer's body on the wire */
    struct buf parked;
    struct task kick;
    struct arena *arena;   /* of the running request */
    uint64_t bytes_in;     /* of the running answer, heads included */
    uint32_t keep_alive_s; /* the service's `Keep-Alive: timeout=`, 0: not said */
    uint8_t state;
    uint8_t method;
    uint8_t interims; /* 1xx answers before the final one */
    bool busy, fresh, paused;
    bool request_sent; /* the whole request was written */
    bool chunked_request;
};

enum { H1_CLIENT_HEAD_BYTES = 60 * 1024, H1_CLIENT_FIELDS = 256, H1_CLIENT_INTERIMS = 32 };

/* `c` is zeroed but for env, ops and user. on_open or on_fault follows. */
void h1_client_dial(struct h1_client *c, const struct addr *to, struct tls_client *tls,
                    const char *server_name);
/* Sends a head (already serialised, its end included) and first body bytes together. What the
 * answer needs lives in `arena`. `trailers` go with the last chunk, NULL: none. -1: broken, nothing
 * of it left, no callback follows. */
int h1_client_send(struct h1_client *c, struct arena *arena, enum http_method method,
                   struct str head, bool chunked, struct str body, bool last,
                   const struct headers *trailers) __attribute__((warn_unused_result));
/* If the connection broke, on_fault follows behind what came of the answer before. */
void h1_client_send_body(struct h1_client *c, struct str body, bool last,
                         const struct headers *trailers);
/* Stops and goes on with reading the answer. */
void h1_client_pause(struct h1_client *c);
void h1_client_resume(struct h1_client *c);
/* After on_head/on_body with `last`: may another request use this connection? */
bool h1_client_reusable(const struct h1_client *c);
/* Between requests, in a pool: forgets the request's arena. */
void h1_client_rest(struct h1_client *c);
/* True if a rested connection is still open with nothing received. */
bool h1_client_usable(const struct h1_client *c);
/* At once, no callback. The memory is the owner's to free at the turn's end. */
void h1_client_close(struct h1_client *c);

#endif
