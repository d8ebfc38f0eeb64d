/* Notices threads that stand still, see liveness.h. */
#include "control/liveness.h"

#include "base/check.h"

void liveness_init(struct liveness *l, unsigned count, uint64_t now_ms)
{
    ensure(count <= LIVENESS_MAX);
    l->count = count;
    for (unsigned i = 0; i < count; i++) {
        l->thread[i].turns = 0;
        l->thread[i].moved_ms = now_ms;
    }
}

void liveness_see(struct liveness *l, unsigned i, uint64_t turns, uint64_t now_ms)
{
    ensure(i < l->count);
    if (turns == l->thread[i].turns)
        return;
    l->thread[i].turns = turns;
    l->thread[i].moved_ms = now_ms;
}

bool liveness_stalled(const struct liveness *l, unsigned i, uint64_t now_ms)
{
    ensure(i < l->count);
    return now_ms - l->thread[i].moved_ms > LIVENESS_STALLED_MS;
}

bool liveness_any_stalled(const struct liveness *l, uint64_t now_ms)
{
    for (unsigned i = 0; i < l->count; i++)
        if (liveness_stalled(l, i, now_ms))
            return true;
    return false;
}
