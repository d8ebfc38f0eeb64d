/* See snapshot.h. */
#include "core/snapshot.h"

const struct snapshot_listener *snapshot_listener(const struct snapshot *s, const char *address)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (strcmp(s->listeners[i].address, address) == 0)
            return &s->listeners[i];
    return NULL;
}
