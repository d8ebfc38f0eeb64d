/* An HTTP/1.1 codec at one end of a socket pair and the test's bare descriptor at the other. The
 * handler does what the test's flags say and keeps what it saw. */
#ifndef TG_TEST_HTTP_H1_PAIR_H
#define TG_TEST_HTTP_H1_PAIR_H

#include "http/h1_server.h"

struct pair {
    struct loop *loop;
    struct h1_env env;
    int peer;       /* the test's end */
    struct buf got; /* what came out of it */
    bool ended;     /* its end, or a reset, was read */
    bool deaf;      /* the test does not read */

    /* Server side. */
    struct stream stream;
    struct h1_server server;
    struct h1_server_limits limits;
    struct handler_ops handler;
    struct exchange *x; /* the running one */
    bool hold;          /* on_request neither answers nor takes */
    bool take;          /* body bytes are taken as they are shown */
    bool drain_at_new;
    bool inside; /* a codec function runs */
    unsigned requests, ends, drained, closed, bad_status;
    enum exchange_end how;
    struct buf body;
    bool body_last;
    size_t shown_max;

    bool (*done)(struct pair *);
    struct timer tick;
    uint64_t deadline_ms;
};

void pair_open(struct pair *p);
void pair_close(struct pair *p);
/* Turns until done(p); the test fails after some seconds. */
void pair_run(struct pair *p, bool (*done)(struct pair *));
/* Writes all of it to the codec, in one piece if the socket takes it. */
void pair_send(struct pair *p, const char *text);
/* Answers the running exchange: 200 and this body with Content-Length. */
void pair_answer(struct pair *p, const char *body);
bool pair_got(const struct pair *p, const char *text);

bool pair_ended(struct pair *p);
bool pair_has_request(struct pair *p);
bool pair_has_answer(struct pair *p); /* an empty line came */

#endif
