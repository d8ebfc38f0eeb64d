/* See hint.h: optimal string alignment distance (insert, delete, replace, swap of neighbours). */
#include "conf/hint.h"

#include <stdint.h>
#include <string.h>

enum { LENGTH_MAX = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    uint8_t rows[3][LENGTH_MAX + 1];
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= na; i++) {
        uint8_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= nb; j++) {
            size_t cost = a[i - 1] != b[j - 1];
            size_t d = min3(above[j] + 1u, row[j - 1] + 1u, above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1u < d)
                d = above2[j - 2] + 1u;
            row[j] = (uint8_t)d;
        }
    }
    return rows[na % 3][nb];
}

void hint_init(struct hint *h, const char *wanted)
{
    /* a third of the letters may be wrong, at least two, but never all of them */
    size_t n = strlen(wanted), allowed = n / 3 > 2 ? n / 3 : 2;
    *h = (struct hint){.wanted = wanted, .distance = (allowed < n ? allowed : n - (n > 0)) + 1};
}

void hint_offer(struct hint *h, const char *candidate)
{
    size_t na = strlen(h->wanted), nb = strlen(candidate);
    if (na > LENGTH_MAX || nb > LENGTH_MAX || (na > nb ? na - nb : nb - na) >= h->distance)
        return;
    size_t d = distance(h->wanted, na, candidate, nb);
    if (d < h->distance) {
        h->distance = d;
        h->best = candidate;
    }
}
