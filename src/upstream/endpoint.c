/* See endpoint.h. */
#include "upstream/endpoint.h"

#include "base/check.h"
#include "base/xmem.h"

#include <inttypes.h>
#include <stdlib.h>

static uint32_t slot_take(struct endpoints *all)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (!all->slots[i])
            return i;
    if ((all->count & (all->count + 1)) == 0 || all->count == 0)
        all->slots = xrealloc(all->slots, (all->count * 2 + 2) * sizeof *all->slots);
    return all->count++;
}

static struct endpoint *endpoint_new(const struct addr *addr, struct str name,
                                     const char *server_name, bool tls, struct str identity)
{
    struct endpoint *e = xcalloc(1, sizeof *e);
    e->addr = *addr;
    e->name = str_make(xstrndup(name.p, name.n), name.n);
    e->identity = identity;
    e->server_name = server_name ? xstrdup(server_name) : NULL;
    e->tls = tls;
    return e;
}

struct endpoint *endpoint_ref(struct endpoints *all, const struct addr *addr, struct str name,
                              const char *server_name, uint64_t tls_digest)
{
    char address[ADDR_TEXT];
    struct buf key = {0};
    addr_format(addr, address);
    buf_printf(&key, "%s|%" PRIx64 "|%s", address, tls_digest, server_name ? server_name : "");
    struct endpoint *e = map_get(&all->by_identity, str_make(key.p, key.n));
    if (e) {
        buf_free(&key);
    } else {
        e = endpoint_new(addr, name, server_name, tls_digest != 0, str_make(key.p, key.n));
        e->slot = slot_take(all);
        all->slots[e->slot] = e;
        map_put(&all->by_identity, e->identity, e);
    }
    e->refs++;
    return e;
}

void endpoint_unref(struct endpoints *all, struct endpoint **ep)
{
    struct endpoint *e = *ep;
    *ep = NULL;
    ensure(e->refs > 0);
    if (--e->refs)
        return;
    map_remove(&all->by_identity, e->identity);
    all->slots[e->slot] = NULL;
    free((char *)(uintptr_t)e->name.p);
    free((char *)(uintptr_t)e->identity.p);
    free((char *)(uintptr_t)e->server_name);
    free(e);
}

void endpoints_fini(struct endpoints *all)
{
    ensure(all->by_identity.count == 0);
    map_free(&all->by_identity);
    free(all->slots);
    *all = (struct endpoints){0};
}
