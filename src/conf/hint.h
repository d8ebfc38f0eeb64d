/* The name that was probably meant. */
#ifndef TG_CONF_HINT_H
#define TG_CONF_HINT_H

#include <stddef.h>

/* Keeps the candidate nearest to `wanted` while candidates are offered one by one. */
struct hint {
    const char *wanted;
    const char *best; /* NULL: none is near enough */
    size_t distance;
};

void hint_init(struct hint *h, const char *wanted);
/* `candidate` must outlive `h`. */
void hint_offer(struct hint *h, const char *candidate);

#endif
