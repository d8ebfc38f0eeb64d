/* Bodies of HTTP/1.1 messages: taking them out of their framing and putting them into it, the same
 * for both sides (RFC 9112 §6, §7). */
#ifndef TG_HTTP_H1_BODY_H
#define TG_HTTP_H1_BODY_H

#include "http/chunked.h"
#include "net/loop.h"

#include <sys/uio.h>

/* What all HTTP/1.1 connections of one thread share. */
struct h1_env {
    struct loop *loop;
    struct buf out, tail;        /* heads and chunk ends are serialised here */
    char size[CHUNKED_HEAD_MAX]; /* chunk size line */
    uint64_t date_second;        /* the second that `date` shows */
    char date[32];               /* IMF-fixdate */
};

void h1_env_fini(struct h1_env *env);

/* The receiving state of one body; zeroed is: no body. */
struct h1_body {
    uint8_t framing; /* enum h1_framing */
    uint64_t left;   /* H1_BODY_LENGTH: bytes still to come */
    struct chunked chunked;
};

/* For the message whose head is complete. */
void h1_body_init(struct h1_body *b, const struct h1_head *h);
void h1_body_fini(struct h1_body *b);
/* True if nothing (more) is to come. Until-close bodies never say so. */
bool h1_body_complete(const struct h1_body *b);

enum h1_body_result {
    H1_BODY_DATA, /* `*data` has bytes, or `*last` is true, or both */
    H1_BODY_MORE,
    H1_BODY_BAD,
};

/* The next body bytes among those received, `*in` advancing. Pieces of several chunks are moved
 * together inside the buffer, so that the caller sees one. */
enum h1_body_result h1_body_decode(struct h1_body *b, struct str *in, struct str *data, bool *last,
                                   const struct h1_limits *limits, struct headers *trailers)
    __attribute__((warn_unused_result));

/* Head bytes, if any, and body bytes in their framing, as vectors for one write; returns how many.
 * They point into the arguments and into env, until the next call. `trailers` may be NULL. */
int h1_frame(struct h1_env *env, struct iovec iov[4], struct str head, struct str body,
             bool chunked, bool last, const struct headers *trailers);

#endif
