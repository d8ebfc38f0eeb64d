/* See rand.h. */
#include "base/rand.h"

#include "base/check.h"

#include <sys/random.h>

void rand_seed(struct rand *r)
{
    ensure(getrandom(r->s, sizeof r->s, 0) == (ssize_t)sizeof r->s);
}
