/* Notices threads that stand still: each raises a turn counter at least once a second, and one
 * that did not move for five seconds is stalled. Pure: time is passed in. */
#ifndef TG_CONTROL_LIVENESS_H
#define TG_CONTROL_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

enum { LIVENESS_MAX = 1024, LIVENESS_STALLED_MS = 5000 };

struct liveness {
    unsigned count;
    struct {
        uint64_t turns;
        uint64_t moved_ms; /* when `turns` was last seen to have risen */
    } thread[LIVENESS_MAX];
};

/* `count` threads, all of them taken as moving at `now_ms`. */
void liveness_init(struct liveness *l, unsigned count, uint64_t now_ms);
/* What thread `i` shows now. */
void liveness_see(struct liveness *l, unsigned i, uint64_t turns, uint64_t now_ms);
/* Whether thread `i` stood still for too long. */
bool liveness_stalled(const struct liveness *l, unsigned i, uint64_t now_ms);
/* Whether any of them did. */
bool liveness_any_stalled(const struct liveness *l, uint64_t now_ms);

#endif
