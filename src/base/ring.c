/* Bytes from one thread to another, see ring.h. Each index has one writer; the other side reads it
 * with acquire, so the bytes are there when the index says so. */
#include "base/ring.h"

#include "base/check.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The same pages at two neighbouring addresses; MAP_FAILED if the kernel refuses. */
static char *map_twice(size_t size)
{
    int fd = memfd_create("ring", MFD_CLOEXEC);
    char *base = MAP_FAILED;

    if (fd < 0)
        return MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0)
        base = mmap(NULL, size * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 2 && base != MAP_FAILED; i++) {
        if (mmap(base + i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
            MAP_FAILED)
            continue;
        munmap(base, size * 2);
        base = MAP_FAILED;
    }
    close(fd);
    return base;
}

struct ring *ring_new(size_t size, int wake_fd)
{
    struct ring *r = aligned_alloc(_Alignof(struct ring), sizeof *r);
    size_t rounded = (size_t)sysconf(_SC_PAGESIZE);

    ensure(r);
    memset(r, 0, sizeof *r);
    while (rounded < size)
        rounded *= 2;
    r->size = rounded;
    r->wake_fd = wake_fd;
    r->bytes = map_twice(rounded);
    if (r->bytes != MAP_FAILED)
        return r;
    free(r);
    return NULL;
}

void ring_free(struct ring **r)
{
    if (!*r)
        return;
    munmap((*r)->bytes, (*r)->size * 2);
    free(*r);
    *r = NULL;
}

/* Looks how far the consumer is. */
static void see_tail(struct ring *r, uint64_t head)
{
    r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (head - r->tail_seen <= r->size / 2)
        r->woken = false;
}

char *ring_reserve(struct ring *r, size_t n)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    if (unlikely(head + n - r->tail_seen > r->size)) {
        see_tail(r, head);
        if (head + n - r->tail_seen > r->size)
            return NULL;
    }
    return r->bytes + (head & (r->size - 1));
}

/* The ring seems more than half full: tell the consumer once, until it was below half again. */
static void half_full(struct ring *r, uint64_t head)
{
    uint64_t one = 1;

    see_tail(r, head);
    if (head - r->tail_seen <= r->size / 2 || r->woken || r->wake_fd < 0)
        return;
    r->woken = true;
    /* An eventfd that cannot take more is readable already. */
    if (write(r->wake_fd, &one, sizeof one) < 0)
        return;
}

void ring_commit(struct ring *r, size_t n)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed) + n;

    ensure(head - r->tail_seen <= r->size);
    atomic_store_explicit(&r->head, head, memory_order_release);
    if (unlikely(head - r->tail_seen > r->size / 2))
        half_full(r, head);
}

void ring_drop(struct ring *r)
{
    uint64_t old = atomic_load_explicit(&r->dropped, memory_order_relaxed);
    atomic_store_explicit(&r->dropped, old + 1, memory_order_relaxed);
}

struct str ring_peek(struct ring *r)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);

    return str_make(r->bytes + (tail & (r->size - 1)), head - tail);
}

void ring_consume(struct ring *r, size_t n)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}

uint64_t ring_dropped(const struct ring *r)
{
    return atomic_load_explicit(&r->dropped, memory_order_relaxed);
}
