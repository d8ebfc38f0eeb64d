/* See arena.h. */
#include "base/arena.h"

#include "base/check.h"
#include "base/xmem.h"
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef TG_SANITIZED
enum { CHUNK = 0 };
#else
enum { CHUNK = 4096 - 16 };
#endif
enum { ALIGN = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(ALIGN) char bytes[];
};

static void *arena_grow(struct arena *a, size_t n)
{
    size_t size = n > CHUNK / 4 ? n : CHUNK - sizeof(struct arena_chunk);
    struct arena_chunk *c = xmalloc(sizeof *c + size);
    c->size = size;
    a->total += size;
    if (size == n && a->chunks) { /* a large piece of its own: the free part stays in use */
        c->next = a->chunks->next;
        a->chunks->next = c;
        return c->bytes;
    }
    c->next = a->chunks;
    a->chunks = c;
    a->at = c->bytes + n;
    a->end = c->bytes + size;
    return c->bytes;
}

void *arena_alloc(struct arena *a, size_t n)
{
    ensure(n < SIZE_MAX / 2);
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (likely((size_t)(a->end - a->at) >= n && a->at)) {
        void *p = a->at;
        a->at += n;
        return p;
    }
    return arena_grow(a, n);
}

void *arena_zalloc(struct arena *a, size_t n)
{
    return memset(arena_alloc(a, n), 0, n);
}

char *arena_dup(struct arena *a, const void *p, size_t n)
{
    char *q = arena_alloc(a, n + 1);
    if (n)
        memcpy(q, p, n);
    q[n] = 0;
    return q;
}

struct str arena_str(struct arena *a, struct str s)
{
    return str_make(arena_dup(a, s.p, s.n), s.n);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    ensure(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, format);
    vsnprintf(p, (size_t)n + 1, format, ap);
    va_end(ap);
    return p;
}

static void arena_keep(struct arena *a, struct arena_chunk *keep)
{
    struct arena_chunk *c = a->chunks;
    while (c) {
        struct arena_chunk *next = c->next;
        if (c != keep)
            free(c);
        c = next;
    }
    a->chunks = keep;
    a->total = keep ? keep->size : 0;
    a->at = keep ? keep->bytes : NULL;
    a->end = keep ? keep->bytes + keep->size : NULL;
    if (keep)
        keep->next = NULL;
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunks;
    if (CHUNK == 0 || (keep && keep->size > CHUNK))
        keep = NULL;
    arena_keep(a, keep);
}

void arena_free(struct arena *a)
{
    arena_keep(a, NULL);
}
