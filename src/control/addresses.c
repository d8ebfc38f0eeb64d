/* The addresses of a configuration, see addresses.h. */
#include "control/addresses.h"

#include "base/check.h"
#include "base/proto.h"
#include "base/xmem.h"

#include <sched.h>
#include <stdlib.h>

/* Anybody on the machine may use a listener, as he may a TCP port. An admin API on a Unix socket
 * needs no token, so its file decides who may: root and the user that started the gateway. */
#define MODE_LISTENER 0666
#define MODE_ADMIN    0600

static void add(struct addresses *out, const char *text, size_t count, mode_t mode)
{
    struct addresses_item item = {.text = text, .count = count, .mode = mode};

    if (text == NULL)
        return;
    ensure(addr_parse(str_of(text), &item.addr) == 0); /* the configuration is a checked one */
    for (size_t i = 0; i < out->count; i++) {
        if (addr_equal(&out->items[i].addr, &item.addr))
            return;
    }
    if (item.addr.sa.sa_family == AF_UNIX)
        item.count = 1;
    out->items = xrealloc(out->items, (out->count + 1) * sizeof(item));
    out->items[out->count++] = item;
}

void addresses_collect(const struct conf *conf, size_t workers, struct addresses *out)
{
    const struct node *root = conf_root(conf);
    const struct node *listeners = node_get(root, "listeners");

    *out = (struct addresses){0};
    for (size_t i = 0; i < node_count(listeners, ""); i++)
        add(out, node_str(node_at(listeners, i), "address"), workers, MODE_LISTENER);
    add(out, node_str(root, "admin.address"), 1, MODE_ADMIN);
    add(out, node_str(root, "admin.probe_address"), 1, MODE_LISTENER);
}

void addresses_fini(struct addresses *addresses)
{
    free(addresses->items);
    *addresses = (struct addresses){0};
}

size_t addresses_workers(const struct conf *conf)
{
    int64_t workers = node_int(conf_root(conf), "workers");
    cpu_set_t cpus;

    if (workers <= 0)
        workers = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return workers < PROTO_SOCKETS_MAX ? (size_t)workers : PROTO_SOCKETS_MAX;
}
