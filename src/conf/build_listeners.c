/* Listeners of a snapshot: their limits and what they make of paths. */
#include "conf/build.h"

#include "http/uri.h"

static void listener_limits(const struct node *root, struct h1_server_limits *out)
{
    const struct node *n = node_get(root, "client_limits");
    out->head.head_bytes = (uint32_t)node_size(n, "header_bytes"); /* below LOOP_RX by its schema */
    out->head.fields = (uint16_t)node_int(n, "header_count");
    out->header_timeout_ms = (uint32_t)node_ms(n, "header_timeout");
    out->body_timeout_ms = (uint32_t)node_ms(n, "body_timeout");
    out->idle_timeout_ms = (uint32_t)node_ms(n, "idle_timeout");
}

static struct str port_of(struct build *b, const char *address)
{
    struct addr a;
    if (addr_parse(str_of(address), &a) != 0 || addr_port(&a) == 0)
        return STR("");
    return str_of(arena_printf(&b->snapshot->arena, "%u", addr_port(&a)));
}

int build_listeners(struct build *b)
{
    struct snapshot *s = b->snapshot;
    const struct node *list = node_get(b->root, "listeners");
    size_t n = node_count(list, "");
    if (n > LISTENERS_MAX) {
        build_error(b, list, "more than 64", "listeners");
        return -1;
    }
    s->listeners = arena_zalloc(&s->arena, n * sizeof *s->listeners);
    s->listener_count = n;
    for (size_t i = 0; i < n; i++) {
        const struct node *l = node_at(list, i);
        struct snapshot_listener *out = &s->listeners[i];
        out->index = (unsigned)i;
        out->name = str_of(node_str(l, "name"));
        out->address = node_str(l, "address");
        out->tls = node_get(l, "tls") != NULL;
        out->missing = node_str(l, "missing");
        out->port = port_of(b, out->address);
        out->uri_flags = (node_is(l, "paths.escaped_slash", "keep") ? URI_KEEP_ESCAPED_SLASH : 0u) |
                         (node_bool(l, "paths.merge_slashes") ? URI_MERGE_SLASHES : 0u);
        listener_limits(b->root, &out->limits);
    }
    return 0;
}
