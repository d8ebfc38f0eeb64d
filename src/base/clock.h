/* Readings of the system's clocks. Pure code never calls these: time is passed in as `now`. */
#ifndef TG_BASE_CLOCK_H
#define TG_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Nanoseconds that never go back. */
static inline uint64_t clock_mono_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

/* Nanoseconds since 1970 (UTC). */
static inline uint64_t clock_wall_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

#endif
