/* A loop with two streams that talk to each other over loopback: `here` dials, `there` is accepted.
 * Both collect what they read; tests look at what they saw. */
#ifndef TG_TEST_NET_FIXTURE_H
#define TG_TEST_NET_FIXTURE_H

#include "base/str.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "tests/unit/net/pki.h"

struct end {
    struct stream stream;
    struct fixture *fixture;
    struct buf in;
    unsigned seen;     /* STREAM_… that ever came */
    ssize_t last_read; /* the last result of stream_read */
    unsigned drained;
    bool paused; /* does not read */
    bool echo;   /* writes back what it reads */
    bool close_at_end;
};

struct fixture {
    struct loop *loop;
    struct listener listener;
    struct addr addr; /* of the listener */
    struct end here, there;
    struct tls_server *server; /* or NULL: plain */
    struct tls_client *client;
    struct ossl_lib_ctx_st *lib;
    bool (*done)(struct fixture *);
    struct timer limit;
    bool timed_out;
};

void fixture_open(struct fixture *f);
/* TLS on both sides: the server's certificate names `san`, the client trusts its authority. */
void fixture_tls(struct fixture *f, const char *san);
void fixture_close(struct fixture *f);

/* Turns until `done`; the test fails after five seconds (more under sanitizers). */
void fixture_run(struct fixture *f, bool (*done)(struct fixture *));
void fixture_dial(struct fixture *f, const char *server_name);
/* fixture_dial, then turns until both ends are open. */
void fixture_connect(struct fixture *f, const char *server_name);

/* Reads all that is there; called by on_event, and by tests after a pause. */
void end_read(struct end *e);
void end_write(struct end *e, struct str text);
bool end_has(const struct end *e, const char *text);

bool both_open(struct fixture *f);
bool here_failed(struct fixture *f);
bool here_ended(struct fixture *f);
bool there_ended(struct fixture *f);
bool both_ended(struct fixture *f);

#endif
