/* Memory that is there or the process ends: a gateway that cannot allocate a few bytes cannot
 * answer either, and the supervisor starts it again. Sizes that a peer chooses are bounded
 * before. */
#ifndef TG_BASE_XMEM_H
#define TG_BASE_XMEM_H

#include <stddef.h>

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
/* Zeroed; `count * size` may not overflow. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));

#endif
