/* See snapshot.h. */
#include "core/snapshot.h"

const struct snapshot_listener *snapshot_listener(const struct snapshot *s, const char *address)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (strcmp(s->listeners[i].address, address) == 0)
            return &s->listeners[i];
    return NULL;
}

void snapshot_free_worker_tls(struct snapshot *s, struct snapshot_worker *w)
{
    for (size_t i = 0; i < s->listener_count; i++)
        tls_server_free(w->servers[i]);
    for (size_t i = 0; i < s->service_count; i++)
        tls_client_free(w->clients[i]);
}
