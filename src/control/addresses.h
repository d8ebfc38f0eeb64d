/* Which addresses a configuration wants to listen on, and with how many sockets: asked at the start
 * and again at each reload. */
#ifndef TG_CONTROL_ADDRESSES_H
#define TG_CONTROL_ADDRESSES_H

#include "conf/conf.h"
#include "net/addr.h"

#include <stddef.h>
#include <sys/types.h>

struct addresses_item {
    const char *text; /* as configured; lives as long as the configuration */
    struct addr addr;
    size_t count; /* sockets: one per worker for a TCP listener, else 1 */
    mode_t mode;  /* permission bits, if it is a Unix socket */
};

struct addresses {
    struct addresses_item *items;
    size_t count;
};

/* The addresses of listeners, admin.address and admin.probe_address, each once; ends with
 * addresses_fini. */
void addresses_collect(const struct conf *conf, size_t workers, struct addresses *out);
void addresses_fini(struct addresses *addresses);

/* How many workers the configuration wants: `auto` is one per CPU that this process may use. */
size_t addresses_workers(const struct conf *conf);

#endif
