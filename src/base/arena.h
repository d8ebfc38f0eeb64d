/* Memory of one request or one snapshot: given out piecemeal, taken back at once.
 * Sanitizer builds allocate each piece by itself, so that overruns are seen. */
#ifndef TG_BASE_ARENA_H
#define TG_BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>

struct arena_chunk;

/* Zero-initialised is a valid, empty arena. */
struct arena {
    char *at, *end;             /* free part of the first chunk */
    struct arena_chunk *chunks; /* newest first */
    size_t total;               /* bytes held, for limits and metrics */
};

/* Bytes aligned to 16, not zeroed; never NULL. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
void *arena_zalloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
/* A copy with a NUL behind it. */
char *arena_dup(struct arena *a, const void *p, size_t n) __attribute__((returns_nonnull));
struct str arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
/* Everything back; one chunk stays for the next use. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
