/* A client's connection: stream and codec together, counted and listed. */
#ifndef TG_CORE_CONN_H
#define TG_CORE_CONN_H

#include "core/core.h"

enum { CONN_IP_MAX = 40 }; /* 39 of IPv6 at most */

struct conn {
    struct stream stream;
    struct h1_server h1;
    struct core *core;
    struct list link; /* in core->conns */
    struct task release;
    const struct snapshot_listener *listener; /* of `snapshot` */
    struct snapshot *snapshot; /* pinned: whose TLS set and listener it was accepted with */
    struct metrics_cell *idle, *active; /* connections{listener,state} */
    uint16_t port;                      /* the client's */
    bool opened;                        /* its TLS handshake, if any, is over */
    uint8_t ip_len;
    char ip[CONN_IP_MAX]; /* text */
};

/* Takes over the descriptor; `l` is of the core's current snapshot. */
void conn_accept(struct core *core, const struct snapshot_listener *l, int fd,
                 const struct addr *peer);

/* Counted as one with a running request, or without. */
void conn_set_active(struct conn *c, bool active);

/* Between requests: from now on it is judged by the core's current snapshot, or closes soon when
 * that has no such listener any more. */
void conn_refresh(struct conn *c);

#endif
