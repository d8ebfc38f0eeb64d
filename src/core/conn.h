/* A client's connection: stream and codec together, counted and listed. */
#ifndef TG_CORE_CONN_H
#define TG_CORE_CONN_H

#include "core/core.h"

struct conn {
    struct stream stream;
    struct h1_server h1;
    struct core *core;
    struct list link; /* in core->conns */
    struct task release;
    const struct snapshot_listener *listener; /* of `snapshot` */
    struct snapshot *snapshot; /* pinned: whose TLS set and listener it was accepted with */
    uint16_t port;             /* the client's */
    uint8_t ip_len;
    char ip[46];                        /* text */
    struct str tls_version, tls_cipher; /* once opened; static texts */
    struct metrics_cell *idle, *active; /* connections{listener,state} */
    bool opened;                        /* its TLS handshake, if any, is over */
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
