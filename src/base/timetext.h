/* The wall clock as text for log lines, "2026-01-31T23:59:59.123Z" (RFC 3339, UTC, milliseconds).
 * Within a second only the last digits change, so one state per thread makes it cheap. */
#ifndef TG_BASE_TIMETEXT_H
#define TG_BASE_TIMETEXT_H

#include <stdint.h>

enum { TIMETEXT_LEN = 24 };

/* Zero-initialised is ready for use. */
struct timetext {
    uint64_t second; /* since 1970, that `text` shows */
    char text[TIMETEXT_LEN + 1];
};

/* TIMETEXT_LEN characters and a NUL, valid until the next call. */
const char *timetext_get(struct timetext *t, uint64_t wall_ns);

#endif
