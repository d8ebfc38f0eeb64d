/* See tls_mem.h. */
#include "net/tls_mem.h"

#include "config.h"

#ifndef TG_SANITIZED

#include "base/check.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    STEP = 16,   /* small sizes are multiples of it */
    SMALL = 256, /* the largest of them; larger ones come and go with handshakes */
    HELD = 5,    /* sizes that every connection holds for its whole life */
    SMALLS = SMALL / STEP,
    CLASSES = SMALLS + HELD + 1, /* the last one is RECORD */
    RECORD = 17408,              /* a record of 16 KiB and what stands around it */
    RECORD_MIN = 16384,
    SPAN = 65536,
    SPANS = 65536, /* 4 GiB of addresses, not of memory */
};

/* The key share, a copy of the certificates, the session, the two ciphers, the connection itself:
 * OpenSSL 3.0 on 64 bits. With another OpenSSL they are malloc's, no more. */
static const uint16_t held_sizes[HELD] = {304, 544, 928, 960, 7632};

struct block {
    struct block *next;
};

/* begin and end are set by tls_mem_init and only read afterwards; the class of a span is written by
 * the thread that takes it, before any block of it can be freed. */
static struct {
    char *begin, *end;
    _Atomic uint32_t used;
    uint8_t class_of[SPANS];
} range;

struct lists {
    bool on;
    struct block *free[CLASSES];
    char *cut[CLASSES], *cut_end[CLASSES]; /* what is left of the newest span */
};

static _Thread_local struct lists lists;

static size_t class_size(unsigned class)
{
    if (class < SMALLS)
        return (class + 1u) * STEP;
    return class < SMALLS + HELD ? held_sizes[class - SMALLS] : RECORD;
}

/* The class that serves n bytes, CLASSES if none does. */
static unsigned class_for(size_t n)
{
    if (n - 1 < SMALL)
        return (unsigned)(n - 1) / STEP;
    for (unsigned i = 0; i < HELD; i++)
        if (n <= held_sizes[i] && n + STEP > held_sizes[i])
            return SMALLS + i;
    return n > RECORD_MIN && n <= RECORD ? CLASSES - 1 : CLASSES;
}

static bool span_take(unsigned class)
{
    uint32_t at = atomic_load_explicit(&range.used, memory_order_relaxed);
    do {
        if (at == SPANS)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&range.used, &at, at + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    range.class_of[at] = (uint8_t) class;
    lists.cut[class] = range.begin + (size_t)at * SPAN;
    lists.cut_end[class] = lists.cut[class] + SPAN;
    return true;
}

static void *block_take(unsigned class)
{
    struct block *b = lists.free[class];
    if (likely(b != NULL)) {
        lists.free[class] = b->next;
        return b;
    }
    size_t size = class_size(class);
    if ((size_t)(lists.cut_end[class] - lists.cut[class]) < size && !span_take(class))
        return NULL;
    void *p = lists.cut[class];
    lists.cut[class] += size;
    return p;
}

static bool in_range(const void *p)
{
    return (const char *)p >= range.begin && (const char *)p < range.end;
}

static unsigned class_of(const void *p)
{
    return range.class_of[((const char *)p - range.begin) / SPAN];
}

static void *mem_alloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    unsigned class = lists.on ? class_for(n) : CLASSES;
    void *p = class < CLASSES ? block_take(class) : NULL;
    return p ? p : malloc(n);
}

static void mem_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (!in_range(p)) {
        free(p);
        return;
    }
    unsigned class = class_of(p);
    struct block *b = p;
    b->next = lists.free[class];
    lists.free[class] = b;
}

static void *mem_realloc(void *p, size_t n, const char *file, int line)
{
    if (!in_range(p))
        return p ? realloc(p, n) : mem_alloc(n, file, line);
    size_t held = class_size(class_of(p));
    void *q = mem_alloc(n, file, line);
    if (!q)
        return NULL;
    memcpy(q, p, n < held ? n : held);
    mem_free(p, file, line);
    return q;
}

void tls_mem_init(void)
{
    const size_t bytes = (size_t)SPAN * SPANS;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED)
        return;
    if (!CRYPTO_set_mem_functions(mem_alloc, mem_realloc, mem_free)) {
        munmap(p, bytes);
        return;
    }
    range.begin = p;
    range.end = range.begin + bytes;
}

void tls_mem_thread(void)
{
    lists.on = range.begin != NULL;
}

#else

void tls_mem_init(void)
{
}

void tls_mem_thread(void)
{
}

#endif
