/* Bytes from one thread to another: one producer, one consumer, no lock, no system call on the
 * way. Workers hand their log lines to the persist thread through it. The bytes are mapped twice
 * in a row, so that every record lies in one piece wherever it begins. The consumer comes by
 * itself several times a second; only a ring that becomes more than half full wakes it. */
#ifndef TG_BASE_RING_H
#define TG_BASE_RING_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>

struct ring {
    /* Producer's cache line. */
    _Alignas(64) _Atomic uint64_t head; /* bytes ever committed */
    uint64_t tail_seen;                 /* tail as the producer last read it */
    _Atomic uint64_t dropped;           /* records that found no room, see ring_drop */
    bool woken;                         /* the consumer was told of the half-full ring */
    /* Consumer's cache line. */
    _Alignas(64) _Atomic uint64_t tail; /* bytes ever consumed */
    /* Read by both, never written after ring_new. */
    _Alignas(64) char *bytes; /* `size` bytes, mapped twice */
    size_t size;              /* a power of two */
    int wake_fd;              /* eventfd of the consumer, not owned; -1: none */
};

/* At least `size` bytes (rounded up to a power of two, a page at least); NULL if the kernel
 * refuses. */
struct ring *ring_new(size_t size, int wake_fd);
/* Neither side may use it any more. Nulls *r. */
void ring_free(struct ring **r);

/* Producer: room for `n` bytes in one piece, or NULL when so many are not free (call ring_drop
 * then). Reserving again without a commit gives the same place. */
char *ring_reserve(struct ring *r, size_t n);
/* Producer: the first `n` of the reserved bytes become visible to the consumer. */
void ring_commit(struct ring *r, size_t n);
/* Producer: one record was given up. */
void ring_drop(struct ring *r);

/* Consumer: everything that is committed, in one piece; valid until it is consumed. */
struct str ring_peek(struct ring *r);
/* Consumer: gives the first `n` bytes of what ring_peek showed back to the producer. */
void ring_consume(struct ring *r, size_t n);
/* Any thread. */
uint64_t ring_dropped(const struct ring *r);

#endif
