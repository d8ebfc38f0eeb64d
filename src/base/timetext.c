/* The wall clock as text, see timetext.h. */
#include "base/timetext.h"

#include <stdio.h>
#include <time.h>

static void set_second(struct timetext *t, uint64_t second)
{
    time_t when = (time_t)second;
    struct tm tm;

    gmtime_r(&when, &tm);
    t->second = second;
    /* The remainders are true for four-digit years; they tell the compiler how long the text is. */
    snprintf(t->text, sizeof t->text, "%04u-%02u-%02uT%02u:%02u:%02u.000Z",
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
             (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
             (unsigned)tm.tm_sec % 100);
}

const char *timetext_get(struct timetext *t, uint64_t wall_ns)
{
    uint64_t second = wall_ns / 1000000000u;
    unsigned ms = (unsigned)(wall_ns / 1000000u % 1000u);

    if (second != t->second || t->text[0] == '\0')
        set_second(t, second);
    t->text[TIMETEXT_LEN - 4] = (char)('0' + ms / 100);
    t->text[TIMETEXT_LEN - 3] = (char)('0' + ms / 10 % 10);
    t->text[TIMETEXT_LEN - 2] = (char)('0' + ms % 10);
    return t->text;
}
