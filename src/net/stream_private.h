/* The seam between a stream's socket side (stream.c) and its TLS side (stream_tls.c). */
#ifndef TG_NET_STREAM_PRIVATE_H
#define TG_NET_STREAM_PRIVATE_H

#include "net/stream.h"

enum stream_state {
    STATE_CLOSED,
    STATE_CONNECTING,
    STATE_SHAKING, /* TLS handshake */
    STATE_OPEN,
    STATE_FAILED, /* STREAM_FAILED is to be told or was told */
};

struct stream_tls_io;

enum net_error net_error_of(int error);
/* Keeps the first error. */
void stream_set_error(struct stream *s, enum net_error e);
/* recv into `buf`: as stream_read, for the bytes of the socket. */
ssize_t stream_recv(struct stream *s, void *buf, size_t cap);
/* One send, the rest parked; -1: broken. `total` is the sum of the vectors. */
int stream_send(struct stream *s, const struct iovec *iov, int n, size_t total);

/* False: OpenSSL refuses, s->error is set. `name` may be NULL, then `to` is verified. */
bool stream_tls_accept(struct stream *s, struct tls_server *tls);
bool stream_tls_dial(struct stream *s, struct tls_client *tls, const char *name,
                     const struct addr *to);
/* 1: done, 0: waits for the peer, -1: failed, s->error is set. */
int stream_tls_handshake(struct stream *s);
ssize_t stream_tls_read(struct stream *s, void *buf, size_t cap);
int stream_tls_write(struct stream *s, const struct iovec *iov, int n, size_t total);
/* Sends or parks close_notify. */
void stream_tls_notify(struct stream *s);
void stream_tls_free(struct stream *s);
/* NULL is fine. */
void stream_tls_io_free(struct stream_tls_io *io);

#endif
